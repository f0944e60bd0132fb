/**
 * A plant of N lines x M machines for load: ten signals a machine, two of them of class ledger. Its values are formulas of the time, so that any rate is
 * cheap and the pieces are known without counting.
 */

import type { ConditionAt } from "#/simulator/model/day.ts";
import type { Condition, MachineDef, MachineForm, PlacedMachine, PlantDef, SignalDef, StateCoding } from "#/simulator/model/definition.ts";
import { placedMachines } from "#/simulator/model/definition.ts";
import { packml, packmlSetUp } from "#/simulator/model/kinds.ts";
import { hash, noise } from "#/simulator/model/random.ts";
import type { Model, Reading } from "#/simulator/model/readings.ts";

export const loadMeasurements = 8;
export const loadSignals = loadMeasurements + 2;
const dayMs = 86_400_000;
const stateBlockMs = 240_000;
/** Pieces between two readings of a counter, on average. */
const piecesPerReading = 0.37;

const padded = (n: number, digits: number) => String(n).padStart(digits, "0");
export const loadLineKey = (line: number) => `line-${padded(line, 3)}`;
export const loadMachineKey = (machine: number) => `m-${padded(machine, 2)}`;

const signals: readonly SignalDef[] = [
  { key: "state", name: "State", role: "state", unit: "", feed: { of: "state", coding: packml }, values: packmlSetUp },
  { key: "good", name: "Good pieces", role: "good_count", unit: "1", feed: { of: "count", count: "good", everyS: null, resets: "day" }, counter: "cumulative" },
  ...Array.from(
    { length: loadMeasurements },
    (_, n): SignalDef => ({
      key: `m${n + 1}`,
      name: `Measurement ${n + 1}`,
      role: "measurement",
      unit: "Cel",
      feed: { of: "load", rest: 20, idle: 40, full: 60 + n, noise: 1, wear: 1 },
      low: -50,
      high: 500,
      decimals: 2,
    }),
  ),
];

function loadMachine(n: number, form: MachineForm): MachineDef {
  const stops = { everyS: 3600, medianS: 60, spread: 0.5, faults: [] };
  return {
    key: loadMachineKey(n),
    name: `Machine ${n}`,
    kind: "machine",
    form,
    cavities: 1,
    cycleS: { part: 1 },
    slowness: [1, 1],
    scrap: 0,
    rework: 0,
    minorStops: stops,
    breakdowns: stops,
    stops,
    worksThroughBreaks: true,
    stateEveryS: 60,
    noDataTimeoutS: 60,
    signals,
  };
}

/** The plant and its plant file's content. Round the clock, one site at UTC. */
export function loadPlant(lines: number, machines: number, form: MachineForm): PlantDef {
  return {
    enterprise: { key: "load", name: "Load test" },
    productLines: [{ key: "load", name: "Load test", products: [{ key: "part", name: "Part" }] }],
    sites: [
      {
        key: "load",
        name: "Load test",
        zone: "UTC",
        patterns: [
          {
            key: "continuous",
            name: "Round the clock",
            shifts: [
              { key: "early", name: "Early", days: "daily", start: "06:00", end: "14:00", breaks: [] },
              { key: "late", name: "Late", days: "daily", start: "14:00", end: "22:00", breaks: [] },
              { key: "night", name: "Night", days: "daily", start: "22:00", end: "06:00", breaks: [] },
            ],
          },
        ],
        reasons: [],
        teams: [],
        sources: [],
        areas: [
          {
            key: "load",
            name: "Load",
            lines: Array.from({ length: lines }, (_, n) => ({
              key: loadLineKey(n + 1),
              name: `Line ${n + 1}`,
              coupled: null,
              pattern: "continuous",
              changeoverMin: [10, 20] as const,
              jobHours: [8, 8] as const,
              products: ["part"],
              ...(form === "sparkplug" ? { edge: { group: "load", node: loadLineKey(n + 1) } } : {}),
              machines: Array.from({ length: machines }, (_unused, m) => loadMachine(m + 1, form)),
            })),
          },
        ],
      },
    ],
  };
}

export class LoadModel implements Model {
  readonly machines: readonly PlacedMachine[];
  readonly lookBackMs: number;
  private readonly seed: string;
  private readonly periodMs: number;

  /** `valuesPerS`: of each machine. */
  constructor(plant: PlantDef, seed: string, valuesPerS: number) {
    this.machines = placedMachines(plant);
    this.seed = seed;
    this.periodMs = (loadSignals * 1000) / valuesPerS;
    this.lookBackMs = Math.ceil(2 * this.periodMs);
    if (this.periodMs < 1)
      throw new RangeError(`A machine of the load plant can send ${loadSignals * 1000} values/s at most: an instant holds one value of a signal.`);
  }

  readings(machine: PlacedMachine, from: number, to: number): Reading[] {
    const own = hash(this.seed, machine.machinePath);
    const phase = own % Math.max(1, Math.floor(this.periodMs));
    const out: Reading[] = [];
    for (let n = Math.ceil((from - phase) / this.periodMs); ; n++) {
      const at = Math.ceil(n * this.periodMs) + phase;
      if (at >= to) return out;
      if (at < from) continue;
      const state = stateAt(own, at);
      const count = this.countAt(n, at, phase);
      for (const [index, signal] of machine.machine.signals.entries()) {
        if (signal.role === "state") out.push({ signal, at, value: packml[state] });
        else if (signal.role === "good_count") out.push({ signal, at, value: count.value, pieces: count.pieces });
        else out.push({ signal, at, value: Math.round((50 + index + 8 * noise(own + index, n)) * 100) / 100 });
      }
    }
  }

  /** The counter goes to 0 at midnight UTC, and says so. */
  private countAt(n: number, at: number, phase: number): { value: number; pieces: number } {
    const value = this.valueOf(n, at, phase);
    const beforeAt = Math.ceil((n - 1) * this.periodMs) + phase;
    const before = this.valueOf(n - 1, beforeAt, phase);
    return { value, pieces: value >= before ? value - before : value };
  }

  private valueOf(n: number, at: number, phase: number): number {
    const first = Math.ceil((Math.floor(at / dayMs) * dayMs - phase) / this.periodMs);
    return Math.floor(Math.max(0, n - first) * piecesPerReading);
  }

  conditions(machine: PlacedMachine, from: number, to: number): ConditionAt[] {
    const own = hash(this.seed, machine.machinePath);
    const out: ConditionAt[] = [];
    for (let at = Math.floor(from / stateBlockMs) * stateBlockMs; at < to; at += stateBlockMs) {
      const condition = stateAt(own, at);
      if (out.at(-1)?.condition !== condition) out.push({ at: Math.max(at, from), condition, fault: "" });
    }
    return out;
  }
}

const rarely: readonly (keyof StateCoding)[] = ["stop", "breakdown", "starved"];
const stateAt = (own: number, at: number): Condition => {
  const drawn = noise(own ^ 0x51, Math.floor(at / stateBlockMs));
  return drawn < 0.8 ? "run" : (rarely[Math.floor((drawn - 0.8) * 15)] ?? "stop");
};
