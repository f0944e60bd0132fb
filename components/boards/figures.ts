/** Figures that are read from 5 m: whole as long as there is room for them, then in short, never cut off. Pure. */
import type { NumberFormatOptions } from "next-intl";

/** From here on a count is written in short: seven digits do not fit the smallest tile. */
const shortFrom = 1_000_000;
/** Beyond trillions the short forms grow again. */
const powersFrom = 1e15;

/** How a count of pieces is written: 999,999, 1.23M, 1.23E15. */
export function countForm(n: number): NumberFormatOptions {
  const size = Math.abs(Math.round(n));
  if (size >= powersFrom) return { notation: "scientific", maximumSignificantDigits: 3 };
  if (size >= shortFrom) return { notation: "compact", maximumSignificantDigits: 3 };
  return { maximumFractionDigits: 0 };
}

/** Seconds for a piece: the longer, the fewer decimals. */
export function cycleForm(s: number): NumberFormatOptions {
  const decimals = s < 10 ? 2 : s < 1000 ? 1 : 0;
  return s >= shortFrom ? countForm(s) : { minimumFractionDigits: decimals, maximumFractionDigits: decimals };
}

/** Higher than this many times the middle bar, a bar is cut off. */
const highestBar = 3;

/**
 * What a bar of full height stands for: the highest of `heights`, or, where that would flatten the others, three times the middle one.
 * With fewer than three bars nobody can say which of them is out of the ordinary.
 */
export function fullBar(heights: readonly number[]): number {
  const sorted = heights.filter((height) => height > 0).sort((a, b) => a - b);
  const highest = sorted.at(-1) ?? 1;
  const middle = sorted[Math.floor(sorted.length / 2)] ?? highest;
  return sorted.length < 3 ? highest : Math.min(highest, middle * highestBar);
}
