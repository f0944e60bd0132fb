/** Dead time that counters reach over: what was made in it, and whether that is all. Rules in ledger 3, 4 and 7. */

import type { Counting, Delta } from "./pieces.ts";
import { share } from "./pieces.ts";
import type { Segment } from "./segments.ts";
import type { Window } from "./windows.ts";

/** Whether a delta lies over dead time, so that it is no piece of a known moment. */
export const isOverDead = ({ at, since }: Pick<Delta, "at" | "since">, dead: readonly Window[]): boolean =>
  dead.some(({ from, to }) => from < at && at <= to) || (since !== null && dead.some(({ from, to }) => from < at && to > since));

/**
 * Puts what deltas over dead time tell where it belongs: at the end of its last part that is `unknown`, or else of its last part. dead: as `union` gives it.
 * Bridged is dead time over which every signal behind the good pieces (`signals` of them) has a delta without a reset.
 * Dead from 100 to 200 s, of which a break covers 150 to 200; the counter says 40 at 90 s and 55 at 210 s: 15 pieces at the end of the unknown part, 150 s.
 */
export function placeGaps(segments: readonly Segment[], deltas: readonly Delta[], dead: readonly Window[], counting: Counting, signals: number): Segment[] {
  if (dead.length === 0) return [...segments];
  const result = segments.map((segment) => ({ ...segment }));
  for (const window of dead) {
    const inside = result.filter(({ from, to }) => from < window.to && to > window.from);
    const over = deltas.filter((delta) => isOverDead(delta, [window]));
    const last = inside.findLast(({ kind }) => kind === "unknown") ?? inside.at(-1);
    if (!last) continue;
    // A delta over two windows belongs to the later of them.
    const own = over.filter(({ at }) => !dead.some(({ from }) => from > window.from && from < at));
    const shifts = new Set(inside.map(({ shiftId }) => shiftId));
    for (const { role, pieces, isReset: _, ...delta } of own) {
      const { good, reject, rework } = share(role, pieces, counting);
      if (good === 0 && reject === 0 && rework === 0) continue;
      const isWithin: boolean = shifts.size === 1 && reachesOnly(delta, result, last.shiftId);
      const before = last.gap ?? { good: 0, reject: 0, rework: 0, isWithin: true };
      last.gap = { good: before.good + good, reject: before.reject + reject, rework: before.rework + rework, isWithin: before.isWithin && isWithin };
    }
    const bridging = over.filter(
      ({ role, since, isReset, at }) => counting.goodRoles.has(role) && since !== null && !isReset && since <= window.from && at >= window.to,
    );
    const isBridged = signals > 0 && bridging.length >= signals && shifts.size === 1;
    if (isBridged) for (const segment of inside) segment.isBridged = true;
  }
  return result;
}

/** Other dead time that the same delta lies over is of the same shift. */
const reachesOnly = ({ at, since }: { at: number; since: number | null }, segments: readonly Segment[], shiftId: string | null) =>
  since === null || segments.every((segment) => !segment.isDead || segment.to <= since || segment.from >= at || segment.shiftId === shiftId);
