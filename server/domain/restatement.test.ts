import { describe, expect, it } from "vitest";
import { type Facts, noFacts } from "./facts.ts";
import { causesOf, isRestated } from "./restatement.ts";

const figures = (facts: Partial<Facts>, stops: Record<string, number> = {}) => ({ facts: { ...noFacts(), ...facts }, stops });

describe("a restatement", () => {
  it("is a difference of facts or of what stops were, beyond what adding up rounds", () => {
    const before = figures({ runS: 3_600, good: 100 }, { "down jam": 60 });
    expect(isRestated(before, figures({ runS: 3_600 + 1e-7, good: 100 }, { "down jam": 60 }))).toBe(false);
    expect(isRestated(before, figures({ runS: 3_600, good: 101 }, { "down jam": 60 }))).toBe(true);
    expect(isRestated(before, figures({ runS: 3_600, good: 100 }, { "down bearing": 60 }))).toBe(true);
  });
  it("tells of the backlog, whose pieces are no cause of their own, and of what people entered", () => {
    const before = figures({ unknownS: 1_080, runS: 0 });
    const after = figures({ unknownS: 0, runS: 1_080, good: 40 });
    expect(causesOf(before, after, new Map([["reclassify", 1]]))).toEqual([
      { kind: "backlog", n: 18 },
      { kind: "reclassify", n: 1 },
    ]);
    expect(causesOf(after, before, new Map())).toEqual([{ kind: "unknown", n: 18 }]);
  });
  it("tells of pieces that came late, and of readings where nothing else can be said", () => {
    expect(causesOf(figures({ good: 3 }), figures({ good: 10, reject: 1 }), new Map())).toEqual([{ kind: "pieces", n: 8 }]);
    expect(causesOf(figures({ downS: 3 }), figures({ runS: 3 }), new Map())).toEqual([{ kind: "readings", n: 1 }]);
  });
});
