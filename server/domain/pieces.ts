/** From readings of count signals to pieces that are good, rejected or reworked. Rules in ledger 3 and 7. */

import { type CounterRule, type CountReading, delta } from "./counter.ts";
import type { Window } from "./windows.ts";

export type CountRole = "good" | "reject" | "rework" | "total";
export type CountSignal = {
  role: CountRole;
  rule: CounterRule /** The last one before the readings; null: none. */;
  before: CountReading | null;
  readings: readonly CountReading[];
};

/** Pieces counted at `at`, made before it. Signed: a part that follows from a total may come before or after what it follows from; sums are right. */
export type Pieces = { at: number; good: number; reject: number; rework: number };
/** A delta that lies over time of which nothing is known: its reading before and its own. bridges: without a reset, so that it says all that was made. */
export type Bridge = Window & { role: CountRole; bridges: boolean };

/** Which roles a machine counts, and what follows from them: a missing good from the total, else a missing reject. Rework is never derived. */
export type Counting = { derives: "good" | "reject" | null /** Signals behind the good pieces. */; goodRoles: ReadonlySet<CountRole> };

export function countingOf(roles: Iterable<CountRole>): Counting {
  const has = new Set(roles);
  const derives = !has.has("total") ? null : !has.has("good") ? "good" : !has.has("reject") ? "reject" : null;
  const behindGood: CountRole[] = derives === "good" ? ["total", "reject", "rework"] : ["good"];
  return { derives, goodRoles: new Set(behindGood.filter((role) => has.has(role))) };
}

/**
 * What `n` pieces on a counter of this role are. Total 10 where good is missing: 10 good; a reject of 2 then takes 2 of them: -2 good, 2 reject.
 * A total beside good and reject is a check and adds nothing.
 */
export function share(role: CountRole, n: number, { derives }: Counting): Omit<Pieces, "at"> {
  const good = role === "good" ? n : derives === "good" ? (role === "total" ? n : -n) : 0;
  const rework = role === "rework" ? n : 0;
  const reject = role === "reject" ? n : derives === "reject" ? (role === "total" ? n : -n) : 0;
  return { good, reject, rework };
}

/** A delta of one count signal: pieces made in (since, at]. since null: the reading before is not known, or the signal tells increments. */
export type Delta = { at: number; role: CountRole; pieces: number; since: number | null; isReset: boolean };

/** Deltas in device-time order whatever the order of arrival. Readings of one signal have instants of their own. */
export function deltas({ role, rule, before, readings }: CountSignal): Delta[] {
  const result: Delta[] = [];
  let last = before;
  for (const reading of [...readings].sort((a, b) => a.at - b.at)) {
    const isFirst = rule.mode === "cumulative" && last === null;
    if (!isFirst) {
      const isReset = rule.mode === "cumulative" && rule.modulus === null && reading.value < (last?.value ?? 0);
      const pieces = delta(rule, last?.value ?? null, reading.value);
      result.push({ at: reading.at, role, pieces, since: rule.mode === "cumulative" ? (last?.at ?? null) : null, isReset });
    }
    last = reading;
  }
  return result;
}

/** The total beside good, reject and rework: how many it says more (or fewer) than they do. null: it says nothing that they do not. */
export function totalDifference(counting: Counting, sums: Readonly<Partial<Record<CountRole, number>>>): number | null {
  if (counting.derives !== null || sums.total === undefined || sums.good === undefined) return null;
  return sums.total - sums.good - (sums.reject ?? 0) - (sums.rework ?? 0);
}
