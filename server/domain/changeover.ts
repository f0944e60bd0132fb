/** Changeovers: the stop in which the job or product changed. Rules in intervals.ts; ledger 2 and 7. */

import type { BaseInterval } from "./base.ts";
import { isStop } from "./base.ts";
import type { Part } from "./calendar.ts";
import { overlay, type Window } from "./windows.ts";

/**
 * Around each change of job or product, from the last piece before it to the first one after: if that time holds a stop, all of it is changeover, run seconds too,
 * but for time that is not scheduled, planned or unknown. Unknown time cuts it; where there is no piece on a side, the edge of the stop around the change counts.
 * A stop with the reason of a breakdown stays `down` up to the change.
 * Pieces at 0, 100 and 900 s, the job changes at 500 s, down from 300 to 800 s: changeover from 100 to 900 s, for the new job. If the stop has a breakdown's
 * reason: changeover from 100 to 300 s, down to 500 s, changeover to 900 s.
 */
export function changeovers(
  parts: readonly Part[],
  base: readonly BaseInterval[],
  changes: readonly number[],
  pieceInstants: readonly number[],
  isBreakdown: (reason: string) => boolean,
): Part[] {
  const pieces = [...pieceInstants].sort((a, b) => a - b);
  let result = [...parts];
  for (const change of [...changes].sort((a, b) => a - b)) {
    const window = windowOf(change, base, pieces);
    if (!window || !base.some((b) => isStop(b.kind) && b.from < window.to && b.to > window.from)) continue;
    result = paint(result, window, change, isBreakdown);
  }
  return result;
}

function windowOf(change: number, base: readonly BaseInterval[], pieces: readonly number[]): Window | null {
  const at = base.findIndex((b) => b.from <= change && change < b.to);
  const around = base[at];
  if (!around || around.kind === "unknown") return null;
  // The stop around the change, and the known time around that.
  let [first, last] = [at, at];
  for (let b = base[first - 1]; b && isStop(around.kind) && isStop(b.kind); b = base[first - 1]) first -= 1;
  for (let b = base[last + 1]; b && isStop(around.kind) && isStop(b.kind); b = base[last + 1]) last += 1;
  const stop: Window = isStop(around.kind) ? { from: base[first]?.from ?? change, to: base[last]?.to ?? change } : { from: change, to: change };
  for (let b = base[first - 1]; b && b.kind !== "unknown"; b = base[first - 1]) first -= 1;
  for (let b = base[last + 1]; b && b.kind !== "unknown"; b = base[last + 1]) last += 1;
  const known: Window = { from: base[first]?.from ?? change, to: base[last]?.to ?? change };
  const lastBefore = pieces.findLast((piece) => piece <= change);
  const firstAfter = pieces.find((piece) => piece > change);
  return {
    from: lastBefore === undefined ? stop.from : Math.max(known.from, lastBefore),
    to: firstAfter === undefined ? stop.to : Math.min(known.to, firstAfter),
  };
}

function paint(parts: readonly Part[], window: Window, change: number, isBreakdown: (reason: string) => boolean): Part[] {
  const stays = ({ kind, to, reason }: Part) =>
    kind === "not_scheduled" || kind === "planned_stop" || kind === "unknown" || (kind === "down" && to <= change && reason !== null && isBreakdown(reason));
  // Cut at the change first: of a breakdown only what lies before it stays.
  const cut = overlay(parts, [{ from: Number.NEGATIVE_INFINITY, to: change }], (part) => part);
  let stopFrom: number | null = null;
  return overlay(cut, [window], (part) => {
    if (stays(part)) return part;
    stopFrom ??= part.from;
    return { ...part, kind: "changeover", stopFrom, changeAt: change };
  });
}
