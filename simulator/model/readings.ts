/**
 * What the machines of the plant say between two instants, in device-time order: a pure function of seed and time. A value that is asked for twice is the
 * same twice, so live and history join, and a restarted simulator goes on with the same plant.
 */
import { addDays, dateOf } from "#/simulator/model/calendar.ts";
import { type ConditionAt, type MachineDay, simulateDay } from "#/simulator/model/day.ts";
import { type Feed, type PlacedMachine, type PlantDef, placedMachines, type SignalDef } from "#/simulator/model/definition.ts";
import { lastAtOrBefore, measure } from "#/simulator/model/measure.ts";
import { hash } from "#/simulator/model/random.ts";
import { daysSinceEpoch, plantEpoch } from "#/simulator/model/schedule.ts";

export type Value = number | string | boolean;
/** One reading. `pieces`: what a count reading adds to the one before, as the machine knows it (a base line knows it too). */
export type Reading = { signal: SignalDef; at: number; value: Value; pieces?: number };

export type Totals = { good: number; reject: number; rework: number };
/** Pieces before each day since the plant began, by seed and machine. */
const totalsByDay = new Map<string, Totals[]>();
const none: Totals = { good: 0, reject: 0, rework: 0 };

/** A plant that can be asked what it says: the demo plant by simulation, the load plant by formula. */
export type Model = {
  machines: readonly PlacedMachine[];
  /** Every signal has said something in so long a time, ms. */
  lookBackMs: number;
  /** Readings with from <= at < to, ascending by instant; at most one a signal and instant. */
  readings: (machine: PlacedMachine, from: number, to: number, what?: { measurements: boolean }) => Reading[];
  /** What the machine really does in [from, to): gap-free from `from` on. */
  conditions: (machine: PlacedMachine, from: number, to: number) => ConditionAt[];
};

export class PlantModel implements Model {
  readonly machines: readonly PlacedMachine[];
  readonly lookBackMs = 26 * 3_600_000; // each of the plant's days begins with a reading, and has 25 h at most
  readonly seed: string;
  private readonly days = new Map<string, MachineDay[]>();
  private readonly events = new WeakMap<MachineDay, Reading[]>();

  constructor(plant: PlantDef, seed: string) {
    this.machines = placedMachines(plant);
    this.seed = seed;
  }

  readings(machine: PlacedMachine, from: number, to: number, what = { measurements: true }): Reading[] {
    const out: Reading[] = [];
    if (to <= from) return out;
    for (let date = dateOf(machine.zone, machine.pattern, from); ; date = addDays(date, 1)) {
      const today = this.machineDay(machine, date);
      if (today.day.from >= to) break;
      const first = Math.max(from, today.day.from);
      const end = Math.min(to, today.day.to);
      const of = this.eventsOf(machine, today);
      let n = firstAtOrAfter(of, first);
      const own: Reading[] = [];
      for (let event = of[n]; event && event.at < end; event = of[++n]) own.push(event);
      if (what.measurements) this.measured(machine, today, first, end, own);
      // stable, so that signals of one instant keep the order of the definition's kinds
      if (what.measurements) own.sort((a, b) => a.at - b.at);
      for (const reading of own) out.push(reading);
      if (today.day.to >= to) break;
    }
    return out;
  }

  conditions(machine: PlacedMachine, from: number, to: number): ConditionAt[] {
    const out: ConditionAt[] = [];
    for (let date = dateOf(machine.zone, machine.pattern, from); ; date = addDays(date, 1)) {
      const today = this.machineDay(machine, date);
      today.conditions.forEach((entry, n) => {
        const until = today.conditions[n + 1]?.at ?? today.day.to;
        if (until <= from || entry.at >= to) return;
        const last = out.at(-1);
        if (last?.condition !== entry.condition || last.fault !== entry.fault) out.push({ ...entry, at: Math.max(entry.at, from) });
      });
      if (today.day.to >= to) return out;
    }
  }

