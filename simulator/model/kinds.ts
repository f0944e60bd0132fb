// Kinds of machines: how they count, what they measure, how they say their state. Figures are ordinary ones for machines of the size named.
import type { CountOf, Feed, MachineDef, SignalDef, StateCoding, StopDef } from "#/simulator/model/definition.ts";

/** PackML state numbers (ISA-TR88.00.02): Execute, Starting, Idle, Held, Aborted, Stopped, Suspended. Set-up stands in for a unit mode as 20. */
export const packml: StateCoding = {
  run: 6,
  starting: 3,
  not_scheduled: 4,
  break: 11,
  breakdown: 9,
  changeover: 20,
  minor: 11,
  stop: 2,
  starved: 5,
  blocked: 5,
};
export const packmlSetUp = { "2": 2, "3": 3, "4": 4, "5": 5, "6": 6, "9": 9, "11": 11, "20": "changeover" } as const;

/** PackML by its names; a stop for a change of product is a plain Stopped, so the changeover shows by the job alone. */
export const packmlNames: StateCoding = {
  run: "EXECUTE",
  starting: "STARTING",
  not_scheduled: "IDLE",
  break: "HELD",
  breakdown: "ABORTED",
  changeover: "STOPPED",
  minor: "HELD",
  stop: "STOPPED",
  starved: "SUSPENDED",
  blocked: "SUSPENDED",
};

/** A machine that knows no Suspended: whether it was blocked or starved only its neighbours tell. */
export const packmlWithoutSuspended: StateCoding = { ...packmlNames, starved: "STOPPED", blocked: "STOPPED" };

/** Mode words of a press control, and what they mean. */
export const pressWords: StateCoding = {
  run: "AUTO",
  starting: "AUTO",
  not_scheduled: "OFF",
  break: "STOP",
  breakdown: "FAULT",
  changeover: "SETUP",
  minor: "STOP",
  stop: "STOP",
  starved: "WAIT",
  blocked: "WAIT",
};
export const pressWordMeanings = { AUTO: "run", OFF: "down", STOP: "down", FAULT: "down", SETUP: "changeover", WAIT: "suspended" } as const;

/** A tool control's numbers: 1 in cycle, 2 feed hold, 3 stopped, 4 alarm, 5 set-up, 0 off. */
export const cncNumbers: StateCoding = {
  run: 1,
  starting: 1,
  not_scheduled: 0,
  break: 3,
  breakdown: 4,
  changeover: 5,
  minor: 2,
  stop: 3,
  starved: 3,
  blocked: 3,
};
export const cncNumberMeanings = { "0": "down", "1": "run", "2": "down", "3": "down", "4": "down", "5": "changeover" } as const;

export const state = (coding: StateCoding, values?: SignalDef["values"], metric?: string): SignalDef => ({
  key: "state",
  name: "State",
  role: "state",
  unit: "",
  feed: { of: "state", coding },
  ...(values ? { values } : {}),
  ...(metric ? { metric } : {}),
});

const countNames: Record<CountOf, string> = { good: "Good pieces", reject: "Rejects", rework: "Rework", total: "Pieces" };

export function count(
  of: CountOf,
  everyS: number | null,
  resets: Extract<Feed, { of: "count" }>["resets"],
  more: Partial<Pick<SignalDef, "counter" | "modulus" | "metric">> = {},
): SignalDef {
  return { key: of, name: countNames[of], role: `${of}_count`, unit: "1", feed: { of: "count", count: of, everyS, resets }, counter: "cumulative", ...more };
}

export const orders = (): SignalDef[] => [
  { key: "job", name: "Job", role: "job", unit: "", feed: { of: "job" } },
  { key: "product", name: "Product", role: "product", unit: "", feed: { of: "product" } },
];
export const faultCode = (): SignalDef => ({ key: "fault", name: "Fault code", role: "fault_code", unit: "", feed: { of: "fault" } });

export function temperature(
  key: string,
  name: string,
  feed: { ambient?: number; span: number; lagMin: number; noise?: number; wear?: number },
  more: Partial<SignalDef> = {},
): SignalDef {
  const { ambient = 22, span, lagMin, noise = 0.3, wear = 0 } = feed;
  return {
    key,
    name,
    role: "measurement",
    unit: "Cel",
    feed: { of: "thermal", ambient, span, lagS: lagMin * 60, noise, wear },
    periodS: 30,
    low: -20,
    high: Math.ceil((ambient + span + wear) * 1.6),
    decimals: 1,
    ...more,
  };
}

export const vibration = (full: number): SignalDef => ({
  key: "vibration",
  name: "Vibration, r.m.s. velocity",
  role: "measurement",
  unit: "mm/s",
  feed: { of: "load", rest: 0.05, idle: 0.3, full, noise: full * 0.06, wear: 3.8 },
  periodS: 30,
  low: 0,
  high: 50,
  decimals: 2,
});

export const level = (
  key: string,
  name: string,
  unit: string,
  feed: { rest: number; idle: number; full: number; noise: number; wear?: number },
  high: number,
): SignalDef => ({
  key,
  name,
  role: "measurement",
  unit,
  feed: { of: "load", wear: 1, ...feed },
  periodS: 30,
  low: 0,
  high,
  decimals: 2,
});

/** Electrical power and the meter behind it. */
export const power = (idleKw: number, fullKw: number): SignalDef[] => [
  {
    key: "power",
    name: "Electrical power",
    role: "measurement",
    unit: "kW",
    feed: { of: "load", rest: idleKw * 0.4, idle: idleKw, full: fullKw, noise: fullKw * 0.03, wear: 1.12 },
    periodS: 30,
    low: 0,
    high: Math.ceil(fullKw * 3),
    decimals: 2,
  },
  { key: "energy", name: "Energy drawn", role: "energy", unit: "kWh", feed: { of: "energy", idleKw: idleKw * 0.6, fullKw }, periodS: 60, low: 0, decimals: 3 },
];

export const bin = (key: string, name: string, unit: string, feed: { full: number; perPiece: number; noise?: number }): SignalDef => ({
  key,
  name,
  role: "measurement",
  unit,
  feed: { of: "bin", refillAt: feed.full * 0.14, noise: 0, ...feed },
  periodS: 60,
  low: -feed.full * 0.05,
  high: feed.full * 1.5,
  decimals: 2,
});

/** Stops with `perHour` of running, of this median length. */
export const stops = (perHour: number, medianS: number, spread: number, faults: readonly string[] = []): StopDef => ({
  everyS: 3600 / perHour,
  medianS,
  spread,
  faults,
});

type Coupled = Pick<MachineDef, "key" | "name" | "kind" | "cycleS" | "slowness" | "scrap" | "minorStops" | "breakdowns" | "stops" | "wears"> & {
  state: SignalDef;
  resets: "shift" | "job";
  drawn: readonly SignalDef[];
  extra: readonly SignalDef[];
};

/** A machine of a coupled line: one JSON message a value, `_online` for the link; rejects only where it sorts some out. */
export const coupledMachine = ({ state, resets, drawn, extra, ...machine }: Coupled): MachineDef => ({
  ...machine,
  form: "single",
  cavities: 1,
  rework: 0,
  worksThroughBreaks: false,
  noDataTimeoutS: 60,
  signals: [state, count("good", 10, resets), ...(machine.scrap > 0 ? [count("reject", 10, resets)] : []), faultCode(), ...orders(), ...drawn, ...extra],
});
