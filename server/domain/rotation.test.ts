import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Concern, nextRoundFrom, type Rotation, shownAt } from "./rotation.ts";

const t0 = Date.parse("2026-03-29T00:00:00Z");
const s = 1_000;
const rotation = (changes: Partial<Rotation> = {}): Rotation => ({
  boards: [
    { lineId: 1, shownS: 30 },
    { lineId: 2, shownS: 20 },
    { lineId: 3, shownS: 10 },
  ],
  fromAt: t0,
  pin: null,
  raise: null,
  concerns: [],
  seenAt: null,
  ...changes,
});
const concern = (changes: Partial<Concern> = {}): Concern => ({
  key: "7:down",
  lineId: 3,
  kind: "down",
  subject: "Press",
  sinceAt: t0,
  knownAt: t0,
  clearedAt: null,
  ...changes,
});
const boardAt = (r: Rotation, at: number) => shownAt(r, at)?.lineId;

describe("the round", () => {
  it("shows each board for its seconds, in order, over and over", () => {
    expect([0, 29.9, 30, 49.9, 50, 59.9, 60, 90].map((at) => boardAt(rotation(), t0 + at * s))).toEqual([1, 1, 2, 2, 3, 3, 1, 2]);
    expect(shownAt(rotation(), t0 + 35 * s)).toEqual({ lineId: 2, why: "round", concern: null, untilAt: t0 + 50 * s, nextLineId: 3 });
  });

  it("goes by the clock alone: the same a year later, over both clock changes, and before its beginning", () => {
    const year = Math.round((365 * 86_400 * s) / (60 * s)) * 60 * s;
    expect([0, 30, 50].map((at) => boardAt(rotation(), t0 + year + at * s))).toEqual([1, 2, 3]);
    expect([-1, -11, -31].map((at) => boardAt(rotation(), t0 + at * s))).toEqual([3, 2, 1]);
  });

  it("of one board never ends; of none shows nothing", () => {
    expect(shownAt(rotation({ boards: [{ lineId: 1, shownS: 30 }] }), t0)).toEqual({ lineId: 1, why: "round", concern: null, untilAt: null, nextLineId: null });
    expect(shownAt(rotation({ boards: [] }), t0)).toBeNull();
  });

  it("moves on when it is told to", () => {
    for (const at of [0, 12, 30, 44, 59]) {
      const before = shownAt(rotation(), t0 + at * s);
      const after = shownAt(rotation({ fromAt: nextRoundFrom(rotation(), t0 + at * s) }), t0 + at * s);
      expect(after?.lineId).toBe(((before?.lineId ?? 0) % 3) + 1);
      expect(after?.untilAt).toBe(t0 + at * s + (rotation().boards.find(({ lineId }) => lineId === after?.lineId)?.shownS ?? 0) * s);
    }
  });
});

describe("a pin", () => {
  it("holds its board until its end, or without one", () => {
    const held = rotation({ pin: { lineId: 2, untilAt: t0 + 10 * s } });
    expect(shownAt(held, t0)).toEqual({ lineId: 2, why: "pin", concern: null, untilAt: t0 + 10 * s, nextLineId: 1 });
    expect(boardAt(held, t0 + 10 * s)).toBe(1);
    expect(shownAt(rotation({ pin: { lineId: 2, untilAt: null } }), t0 + 900 * s)).toMatchObject({ lineId: 2, untilAt: null, nextLineId: null });
  });

  it("goes before any concern, and does nothing on a board that is none of the display's", () => {
    const raise = { afterS: 0, forS: null };
    expect(boardAt(rotation({ pin: { lineId: 2, untilAt: null }, raise, concerns: [concern()] }), t0 + s)).toBe(2);
    expect(boardAt(rotation({ pin: { lineId: 9, untilAt: null } }), t0)).toBe(1);
  });
});