  /** The day of one machine, simulated with the machines it is coupled to. */
  machineDay(machine: PlacedMachine, date: string): MachineDay {
    const unit = unitOf(machine);
    const key = `${unit} ${date}`;
    let days = this.days.get(key);
    if (!days) {
      days = simulateDay(this.seed, machine, machine.line.coupled ? machine.line.machines : [machine.machine], unit, date);
      this.days.set(key, days);
      // enough for every unit's today and yesterday, whatever their zones
      if (this.days.size > 90) this.days.delete(this.days.keys().next().value ?? "");
    }
    const found = days.find((one) => one.machine.key === machine.machine.key);
    if (!found) throw new Error(`${machine.machinePath} is not part of ${unit}.`);
    return found;
  }

  /** Pieces made since the plant began until the start of `date`. */
  totalsBefore(machine: PlacedMachine, date: string): Totals {
    const key = `${this.seed} ${machine.machinePath}`;
    const sums = totalsByDay.get(key) ?? [none];
    totalsByDay.set(key, sums);
    const days = daysSinceEpoch(date);
    for (let n = sums.length; n <= days; n++) {
      const [made] = simulateDay(this.seed, machine, [machine.machine], unitOf(machine), addDays(plantEpoch, n - 1));
      const before = sums[n - 1] ?? none;
      const of = (counts: Uint32Array | undefined) => counts?.at(-1) ?? 0;
      sums.push({ good: before.good + of(made?.good), reject: before.reject + of(made?.reject), rework: before.rework + of(made?.rework) });
    }
    return sums[days] ?? none;
  }

  private measured(machine: PlacedMachine, today: MachineDay, from: number, to: number, out: Reading[]): void {
    const yesterday = this.machineDay(machine, addDays(today.day.date, -1));
    for (const signal of machine.machine.signals) {
      if ((signal.role !== "measurement" && signal.role !== "energy") || !signal.periodS) continue;
      const periodMs = signal.periodS * 1000;
      // sensors are not read all at the same instant
      const phase = hash(machine.machinePath, signal.key) % Math.min(periodMs, 20_000);
      for (let at = Math.ceil((from - phase) / periodMs) * periodMs + phase; at < to; at += periodMs) {
        out.push({ signal, at, value: measure(this.seed, machine, signal, today, yesterday, at) });
      }
    }
  }

  private eventsOf(machine: PlacedMachine, today: MachineDay): Reading[] {
    const known = this.events.get(today);
    if (known) return known;
    const out = machine.machine.signals.flatMap((signal) => this.signalEvents(machine, signal, today));
    out.sort((a, b) => a.at - b.at);
    this.events.set(today, out);
    return out;
  }

  private signalEvents(machine: PlacedMachine, signal: SignalDef, today: MachineDay): Reading[] {
    const feed = signal.feed;
    const shiftStarts = [today.day.from, ...today.day.shifts.map(({ from }) => from)].filter((at, n, all) => all.indexOf(at) === n);
    switch (feed.of) {
      case "state":
        return stateEvents(signal, feed, machine.machine.stateEveryS, today);
      case "count":
        return countEvents(signal, feed, today, feed.resets === "never" ? this.totalsBefore(machine, today.day.date) : none);
      case "fault":
        return faultEvents(signal, today);
      case "job":
      case "product": {
        const events = new Map<number, Value>();
        const say = (at: number) => {
          const job = today.jobs.findLast(({ announcedAt }) => announcedAt <= at);
          if (job) events.set(at, feed.of === "job" ? job.job : job.product);
        };
        for (const at of shiftStarts) say(at); // said again at each shift's start, as a terminal does when someone signs in
        for (const { announcedAt } of today.jobs) if (announcedAt >= today.day.from && announcedAt < today.day.to) say(announcedAt);
        return [...events].map(([at, value]) => ({ signal, at, value })).sort((a, b) => a.at - b.at);
      }
      default:
        return [];
    }
  }
}

/** Machines that are simulated together: a coupled line, or one machine alone. */
export const unitOf = (machine: PlacedMachine): string => (machine.line.coupled ? machine.path : machine.machinePath);

function firstAtOrAfter(readings: readonly Reading[], at: number): number {
  let low = 0;
  let high = readings.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((readings[middle]?.at ?? Infinity) < at) low = middle + 1;
    else high = middle;
  }
  return low;
}

