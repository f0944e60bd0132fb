import { beforeEach, describe, expect, it } from "vitest";
import { derive, markRange } from "./derive.ts";
import type { Plant } from "./plant.ts";
import { merge } from "./recount.ts";
import { remarked } from "./remarks.ts";
import { Flag, type Latest, type Sample, type Signal } from "./sample.ts";
import { plantOf, signalAt } from "./testing.ts";

const hour = Date.UTC(2026, 8, 21, 10);
const minuteMs = 60_000;
const hourMs = 3_600_000;
const press = "berlin/stamping/line-1/press";
let plant: Plant;
let good: Signal;
let job: Signal;
let temperature: Signal;
beforeEach(() => {
  plant = plantOf({ [press]: { good: { role: "good_count" }, job: { role: "job" }, temperature: { role: "measurement" } } });
  [good, job, temperature] = ["good", "job", "temperature"].map((key) => signalAt(plant, `${press}/${key}`)) as [Signal, Signal, Signal];
});

const of = (signal: Signal, s: number, value: number | string): Sample => ({
  signal,
  at: hour + s * 1000,
  value: typeof value === "number" ? value : null,
  text: typeof value === "string" ? value : null,
  flags: 0,
  receivedAt: hour + s * 1000 + 500,
});
const commit = () => {
  for (const signal of plant.signals.values()) if (signal.work) [signal.latest, signal.work] = [signal.work, null];
};
const counts = (out: ReturnType<typeof derive>) => [...out.counts.values()].map((c) => [(c.minute - hour) / minuteMs, c.job, c.pieces]);

describe("what follows from a batch", () => {
  it("counts in order, cycle and period of what came in order", () => {
    const out = derive([of(good, 10, 100), of(good, 20, 104), of(good, 50, 107), of(good, 70, 107)], plant);
    expect(counts(out)).toEqual([
      [0, "", 7],
      [1, "", 0],
    ]);
    expect(out.touched).toEqual([good]);
    expect(good.latest).toBeNull(); // until it is committed
    expect(good.work).toMatchObject({ at: hour + 70_000, value: 107, pieceAt: hour + 50_000, cycleS: 10, valuesTotal: 4 });
    // 10 s, then a tenth of the way to 30 s, then to 20 s
    expect(good.work!.periodS).toBeCloseTo(10 + 0.1 * (30 - 10) + 0.1 * (20 - 12), 10);
  });

  it("what is not newer is late: repeats, and what comes out of order", () => {
    derive([of(good, 10, 100)], plant);
    commit();
    const late = [of(good, 10, 100), of(good, 5, 90)];
    const out = derive([...late, of(good, 20, 101), of(good, 15, 100)], plant);
    expect(out.late).toEqual([...late, of(good, 15, 100)]);
    expect(out.ledger).toEqual([of(good, 20, 101)]);
  });

  it("a piece belongs to the job before it, also within a batch", () => {
    const out = derive([of(good, 1, 0), of(job, 10, "A"), of(good, 10, 5), of(good, 11, 7), of(job, 20, "B"), of(good, 30, 10)], plant);
    expect(counts(out)).toEqual([
      [0, "", 5],
      [0, "A", 2],
      [0, "B", 3],
    ]);
    expect(out.recount).toEqual([]);
  });

  it("a job that comes after counts of a later time has them counted again", () => {
    const out = derive([of(good, 1, 0), of(good, 100, 5), of(good, 200, 6), of(job, 90, "A")], plant);
    expect(out.recount).toEqual([{ signal: good, fromMinute: hour + minuteMs, toMinute: hour + 3 * minuteMs }]);
  });

  it("a count before the oldest job that is remembered is counted from what is stored", () => {
    job.latest = { ...blank, at: hour + 100_000, text: "B", changes: [{ at: hour + 100_000, text: "B" }] };
    const out = derive([of(good, 50, 5)], plant);
    expect([counts(out), out.recount]).toEqual([[], [{ signal: good, fromMinute: hour, toMinute: hour }]]);
  });

  it("marks the hours that are touched; a count on the hour was made before it", () => {
    const out = derive([of(good, 1, 0), of(good, 90, 5), of(good, 3600, 6)], plant);
    expect([...out.ledgerMarks.values()].map((m) => [(m.hour - hour) / hourMs, (m.from - hour) / 1000, (m.to - hour) / 1000])).toEqual([
      [0, 1, 3600],
      [1, 3600, 3600],
    ]);
  });

  it("marks a measurement's hour once", () => {
    expect(derive([of(temperature, 1, 0), of(temperature, 2, 0), of(temperature, 3601, 0)], plant).trendHours.map((t) => (t.hour - hour) / hourMs)).toEqual([
      0, 1,
    ]);
    commit();
    expect(derive([of(temperature, 3700, 0)], plant).trendHours).toEqual([]);
  });

  it("presence: first and last instant of each minute and source, and the longest way here", () => {
    const slow = { ...of(good, 30, 1), receivedAt: hour + 40_000 };
    const out = derive([of(temperature, 10, 1), slow, of(temperature, 50, 1), of(temperature, 61, 1)], plant);
    expect([...out.presence.values()].map((p) => [(p.minute - hour) / minuteMs, p.firstAt - hour, p.lastAt - hour, p.n, p.lagMaxS])).toEqual([
      [0, 10_000, 50_000, 3, 10],
      [1, 61_000, 61_000, 1, 0.5],
    ]);
    expect([...out.sourceLatest.values()]).toEqual([{ at: hour + 61_000, receivedAt: hour + 61_500 }]);
  });

  it("ranges counted again mark every hour they reach", () => {
    const out = derive([], plant);
    markRange(out, { signal: good, fromMinute: hour + 59 * minuteMs, toMinute: hour + 2 * hourMs });
    expect([...out.ledgerMarks.values()].map((m) => [(m.hour - hour) / hourMs, (m.from - hour) / minuteMs, (m.to - hour) / minuteMs])).toEqual([
      [0, 59, 60],
      [1, 60, 120],
      [2, 120, 121],
    ]);
  });
});

