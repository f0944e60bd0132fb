// What the sensors of a machine read at an instant, from what it does and how worn it is.

import { addDays } from "#/simulator/model/calendar.ts";
import type { ConditionAt, MachineDay } from "#/simulator/model/day.ts";
import type { Condition, Feed, PlacedMachine, SignalDef } from "#/simulator/model/definition.ts";
import { bell, hash, noise } from "#/simulator/model/random.ts";
import { dayOf, daysSinceEpoch, failuresIn, plantEpoch, wearAt } from "#/simulator/model/schedule.ts";

const hourMs = 3_600_000;

/** Share of the way from ambient to working temperature that a condition heads for. */
const heat: Record<Condition, number> = {
  run: 1,
  starting: 0.95,
  minor: 0.9,
  starved: 0.85,
  blocked: 0.85,
  stop: 0.8,
  break: 0.75,
  changeover: 0.5,
  breakdown: 0.2,
  not_scheduled: 0,
};
/** Electrical share: at rest, idling, or working. */
const draw: Record<Condition, "rest" | "idle" | "full"> = {
  run: "full",
  starting: "full",
  minor: "idle",
  starved: "idle",
  blocked: "idle",
  stop: "idle",
  break: "idle",
  changeover: "idle",
  breakdown: "rest",
  not_scheduled: "rest",
};

