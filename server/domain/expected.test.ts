import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { expectedPieces, piecesMade, plannedTime } from "./expected.ts";

const hour = 3_600_000;
const always = (idealCycleS: number, product: string | null = null) => ({ product, from: 0, to: null, idealCycleS });

describe("expectedPieces", () => {
  it("takes breaks off", () => {
    const planned = plannedTime({ from: 0, to: 8 * hour }, [{ from: 2 * hour, to: 3 * hour }]);
    expect(expectedPieces(planned, [], [always(2)])).toBe((7 * 3600) / 2);
  });

  it("takes the rate of the product that runs, and the default where it has none", () => {
    const runs = [
      { at: -5, product: "cola" },
      { at: hour, product: "water" },
      { at: 2 * hour, product: "new" },
    ];
    const rates = [always(10), always(2, "cola"), always(4, "water")];
    expect(expectedPieces([{ from: 0, to: 3 * hour }], runs, rates)).toBe(1800 + 900 + 360);
  });

  it("knows no number where some of the time has no rate", () => {
    expect(expectedPieces([{ from: 0, to: hour }], [], [{ ...always(2), from: hour / 2 }])).toBeNull();
    expect(expectedPieces([], [], [])).toBe(0);
  });

  it("adds up wherever the time is cut", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 99 }),
        fc.array(fc.record({ at: fc.integer({ min: 0, max: 100 }), product: fc.constantFrom("a", "b", "c") }), { maxLength: 6 }),
        (cut, readings) => {
          const runs = readings.map((r) => ({ ...r, at: r.at * 1000 })).sort((x, y) => x.at - y.at);
          const rates = [always(3), always(1.5, "a"), { ...always(7, "b"), from: 20_000, to: 60_000 }];
          const whole = expectedPieces([{ from: 0, to: 100_000 }], runs, rates);
          const parts = [
            { from: 0, to: cut * 1000 },
            { from: cut * 1000, to: 100_000 },
          ].map((w) => expectedPieces([w], runs, rates) ?? Number.NaN);
          expect((parts[0] ?? 0) + (parts[1] ?? 0)).toBeCloseTo(whole ?? Number.NaN, 6);
        },
      ),
    );
  });
});

describe("piecesMade", () => {
  it("adds good, reject and rework", () => expect(piecesMade({ good: 10, reject: 2, rework: 1 })).toBe(13));
  it("takes the total where a part has no signal", () => {
    expect(piecesMade({ total: 12 })).toBe(12);
    expect(piecesMade({ good: 10, total: 12 })).toBe(12);
    expect(piecesMade({ reject: 2, total: 12 })).toBe(12);
  });
  it("counts the parts where total is only a check", () => expect(piecesMade({ good: 10, reject: 1, total: 12 })).toBe(11));
  it("is nothing, not 0, where nothing is counted", () => expect(piecesMade({})).toBeNull());
});