const blank: Latest = {
  at: 0,
  value: null,
  text: null,
  flags: 0,
  receivedAt: 0,
  pieceAt: null,
  cycleS: null,
  periodS: null,
  valuesTotal: 0,
  firstAt: null,
  keptAt: null,
  changes: null,
};

describe("ranges", () => {
  it("that touch or overlap are one, by signal", () => {
    const range = (signal: Signal, from: number, to: number) => ({ signal, fromMinute: from * minuteMs, toMinute: to * minuteMs });
    expect(merge([range(good, 5, 6), range(job, 1, 9), range(good, 1, 2), range(good, 3, 4), range(good, 9, 9), range(good, 5, 5)])).toEqual([
      range(good, 1, 6),
      range(good, 9, 9),
      range(job, 1, 9),
    ]);
  });
});

describe("a dead band", () => {
  const kept = (...values: [s: number, value: number][]) => {
    temperature.deadBand = 0.5;
    const out = derive(
      values.map(([s, value]) => of(temperature, s, value)),
      plant,
    );
    return { kept: out.trend.map(({ at, value }) => [(at - hour) / 1000, value]), out };
  };

  it("keeps what differs by as much from the last kept value, however slowly it creeps there", () => {
    const { kept: rows, out } = kept([1, 20], [2, 20.4], [3, 20.2], [4, 20.49], [5, 20.5], [6, 20.9], [7, 20]);
    expect(rows).toEqual([
      [1, 20],
      [5, 20.5],
      [7, 20],
    ]);
    expect(out.passedOver).toBe(4);
    expect(temperature.work).toMatchObject({ at: hour + 7000, value: 20, valuesTotal: 3 });
    // all of them vouch for the source
    expect([...out.presence.values()]).toMatchObject([{ n: 7, firstAt: hour + 1000, lastAt: hour + 7000 }]);
    commit();
    expect(kept([8, 20.1], [9, 21]).kept).toEqual([[9, 21]]);
  });

  it("keeps one value in ten minutes and the first of each hour, and whatever has another quality or is none", () => {
    expect(kept([0, 20], [300, 20], [600, 20], [900, 20], [1200, 20]).kept).toEqual([
      [0, 20],
      [600, 20],
      [1200, 20],
    ]);
    commit();
    expect(kept([3590, 20], [3600, 20], [3610, 20]).kept).toEqual([
      [3590, 20],
      [3600, 20],
    ]);
    const samples = [{ ...of(temperature, 3620, 20), flags: 8 }, { ...of(temperature, 3630, 20), value: null, flags: 4 }, of(temperature, 3640, 20)];
    expect(derive(samples, plant).trend).toEqual(samples);
  });

  it("is not known after a restart: the next value is kept", () => {
    kept([1, 20]);
    commit();
    temperature.latest = { ...temperature.latest!, keptAt: null };
    expect(kept([2, 20]).kept).toEqual([[2, 20]]);
  });
});

