import { describe, expect, it } from "vitest";
import { isMet } from "./figure.ts";

describe("a target", () => {
  it("is met on its own side only", () => {
    expect([
      isMet({ atLeast: 5 }, 5),
      isMet({ atLeast: 5 }, 4.9),
      isMet({ below: 5 }, 5),
      isMet({ below: 5 }, 4.9),
      isMet({ exactly: 0 }, 0),
      isMet({ exactly: 0 }, 1),
    ]).toEqual([true, false, false, true, true, false]);
  });
});
