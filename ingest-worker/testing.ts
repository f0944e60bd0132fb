// For tests: a plant in memory, as plant.ts would read it from the database.
import type { Machine, Plant } from "./plant.ts";
import type { Role, Sample, Signal, Source } from "./sample.ts";

export type SignalSpec = Partial<Omit<Signal, "id" | "path" | "role">> & { role: Role };

const countRoles: readonly Role[] = ["good_count", "reject_count", "rework_count", "total_count"];

/** Machines by path site/area/line/machine, their signals by key; every machine its own JSON source. Ids count from 1 in the order given. */
export function plantOf(spec: Record<string, Record<string, SignalSpec>>): Plant {
  const plant: Plant = {
    revision: 1,
    signals: new Map(),
    machines: new Map(),
    machinePaths: new Map(),
    sources: new Map(),
    jsonMappings: [],
    sparkplugMappings: new Map(),
  };
  for (const [path, signals] of Object.entries(spec)) {
    const id = plant.machines.size + 1;
    const source: Source = {
      id,
      address: path,
      form: "json",
      noDataTimeoutMs: 60_000,
      maxBackfillMs: 90 * 86_400_000,
      announced: null,
      announcedAt: null,
      announcedBy: null,
      newestAt: Number.NEGATIVE_INFINITY,
    };
    const machine: Machine = { id, lineId: 1, path, source, signals: new Map(), job: null, idealCycleS: null };
    plant.machines.set(id, machine);
    plant.machinePaths.set(path, machine);
    plant.sources.set(path, source);
    for (const [key, given] of Object.entries(signals)) {
      const signal = aSignal({ id: plant.signals.size + 1, machineId: id, source, path: `${path}/${key}`, ...given });
      plant.signals.set(signal.id, signal);
      machine.signals.set(key, signal);
      if (signal.role === "job") machine.job = signal;
    }
  }
  return plant;
}

function aSignal(given: SignalSpec & Pick<Signal, "id" | "machineId" | "source" | "path">): Signal {
  return {
    lineId: 1,
    ledger: given.role !== "measurement" && given.role !== "energy",
    counter: countRoles.includes(given.role) ? { mode: "cumulative", modulus: null } : null,
    scale: 1,
    offset: 0,
    valueMap: null,
    lowLimit: null,
    highLimit: null,
    unit: "",
    deadBand: null,
    retired: false,
    latest: null,
    work: null,
    markedHour: Number.NaN,
    ...given,
  };
}

/** Some sample. */
export const aSample = (plant = plantOf({ "a/b/c/d": { e: { role: "measurement" } } })): Sample => ({
  signal: [...plant.signals.values()][0]!,
  at: 0,
  value: 1,
  text: null,
  flags: 0,
  receivedAt: 0,
});

/** The signal with this path; throws when the plant has none. */
export function signalAt(plant: Plant, path: string): Signal {
  for (const signal of plant.signals.values()) if (signal.path === path) return signal;
  throw new Error(`The plant has no signal ${path}.`);
}
