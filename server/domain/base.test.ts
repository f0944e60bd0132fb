/** What the machine did, before the calendar: each rule by cases computed by hand; all numbers are seconds. */
import { describe, expect, it } from "vitest";
import type { BaseInput } from "./intervals.ts";
import { baseIntervals, noCountTimeoutS } from "./intervals.ts";
import type { BaseKind } from "./state.ts";

const s = 1000;
/** "10 run, 90 down": state readings with their seconds. */
const states = (list: string) =>
  list.split(", ").map((word) => {
    const [second, kind] = word.split(" ");
    return { at: Number(second) * s, kind: kind as BaseKind };
  });
const windows = (...ws: [from: number, to: number][]) => ws.map(([from, to]) => ({ from: from * s, to: to * s }));

const base = (input: Partial<Omit<BaseInput, "window" | "now">> & { now: number; to?: number; from?: number }): string => {
  const { now, from = 0, to = now, ...rest } = input;
  const intervals = baseIntervals({
    window: { from: from * s, to: to * s },
    now: now * s,
    stateReadings: null,
    firstReadingAt: null,
    pieceInstants: [],
    deadWindows: [],
    noCountTimeoutS: null,
    ...rest,
  });
  return intervals.map((i) => `${i.kind} ${i.from / s}..${i.to / s}`).join(" | ");
};
const at = (...seconds: number[]) => seconds.map((second) => second * s);

describe("base states", () => {
  it("each reading holds until the next, repeated kinds are one interval, before the first nothing is known", () => {
    expect(base({ now: 100, stateReadings: states("10 run, 30 run, 90 down") })).toBe("unknown 0..10 | run 10..90 | down 90..100");
  });
  it("the reading before the window holds into it", () => {
    expect(base({ now: 100, stateReadings: states("-500 changeover, 40 run") })).toBe("changeover 0..40 | run 40..100");
  });
  it("a state signal that never said anything: unknown", () => {
    expect(base({ now: 100, stateReadings: [], pieceInstants: at(10, 20) })).toBe("unknown 0..100");
  });
  it("nothing of the future: a window ends at now, one that begins later is empty", () => {
    expect(base({ now: 50, to: 100, stateReadings: states("0 run") })).toBe("run 0..50");
    expect(base({ now: 50, from: 50, to: 100, stateReadings: states("0 run") })).toBe("");
  });
});

describe("dead link", () => {
  it("is unknown; after it the last known state holds until the next reading", () => {
    expect(base({ now: 100, stateReadings: states("0 run, 80 down"), deadWindows: windows([20, 50]) })).toBe(
      "run 0..20 | unknown 20..50 | run 50..80 | down 80..100",
    );
  });
  it("a state change inside it shows after it", () => {
    expect(base({ now: 100, stateReadings: states("0 run, 30 down"), deadWindows: windows([20, 50]) })).toBe("run 0..20 | unknown 20..50 | down 50..100");
  });
});

