import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isSame, merged, threeWay } from "./three-way.ts";

const row = (rowKey: string, seconds: number | string) => ({ rowKey, product: "", seconds, from: "2026-01-01", until: "" });
const base = { name: "Press", kind: "machine", upstream: "", ideal_cycles: [row("row 1", 2.5)], targets: [] };

describe("three-way comparison of what two people made of one form", () => {
  it("tells apart what both changed, what only the other, and what only this person", () => {
    const theirs = { ...base, name: "Press A", kind: "press", ideal_cycles: [row("row 7", 2.5)] };
    const mine = { ...base, name: "Press B", upstream: "feeder" };
    expect(threeWay(base, theirs, mine)).toEqual({ both: ["name"], theirs: ["kind"], mine: ["upstream"] });
  });

  it("sees no change where only the form's own names of rows, the form of a number, emptiness or the order of parts differ", () => {
    const theirs = {
      targets: [],
      ideal_cycles: [{ until: null, from: "2026-01-01", seconds: "2.5", product: null, rowKey: "row 9" }],
      upstream: null,
      kind: "machine",
      name: "Press ",
    };
    expect(threeWay(base, theirs, base)).toEqual({ both: [], theirs: [], mine: [] });
  });

  it("does not take different things for the same", () => {
    expect(isSame([row("a", 2.5)], [row("a", 2.6)])).toBe(false);
    expect(isSame("07", "7")).toBe(false);
    expect(isSame(["a", "b"], ["b", "a"])).toBe(false);
    expect(isSame(0, "")).toBe(false);
    expect(isSame(false, null)).toBe(false);
    expect(isSame([], [{ rowKey: "a", product: "" }])).toBe(false);
  });

  it("is no conflict where both changed to the same", () => {
    const both = { ...base, name: "Press A" };
    expect(threeWay(base, both, { ...both })).toEqual({ both: [], theirs: [], mine: [] });
  });

  it("leaves alone what the other's answer does not have", () => {
    const { targets: _, ...theirs } = { ...base, name: "Press A" };
    expect(threeWay(base, theirs, { ...base, targets: [row("x", 1)] })).toEqual({ both: [], theirs: ["name"], mine: ["targets"] });
  });

  it("saved on top: mine where I changed it, theirs where only they did", () => {
    const theirs = { ...base, name: "Press A", kind: "press" };
    const mine = { ...base, name: "Press B", upstream: "feeder" };
    expect(merged(base, theirs, mine)).toEqual({ ...base, name: "Press B", kind: "press", upstream: "feeder" });
  });

  it("never reverts what only the other changed, and never loses what I changed", () => {
    const values = fc.record({ a: fc.integer({ min: 0, max: 2 }), b: fc.constantFrom("", "x", "y"), c: fc.array(fc.constantFrom("p", "q"), { maxLength: 2 }) });
    fc.assert(
      fc.property(values, values, values, (from, theirs, mine) => {
        const saved = merged(from, theirs, mine);
        for (const path of ["a", "b", "c"] as const) {
          expect(isSame(saved[path], isSame(from[path], mine[path]) ? theirs[path] : mine[path])).toBe(true);
        }
      }),
    );
  });
});
