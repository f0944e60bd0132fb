/**
 * One plant day of one unit: a lone machine, or a coupled line whose machines pass pieces on through buffers. Pieces are followed one by one:
 * a machine starts a piece when it has it and is free, works while it is up, and gives it away when there is room behind it.
 */
import { outside, type PlantDay } from "#/simulator/model/calendar.ts";
import type { Condition, MachineDef, PlacedLine, StopDef } from "#/simulator/model/definition.ts";
import { type Chance, chance } from "#/simulator/model/random.ts";
import { dayOf, type Failure, failuresIn, type JobPlan, jobAt, slownessAt, wearAt, weekJobs } from "#/simulator/model/schedule.ts";

/** From `at` on; fault "" where there is none. */
export type ConditionAt = { at: number; condition: Condition; fault: string };

export type MachineDay = {
  machine: MachineDef;
  day: PlantDay;
  /** Gap-free from the day's start; neighbours differ. */
  conditions: ConditionAt[];
  /** Instants of finished cycles in ms, ascending, each with its running totals of the day (the cycle included). */
  cycleAt: Float64Array;
  good: Uint32Array;
  reject: Uint32Array;
  rework: Uint32Array;
  /** Jobs in force in the day; the first may have been announced before. */
  jobs: JobPlan[];
  failures: Failure[];
};

type Stop = { from: number; to: number; condition: Condition; fault: string };

/** A wait for the neighbour shows as a state when it is at least this long. */
const visibleWaitMs = 4000;
/** After a stop of this length or more a machine starts up for a while before it runs. */
const startsAfterMs = 300_000;
const startsForMs = 8000;

export function simulateDay(seed: string, placed: PlacedLine, machines: readonly MachineDef[], unit: string, date: string): MachineDay[] {
  const day = dayOf(placed, date);
  const jobs = jobsOf(seed, placed, unit, day);
  const stations = machines.map((machine) => new Station(seed, placed, machine, day, jobs));
  if (day.shifts.length > 0 || stations.some(({ openMs }) => openMs > 0)) run(stations, placed.line.coupled?.bufferPieces ?? 0, day, jobs);
  return stations.map((station) => station.finish(day, jobs));
}

function jobsOf(seed: string, placed: PlacedLine, unit: string, day: PlantDay): JobPlan[] {
  const before = jobAt(seed, placed, unit, day.date, day.from);
  const later = weekJobs(seed, placed, unit, day.date).filter(
    ({ readyAt, from, announcedAt }) => announcedAt > day.from && from < day.to && readyAt > day.from,
  );
  return before ? [before, ...later] : later;
}

function run(stations: readonly Station[], buffer: number, day: PlantDay, jobs: readonly JobPlan[]): void {
  let jobIndex = 0;
  for (;;) {
    let arrivedAt = day.from;
    for (let at = 0; at < stations.length; at++) {
      const station = stations[at];
      if (!station) break;
      while (jobIndex + 1 < jobs.length && (jobs[jobIndex + 1]?.announcedAt ?? Infinity) <= station.freeAt && at === 0) jobIndex++;
      const next = stations[at + 1];
      const product = jobs[jobIndex]?.product ?? "";
      const passed = station.make(arrivedAt, product, next ? next.roomAt(buffer) : 0);
      if (station.doneAt >= day.to && at === 0) return;
      if (!passed || station.doneAt >= day.to) break;
      arrivedAt = station.doneAt;
    }
  }
}

class Station {
  readonly machine: MachineDef;
  readonly openMs: number;
  freeAt: number;
  doneAt = 0;
  private readonly seed: string;
  private readonly path: string;
  private readonly forced: Stop[];
  private readonly failures: Failure[];
  private forcedIndex = 0;
  private readonly found: Stop[] = [];
  private readonly dice: Chance;
  private readonly stopDice: Chance;
  private readonly scrapDice: Chance;
  private untilStop: number;
  private readonly cycles: number[] = [];
  private readonly starts: number[] = [];
  private readonly rejects: number[] = [];
  private readonly reworks: number[] = [];
  private startUpLeft = 0;
  private hourAt = -1;
  private slow = 1;
  private wear = 0;
  private readonly dayEnd: number;

  constructor(seed: string, placed: PlacedLine, machine: MachineDef, day: PlantDay, jobs: readonly JobPlan[]) {
    this.seed = seed;
    this.path = placed.path;
    this.machine = machine;
    this.dayEnd = day.to;
    this.failures = failuresIn(seed, placed, machine, day.from, day.to);
    this.forced = forcedStops(machine, day, jobs, this.failures);
    this.openMs = outside(day.from, day.to, this.forced).reduce((sum, { from, to }) => sum + Math.max(0, to - from), 0);
    this.freeAt = day.from;
    this.dice = chance(seed, placed.path, machine.key, day.date, "cycle");
    this.stopDice = chance(seed, placed.path, machine.key, day.date, "stop");
    this.scrapDice = chance(seed, placed.path, machine.key, day.date, "scrap");
    this.untilStop = this.nextStop();
  }

