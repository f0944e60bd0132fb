/** First steps of the ledger: what the machine did, whatever the calendar, its neighbours and people say of it. Rules in intervals.ts. */
import type { BaseKind } from "./state.ts";
import type { Window } from "./windows.ts";
import { overlay, union } from "./windows.ts";

/** `unknown`: nothing is known of the machine. All kinds but it and `run` are stops. */
export type BaseInterval = { kind: BaseKind | "unknown"; from: number; to: number };

/** A state reading and what it means; holds until the next one. */
export type StateChange = { at: number; kind: BaseKind };

export const isStop = (kind: string) => kind !== "run" && kind !== "unknown";

/**
 * Each reading holds until the next; before the first, time is unknown.
 * Readings run at 0 s, run at 30 s, down at 90 s, seen from -10 s to 100 s: unknown to 0, run to 90, down to 100.
 * Of two different readings at one instant (which the database does not hold) the kind that comes first in the alphabet counts, so that order does not matter.
 */
export function holdStates(readings: readonly StateChange[], seen: Window): BaseInterval[] {
  const sorted = [...readings].sort((a, b) => a.at - b.at || (a.kind < b.kind ? -1 : 1));
  const intervals: BaseInterval[] = [];
  let kind: BaseInterval["kind"] = "unknown";
  let from = seen.from;
  let lastAt = Number.NEGATIVE_INFINITY;
  for (const reading of sorted) {
    if (reading.at >= seen.to) break;
    if (reading.at === lastAt) continue;
    lastAt = reading.at;
    if (reading.at > from) {
      intervals.push({ kind, from, to: reading.at });
      from = reading.at;
    }
    kind = reading.kind;
  }
  intervals.push({ kind, from, to: seen.to });
  return joinEqual(intervals);
}

/** Dead link: unknown. The state that held before holds again after it until the next reading. */
export function unknownWhileDead(intervals: readonly BaseInterval[], deadWindows: readonly Window[]): BaseInterval[] {
  return overlay(intervals, union(deadWindows), (piece) => ({ ...piece, kind: "unknown" }));
}

/** Neighbours of the same kind are one interval. */
export function joinEqual(intervals: readonly BaseInterval[]): BaseInterval[] {
  const result: BaseInterval[] = [];
  for (const interval of intervals) {
    const last = result.at(-1);
    if (last && last.kind === interval.kind) last.to = interval.to;
    else result.push({ ...interval });
  }
  return result;
}

/**
 * No-count: a `run` in which no piece came for longer than the time-out (not: as long as) is `down` from the last piece on, or from the start of the run,
 * or from the return of the link, whichever is latest. The next piece ends it; a lone piece divides nothing.
 * Time-out 60 s, run from 0 to 600 s, pieces at 10, 70, 200, 300, 310 s: 10 to 70 is 60 s and stays run; 70 to 200 (130 s) and 200 to 300 (100 s) are
 * one stop from 70 to 300; from 310 on no piece comes: down from 310 to 600.
 */
export function stopWithoutPieces(intervals: readonly BaseInterval[], pieceInstants: readonly number[], timeoutS: number): BaseInterval[] {
  const timeoutMs = timeoutS * 1000;
  const pieces = [...pieceInstants].sort((a, b) => a - b);
  const result: BaseInterval[] = [];
  let next = 0;
  for (const interval of intervals) {
    if (interval.kind !== "run") {
      result.push(interval);
      continue;
    }
    let runFrom = interval.from;
    let clockFrom = interval.from;
    const silentUntil = (at: number) => {
      if (at - clockFrom > timeoutMs) {
        if (runFrom < clockFrom) result.push({ kind: "run", from: runFrom, to: clockFrom });
        result.push({ kind: "down", from: clockFrom, to: at });
        runFrom = at;
      }
      clockFrom = at;
    };
    while (next < pieces.length && (pieces[next] ?? 0) <= interval.from) next += 1;
    for (let at = pieces[next]; at !== undefined && at <= interval.to; at = pieces[next]) {
      silentUntil(at);
      next += 1;
    }
    silentUntil(interval.to);
    if (runFrom < interval.to) result.push({ kind: "run", from: runFrom, to: interval.to });
  }
  return result;
}

/**
 * Noise: a run (or a stop) shorter than `minS` takes the kind of its predecessor, else of its successor, of the opposite sort; next to unknown time only it
 * stays. The first and the last interval are never dropped: how long they are is not known. Neighbours of equal kind must have been joined.
 * minS 10: down to 100 s, run to 105, suspended to 200: the 5 s of run become down. unknown to 100, run to 105, down to 200: they become down, too.
 */
export function dropShort(intervals: readonly BaseInterval[], sort: "run" | "stop", minS: number): BaseInterval[] {
  if (minS <= 0) return [...intervals];
  const isOfSort = (kind: BaseInterval["kind"]) => (sort === "run" ? kind === "run" : isStop(kind));
  const isOpposite = (kind: BaseInterval["kind"]) => (sort === "run" ? isStop(kind) : kind === "run");
  return intervals.map((interval, i) => {
    const before = intervals[i - 1];
    const after = intervals[i + 1];
    if (!before || !after || !isOfSort(interval.kind) || interval.to - interval.from >= minS * 1000) return interval;
    const heir = isOpposite(before.kind) ? before : isOpposite(after.kind) ? after : null;
    return heir ? { ...interval, kind: heir.kind } : interval;
  });
}