function stateEvents(signal: SignalDef, feed: Extract<Feed, { of: "state" }>, everyS: number | undefined, today: MachineDay): Reading[] {
  const out: Reading[] = [];
  for (let n = 0; n < today.conditions.length; n++) {
    const entry = today.conditions[n];
    if (!entry) break;
    const value = feed.coding[entry.condition];
    const until = today.conditions[n + 1]?.at ?? today.day.to;
    if (out.length === 0 || out.at(-1)?.value !== value) out.push({ signal, at: entry.at, value });
    if (!everyS) continue;
    for (let at = (Math.floor(entry.at / (everyS * 1000)) + 1) * everyS * 1000; at < until; at += everyS * 1000) out.push({ signal, at, value });
  }
  return out;
}

function faultEvents(signal: SignalDef, today: MachineDay): Reading[] {
  const out: Reading[] = [{ signal, at: today.day.from, value: today.conditions[0]?.fault || "0" }];
  for (const { at, fault } of today.conditions) {
    const value = fault || "0";
    if (out.at(-1)?.value !== value) out.push({ signal, at, value });
  }
  return out;
}

/** Readings of a counter: with each piece, or as it stands every few seconds; its last word before it is reset, and its 0. */
function countEvents(signal: SignalDef, feed: Extract<Feed, { of: "count" }>, today: MachineDay, before: Totals): Reading[] {
  const { cycleAt, day } = today;
  const madeBy = (cycle: number): number => {
    if (cycle < 0) return 0;
    const good = today.good[cycle] ?? 0;
    const reject = today.reject[cycle] ?? 0;
    const rework = today.rework[cycle] ?? 0;
    return feed.count === "good" ? good : feed.count === "reject" ? reject : feed.count === "rework" ? rework : good + reject + rework;
  };
  const start = feed.count === "total" ? before.good + before.reject + before.rework : before[feed.count];
  const resets = feed.resets === "never" || signal.counter === "increment" ? [] : resetsOf(feed.resets, today);
  const out: Reading[] = [];
  let told = 0; // of the day's pieces
  let base = 0; // of the day's pieces, when the counter was last reset
  const say = (at: number, made: number) => {
    const pieces = made - told;
    const shown = start + made - base;
    const value = signal.counter === "increment" ? pieces : signal.modulus ? shown % signal.modulus : shown;
    told = made;
    const last = out.at(-1);
    if (last && last.at === at)
      out[out.length - 1] = { signal, at, value: signal.counter === "increment" ? (last.pieces ?? 0) + pieces : value, pieces: (last.pieces ?? 0) + pieces };
    else out.push({ signal, at, value, pieces });
  };
  if (feed.resets === "never" && signal.counter !== "increment") say(day.from, 0); // a base line for those who look at this day alone
  let nextReset = 0;
  const resetUpTo = (at: number) => {
    for (let reset = resets[nextReset]; reset !== undefined && reset <= at; reset = resets[++nextReset]) {
      const made = madeBy(lastAtOrBefore(cycleAt, reset - 1));
      if (made > told) say(reset - 1, made);
      base = made;
      say(reset, made);
    }
  };
  const stepMs = feed.everyS ? feed.everyS * 1000 : 0;
  for (let cycle = 0; cycle < cycleAt.length; cycle++) {
    const at = cycleAt[cycle] ?? 0;
    const told1 = stepMs ? Math.ceil(at / stepMs) * stepMs : at;
    // the cycles up to the next look at the counter come as one
    const next = cycleAt[cycle + 1];
    if (stepMs && next !== undefined && next <= told1) continue;
    resetUpTo(told1);
    const made = madeBy(cycle);
    if (made > told) say(Math.min(told1, day.to - 1), made);
  }
  resetUpTo(day.to - 1);
  return out;
}

function resetsOf(by: "shift" | "job" | "day", today: MachineDay): number[] {
  if (by === "day") return [today.day.from];
  if (by === "shift") return [today.day.from, ...today.day.shifts.map(({ from }) => from).filter((from) => from > today.day.from)];
  // with a job that goes on from the day before, the counter was reset in the night, as these controls do when their clock turns over
  return [today.day.from, ...today.jobs.map(({ announcedAt }) => announcedAt).filter((at) => at > today.day.from && at < today.day.to)];
}
