/** Why a shift that was final came out otherwise. Rules in ledger 6. */

import { type Facts, factNames } from "./facts.ts";
import type { StopEdit } from "./stop-edits.ts";

/** stops: seconds by kind and reason ("down jam"). */
export type ShiftFigures = { facts: Readonly<Facts>; stops: Readonly<Record<string, number>> };

/** What people did to the plan of the line since. */
export const planKinds = [
  "ideal_cycle",
  "machine_cost",
  "product_cost",
  "shift_instance",
  "machine",
  "line",
  "site",
  "signal",
  "source",
  "reason",
  "job",
  "job_said",
] as const;
export type PlanKind = (typeof planKinds)[number];

/**
 * n: minutes for `backlog` (unknown before and known now) and `unknown` (the other way round), pieces for `pieces` (signed), else how many were entered.
 * `readings`: readings that came late and changed neither of these.
 */
export type Cause = { kind: "backlog" | "unknown" | "pieces" | "readings" | StopEdit["kind"] | PlanKind; n: number };

/** What adding up rounds away. */
const near = (a: number, b: number) => Math.abs(a - b) <= 1e-6 * Math.max(1, Math.abs(a), Math.abs(b));

export const isRestated = (before: ShiftFigures, after: ShiftFigures): boolean =>
  factNames.some((name) => !near(before.facts[name] ?? 0, after.facts[name])) ||
  [...new Set([...Object.keys(before.stops), ...Object.keys(after.stops)])].some((key) => !near(before.stops[key] ?? 0, after.stops[key] ?? 0));

/**
 * In the order in which they are told. said: what people entered since, by kind.
 * 1080 s unknown before and none now, 40 pieces more, one reclassification: 18 min of backlog, 1 reclassification; the pieces came with the backlog.
 */
export function causesOf(before: ShiftFigures, after: ShiftFigures, said: ReadonlyMap<Cause["kind"], number>): Cause[] {
  const causes: Cause[] = [];
  const unknownS = after.facts.unknownS - before.facts.unknownS;
  const minutes = Math.max(1, Math.round(Math.abs(unknownS) / 60));
  if (unknownS <= -1) causes.push({ kind: "backlog", n: minutes });
  if (unknownS >= 1) causes.push({ kind: "unknown", n: minutes });
  causes.push(...[...said].flatMap(([kind, n]): Cause[] => (n > 0 ? [{ kind, n }] : [])));
  const pieces = madeOf(after) - madeOf(before);
  if (Math.abs(pieces) >= 0.5 && Math.abs(unknownS) < 1) causes.push({ kind: "pieces", n: Math.round(pieces) });
  return causes.length > 0 ? causes : [{ kind: "readings", n: 1 }];
}

const madeOf = ({ facts: f }: ShiftFigures) => f.good + f.reject + f.rework + f.gapGood + f.gapReject + f.gapRework + f.offGood + f.offReject + f.offRework;
