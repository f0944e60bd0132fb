import { describe, expect, it } from "vitest";
import { whatIsWrong } from "./env.ts";

const good = { DATABASE_URL: "postgres://takt@127.0.0.1/takt" };

describe("whatIsWrong", () => {
  it("finds nothing wrong with what is needed alone, nor with blanks for the rest", () => {
    expect(whatIsWrong(good)).toEqual([]);
    expect(whatIsWrong({ ...good, LOG_LEVEL: " " })).toEqual([]);
  });
  it("says one line for each wrong variable, and no value", () => {
    const wrong = whatIsWrong({ DATABASE_URL: "mysql://root:secret@db", LOG_LEVEL: "loud" });
    expect(wrong).toEqual(["DATABASE_URL must begin with postgres:// or postgresql://", expect.stringMatching(/^LOG_LEVEL must be one of/)]);
    expect(wrong.join()).not.toContain("secret");
  });
  it("says what is missing and how it looks", () => {
    expect(whatIsWrong({})).toEqual([expect.stringMatching(/^DATABASE_URL is missing: .*postgres:\/\//)]);
    expect(whatIsWrong({ DATABASE_URL: "" })).toHaveLength(1);
  });
});
