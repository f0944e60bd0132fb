import { describe, expect, it } from "vitest";
import { wakingOf } from "./live.ts";

describe("wakingOf", () => {
  it("reads what the writers say", () => {
    expect(wakingOf("board", "[1,7]")).toEqual({ type: "lines", lineIds: [1, 7] });
    expect(wakingOf("plant", "")).toEqual({ type: "plant" });
    expect(wakingOf("dead_letter", "changed")).toEqual({ type: "dead_letters" });
    expect(wakingOf("permission", "person:7")).toEqual({ type: "permission", who: "person:7" });
    expect(wakingOf("display", "7")).toEqual({ type: "display", displayId: 7, isBeat: false });
    expect(wakingOf("display", "7:beat")).toEqual({ type: "display", displayId: 7, isBeat: true });
    expect(wakingOf("worker", "ingest")).toEqual({ type: "worker", name: "ingest" });
  });
  it("does not wake screens for what is meant for the worker, or for others", () => {
    expect(wakingOf("dead_letter", "retry")).toBeNull();
    expect(wakingOf("something", "else")).toBeNull();
  });
  it("reads everything again where it does not understand", () => {
    for (const payload of ["", "x", "{}", '["a"]', "[1.5]"]) expect(wakingOf("board", payload)).toEqual({ type: "reread" });
  });
});