describe("a concern", () => {
  it("brings its board up after its time, for its time", () => {
    const raised = rotation({ raise: { afterS: 5, forS: 60 }, concerns: [concern()] });
    expect([0, 4.9, 5, 64.9].map((at) => boardAt(raised, t0 + at * s))).toEqual([1, 1, 3, 3]);
    expect(boardAt(raised, t0 + 65 * s)).toBe(1);
    expect(shownAt(raised, t0)).toMatchObject({ lineId: 1, untilAt: t0 + 5 * s, nextLineId: 3 });
    expect(shownAt(raised, t0 + 5 * s)).toMatchObject({ why: "concern", concern: { subject: "Press" }, untilAt: t0 + 65 * s });
  });

  it("that is over stays for its time, so that a board that came up can be read; one that was too short never comes", () => {
    const over = (clearedAfterS: number) => rotation({ raise: { afterS: 5, forS: 60 }, concerns: [concern({ clearedAt: t0 + clearedAfterS * s })] });
    expect(boardAt(over(8), t0 + 20 * s)).toBe(3);
    expect(boardAt(over(4), t0 + 20 * s)).toBe(1);
  });

  it("without a time stays until it is over", () => {
    const raised = rotation({ raise: { afterS: 5, forS: null }, concerns: [concern()] });
    expect(shownAt(raised, t0 + 9_000 * s)).toMatchObject({ lineId: 3, why: "concern", untilAt: null });
    expect(boardAt(rotation({ raise: { afterS: 5, forS: null }, concerns: [concern({ clearedAt: t0 + 40 * s })] }), t0 + 40 * s)).toBe(2);
  });

  it("counts from when it became known: silence is noticed only after its time-out", () => {
    const late = rotation({ raise: { afterS: 5, forS: 30 }, concerns: [concern({ kind: "unknown", knownAt: t0 + 70 * s })] });
    expect([69, 71, 99, 101].map((at) => boardAt(late, t0 + at * s))).toEqual([1, 3, 3, 2]);
  });

  it("that was seen brings nothing up again, while a later one does", () => {
    const seen = (concerns: Concern[]) => rotation({ raise: { afterS: 0, forS: null }, concerns, seenAt: t0 + 10 * s });
    expect(boardAt(seen([concern()]), t0 + 11 * s)).toBe(1);
    expect(boardAt(seen([concern(), concern({ key: "8:down", lineId: 2, sinceAt: t0 + 12 * s, knownAt: t0 + 12 * s })]), t0 + 13 * s)).toBe(2);
  });

  it("on two boards: these two in turn and no other", () => {
    const two = rotation({ raise: { afterS: 0, forS: null }, concerns: [concern(), concern({ key: "8:down", lineId: 2 })] });
    expect(new Set(Array.from({ length: 60 }, (_, n) => boardAt(two, t0 + n * s)))).toEqual(new Set([2, 3]));
  });

  it("of a line that is not on the display, or with raising switched off, changes nothing", () => {
    expect(boardAt(rotation({ raise: { afterS: 0, forS: null }, concerns: [concern({ lineId: 9 })] }), t0 + s)).toBe(1);
    expect(boardAt(rotation({ concerns: [concern()] }), t0 + s)).toBe(1);
  });
});

describe("any rotation", () => {
  const instant = fc.integer({ min: -100_000, max: 400_000 }).map((ms) => t0 + ms);
  const aConcern = fc
    .record({ lineId: fc.integer({ min: 1, max: 5 }), sinceAt: instant, late: fc.nat(90_000), lasts: fc.option(fc.nat(200_000)) })
    .map(({ lineId, sinceAt, late, lasts }) =>
      concern({ key: `${lineId}:${sinceAt}`, lineId, sinceAt, knownAt: sinceAt + late, clearedAt: lasts === null ? null : sinceAt + lasts }),
    );
  const anyRotation: fc.Arbitrary<Rotation> = fc.record({
    boards: fc.uniqueArray(fc.record({ lineId: fc.integer({ min: 1, max: 5 }), shownS: fc.integer({ min: 5, max: 90 }) }), {
      selector: ({ lineId }) => lineId,
      minLength: 1,
    }),
    fromAt: instant,
    pin: fc.option(fc.record({ lineId: fc.integer({ min: 1, max: 6 }), untilAt: fc.option(instant) })),
    raise: fc.option(fc.record({ afterS: fc.nat(60), forS: fc.option(fc.integer({ min: 10, max: 300 })) })),
    concerns: fc.array(aConcern, { maxLength: 4 }),
    seenAt: fc.option(instant),
  });

  it("shows one of its boards, until an instant to come, and the same one all that time", () => {
    fc.assert(
      fc.property(anyRotation, instant, fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }), (r, at, share) => {
        const shown = shownAt(r, at);
        expect(r.boards.map(({ lineId }) => lineId)).toContain(shown?.lineId);
        if (!shown || shown.untilAt === null) return;
        expect(shown.untilAt).toBeGreaterThan(at);
        expect(boardAt(r, at + Math.floor((shown.untilAt - at - 1) * share))).toBe(shown.lineId);
        expect(boardAt(r, shown.untilAt)).toBe(shown.nextLineId);
      }),
      { numRuns: 2_000 },
    );
  });
});
