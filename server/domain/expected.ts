/** How many pieces a machine should have made by an instant, at its ideal cycle and with breaks taken off. */
import { complement, type Window } from "./windows.ts";

/** Instants: ms since 1970. product null: the machine's default; to null: until further notice. idealCycleS: seconds per piece. */
export type Rate = { product: string | null; from: number; to: number | null; idealCycleS: number };
/** The product that ran from `at` on, in order of time. */
export type ProductRun = { at: number; product: string };

/**
 * Pieces at the ideal rate in `windows` (planned time, without breaks). A product without a rate of its own takes the machine's default.
 * null: some of the time has no rate, so no number is known.
 */
export function expectedPieces(windows: readonly Window[], products: readonly ProductRun[], rates: readonly Rate[]): number | null {
  let pieces = 0;
  for (const window of windows) {
    const cuts = new Set([window.from, window.to]);
    const cut = (at: number | null) => at !== null && at > window.from && at < window.to && cuts.add(at);
    for (const run of products) cut(run.at);
    for (const rate of rates) {
      cut(rate.from);
      cut(rate.to);
    }
    const instants = [...cuts].sort((a, b) => a - b);
    for (const [index, from] of instants.entries()) {
      const to = instants[index + 1];
      if (to === undefined) break;
      const rate = rateAt(from, products, rates);
      if (rate === null) return null;
      pieces += (to - from) / 1000 / rate.idealCycleS;
    }
  }
  return pieces;
}

function rateAt(at: number, products: readonly ProductRun[], rates: readonly Rate[]): Rate | null {
  const product = products.findLast((run) => run.at <= at)?.product ?? null;
  const inForce = rates.filter((rate) => rate.from <= at && (rate.to === null || rate.to > at));
  return inForce.find((rate) => rate.product !== null && rate.product === product) ?? inForce.find((rate) => rate.product === null) ?? null;
}

/** Planned time of a shift between two instants: `[from, to)` without the breaks. */
export const plannedTime = (within: Window, breaks: readonly Window[]): Window[] => complement(breaks, within);

/** Pieces by role. absent: the machine has no such signal. */
export type PiecesByRole = { good?: number; reject?: number; rework?: number; total?: number };

/** Pieces made = good + reject + rework; where good or reject has no signal, the total says it. null: nothing is counted. */
export function piecesMade({ good, reject, rework, total }: PiecesByRole): number | null {
  if (total !== undefined && (good === undefined || reject === undefined)) return total;
  if (good === undefined && reject === undefined) return null;
  return (good ?? 0) + (reject ?? 0) + (rework ?? 0);
}