  /** When a machine before this one may give its next piece away, with room for `buffer` pieces between them. */
  roomAt(buffer: number): number {
    const n = this.starts.length - buffer;
    return n < 0 ? 0 : (this.starts[n] ?? 0);
  }

  /** Makes one cycle on what arrives at `arrivedAt`; true when it goes on to the next machine. `doneAt` is when it has left. */
  make(arrivedAt: number, product: string, roomAt: number): boolean {
    const startAt = Math.max(arrivedAt, this.freeAt);
    if (startAt - this.freeAt >= visibleWaitMs) this.found.push({ from: this.freeAt, to: startAt, condition: "starved", fault: "" });
    this.starts.push(startAt);
    const finishedAt = Math.round(this.work(startAt, this.cycleMs(product, startAt)));
    const leavesAt = Math.max(finishedAt, roomAt, this.doneAt + 1);
    if (leavesAt - finishedAt >= visibleWaitMs) this.found.push({ from: finishedAt, to: leavesAt, condition: "blocked", fault: "" });
    this.freeAt = leavesAt;
    this.doneAt = leavesAt;
    if (leavesAt >= this.dayEnd) return false;
    return this.judge(finishedAt);
  }

  private judge(finishedAt: number): boolean {
    const { machine, scrapDice } = this;
    const startUp = this.startUpLeft > 0 ? 0.22 : 0;
    if (this.startUpLeft > 0) this.startUpLeft--;
    const scrap = machine.scrap > 0 ? machine.scrap * (1 + 4 * this.wear) + startUp * Math.min(1, machine.scrap * 40) : 0;
    let rejects = 0;
    let reworks = 0;
    for (let piece = 0; piece < machine.cavities; piece++) {
      const drawn = scrapDice.next();
      if (drawn < scrap) rejects++;
      else if (drawn > 1 - machine.rework) reworks++;
    }
    // counted when made, not when it got away from a blocked place
    this.cycles.push(Math.max(finishedAt, (this.cycles.at(-1) ?? 0) + 1));
    this.rejects.push(rejects);
    this.reworks.push(reworks);
    return rejects < machine.cavities;
  }

  private cycleMs(product: string, at: number): number {
    const hourAt = Math.floor(at / 3_600_000);
    if (hourAt !== this.hourAt) {
      this.hourAt = hourAt;
      this.slow = slownessAt(this.seed, this.path, this.machine, at);
      this.wear = wearAt(this.failures, at);
    }
    const idealS = this.machine.cycleS[product] ?? Object.values(this.machine.cycleS)[0] ?? 1;
    return idealS * 1000 * this.slow * (1 + 0.05 * this.wear) * (1 + 0.015 * this.dice.normal());
  }

  /** When work of `needMs` that starts at `startAt` is done, with the stops that fall into it. */
  private work(startAt: number, needMs: number): number {
    let at = startAt;
    let left = needMs;
    for (;;) {
      let forced = this.forced[this.forcedIndex];
      while (forced && forced.to <= at) forced = this.forced[++this.forcedIndex];
      if (forced && forced.from <= at) {
        if (forced.condition === "changeover" || forced.to - forced.from > 3_600_000) this.startUpLeft = 18;
        at = forced.to;
        if (at >= this.dayEnd) return at;
        continue;
      }
      const step = Math.min(left, forced ? forced.from - at : Infinity, this.untilStop);
      at += step;
      left -= step;
      this.untilStop -= step;
      if (this.untilStop <= 0) {
        const until = at + this.stopHere(at);
        this.untilStop = this.nextStop();
        at = until;
      } else if (left <= 0) return at;
      if (at >= this.dayEnd) return at;
    }
  }

  private nextStop(): number {
    const { minorStops, breakdowns, stops } = this.machine;
    return this.stopDice.waiting(1000 / (1 / minorStops.everyS + 1 / breakdowns.everyS + 1 / stops.everyS));
  }

  private stopHere(at: number): number {
    const { minorStops, breakdowns, stops } = this.machine;
    const dice = this.stopDice;
    // a machine with a part about to fail jams more often: minor stops win more of the draw
    const rates: [Condition, StopDef, number][] = [
      ["minor", minorStops, (1 + 2 * this.wear) / minorStops.everyS],
      ["breakdown", breakdowns, 1 / breakdowns.everyS],
      ["stop", stops, 1 / stops.everyS],
    ];
    let drawn = dice.next() * rates.reduce((sum, [, , rate]) => sum + rate, 0);
    let [condition, stop] = ["minor" as Condition, minorStops];
    for (const [oneCondition, oneStop, rate] of rates) {
      [condition, stop] = [oneCondition, oneStop];
      drawn -= rate;
      if (drawn <= 0) break;
    }
    const lengthMs = Math.round(Math.max(6, stop.medianS * Math.exp(stop.spread * dice.normal()))) * 1000;
    const fault = stop.faults.length > 0 ? dice.pick(stop.faults) : "";
    this.found.push({ from: Math.round(at), to: Math.round(at) + lengthMs, condition, fault });
    return lengthMs;
  }

