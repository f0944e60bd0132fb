/** What is said of stops once the calendar is in: reasons, neighbours, micro-stops. Rules in intervals.ts. */

import type { BaseInterval } from "./base.ts";
import { isStop } from "./base.ts";
import type { Part } from "./calendar.ts";
import type { IntervalKind } from "./state.ts";
import type { Window } from "./windows.ts";

/** What a machine's fault code says from an instant on: key of a reason, or null for none. */
export type ReasonReading = { at: number; reason: string | null };

/**
 * The reason in force when a stop begins, or else the first one that comes while it lasts, covers the stop from its start; later ones change nothing.
 * Stop from 100 s to 200 s, reasons: null at 0, "jam" at 130 s, "no_oil" at 160 s: "jam" from 100 s on.
 */
export function carryReasons(parts: readonly Part[], readings: readonly ReasonReading[]): Part[] {
  const sorted = [...readings].sort((a, b) => a.at - b.at || ((a.reason ?? "") < (b.reason ?? "") ? -1 : 1));
  const reasonByStop = new Map<number, string | null>();
  for (const [stopFrom, stop] of groupByStop(parts)) {
    const to = Math.max(...stop.map((p) => p.to));
    const inForce = lastUpTo(sorted, stopFrom)?.reason ?? null;
    reasonByStop.set(stopFrom, inForce ?? sorted.find((r) => r.at > stopFrom && r.at < to && r.reason !== null)?.reason ?? null);
  }
  return parts.map((part) => (part.stopFrom === null ? part : { ...part, reason: reasonByStop.get(part.stopFrom) ?? null }));
}

/**
 * Suspended, and a `down` without reason: `blocked` if the machine downstream was stopped when the stop began, else `starved` if the one upstream was;
 * a Suspended with neither is `starved`, a `down` with neither stays. The whole stop takes it. Neighbours are looked at as they are before this step and
 * whatever the calendar says; unknown is not stopped.
 * Filler suspended at 100 s, packer behind it down since 95 s: blocked. Packer suspended at 300 s, filler before it down since 290 s: starved.
 */
export function blockedOrStarved(
  parts: readonly Part[],
  upstream: readonly BaseInterval[] | null,
  downstream: readonly BaseInterval[] | null,
): Part<IntervalKind>[] {
  const stoppedAt = (neighbour: readonly BaseInterval[] | null, at: number) => {
    const then = neighbour && intervalAt(neighbour, at);
    return then ? isStop(then.kind) : false;
  };
  const causeByStop = new Map<number, "blocked" | "starved" | null>();
  const cause = (stopFrom: number, suspended: boolean) => {
    const known = causeByStop.get(stopFrom);
    if (known !== undefined) return known;
    const found = stoppedAt(downstream, stopFrom) ? "blocked" : suspended || stoppedAt(upstream, stopFrom) ? "starved" : null;
    causeByStop.set(stopFrom, found);
    return found;
  };
  return parts.map((part) => {
    const { kind, stopFrom, reason } = part;
    if (kind === "suspended") return { ...part, kind: cause(stopFrom ?? part.from, true) ?? "starved" };
    if (kind === "down" && stopFrom !== null && reason === null) return { ...part, kind: cause(stopFrom, false) ?? "down" };
    return { ...part, kind };
  });
}

/**
 * A `down` of at most `microStopS` own seconds is a micro-stop: seconds in a break or in unscheduled time are not its own. Unscheduled time with own
 * seconds on both sides: never. A stop that still lasts, or that the window cuts, is `down`: its length is not known.
 * microStopS 300: down from 0 to 500 s with a break from 100 to 350 s has 250 own seconds: a micro-stop. The same with the shift's end and the next
 * shift's start there: down. What a person said to be `down` stays so.
 */
export function microStops(parts: readonly Part<IntervalKind>[], microStopS: number, window: Window): Part<IntervalKind>[] {
  const micro = new Set<number>();
  for (const [stopFrom, stop] of groupByStop(parts)) {
    const own = stop.filter((p) => p.kind === "down" && !p.isSet);
    const first = own[0];
    const last = own.at(-1);
    if (!first || !last) continue;
    const cut = stop.some((p) => p.from <= window.from || p.to >= window.to);
    const interrupted = stop.some((p) => p.kind === "not_scheduled" && p.from > first.from && p.to < last.to);
    const ownMs = own.reduce((sum, p) => sum + (p.to - p.from), 0);
    if (!cut && !interrupted && ownMs <= microStopS * 1000) micro.add(stopFrom);
  }
  return parts.map((part) =>
    part.kind === "down" && !part.isSet && part.stopFrom !== null && micro.has(part.stopFrom) ? { ...part, kind: "micro_stop" } : part,
  );
}

function groupByStop<Kind>(parts: readonly Part<Kind>[]): Map<number, Part<Kind>[]> {
  const groups = new Map<number, Part<Kind>[]>();
  for (const part of parts) {
    if (part.stopFrom === null) continue;
    const group = groups.get(part.stopFrom);
    if (group) group.push(part);
    else groups.set(part.stopFrom, [part]);
  }
  return groups;
}

function intervalAt(intervals: readonly BaseInterval[], at: number): BaseInterval | undefined {
  let low = 0;
  let high = intervals.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const interval = intervals[middle];
    if (interval === undefined) return undefined;
    if (at < interval.from) high = middle - 1;
    else if (at >= interval.to) low = middle + 1;
    else return interval;
  }
  return undefined;
}

function lastUpTo(readings: readonly ReasonReading[], at: number): ReasonReading | undefined {
  let low = 0;
  let high = readings.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((readings[middle]?.at ?? Number.POSITIVE_INFINITY) <= at) low = middle + 1;
    else high = middle;
  }
  return readings[low - 1];
}
