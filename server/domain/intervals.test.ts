/** Calendar, micro-stops, reasons, neighbours and the board: each rule by cases computed by hand; all numbers are seconds. */
import { describe, expect, it } from "vitest";
import type { BaseInterval } from "./base.ts";
import type { ShiftWindow } from "./calendar.ts";
import type { MachineInput } from "./intervals.ts";
import { baseIntervals, cutTo, lineIntervals, machineIntervals, machineNow, secondsIn } from "./intervals.ts";
import type { BaseKind } from "./state.ts";

const s = 1000;
/** "10 run, 90 down": state readings with their seconds. */
const states = (list: string) =>
  list.split(", ").map((word) => {
    const [second, kind] = word.split(" ");
    return { at: Number(second) * s, kind: kind as BaseKind };
  });
const windows = (...ws: [from: number, to: number][]) => ws.map(([from, to]) => ({ from: from * s, to: to * s }));

type MachineCase = Partial<Omit<MachineInput, "window" | "now" | "base" | "upstream" | "downstream">> & {
  now: number;
  to?: number;
  readings: string;
  dead?: [number, number][];
  upstream?: string;
  downstream?: string;
};
const baseOf = (readings: string, window: { from: number; to: number }, now: number, dead: [number, number][] = []): BaseInterval[] =>
  baseIntervals({
    window,
    now,
    stateReadings: states(readings),
    firstReadingAt: null,
    pieceInstants: [],
    deadWindows: windows(...dead),
    noCountTimeoutS: null,
  });
const shift = (from: number, to: number, ...breaks: [number, number][]): ShiftWindow => ({ from: from * s, to: to * s, breaks: windows(...breaks) });

function machine({ now, to = now, readings, dead, upstream, downstream, ...rest }: MachineCase) {
  const window = { from: -1000 * s, to: to * s };
  const input = { window, now: now * s, shifts: [shift(-1000, 100_000)], reasonReadings: [], ...rest };
  return machineIntervals({
    ...input,
    base: baseOf(readings, window, now * s, dead),
    upstream: upstream ? baseOf(upstream, window, now * s) : null,
    downstream: downstream ? baseOf(downstream, window, now * s) : null,
  });
}
const shown = (input: MachineCase) =>
  machine(input)
    .map((i) => `${i.kind} ${i.from / s}..${i.to === null ? "" : i.to / s}`)
    .join(" | ");
/** Its second interval, which the case is about. */
const second = (input: MachineCase) => shown(input).split(" | ")[1];

describe("calendar", () => {
  it("no shift: not scheduled whatever the machine did; run seconds of a break are run, its others planned", () => {
    // Shift 0..1000 with break 400..600; down 300..500.
    expect(shown({ now: 2000, readings: "-1000 run, 300 down, 500 run", shifts: [shift(0, 1000, [400, 600])] })).toBe(
      "not_scheduled -1000..0 | run 0..300 | micro_stop 300..400 | planned_stop 400..500 | run 500..1000 | not_scheduled 1000..",
    );
  });
  it("a break stays planned with a dead link, unknown time outside it stays unknown, and unknown ends the stop", () => {
    // Down from 100, dead 400..700, break 500..600: before and after the gap are two stops, 300 and 300 long.
    const intervals = machine({ now: 1000, readings: "-1000 run, 100 down", dead: [[400, 700]], shifts: [shift(-1000, 5000, [500, 600])], microStopS: 0 });
    expect(intervals.map((i) => `${i.kind} ${i.from / s} ${i.stopFrom === null ? "-" : i.stopFrom / s}`)).toEqual([
      "run -1000 -",
      "down 100 100",
      "unknown 400 -",
      "planned_stop 500 -",
      "unknown 600 -",
      "down 700 700",
    ]);
  });
  it("unknown time that a break covers whole ends a stop all the same", () => {
    const intervals = machine({ now: 1000, readings: "-1000 run, 100 down", dead: [[520, 580]], shifts: [shift(-1000, 5000, [500, 600])] });
    expect(intervals.filter((i) => i.kind === "down").map((i) => [i.from / s, i.stopFrom === null ? null : i.stopFrom / s])).toEqual([
      [100, 100],
      [600, 580],
    ]);
  });
  it("shifts that follow each other leave no unscheduled instant; a break that overhangs its shift is cut", () => {
    expect(shown({ now: 900, readings: "-1000 down", shifts: [shift(-1000, 500, [400, 9000]), shift(500, 1000)] })).toBe(
      "down -1000..400 | planned_stop 400..500 | down 500..",
    );
  });
  it("no shift at all: nothing is scheduled", () => {
    expect(shown({ now: 900, readings: "-1000 run", shifts: [] })).toBe("not_scheduled -1000..");
  });
});

