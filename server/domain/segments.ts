/** The ledger's rows: intervals cut by shift, clock hour, job, product, rate and money, and where start-up ends. */

import { type Assignment, assignedFrom } from "./assignment.ts";
import type { BaseInterval } from "./base.ts";
import type { Interval } from "./intervals.ts";
import type { Slot } from "./slots.ts";
import type { IntervalKind } from "./state.ts";
import type { Window } from "./windows.ts";

/** What is in force from `from` on, for ever where `to` is null. id: its version. */
type Effective = { id: string; from: number; to: number | null };
/** product null: the machine's default. */
export type CycleRate = Effective & { product: string | null; idealCycleS: number };

/** One kind, job, product and rate; inside one slot. to is the end also where the interval is still open. */
export type Segment = Window & {
  kind: IntervalKind;
  isOpen: boolean;
  /** What the machine did, whatever calendar, neighbours and people say of the time; and since when without a break. */
  base: BaseInterval["kind"];
  baseFrom: number;
  stopFrom: number | null;
  reason: string | null;
  changeAt: number | null;
  shiftId: string | null;
  date: string;
  hourAt: number;
  job: string | null;
  product: string | null;
  rate: CycleRate | null;
  /** Run time right after a changeover or a long stand: rejects made in it are start-up rejects. */
  isStartup: boolean;
  /** The first own second of its stop lies here: the stop is counted here. */
  isStopStart: boolean;
  /** The link was dead, whatever the calendar says of the time. */
  isDead: boolean;
  /** Of dead time: counters tell all that was made in it. */
  isBridged: boolean;
  /** Made in dead time, told by the first readings after it; at the end of what they belong to. */
  gap: GapPieces | null;
};

/** isWithin: the gap does not reach over the edge of a shift, so that they were surely made in this one. */
export type GapPieces = { good: number; reject: number; rework: number; isWithin: boolean };

export type SegmentInput = {
  /** A partition; an open one ends at `now`. */
  intervals: readonly Interval[];
  now: number;
  /** As `baseIntervals` gives them: a partition of the same time, of which the first may begin before it. */
  base: readonly BaseInterval[];
  slots: readonly Slot[];
  assignments: readonly Assignment[];
  rates: readonly CycleRate[];
  /** Seconds of run after a changeover, or after more than an hour without run. */
  startupS: number;
  /** Time of which the link tells nothing, as `union` gives it. */
  dead: readonly Window[];
  /** The intervals begin after more than an hour without run. */
  isAfterLongStand?: boolean;
  /** A stop (its start) that is counted before the intervals begin. */
  countedStop?: number | null;
};

const longStandMs = 3_600_000;

export function segments({ intervals, now, base, slots, assignments, rates, startupS, dead, ...before }: SegmentInput): Segment[] {
  const result: Segment[] = [];
  const startups = startupWindows(intervals, now, startupS * 1000, before.isAfterLongStand);
  const edges = edgesOf([
    ...base.map(({ from }) => from),
    ...assignments.map(({ at }) => at),
    ...rates.flatMap(({ from, to }) => (to === null ? [from] : [from, to])),
    ...[...startups, ...dead].flatMap(({ from, to }) => [from, to]),
  ]);
  let [slotAt, edgeAt, startupAt, deadAt, baseAt] = [0, 0, 0, 0, 0];
  const counted = new Set([before.countedStop]);
  for (const { kind, from: start, to: end, stopFrom, reason, changeAt } of intervals) {
    const last = end ?? now;
    for (let from = start; from < last; ) {
      while ((slots[slotAt]?.to ?? Number.POSITIVE_INFINITY) <= from) slotAt += 1;
      while ((edges[edgeAt] ?? Number.POSITIVE_INFINITY) <= from) edgeAt += 1;
      while ((startups[startupAt]?.to ?? Number.POSITIVE_INFINITY) <= from) startupAt += 1;
      while ((dead[deadAt]?.to ?? Number.POSITIVE_INFINITY) <= from) deadAt += 1;
      while ((base[baseAt]?.to ?? Number.POSITIVE_INFINITY) <= from) baseAt += 1;
      const slot = slots[slotAt];
      const around = base[baseAt];
      if (!slot || slot.from > from) throw new Error(`No slot holds ${new Date(from).toISOString()}.`);
      if (!around) throw new Error(`Nothing says what the machine did at ${new Date(from).toISOString()}.`);
      const to = Math.min(last, slot.to, edges[edgeAt] ?? Number.POSITIVE_INFINITY);
      const { job, product } = assignedFrom(assignments, changeAt === null ? from : Math.max(from, changeAt));
      const isStopStart = stopFrom !== null && !counted.has(stopFrom);
      if (isStopStart) counted.add(stopFrom);
      result.push({
        kind,
        from,
        to,
        isOpen: end === null && to === last,
        base: around.kind,
        baseFrom: around.from,
        stopFrom,
        reason,
        changeAt,
        shiftId: slot.shiftId,
        date: slot.date,
        hourAt: slot.hourAt,
        job,
        product,
        rate: rateAt(rates, from, product),
        isStartup: kind === "run" && (startups[startupAt]?.from ?? Number.POSITIVE_INFINITY) <= from,
        isStopStart,
        isDead: (dead[deadAt]?.from ?? Number.POSITIVE_INFINITY) <= from,
        isBridged: false,
        gap: null,
      });
      from = to;
    }
  }
  return result;
}

/** The product's own in force at the instant, else the machine's default, else null. */
export function rateAt(rates: readonly CycleRate[], at: number, product: string | null): CycleRate | null {
  const inForce = rates.filter(({ from, to }) => from <= at && (to === null || at < to));
  return inForce.find((rate) => rate.product !== null && rate.product === product) ?? inForce.find((rate) => rate.product === null) ?? null;
}

/**
 * The first startupMs of run, run time alone counted, after a changeover or after more than an hour without run; planned and unscheduled time count as such; unknown
 * time ends both. With 600 s: changeover to 100 s, run to 400, down to 500, run to 2000 s: 100 to 400 and 500 to 800 s.
 */
export function startupWindows(intervals: readonly Interval[], now: number, startupMs: number, isAfterLongStand = false): Window[] {
  const windows: Window[] = [];
  let leftMs = 0;
  let standMs = isAfterLongStand ? Number.POSITIVE_INFINITY : 0;
  for (const { kind, from, to: end } of intervals) {
    const to = end ?? now;
    if (kind === "run") {
      if (standMs > longStandMs) leftMs = startupMs;
      standMs = 0;
      if (leftMs > 0) windows.push({ from, to: Math.min(to, from + leftMs) });
      leftMs = Math.max(0, leftMs - (to - from));
    } else if (kind === "unknown") {
      leftMs = 0;
      standMs = 0;
    } else {
      if (kind === "changeover") leftMs = startupMs;
      standMs += to - from;
    }
  }
  return windows;
}

const edgesOf = (instants: readonly number[]) => [...new Set(instants)].sort((a, b) => a - b);
