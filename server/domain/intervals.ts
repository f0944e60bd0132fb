/**
 * A machine's time as intervals: one engine for the wall board, the shift and every report.
 *
 * The order of the steps is part of the definition. Each step is a function over a partition, so a step is added by adding a line:
 *   baseIntervals      base states from readings · dead link · no-count · short runs dropped · joined · short stops dropped · joined
 *   machineIntervals   calendar · reasons carried back to the stop's start · changeovers · blocked and starved · edits · micro-stops
 * Their steps are in base.ts, calendar.ts, changeover.ts, stops.ts and stop-edits.ts. The cut by shift, job, product and rate (segments.ts) comes after.
 */

import type { BaseInterval, StateChange } from "./base.ts";
import { dropShort, holdStates, joinEqual, stopWithoutPieces, unknownWhileDead } from "./base.ts";
import type { ShiftWindow } from "./calendar.ts";
import { insertCalendar } from "./calendar.ts";
import { changeovers } from "./changeover.ts";
import type { IntervalKind, LossClass } from "./state.ts";
import { applyEdits, type StopEdit } from "./stop-edits.ts";
import type { ReasonReading } from "./stops.ts";
import { blockedOrStarved, carryReasons, microStops } from "./stops.ts";
import type { Window } from "./windows.ts";
import { clip } from "./windows.ts";

export type { IntervalKind };

export type Interval = {
  kind: IntervalKind;
  /** ms since 1970 UTC; half-open. */
  from: number;
  /** null: still so at `now`. An open stop is `down`, also while it is shorter than a micro-stop may be. */
  to: number | null;
  /** Where the stop that this is a part of began: parts on both sides of a break or of unscheduled time are one stop. null: no part of a stop. */
  stopFrom: number | null;
  /** Key of the first reason given for the stop; null: unexplained, or no stop. */
  reason: string | null;
  /** The change of job or product that this is the changeover for: its time belongs to what came. null: for none. */
  changeAt: number | null;
};

export type BaseInput = {
  /**
   * What is asked for. An interval cut by its edges is judged by the seconds that are seen, so an edge other than `now` belongs into
   * (or at the start or end of) an interval that is longer than every threshold. Inputs reach as far as `inputWindow` says.
   */
  window: Window;
  now: number;
  /** Meaning of each state reading, and the last one before the window. null: the machine has no state signal and runs while pieces come. */
  stateReadings: readonly StateChange[] | null;
  /** First reading ever of a machine without a state signal; before it nothing is known. null: never one. */
  firstReadingAt: number | null;
  /** Readings that added pieces, good or bad; the first and the last of each minute are enough. The last one before the window too. */
  pieceInstants: readonly number[];
  /** As `deadWindows` gives them. */
  deadWindows: readonly Window[];
  /** null: no clock, see `noCountTimeoutS`. */
  noCountTimeoutS: number | null;
  /** Default 0: nothing is dropped. */
  minRunS?: number;
  ignoreStopS?: number;
};

export type MachineInput = Pick<BaseInput, "window" | "now"> & {
  /** As `baseIntervals` gives them for the same window and `now`. */
  base: readonly BaseInterval[];
  /** Shift instances that are not cancelled, with their breaks, all that reach into the window; outside them nothing is scheduled. */
  shifts: readonly ShiftWindow[];
  /** Planned stops of this machine beside the breaks. */
  planned?: readonly Window[];
  /** What the machine's own fault codes say, and the last reading before the window. */
  reasonReadings: readonly ReasonReading[];
  /** `baseIntervals` of the neighbours for the same window; null: none is set. */
  upstream: readonly BaseInterval[] | null;
  downstream: readonly BaseInterval[] | null;
  /** A closed stop of at most so many seconds is a micro-stop. */
  microStopS?: number;
  /** When the job or product changed, see `changesOf`. Left out: never. */
  changes?: readonly number[];
  /** As for `BaseInput`; needed where there are changes. */
  pieceInstants?: readonly number[];
  /** What people said of the machine's stops, in the order of entry. */
  edits?: readonly StopEdit[];
  /** The class of a reason; null: none is known. */
  lossOf?: (reason: string) => LossClass | null;
  /** The first of `base` is the rest of a stop of which this is settled: its start lies before the window. */
  continues?: StopSettled | null;
};

