import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { mostParts, stripOf } from "./strip.ts";

describe("stripOf", () => {
  it("joins neighbours of one kind and leaves the rest as it is", () => {
    const strip = stripOf(
      [
        { kind: "run", from: 0, to: 5 },
        { kind: "run", from: 5, to: 9 },
        { kind: "down", from: 9, to: 10 },
      ],
      0,
      10,
    );
    expect(strip).toEqual([
      ["run", 0, 9],
      ["down", 9, 10],
    ]);
  });
  it("never has more parts than a screen shows, in order and without overlap, with the kinds that held longest", () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ ms: fc.integer({ min: 1, max: 100_000 }), kind: fc.constantFrom("run", "down", "unknown") }), { minLength: 1, maxLength: 3_000 }),
        (stretches) => {
          let at = 0;
          const intervals = stretches.map(({ kind, ms }) => {
            const from = at;
            at += ms;
            return { kind: kind as "run" | "down" | "unknown", from, to: at };
          });
          const strip = stripOf(intervals, 0, at);
          expect(strip.length).toBeLessThanOrEqual(mostParts);
          expect(strip[0]?.[1]).toBe(0);
          expect(strip.at(-1)?.[2]).toBe(at);
          for (const [i, part] of strip.entries()) if (i > 0) expect(part[1]).toBe(strip[i - 1]?.[2]);
        },
      ),
      { numRuns: 50 },
    );
  });
  it("shows a link that flaps as what it mostly was", () => {
    const flaps = Array.from({ length: 4_000 }, (_, i) => ({
      kind: i % 2 === 0 ? ("unknown" as const) : ("run" as const),
      from: i * 1000 - (i % 2 ? 400 : 0),
      to: (i + 1) * 1000 - (i % 2 ? 0 : 400),
    }));
    expect(stripOf(flaps, 0, 4_000_000)).toEqual([["run", 0, 4_000_000]]);
  });
});