describe("no-count", () => {
  const run = { stateReadings: states("0 run"), noCountTimeoutS: 60 };
  it("longer than the time-out is down from the last piece, exactly as long is not; a lone piece divides nothing", () => {
    // Gaps: 0..10 = 10, 10..70 = 60 (not longer), 70..200 = 130, 200..300 = 100 (lone piece at 200), 300..310 = 10, 310..600 = 290.
    expect(base({ ...run, now: 600, pieceInstants: at(10, 70, 200, 300, 310) })).toBe("run 0..70 | down 70..300 | run 300..310 | down 310..600");
  });
  it("begins at the start of the run where that is later than the last piece", () => {
    // Run begins at 100, last piece at 50, next at 165: 65 > 60, down from 100, not from 50.
    expect(base({ stateReadings: states("0 run, 60 down, 100 run"), noCountTimeoutS: 60, now: 200, pieceInstants: at(50, 165, 190) })).toBe(
      "run 0..60 | down 60..165 | run 165..200",
    );
  });
  it("begins at the return of the link", () => {
    // Pieces to 90, dead 100..300. From 300 to now 350: 50, not longer: run. At now 361 it is 61: down from 300.
    const gap = { ...run, pieceInstants: at(30, 60, 90), deadWindows: windows([100, 300]) };
    expect(base({ ...gap, now: 350 })).toBe("run 0..100 | unknown 100..300 | run 300..350");
    expect(base({ ...gap, now: 361 })).toBe("run 0..100 | unknown 100..300 | down 300..361");
  });
  it("runs only in run, and a stop of the state signal right after it is the same stop", () => {
    // Last piece at 20, state down at 100, run at 200: 80 without a piece, so down from 20 to 200.
    expect(base({ stateReadings: states("0 run, 100 down, 200 run"), noCountTimeoutS: 60, now: 240, pieceInstants: at(20) })).toBe(
      "run 0..20 | down 20..200 | run 200..240",
    );
  });
  it("that began before the window is told by the piece before it", () => {
    // Pieces at -50 and 20: 70 > 60, down from -50, of which 20 s lie in the window.
    const stateReadings = states("-1000 run");
    expect(base({ now: 100, stateReadings, noCountTimeoutS: 60, pieceInstants: at(-50, 20, 60) })).toBe("down 0..20 | run 20..100");
  });
  it("is told by pieces after the window, too", () => {
    // Window to 130, now 600: the next piece after 100 came at 170, so the machine was down from 100 although the window ends after 30 of that.
    expect(base({ ...run, now: 600, to: 130, pieceInstants: at(50, 100, 170) })).toBe("run 0..100 | down 100..130");
    expect(base({ ...run, now: 600, to: 130, pieceInstants: at(50, 100, 160) })).toBe("run 0..130");
  });
  it("without a state signal the machine runs while pieces come", () => {
    // First reading (base line) at 100, pieces at 130, 160, then at 400, 420. Now 450.
    expect(base({ firstReadingAt: 100 * s, noCountTimeoutS: 60, now: 450, pieceInstants: at(130, 160, 400, 420) })).toBe(
      "unknown 0..100 | run 100..160 | down 160..400 | run 400..450",
    );
    expect(base({ firstReadingAt: null, noCountTimeoutS: 60, now: 450 })).toBe("unknown 0..450");
  });
  it("default time-out: three ideal cycles, at least 60 s; off for slow readings", () => {
    const machine = { configuredS: null, idealCycleS: 25, periodS: null, hasCount: true, hasState: true };
    expect(noCountTimeoutS(machine)).toBe(75);
    expect(noCountTimeoutS({ ...machine, idealCycleS: 4 })).toBe(60);
    expect(noCountTimeoutS({ ...machine, idealCycleS: null })).toBe(60);
    expect(noCountTimeoutS({ ...machine, configuredS: 600 })).toBe(600);
    expect(noCountTimeoutS({ ...machine, hasCount: false })).toBe(null);
    expect(noCountTimeoutS({ ...machine, periodS: 75 })).toBe(75);
    expect(noCountTimeoutS({ ...machine, periodS: 300 })).toBe(null);
    expect(noCountTimeoutS({ ...machine, periodS: 300, hasState: false })).toBe(450);
  });
});

describe("noise filter", () => {
  it("a short run takes the kind of the stop before it, else of the stop after it", () => {
    // Runs of 5 s at 100 and 205, minimum 10: the first lies after down, the second between unknown and suspended.
    expect(
      base({
        now: 400,
        minRunS: 10,
        stateReadings: states("0 run, 50 down, 100 run, 105 suspended, 205 run, 210 suspended"),
        deadWindows: windows([150, 205]),
      }),
    ).toBe("run 0..50 | down 50..105 | suspended 105..150 | unknown 150..205 | suspended 205..400");
  });
  it("runs are dropped first: a stop divided by one is long enough to stay", () => {
    // down 100..104, run 104..106, down 106..110: with minRunS 5 one stop of 10, which ignoreStopS 6 keeps.
    const readings = states("0 run, 100 down, 104 run, 106 down, 110 run");
    expect(base({ now: 300, minRunS: 5, ignoreStopS: 6, stateReadings: readings })).toBe("run 0..100 | down 100..110 | run 110..300");
    expect(base({ now: 300, ignoreStopS: 6, stateReadings: readings })).toBe("run 0..300");
  });
  it("exactly as long as the threshold stays", () => {
    expect(base({ now: 300, ignoreStopS: 10, stateReadings: states("0 run, 100 down, 110 run") })).toBe("run 0..100 | down 100..110 | run 110..300");
  });
  it("next to unknown only it stays", () => {
    expect(base({ now: 300, minRunS: 20, stateReadings: states("0 run"), deadWindows: windows([0, 100], [110, 300]) })).toBe(
      "unknown 0..100 | run 100..110 | unknown 110..300",
    );
  });
  it("what is still open is never dropped", () => {
    expect(base({ now: 105, ignoreStopS: 10, stateReadings: states("0 run, 100 down") })).toBe("run 0..100 | down 100..105");
  });
  it("a short stop between a stop of another kind and run becomes run; between two stops it stays", () => {
    expect(base({ now: 300, ignoreStopS: 10, stateReadings: states("0 run, 100 down, 150 suspended, 155 run") })).toBe(
      "run 0..100 | down 100..150 | run 150..300",
    );
    expect(base({ now: 300, ignoreStopS: 10, stateReadings: states("0 run, 100 down, 150 suspended, 155 changeover, 200 run") })).toBe(
      "run 0..100 | down 100..150 | suspended 150..155 | changeover 155..200 | run 200..300",
    );
  });
});