/** What a stop's own seconds are. */
export type StopSettled = Pick<Interval, "kind" | "reason" | "changeAt"> & { stopFrom: number };

export const defaultMicroStopS = 300;

/** Losses that have a stop of their own; the break in the middle of one does not belong to it. */
const stopKinds: ReadonlySet<IntervalKind> = new Set<IntervalKind>(["changeover", "blocked", "starved", "micro_stop", "down"]);

/**
 * Seconds without a piece after which a running machine counts as down. null: never.
 * Default: three ideal cycles, at least 60 s. Readings that come in longer periods than that say nothing about shorter silence: the clock is off; a machine
 * that has no state signal either is then judged by its period and a half, so that late readings do not stop it.
 */
export function noCountTimeoutS(machine: {
  configuredS: number | null;
  idealCycleS: number | null;
  periodS: number | null;
  hasCount: boolean;
  hasState: boolean;
}): number | null {
  if (!machine.hasCount) return null;
  const timeoutS = machine.configuredS ?? Math.max(60, 3 * (machine.idealCycleS ?? 0));
  if (machine.periodS === null || machine.periodS <= timeoutS) return timeoutS;
  return machine.hasState ? null : 1.5 * machine.periodS;
}

/** The time for which all readings, pieces and dead windows are needed to tell the window's intervals. */
export function inputWindow(window: Window, timeoutS: number | null): Window {
  const marginMs = (timeoutS ?? 0) * 1000;
  return { from: window.from - marginMs, to: window.to + marginMs };
}

/**
 * What the machine did, before the calendar: a partition of `[window.from, min(window.to, now))` without gap or overlap, equal neighbours joined.
 * Order and repetition of the inputs do not matter.
 */
export function baseIntervals(input: BaseInput): BaseInterval[] {
  const { window, now, noCountTimeoutS: timeoutS } = input;
  const padded = inputWindow(window, timeoutS);
  const seen = { from: padded.from, to: Math.min(padded.to, now) };
  const asked = { from: window.from, to: Math.min(window.to, now) };
  if (asked.from >= asked.to) return [];

  const firstRun: StateChange[] = input.firstReadingAt === null ? [] : [{ at: input.firstReadingAt, kind: "run" }];
  let intervals = holdStates(input.stateReadings ?? firstRun, seen);
  intervals = unknownWhileDead(intervals, clip(input.deadWindows, seen));
  intervals = joinEqual(intervals);
  if (timeoutS !== null) intervals = joinEqual(stopWithoutPieces(intervals, input.pieceInstants, timeoutS));
  intervals = joinEqual(dropShort(intervals, "run", input.minRunS ?? 0));
  intervals = joinEqual(dropShort(intervals, "stop", input.ignoreStopS ?? 0));
  return cutTo(intervals, asked);
}

/**
 * The ledger's intervals of one machine: a partition of `[window.from, min(window.to, now))` without gap or overlap.
 * The last one is open (`to: null`) when the window reaches `now`.
 */