describe("micro-stops", () => {
  it("a closed down of at most 300 s; an open one is down until it has ended", () => {
    expect(shown({ now: 1000, readings: "-1000 run, 100 down, 400 run" })).toBe("run -1000..100 | micro_stop 100..400 | run 400..");
    expect(second({ now: 1000, readings: "-1000 run, 100 down, 401 run" })).toBe("down 100..401");
    expect(second({ now: 200, readings: "-1000 run, 100 down" })).toBe("down 100..");
  });
  it("only down: a short changeover or planned stop is none", () => {
    expect(machine({ now: 1000, readings: "-1000 run, 100 changeover, 150 planned_stop, 200 run" }).map((i) => i.kind)).toEqual([
      "run",
      "changeover",
      "planned_stop",
      "run",
    ]);
  });
  it("cut by a shift boundary or a break it is judged by its own seconds", () => {
    // 0..500 with a break 100..350: 100 + 150 = 250 own seconds, though 500 pass.
    expect(shown({ now: 1000, readings: "-1000 run, 0 down, 500 run", shifts: [shift(-1000, 2000, [100, 350])] })).toBe(
      "run -1000..0 | micro_stop 0..100 | planned_stop 100..350 | micro_stop 350..500 | run 500..",
    );
    // 250 s across a shift boundary at 100: one micro-stop.
    expect(second({ now: 1000, readings: "-1000 run, 0 down, 250 run", shifts: [shift(-1000, 100), shift(100, 2000)] })).toBe("micro_stop 0..250");
  });
  it("never with unscheduled time between own seconds; with own seconds on one side alone it is judged by them", () => {
    // 0..500, unscheduled 100..450: own 100 + 50 = 150, yet interrupted: down.
    expect(shown({ now: 1000, readings: "-1000 run, 0 down, 500 run", shifts: [shift(-1000, 100), shift(450, 2000)] })).toBe(
      "run -1000..0 | down 0..100 | not_scheduled 100..450 | down 450..500 | run 500..",
    );
    // 0..5000, the shift ends at 100, the machine runs again before the next one: 100 own seconds: micro-stop.
    expect(second({ now: 6000, readings: "-1000 run, 0 down, 5000 run", shifts: [shift(-1000, 100)] })).toBe("micro_stop 0..100");
    // The stop began outside: counted where its first own second lies.
    expect(shown({ now: 6000, readings: "-1000 down, -900 run, 0 down, 700 run", shifts: [shift(500, 9000)] })).toBe(
      "not_scheduled -1000..500 | micro_stop 500..700 | run 700..",
    );
  });
  it("all parts of one stop say where it began", () => {
    const parts = machine({ now: 1000, readings: "-1000 run, 0 down, 600 run", shifts: [shift(-1000, 2000, [100, 200])] });
    expect(parts.filter((p) => p.kind === "down").map((p) => [p.from / s, p.stopFrom])).toEqual([
      [0, 0],
      [200, 0],
    ]);
  });
});

describe("reasons", () => {
  const readings = "-1000 run, 100 down, 500 run, 600 down, 1000 run";
  it("the first one given in a stop covers it from its start; later codes change nothing", () => {
    const reasonReadings = [
      { at: 130 * s, reason: "jam" },
      { at: 160 * s, reason: "no_oil" },
      { at: 500 * s, reason: null },
    ];
    expect(
      machine({ now: 2000, readings, reasonReadings })
        .filter((i) => i.kind === "down")
        .map((i) => [i.from / s, i.reason]),
    ).toEqual([
      [100, "jam"],
      [600, null],
    ]);
  });
  it("a code that was in force before the stop began is its reason", () => {
    const reasonReadings = [
      { at: 99 * s, reason: "jam" },
      { at: 550 * s, reason: null },
    ];
    expect(
      machine({ now: 2000, readings, reasonReadings })
        .filter((i) => i.kind === "down")
        .map((i) => i.reason),
    ).toEqual(["jam", null]);
  });
  it("one that comes when the stop is over does not reach back", () => {
    expect(
      machine({ now: 2000, readings, reasonReadings: [{ at: 500 * s, reason: "jam" }] })
        .filter((i) => i.from === 100 * s)
        .map((i) => i.reason),
    ).toEqual([null]);
  });
});

