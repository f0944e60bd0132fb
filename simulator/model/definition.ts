// What a simulated plant is made of. One definition gives the behaviour, the topics and the plant file.
import type { Role } from "#/server/domain/signal-suggestion.ts";
import type { ShiftPatternDef } from "#/simulator/model/calendar.ts";

/** What a machine does, as the simulator knows it; what it says of it is its state coding. */
export const conditions = ["run", "starting", "not_scheduled", "break", "breakdown", "changeover", "minor", "stop", "starved", "blocked"] as const;
export type Condition = (typeof conditions)[number];
export type StateCoding = Record<Condition, string | number>;

export type CountOf = "good" | "reject" | "rework" | "total";

/** Where a signal's value comes from. Times in s, `noise` is a standard deviation in the signal's unit. */
export type Feed =
  | { of: "state"; coding: StateCoding }
  /** everyS null: with each piece; resets: when the counter goes to 0 (never: only by its modulus). */
  | { of: "count"; count: CountOf; everyS: number | null; resets: "shift" | "job" | "day" | "never" }
  | { of: "fault" }
  | { of: "job" }
  | { of: "product" }
  /** Follows the load with a lag: towards `ambient` at rest, `ambient + span` at full load; `wear`: added when the part is about to fail. */
  | { of: "thermal"; ambient: number; span: number; lagS: number; noise: number; wear: number }
  /** Follows the load at once: `rest` when stopped, `idle` when waiting, `full` when running. `wear`: factor just before a failure. */
  | { of: "load"; rest: number; idle: number; full: number; noise: number; wear: number }
  /** kWh drawn since the meter was built: `idleKw` always, `fullKw` when running. */
  | { of: "energy"; idleKw: number; fullKw: number }
  /** A bin or scale: sinks by `perPiece` with every piece made, is filled to `full` at shift starts and soon after it fell below `refillAt`. */
  | { of: "bin"; full: number; perPiece: number; refillAt: number; noise: number };

export type SignalDef = {
  key: string;
  name: string;
  role: Role;
  unit: string;
  feed: Feed;
  /** Seconds between readings; undefined: by exception. */
  periodS?: number;
  /** Physical limits, in the unit, after scaling. */
  low?: number;
  high?: number;
  /** raw * scale + offset = value in unit; the simulator publishes the raw value. */
  scale?: number;
  offset?: number;
  decimals?: number;
  counter?: "cumulative" | "increment";
  modulus?: number;
  values?: Record<string, string | number>;
  /** Sparkplug metric name, where it is not the key. */
  metric?: string;
  /** A foreign topic with its own payload instead of takt/v1. */
  mapped?: { topic: string; path: string; tsPath: string; source: string };
};

export type StopDef = {
  /** Mean seconds of running between two. */
  everyS: number;
  /** Median length in s; lengths are log-normal. */
  medianS: number;
  spread: number;
  faults: readonly string[];
};

export type MachineForm = "single" | "batched" | "sparkplug";

export type MachineDef = {
  key: string;
  name: string;
  kind: string;
  form: MachineForm;
  /** Pieces of one cycle. */
  cavities: number;
  /** Ideal seconds of one machine cycle by product. */
  cycleS: Readonly<Record<string, number>>;
  /** Real cycle / ideal cycle in ordinary hours. */
  slowness: readonly [number, number];
  /** Shares of the pieces. */
  scrap: number;
  rework: number;
  minorStops: StopDef;
  breakdowns: StopDef;
  /** Stops by people: cleaning, inspection, waiting for material. No fault code. */
  stops: StopDef;
  /** A part that wears and fails with this code; it shows days before. */
  wears?: { fault: string; part: string };
  worksThroughBreaks: boolean;
  /** States again every so often, so that silence is noticed; undefined: by exception, the link itself says whether it lives. */
  stateEveryS?: number;
  /** Seconds without a value after which the link counts as dead. */
  noDataTimeoutS: number;
  signals: readonly SignalDef[];
};

export type LineDef = {
  key: string;
  name: string;
  /** Coupled machines pass pieces on through buffers, and block and starve each other; the others work alone. */
  coupled: { bufferPieces: number; constraint: string } | null;
  pattern: string;
  /** Minutes that a change of product takes. */
  changeoverMin: readonly [number, number];
  /** Scheduled hours that a job takes. */
  jobHours: readonly [number, number];
  products: readonly string[];
  /** Sparkplug: group and edge node of the line's machines. */
  edge?: { group: string; node: string };
  machines: readonly MachineDef[];
};

export type ReasonDef = { key: string; name: string; loss: string; faultCode?: string; reasons?: readonly ReasonDef[] };
export type SourceDef = { form: "mapped"; address: string; noDataTimeoutS: number };
export type AreaDef = { key: string; name: string; lines: readonly LineDef[] };
export type SiteDef = {
  key: string;
  name: string;
  zone: string;
  patterns: readonly ShiftPatternDef[];
  reasons: readonly ReasonDef[];
  teams: readonly { key: string; name: string }[];
  sources: readonly SourceDef[];
  areas: readonly AreaDef[];
};
export type ProductLineDef = { key: string; name: string; products: readonly { key: string; name: string }[] };
export type PlantDef = { enterprise: { key: string; name: string }; productLines: readonly ProductLineDef[]; sites: readonly SiteDef[] };

/** A line with what it needs of its site; `path` is site/area/line. */
export type PlacedLine = { path: string; zone: string; pattern: ShiftPatternDef; line: LineDef };
/** A machine in its place; `path` is site/area/line/machine. */
export type PlacedMachine = PlacedLine & { machinePath: string; machine: MachineDef };

export function placedLines(plant: PlantDef): PlacedLine[] {
  return plant.sites.flatMap((site) =>
    site.areas.flatMap((area) =>
      area.lines.map((line) => {
        const pattern = site.patterns.find(({ key }) => key === line.pattern);
        if (!pattern) throw new Error(`Line ${line.key} works by the shift pattern ${line.pattern}, which ${site.name} does not have.`);
        return { path: `${site.key}/${area.key}/${line.key}`, zone: site.zone, pattern, line };
      }),
    ),
  );
}

export const placedMachines = (plant: PlantDef): PlacedMachine[] =>
  placedLines(plant).flatMap((placed) => placed.line.machines.map((machine) => ({ ...placed, machine, machinePath: `${placed.path}/${machine.key}` })));