  finish(day: PlantDay, jobs: JobPlan[]): MachineDay {
    const { machine } = this;
    // after its last piece nothing came any more
    if (this.freeAt < day.to) this.found.push({ from: this.freeAt, to: day.to, condition: "starved", fault: "" });
    const n = this.cycles.length;
    const good = new Uint32Array(n);
    const reject = new Uint32Array(n);
    const rework = new Uint32Array(n);
    let goods = 0;
    let rejects = 0;
    let reworks = 0;
    for (let i = 0; i < n; i++) {
      rejects += this.rejects[i] ?? 0;
      reworks += this.reworks[i] ?? 0;
      goods += machine.cavities - (this.rejects[i] ?? 0) - (this.reworks[i] ?? 0);
      good[i] = goods;
      reject[i] = rejects;
      rework[i] = reworks;
    }
    return {
      machine,
      day,
      conditions: timeline(day, this.forced, this.found),
      cycleAt: Float64Array.from(this.cycles),
      good,
      reject,
      rework,
      jobs,
      failures: this.failures,
    };
  }
}

/** Stops that are set before the day begins, ascending and apart: unscheduled before break before failure before changeover. */
function forcedStops(machine: MachineDef, day: PlantDay, jobs: readonly JobPlan[], failures: readonly Failure[]): Stop[] {
  const stops: Stop[] = outside(day.from, day.to, day.shifts)
    .filter(({ from, to }) => to > from)
    .map((one) => ({ ...one, condition: "not_scheduled" as const, fault: "" }));
  const add = (from: number, to: number, condition: Condition, fault: string) => {
    stops.sort((a, b) => a.from - b.from);
    for (const free of outside(Math.max(from, day.from), Math.min(to, day.to), [...stops])) if (free.to > free.from) stops.push({ ...free, condition, fault });
  };
  if (!machine.worksThroughBreaks) for (const shift of day.shifts) for (const pause of shift.breaks) add(pause.from, pause.to, "break", "");
  for (const { failsAt, repairedAt, fault } of failures) if (failsAt < day.to && repairedAt > day.from) add(failsAt, repairedAt, "breakdown", fault);
  for (const { from, readyAt } of jobs) if (readyAt > day.from && from < day.to) add(from, readyAt, "changeover", "");
  return stops.sort((a, b) => a.from - b.from);
}

/** Conditions from the stops: set ones win over found ones, a stop of its own wins over a wait for a neighbour, the rest is run. */
function timeline(day: PlantDay, forced: readonly Stop[], found: readonly Stop[]): ConditionAt[] {
  const waits = found.filter(({ condition }) => condition === "starved" || condition === "blocked");
  const own = found.filter(({ condition }) => condition !== "starved" && condition !== "blocked");
  const taken: Stop[] = [...forced];
  for (const layer of [own, waits]) {
    const clear = taken.toSorted((a, b) => a.from - b.from);
    taken.push(...layer.sort((a, b) => a.from - b.from).flatMap((stop) => cutAround(stop, clear, day)));
  }
  taken.sort((a, b) => a.from - b.from);
  const out: ConditionAt[] = [];
  const push = (at: number, condition: Condition, fault: string) => {
    const last = out.at(-1);
    if (last?.condition !== condition || last.fault !== fault) out.push({ at, condition, fault });
  };
  let at = day.from;
  let stoppedMs = 0;
  const runTo = (to: number) => {
    if (to <= at) return;
    if (stoppedMs >= startsAfterMs && to - at > startsForMs) {
      push(at, "starting", "");
      push(at + startsForMs, "run", "");
    } else push(at, "run", "");
    stoppedMs = 0;
  };
  for (const stop of taken) {
    runTo(stop.from);
    const from = Math.max(stop.from, at);
    if (stop.to <= from) continue;
    push(from, stop.condition, stop.fault);
    stoppedMs += stop.to - from;
    at = stop.to;
  }
  runTo(day.to);
  return out;
}

/** The parts of a stop that no stop of `clear` (ascending, apart) covers, within the day. */
function cutAround(stop: Stop, clear: readonly Stop[], day: PlantDay): Stop[] {
  const from = Math.max(stop.from, day.from);
  const to = Math.min(stop.to, day.to);
  if (to <= from) return [];
  // the first of `clear` that ends after the stop begins
  let low = 0;
  let high = clear.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((clear[middle]?.to ?? 0) <= from) low = middle + 1;
    else high = middle;
  }
  const near: Stop[] = [];
  for (let i = low; i < clear.length && (clear[i]?.from ?? Infinity) < to; i++) near.push(clear[i] as Stop);
  return outside(from, to, near)
    .filter((part) => part.to > part.from)
    .map((part) => ({ ...stop, ...part }));
}
