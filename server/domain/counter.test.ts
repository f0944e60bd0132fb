import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type CounterRule, type CountReading, delta, minuteOfPiece, piecesByMinute } from "./counter.ts";

const cumulative: CounterRule = { mode: "cumulative", modulus: null };
const increment: CounterRule = { mode: "increment", modulus: null };
const rolling: CounterRule = { mode: "cumulative", modulus: 10_000 };
const minuteMs = 60_000;

describe("delta", () => {
  it.each([
    ["the first reading is the base line", cumulative, null, 5_000, 0],
    ["a step forward", cumulative, 5_000, 5_003, 3],
    ["the same again", cumulative, 5_003, 5_003, 0],
    ["a reset: what is counted since", cumulative, 5_003, 2, 2],
    ["a reset to nothing", cumulative, 5_003, 0, 0],
    ["a roll-over", rolling, 9_998, 3, 5],
    ["a roll-over from the last value", rolling, 9_999, 0, 1],
    ["a roll-over from 0 is none", rolling, 0, 0, 0],
    ["above its modulus a counter cannot roll over: a reset", rolling, 12_000, 7, 7],
    ["at its modulus likewise", rolling, 10_000, 7, 7],
    ["an increment", increment, 4, 7, 7],
    ["the first increment counts", increment, null, 7, 7],
    ["an empty increment", increment, 4, 0, 0],
  ])("%s", (_name, rule, before, value, pieces) => {
    expect(delta(rule, before, value)).toBe(pieces);
  });
});

describe("the minute of a piece", () => {
  it.each([
    [minuteMs, 0], // the end of a minute belongs to it: the piece was made before
    [minuteMs + 0.001, minuteMs], // a microsecond later
    [minuteMs - 0.001, 0],
    [0, -minuteMs],
    [1, 0],
    [90_000, minuteMs],
    [1_790_000_040_000, 1_789_999_980_000],
  ])("%d ms is in the minute from %d ms", (at, minute) => {
    expect(minuteOfPiece(at)).toBe(minute);
  });

  it("is (minute, minute + 60 s] for every instant", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2_000_000_000_000_000 }), (micros) => {
        const at = micros / 1000;
        const minute = minuteOfPiece(at);
        expect(minute % minuteMs === 0 && minute < at && at <= minute + minuteMs).toBe(true);
      }),
    );
  });
});

describe("pieces by minute and job, by hand", () => {
  const at = (minutes: number, s: number) => minutes * minuteMs + s * 1000;

  it("base line, pieces, a minute's boundary and a reset", () => {
    const readings = [
      { at: at(0, 10), value: 100 }, // base line
      { at: at(0, 30), value: 104 },
      { at: at(1, 0), value: 107 }, // 1:00 still belongs to the first minute
      { at: at(1, 1), value: 108 },
      { at: at(1, 30), value: 2 }, // reset
      { at: at(3, 5), value: 2 }, // nothing made
    ];
    expect(piecesByMinute(cumulative, null, readings, [])).toEqual([
      { minute: 0, job: "", pieces: 7, firstAt: at(0, 30), lastAt: at(1, 0) },
      { minute: at(1, 0), job: "", pieces: 3, firstAt: at(1, 1), lastAt: at(1, 30) },
      { minute: at(3, 0), job: "", pieces: 0, firstAt: null, lastAt: null },
    ]);
  });

  it("goes on from the reading before", () => {
    expect(piecesByMinute(cumulative, 90, [{ at: at(0, 30), value: 104 }], [])).toEqual([
      { minute: 0, job: "", pieces: 14, firstAt: at(0, 30), lastAt: at(0, 30) },
    ]);
  });

  it("gives pieces to the job in force just before their reading", () => {
    const readings = [10, 20, 30, 40, 50].map((s, i) => ({ at: at(0, s), value: (i + 1) * 10 }));
    const jobs = [
      { at: at(0, 15), job: "A" },
      { at: at(0, 30), job: "B" }, // at the instant of a count: that count is still A's
      { at: at(0, 45), job: "A" }, // comes back: one row a job
    ];
    expect(piecesByMinute(increment, null, readings, jobs)).toEqual([
      { minute: 0, job: "", pieces: 10, firstAt: at(0, 10), lastAt: at(0, 10) },
      { minute: 0, job: "A", pieces: 20 + 30 + 50, firstAt: at(0, 20), lastAt: at(0, 50) },
      { minute: 0, job: "B", pieces: 40, firstAt: at(0, 40), lastAt: at(0, 40) },
    ]);
  });

  it("of several jobs between two readings the last counts", () => {
    const jobs = [
      { at: 1, job: "A" },
      { at: 2, job: "B" },
      { at: 3, job: "C" },
    ];
    expect(piecesByMinute(increment, null, [{ at: 10, value: 1 }], jobs)).toEqual([{ minute: 0, job: "C", pieces: 1, firstAt: 10, lastAt: 10 }]);
  });
});