describe("blocked and starved", () => {
  const suspended = "-1000 run, 100 suspended, 900 run";
  const stoppedThen = "-1000 run, 95 down, 120 run";
  const running = "-1000 run";
  it("downstream stopped at its start: blocked, and all of the stop is; else upstream stopped: starved", () => {
    expect(second({ now: 2000, readings: suspended, downstream: stoppedThen, upstream: stoppedThen })).toBe("blocked 100..900");
    expect(second({ now: 2000, readings: suspended, downstream: running, upstream: stoppedThen })).toBe("starved 100..900");
  });
  it("a Suspended with neither is starved, a down with neither stays down", () => {
    expect(second({ now: 2000, readings: suspended, downstream: running, upstream: running })).toBe("starved 100..900");
    expect(second({ now: 2000, readings: suspended })).toBe("starved 100..900");
    expect(second({ now: 2000, readings: "-1000 run, 100 down, 900 run", downstream: running, upstream: running })).toBe("down 100..900");
  });
  it("a down without reason takes it, too; one with a reason does not", () => {
    const readings = "-1000 run, 100 down, 900 run";
    expect(second({ now: 2000, readings, downstream: stoppedThen })).toBe("blocked 100..900");
    expect(second({ now: 2000, readings, downstream: stoppedThen, reasonReadings: [{ at: 300 * s, reason: "jam" }] })).toBe("down 100..900");
  });
  it("any stop of the neighbour counts, set-up and Suspended too, whatever the calendar says; unknown does not", () => {
    for (const kind of ["down", "changeover", "suspended", "planned_stop"] as const) {
      expect(second({ now: 2000, readings: suspended, downstream: `-1000 run, 50 ${kind}` })).toBe("blocked 100..900");
    }
    expect(second({ now: 2000, readings: suspended, downstream: "200 down" })).toBe("starved 100..900"); // unknown before 200
  });
  it("a neighbour that stopped only afterwards is not the cause", () => {
    expect(second({ now: 2000, readings: suspended, downstream: "-1000 run, 101 down" })).toBe("starved 100..900");
  });
  it("is no micro-stop however short, and shows while it lasts", () => {
    expect(second({ now: 150, readings: "-1000 run, 100 suspended", downstream: stoppedThen })).toBe("blocked 100..");
    expect(second({ now: 900, readings: "-1000 run, 100 suspended, 130 run", downstream: stoppedThen })).toBe("blocked 100..130");
  });
});

describe("what a board shows", () => {
  it("last interval, since the stop's start also across a break, and what the machine does under the calendar", () => {
    const readings = "-1000 run, 300 down";
    const window = { from: -1000 * s, to: 700 * s };
    const show = (now: number, shifts: ShiftWindow[]) => machineNow(machine({ now, readings, shifts }), baseOf(readings, { ...window, to: now * s }, now * s));
    const shifts = [shift(-1000, 1000, [400, 600])];
    expect(show(200, shifts)).toEqual({ kind: "run", sinceAt: -1000 * s, sinceBeforeWindow: true, reason: null, base: "run" });
    expect(show(350, shifts)).toEqual({ kind: "down", sinceAt: 300 * s, sinceBeforeWindow: false, reason: null, base: "down" });
    expect(show(500, shifts)).toEqual({ kind: "planned_stop", sinceAt: 400 * s, sinceBeforeWindow: false, reason: null, base: "down" });
    expect(show(700, shifts)).toEqual({ kind: "down", sinceAt: 300 * s, sinceBeforeWindow: false, reason: null, base: "down" });
    expect(show(1100, shifts)).toEqual({ kind: "not_scheduled", sinceAt: 1000 * s, sinceBeforeWindow: false, reason: null, base: "down" });
    expect(machineNow([], [])).toBe(null);
  });

  it("a line: neighbours are looked at as they were before, so a row of suspended machines points down the line", () => {
    // Packer (3) breaks down at 100, filler (2) suspends at 105, capper (1) at 110.
    const one = { firstReadingAt: null, pieceInstants: [], deadWindows: [], noCountTimeoutS: null, reasonReadings: [] };
    const machines = [
      { ...one, machineId: 1, upstreamId: null, downstreamId: 2, stateReadings: states("0 run, 110 suspended") },
      { ...one, machineId: 2, upstreamId: 1, downstreamId: 3, stateReadings: states("0 run, 105 suspended") },
      { ...one, machineId: 3, upstreamId: 2, downstreamId: 99, stateReadings: states("0 run, 100 down") },
    ];
    const line = lineIntervals({ window: { from: 0, to: 200 * s }, now: 200 * s, shifts: [shift(0, 1000)], machines });
    expect([1, 2, 3].map((id) => [line.get(id)?.now?.kind, (line.get(id)?.now?.sinceAt ?? 0) / s])).toEqual([
      ["blocked", 110],
      ["blocked", 105],
      ["down", 100],
    ]);
  });

  it("seconds of an interval in a window, and a partition cut to one", () => {
    const [first, second] = machine({ now: 500, readings: "-1000 run, 100 down" });
    expect(first && secondsIn(first, { from: 0, to: 50 * s }, 500 * s)).toBe(50);
    expect(second && secondsIn(second, { from: 0, to: 9000 * s }, 500 * s)).toBe(400);
    expect(second && secondsIn(second, { from: 0, to: 50 * s }, 500 * s)).toBe(0);
    expect(
      cutTo(
        [
          { from: 0, to: 10 },
          { from: 10, to: 20 },
        ],
        { from: 10, to: 15 },
      ),
    ).toEqual([{ from: 10, to: 15 }]);
  });
});