export function machineIntervals(input: MachineInput): Interval[] {
  const { window, now } = input;
  const end = Math.min(window.to, now);
  const scheduled = insertCalendar(input.base, { from: window.from, to: end }, input.shifts, input.planned);
  const explained = carryReasons(scheduled, input.reasonReadings);
  const lossOf = input.lossOf ?? (() => null);
  const changed = changeovers(explained, input.base, input.changes ?? [], input.pieceInstants ?? [], (reason) => lossOf(reason) === "breakdown");
  const caused = blockedOrStarved(changed, input.upstream, input.downstream);
  const edited = applyEdits(caused, input.edits ?? [], lossOf);
  const settled = microStops(edited, input.microStopS ?? defaultMicroStopS, { from: window.from, to: end });

  const { continues } = input;
  const intervals: Interval[] = [];
  for (const part of settled) {
    const { from, to } = part;
    const isRest = continues && stopKinds.has(part.kind) && part.stopFrom === input.base[0]?.from;
    const { kind, changeAt } = isRest ? continues : part;
    const { stopFrom, reason } = isRest ? continues : stopKinds.has(kind) || part.isSet ? part : { stopFrom: null, reason: null };
    const last = intervals.at(-1);
    if (last && last.kind === kind && last.stopFrom === stopFrom && last.reason === reason && last.changeAt === changeAt) last.to = to;
    else intervals.push({ kind, from, to, stopFrom, reason, changeAt });
  }
  const last = intervals.at(-1);
  if (last && end === now) last.to = null;
  return intervals;
}

export type MachineNow = {
  kind: IntervalKind;
  /** Since when: of a stop its start, also where a break or unscheduled time lies between. */
  sinceAt: number;
  /** True: it began at or before the start of the window, so `sinceAt` is the latest that it can be. */
  sinceBeforeWindow: boolean;
  reason: string | null;
  /** What the machine does whatever the calendar says; a press may well run outside its shift. */
  base: BaseInterval["kind"];
};

/** What a board shows of a machine: its last interval. null: the window holds no time before `now`. */
export function machineNow(intervals: readonly Interval[], base: readonly BaseInterval[]): MachineNow | null {
  const first = intervals[0];
  const last = intervals.at(-1);
  const lastBase = base.at(-1);
  if (!first || !last || !lastBase) return null;
  const sinceAt = last.stopFrom ?? last.from;
  return { kind: last.kind, sinceAt, sinceBeforeWindow: sinceAt <= first.from, reason: last.reason, base: lastBase.kind };
}

export type LineMachine = Omit<BaseInput, "window" | "now"> &
  Pick<MachineInput, "planned" | "reasonReadings" | "microStopS" | "changes" | "edits" | "lossOf"> & {
    machineId: number;
    upstreamId: number | null;
    downstreamId: number | null;
  };

export type MachineTime = { base: BaseInterval[]; intervals: Interval[]; now: MachineNow | null };

/** The time of machines that share a calendar, by machine id; a neighbour that is not among them counts as not set. */
export function lineIntervals(line: Pick<MachineInput, "window" | "now" | "shifts"> & { machines: readonly LineMachine[] }): Map<number, MachineTime> {
  const { window, now, shifts, machines } = line;
  const baseOf = new Map(machines.map((m) => [m.machineId, baseIntervals({ ...m, window, now })]));
  const neighbour = (id: number | null) => (id === null ? null : (baseOf.get(id) ?? null));
  return new Map(
    machines.map((m) => {
      const base = baseOf.get(m.machineId) ?? [];
      const { planned, reasonReadings, microStopS, changes, pieceInstants, edits, lossOf } = m;
      const intervals = machineIntervals({
        window,
        now,
        shifts,
        base,
        planned,
        reasonReadings,
        microStopS,
        changes,
        pieceInstants,
        edits,
        lossOf,
        upstream: neighbour(m.upstreamId),
        downstream: neighbour(m.downstreamId),
      });
      return [m.machineId, { base, intervals, now: machineNow(intervals, base) }];
    }),
  );
}

/** What of a partition lies in the window; everything else about its pieces stays as it is. */
export function cutTo<Span extends { from: number; to: number }>(intervals: readonly Span[], window: Window): Span[] {
  return intervals
    .filter((i) => i.from < window.to && i.to > window.from)
    .map((i) => ({ ...i, from: Math.max(i.from, window.from), to: Math.min(i.to, window.to) }));
}

/** Seconds of the interval inside the window, an open one up to `now`. */
export function secondsIn(interval: Interval, window: Window, now: number): number {
  return Math.max(0, Math.min(interval.to ?? now, window.to) - Math.max(interval.from, window.from)) / 1000;
}
