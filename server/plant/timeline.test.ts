import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { mergeTimeline, type Span, type Stated, timelineSteps } from "./timeline.ts";

const ever = 0;
const open = Number.POSITIVE_INFINITY;
const now = 100;
const spans = (...rows: [number, number, string][]): Span[] => rows.map(([from, to, value]) => ({ from, to, value }));
const entry = (value: string, from?: number, to?: number): Stated => ({ value, from, to });
const hasHistory = { strongFrom: now, fillFrom: now };
const isNew = { strongFrom: now, fillFrom: ever };

describe("mergeTimeline", () => {
  it("a first entry holds since ever without history, else from now", () => {
    expect(mergeTimeline([], [entry("4")], isNew)).toEqual(spans([ever, open, "4"]));
    expect(mergeTimeline([], [entry("4")], hasHistory)).toEqual(spans([now, open, "4"]));
  });
  it("the same again changes nothing", () => {
    expect(mergeTimeline(spans([ever, open, "4"]), [entry("4")], hasHistory)).toEqual(spans([ever, open, "4"]));
  });
  it("another value holds from now; the past stays", () => {
    expect(mergeTimeline(spans([ever, open, "4"]), [entry("5")], isNew)).toEqual(spans([ever, now, "4"], [now, open, "5"]));
  });
  it("what leaves the file ends now; what had not begun goes", () => {
    expect(mergeTimeline(spans([ever, 150, "4"], [150, open, "5"]), [], hasHistory)).toEqual(spans([ever, now, "4"]));
  });
  it("a from in the past is taken at its word; what lies before stays", () => {
    expect(mergeTimeline(spans([ever, 50, "4"], [50, open, "5"]), [entry("6", 30)], hasHistory)).toEqual(spans([ever, 30, "4"], [30, open, "6"]));
  });
  it("an entry beside others is what held before, where nothing did, and holds until the next", () => {
    expect(mergeTimeline([], [entry("4"), entry("5", 50)], hasHistory)).toEqual(spans([ever, 50, "4"], [50, open, "5"]));
    expect(mergeTimeline(spans([ever, open, "3"]), [entry("4"), entry("5", 50)], hasHistory)).toEqual(spans([ever, 50, "3"], [50, open, "5"]));
    expect(mergeTimeline(spans([ever, open, "3"]), [entry("4"), entry("5", 150)], hasHistory)).toEqual(
      spans([ever, now, "3"], [now, 150, "4"], [150, open, "5"]),
    );
  });
  it("a hole in the file does not erase the past", () => {
    expect(mergeTimeline(spans([ever, 20, "a"], [20, 40, "retired"], [40, open, "a"]), [entry("a", undefined, 20), entry("a", 40)], hasHistory)).toEqual(
      spans([ever, 20, "a"], [20, 40, "retired"], [40, open, "a"]),
    );
  });
  it("joins equal neighbours", () => {
    expect(mergeTimeline([], [entry("4", 10), entry("4", 50)], hasHistory)).toEqual(spans([10, open, "4"]));
  });
});

describe("whatever the file and the database", () => {
  const stated = fc
    .uniqueArray(
      fc.tuple(
        fc.option(fc.integer({ min: 1, max: 200 }), { nil: undefined }),
        fc.constantFrom("a", "b", "c"),
        fc.option(fc.integer({ min: 1, max: 60 }), { nil: undefined }),
      ),
      {
        maxLength: 4,
        selector: ([from]) => from,
      },
    )
    .map((list) => {
      const sorted = [...list].sort((x, y) => (x[0] ?? -1) - (y[0] ?? -1));
      return sorted.map(([from, value, length], i) => {
        const next = sorted[i + 1]?.[0] ?? open;
        const to = length === undefined ? undefined : Math.min((from ?? 0) + length, next);
        return entry(value, from, to === open ? undefined : to);
      });
    });
  const current = stated.map((list) => mergeTimeline([], list, isNew));
  const bounds = fc.constantFrom(hasHistory, isNew);

  it("the result is in order without overlaps, and applying it again changes nothing, now or later", () => {
    fc.assert(
      fc.property(current, stated, bounds, fc.integer({ min: 0, max: 100 }), (db, file, at, later) => {
        const once = mergeTimeline(db, file, at);
        for (const [i, span] of once.entries()) {
          expect(span.from).toBeLessThan(span.to);
          if (i > 0) expect(span.from).toBeGreaterThanOrEqual(once[i - 1]?.to ?? open);
        }
        expect(mergeTimeline(once, file, at)).toEqual(once);
        expect(mergeTimeline(once, file, { strongFrom: at.strongFrom + later, fillFrom: at.strongFrom + later })).toEqual(once);
      }),
    );
  });
  it("without a from in the file, nothing before now changes but holes", () => {
    fc.assert(
      fc.property(current, fc.constantFrom("a", "b"), bounds, (db, value, at) => {
        const after = mergeTimeline(db, [entry(value)], at);
        const valueAt = (list: Span[], t: number) => list.find((span) => span.from <= t && t < span.to)?.value;
        for (let t = 0; t < now; t++) if (valueAt(db, t) !== undefined || at === hasHistory) expect(valueAt(after, t)).toBe(valueAt(db, t));
        expect(valueAt(after, now)).toBe(value);
      }),
    );
  });
  it("the steps lead there without an overlap on the way", () => {
    fc.assert(
      fc.property(current, stated, bounds, (db, file, at) => {
        const rows = db.map((span, id) => ({ ...span, id }));
        const wanted = mergeTimeline(db, file, at);
        const steps = timelineSteps(rows, wanted);
        let state: (Span & { id?: number })[] = rows;
        const noOverlap = () => {
          const sorted = [...state].sort((a, b) => a.from - b.from);
          for (const [i, span] of sorted.entries()) if (i > 0) expect(span.from).toBeGreaterThanOrEqual(sorted[i - 1]?.to ?? open);
        };
        if (!steps) {
          expect(db).toEqual(wanted);
          return;
        }
        state = state.filter((row) => row.id === undefined || !steps.remove.includes(row.id));
        for (const change of [...steps.shrink, ...steps.grow]) {
          state = state.map((row) => (row.id === change.id ? change : row));
          noOverlap();
        }
        for (const span of steps.add) {
          state = [...state, span];
          noOverlap();
        }
        expect(state.map(({ from, to, value }) => ({ from, to, value })).sort((a, b) => a.from - b.from)).toEqual(wanted);
      }),
    );
  });
});
