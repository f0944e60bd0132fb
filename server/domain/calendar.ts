/** Inserting the calendar into what the machine did. Rules in intervals.ts. */

import type { BaseInterval } from "./base.ts";
import { isStop } from "./base.ts";
import type { IntervalKind } from "./state.ts";
import type { Window } from "./windows.ts";
import { complement, overlay, union } from "./windows.ts";

/** A shift instance that was not cancelled, with its breaks. */
export type ShiftWindow = Window & { breaks: readonly Window[] };

/** A piece of the partition on its way through the later steps; `suspended` is settled by looking at the neighbours. */
export type Part<Kind = IntervalKind | "suspended"> = {
  kind: Kind;
  from: number;
  to: number;
  /** Start of the stop that this lies in, whatever its own kind: also the break in the middle of a stop has it. null: no stop. */
  stopFrom: number | null;
  reason: string | null;
  /** A person said that it is of this kind. */
  isSet: boolean;
  /** The change of job or product that it is the changeover for. */
  changeAt: number | null;
};

/**
 * planned: other planned stops of this machine, time without an order among them where the site counts it so; they are as breaks.
 * Outside every shift: `not_scheduled`, whatever the machine did. In a break: run seconds stay `run`, all others are `planned_stop`, also with a dead link.
 * Shift 0 to 1000 s, break 400 to 600 s, down from 300 to 500 s, run around it, seen from -100 s to 1000 s:
 * not_scheduled to 0, run to 300, down to 400, planned_stop to 500, run to 1000: in the break only the 100 s in which it stood are planned.
 * A stop keeps its identity across a break and unscheduled time; unknown time ended it already in the partition that comes in.
 */
export function insertCalendar(base: readonly BaseInterval[], window: Window, shifts: readonly ShiftWindow[], planned: readonly Window[] = []): Part[] {
  const unscheduled = complement(shifts, window);
  const breaks = union([
    ...planned,
    ...shifts.flatMap((shift) => shift.breaks.map((b) => ({ from: Math.max(b.from, shift.from), to: Math.min(b.to, shift.to) }))),
  ]);
  const parts: Part[] = base.map(({ kind, from, to }) => ({
    kind,
    from,
    to,
    stopFrom: isStop(kind) ? from : null,
    reason: null,
    isSet: false,
    changeAt: null,
  }));
  const withBreaks = overlay(parts, breaks, (part): Part => (part.kind === "run" ? part : { ...part, kind: "planned_stop" }));
  return overlay(withBreaks, unscheduled, (part) => ({ ...part, kind: "not_scheduled" }));
}