describe("pieces by minute and job, for any readings", () => {
  const rule = fc.constantFrom(cumulative, increment, rolling);
  const readings = fc
    .uniqueArray(fc.record({ at: fc.integer({ min: 1, max: 600 }).map((s) => s * 1000), value: fc.integer({ min: 0, max: 9_999 }) }), {
      selector: (r) => r.at,
      maxLength: 60,
    })
    .map((list) => list.sort((a, b) => a.at - b.at));
  const jobs = fc
    .uniqueArray(fc.record({ at: fc.integer({ min: 0, max: 600 }).map((s) => s * 1000), job: fc.constantFrom("A", "B", "") }), {
      selector: (r) => r.at,
      maxLength: 10,
    })
    .map((list) => list.sort((a, b) => a.at - b.at));
  const before = fc.option(fc.integer({ min: 0, max: 9_999 }));

  // Said another way: reading by reading, each with its own look-up.
  function oracle(of: CounterRule, known: number | null, list: readonly CountReading[], jobReadings: readonly { at: number; job: string }[]) {
    const sums = new Map<string, number>();
    list.forEach((reading, i) => {
      const previous = i === 0 ? known : list[i - 1]!.value;
      const job = jobReadings.filter((j) => j.at < reading.at).at(-1)?.job ?? "";
      const minute = Math.floor((reading.at - 1) / minuteMs) * minuteMs; // whole ms here
      const key = `${minute} ${job}`;
      sums.set(key, (sums.get(key) ?? 0) + delta(of, previous, reading.value));
    });
    return sums;
  }

  it("is the sum of the deltas of each minute and job, one row each", () => {
    fc.assert(
      fc.property(rule, before, readings, jobs, (of, known, list, jobList) => {
        const rows = piecesByMinute(of, known, list, jobList);
        expect(new Map(rows.map((r) => [`${r.minute} ${r.job}`, r.pieces]))).toEqual(oracle(of, known, list, jobList));
        expect(new Set(rows.map((r) => `${r.minute} ${r.job}`)).size).toBe(rows.length);
      }),
    );
  });

  it("first and last reading are those that added pieces", () => {
    fc.assert(
      fc.property(rule, before, readings, jobs, (of, known, list, jobList) => {
        for (const row of piecesByMinute(of, known, list, jobList)) {
          expect(row.firstAt === null).toBe(row.pieces === 0);
          if (row.firstAt === null || row.lastAt === null) continue;
          expect(row.firstAt).toBeLessThanOrEqual(row.lastAt);
          expect([minuteOfPiece(row.firstAt), minuteOfPiece(row.lastAt)]).toEqual([row.minute, row.minute]);
        }
      }),
    );
  });

  it("is the same however the readings are cut into runs", () => {
    fc.assert(
      fc.property(rule, before, readings, jobs, fc.array(fc.nat(60), { maxLength: 6 }), (of, known, list, jobList, cuts) => {
        const borders = [0, ...cuts.map((c) => Math.min(c, list.length)).sort((a, b) => a - b), list.length];
        const sums = new Map<string, number>();
        for (const [i, from] of borders.slice(0, -1).entries()) {
          const run = list.slice(from, borders[i + 1]);
          for (const row of piecesByMinute(of, list[from - 1]?.value ?? known, run, jobList)) {
            const key = `${row.minute} ${row.job}`;
            sums.set(key, (sums.get(key) ?? 0) + row.pieces);
          }
        }
        expect(sums).toEqual(new Map(piecesByMinute(of, known, list, jobList).map((r) => [`${r.minute} ${r.job}`, r.pieces])));
      }),
    );
  });

  it("a machine's true pieces come back through resets and roll-overs", () => {
    // What the machine makes between readings; "reset" starts the counter anew after that reading.
    const steps = fc.array(fc.record({ made: fc.integer({ min: 0, max: 40 }), gapMs: fc.integer({ min: 1, max: 70_000 }), reset: fc.boolean() }), {
      maxLength: 50,
    });
    fc.assert(
      fc.property(steps, fc.constantFrom(null, 500), (made, modulus) => {
        let counter = 50; // above what a step makes, so that a step back is seen as one
        let now = 0;
        let truth = 0;
        const list: CountReading[] = [{ at: 0, value: counter }];
        for (const step of made) {
          now += step.gapMs;
          if (modulus === null && step.reset && counter > 40) counter = 0;
          counter += step.made;
          if (modulus !== null) counter %= modulus;
          truth += step.made;
          list.push({ at: now, value: counter });
        }
        const rows = piecesByMinute({ mode: "cumulative", modulus }, null, list, []);
        expect(rows.reduce((sum, row) => sum + row.pieces, 0)).toBe(truth);
      }),
    );
  });
});