/** Index of the last entry at or before `at`; -1 before the first. */
export function lastAtOrBefore(entries: ArrayLike<number>, at: number): number {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((entries[middle] ?? Infinity) <= at) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

type Prepared = {
  starts: Float64Array;
  warm: Map<number, Float64Array>;
  workKwh: Map<string, Float64Array>;
  refills: Map<string, { at: Float64Array; made: Float64Array }>;
};
const prepared = new WeakMap<MachineDay, Prepared>();

function prepare(today: MachineDay): Prepared {
  let one = prepared.get(today);
  if (!one) {
    one = { starts: Float64Array.from(today.conditions, ({ at }) => at), warm: new Map(), workKwh: new Map(), refills: new Map() };
    prepared.set(today, one);
  }
  return one;
}

export function conditionAt(today: MachineDay, at: number): ConditionAt {
  const found = today.conditions[Math.max(0, lastAtOrBefore(prepare(today).starts, at))];
  if (!found) throw new RangeError("A machine's day has no conditions.");
  return found;
}

/** The raw value that the sensor reports at `at`, rounded as it reports it. `before` is the day before. */
export function measure(seed: string, placed: PlacedMachine, signal: SignalDef, today: MachineDay, before: MachineDay, at: number): number {
  const value = inUnit(seed, placed, signal, today, before, at);
  const kept = signal.low === undefined ? value : Math.max(signal.low, value);
  const raw = (kept - (signal.offset ?? 0)) / (signal.scale ?? 1);
  const factor = 10 ** (signal.decimals ?? 2);
  return Math.round(raw * factor) / factor;
}

function inUnit(seed: string, placed: PlacedMachine, signal: SignalDef, today: MachineDay, before: MachineDay, at: number): number {
  const own = hash(seed, placed.machinePath, signal.key);
  const feed = signal.feed;
  const grain = Math.floor(at / 1000);
  switch (feed.of) {
    case "load":
      return loadAt(feed, today, at, own, grain);
    case "thermal": {
      const warm = warmAt(feed.lagS, today, before, at);
      const season = 1.6 * Math.sin((2 * Math.PI * (at % 86_400_000)) / 86_400_000 - 2.2);
      return feed.ambient + season + feed.span * warm + feed.wear * wearAt(today.failures, at) * warm + feed.noise * bell(own, grain);
    }
    case "energy":
      return energyAt(seed, placed, feed, today, at);
    case "bin":
      return levelAt(seed, placed, signal.key, feed, today, at) + feed.noise * bell(own, grain);
    default:
      throw new RangeError(`${signal.key} is no measurement.`);
  }
}

function loadAt(feed: Extract<Feed, { of: "load" }>, today: MachineDay, at: number, own: number, grain: number): number {
  const way = draw[conditionAt(today, at).condition];
  if (way === "rest") return Math.abs(feed.rest * (1 + 0.05 * bell(own, grain)));
  if (way === "idle") return Math.abs(feed.idle * (1 + 0.05 * bell(own, grain)));
  const drift = 1 + 0.04 * (noise(own, Math.floor(at / hourMs)) - 0.5);
  return feed.full * drift * (1 + (feed.wear - 1) * wearAt(today.failures, at)) + feed.noise * bell(own, grain);
}

/** First-order lag over the conditions of yesterday and today: 0 cold .. 1 at working temperature. */
function warmAt(lagS: number, today: MachineDay, before: MachineDay, at: number): number {
  const { starts } = prepare(today);
  const warm = warmths(lagS, today, before);
  const n = Math.max(0, lastAtOrBefore(starts, at));
  return towards(warm[n] ?? 0, heat[today.conditions[n]?.condition ?? "stop"], at - (starts[n] ?? at), lagS);
}

function warmths(lagS: number, today: MachineDay, before: MachineDay | null): Float64Array {
  const cached = prepare(today).warm.get(lagS);
  if (cached) return cached;
  let warm = 0;
  if (before) {
    const then = warmths(lagS, before, null);
    const last = before.conditions.at(-1);
    if (last) warm = towards(then.at(-1) ?? 0, heat[last.condition], before.day.to - last.at, lagS);
  }
  const out = new Float64Array(today.conditions.length);
  today.conditions.forEach(({ at, condition }, n) => {
    out[n] = warm;
    warm = towards(warm, heat[condition], (today.conditions[n + 1]?.at ?? today.day.to) - at, lagS);
  });
  // without the day before it is only good for the day after
  if (before) prepare(today).warm.set(lagS, out);
  return out;
}

const towards = (from: number, to: number, ms: number, lagS: number) => to + (from - to) * Math.exp(-ms / 1000 / lagS);

// The meter is never reset. What a day draws in all is set by its plan, so that the reading at its start needs no simulation of the days before;
// within the day it follows what the machine really did.
const meters = new Map<string, number[]>();

function energyAt(seed: string, placed: PlacedMachine, feed: Extract<Feed, { of: "energy" }>, today: MachineDay, at: number): number {
  const work = workKwh(feed, today);
  const starts = prepare(today).starts;
  const n = Math.max(0, lastAtOrBefore(starts, at));
  const since = ((at - (starts[n] ?? at)) / hourMs) * kw(feed, today.conditions[n]?.condition ?? "stop");
  const share = ((work[n] ?? 0) + since) / Math.max(1e-9, work.at(-1) ?? 0);
  return meterAtStart(seed, placed, feed, today.day.date) + share * plannedKwh(seed, placed, feed, today.day.date);
}

const kw = (feed: Extract<Feed, { of: "energy" }>, condition: Condition): number =>
  draw[condition] === "full" ? feed.fullKw : draw[condition] === "idle" ? feed.idleKw : feed.idleKw * 0.6;

function workKwh(feed: Extract<Feed, { of: "energy" }>, today: MachineDay): Float64Array {
  const known = prepare(today).workKwh.get("kWh");
  if (known) return known;
  const out = new Float64Array(today.conditions.length + 1);
  today.conditions.forEach(({ at, condition }, n) => {
    out[n + 1] = (out[n] ?? 0) + (((today.conditions[n + 1]?.at ?? today.day.to) - at) / hourMs) * kw(feed, condition);
  });
  prepare(today).workKwh.set("kWh", out);
  return out;
}

function meterAtStart(seed: string, placed: PlacedMachine, feed: Extract<Feed, { of: "energy" }>, date: string): number {
  const key = `${seed} ${placed.machinePath}`;
  const sums = meters.get(key) ?? [hash(seed, placed.machinePath, "meter") % 40_000];
  meters.set(key, sums);
  const days = daysSinceEpoch(date);
  for (let n = sums.length; n <= days; n++) sums.push((sums[n - 1] ?? 0) + plannedKwh(seed, placed, feed, addDays(plantEpoch, n - 1)));
  return sums[days] ?? 0;
}

function plannedKwh(seed: string, placed: PlacedMachine, feed: Extract<Feed, { of: "energy" }>, date: string): number {
  const day = dayOf(placed, date);
  let workMs = day.shifts.reduce((sum, { from, to }) => sum + to - from, 0);
  for (const { failsAt, repairedAt } of failuresIn(seed, placed, placed.machine, day.from, day.to)) {
    workMs -= Math.max(0, Math.min(repairedAt, day.to) - Math.max(failsAt, day.from));
  }
  const worked = (Math.max(0, workMs) / hourMs) * 0.84;
  const swing = 0.96 + 0.08 * noise(hash(seed, placed.machinePath, date), 1);
  return (worked * feed.fullKw + Math.max(0, (day.to - day.from) / hourMs - worked) * feed.idleKw * 0.7) * swing;
}

function levelAt(seed: string, placed: PlacedMachine, key: string, feed: Extract<Feed, { of: "bin" }>, today: MachineDay, at: number): number {
  const refills = refillsOf(seed, placed, key, feed, today);
  const made = madeBy(today, lastAtOrBefore(today.cycleAt, at));
  const n = lastAtOrBefore(refills.at, at);
  return Math.max(0, feed.full - feed.perPiece * (made - (refills.made[n] ?? 0)));
}

const madeBy = (today: MachineDay, cycle: number) => (cycle < 0 ? 0 : (today.good[cycle] ?? 0) + (today.reject[cycle] ?? 0) + (today.rework[cycle] ?? 0));

/** When the bin was filled up in the day: at the start of each shift, and some minutes after it ran low. */
function refillsOf(
  seed: string,
  placed: PlacedMachine,
  key: string,
  feed: Extract<Feed, { of: "bin" }>,
  today: MachineDay,
): { at: Float64Array; made: Float64Array } {
  const known = prepare(today).refills.get(key);
  if (known) return known;
  const at: number[] = [today.day.from];
  const made: number[] = [0];
  const starts = today.day.shifts.map(({ from }) => from).filter((from) => from > today.day.from);
  const own = hash(seed, placed.machinePath, key, today.day.date);
  const fill = (when: number) => {
    at.push(when);
    made.push(madeBy(today, lastAtOrBefore(today.cycleAt, when)));
  };
  let due = Infinity;
  for (let cycle = 0; cycle < today.cycleAt.length; cycle++) {
    const now = today.cycleAt[cycle] ?? 0;
    while (Math.min(starts[0] ?? Infinity, due) <= now) {
      const next = Math.min(starts[0] ?? Infinity, due);
      if (next === starts[0]) starts.shift();
      due = Infinity;
      fill(next);
    }
    if (due === Infinity && feed.full - feed.perPiece * (madeBy(today, cycle) - (made.at(-1) ?? 0)) < feed.refillAt)
      due = now + (2 + 9 * noise(own, cycle)) * 60_000;
  }
  for (const from of [...starts, due].filter((one) => one < today.day.to).sort((a, b) => a - b)) fill(from);
  const out = { at: Float64Array.from(at), made: Float64Array.from(made) };
  prepare(today).refills.set(key, out);
  return out;
}