describe("counts that someone should look at", () => {
  const remarks = (out: ReturnType<typeof derive>) =>
    [...out.remarks.values()].map(({ event }) => [event.kind, (event.at - hour) / 1000, JSON.parse(event.detail)]);
  const ideal = (s: number) => {
    plant.machines.get(good.machineId)!.idealCycleS = s;
  };

  it("one stray 1.5 between good readings: it began anew, and rose by more than can be made", () => {
    ideal(1);
    const out = derive([of(good, 1, 10_512), of(good, 2, 1.5), of(good, 3, 10_512.5)], plant);
    expect(counts(out)).toEqual([[0, "", 1.5 + 10_511]]); // counted as the rule has it
    expect(remarks(out)).toEqual([
      ["counter_reset", 2, { signal: "good", before: 10_512, value: 1.5, pieces: 1.5 }],
      ["counter_jump", 3, { signal: "good", pieces: 10_511, ms: 1_000, allowed: 1, isIdeal: true }],
    ]);
    expect([...out.remarks.values()].map(({ event }) => [event.alive, event.address])).toEqual(Array(2).fill([null, press]));
  });

  it("one of a kind in a minute, also over several batches once they are committed; a batch that failed says it again", () => {
    const falls = () => derive([of(good, 1, 9), of(good, 2, 1), of(good, 3, 9), of(good, 4, 1)], plant);
    expect(remarks(falls()).length).toBe(1);
    good.work = null;
    const out = falls();
    expect(remarks(out).length).toBe(1);
    commit();
    remarked(out.remarks.values());
    expect(remarks(derive([of(good, 5, 0), of(good, 60, 9), of(good, 61, 0)], plant)).map(([, at]) => at)).toEqual([61]);
  });

  it.each([
    ["ten times what can be made", 1_000, 100, true],
    ["more", 1_001, 100, false],
    ["after a pause in which it can be", 3_000, 3_600, true],
    ["fewer than a hundred at once", 99, 1, true],
    ["a hundred at once", 100, 1, false],
  ])("%s: %d pieces in %d s", (_case, pieces, s, isFine) => {
    ideal(1);
    expect(derive([of(good, 0, 0), of(good, s, pieces)], plant).remarks.size).toBe(isFine ? 0 : 1);
  });

  it("without an ideal cycle: by the pace of the pieces before", () => {
    const boxes = [0, 100, 200].flatMap((n, i) => [of(good, 60 * i, n), of(good, 60 * i + 59, n)]);
    expect(derive(boxes, plant).remarks.size).toBe(0);
    commit();
    expect(remarks(derive([of(good, 180, 5_000)], plant))).toEqual([
      ["counter_jump", 180, { signal: "good", pieces: 4_800, ms: 60_000, allowed: 100, isIdeal: false }],
    ]);
  });

  it("a roll-over, a first reading and one after no value are none; a stray step back of a counter that rolls over is a jump", () => {
    ideal(1);
    good.counter = { mode: "cumulative", modulus: 65_536 };
    const none = { ...of(good, 2, 0), value: null, flags: Flag.noValue };
    expect(derive([of(good, 1, 65_530), none, of(good, 3, 500), of(good, 4, 501)], plant).remarks.size).toBe(0);
    good.work = null;
    expect(remarks(derive([of(good, 1, 10_512), of(good, 2, 1.5)], plant)).map(([kind]) => kind)).toEqual(["counter_jump"]);
  });
});
