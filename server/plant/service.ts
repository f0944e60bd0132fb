/** Applies a plant file: what would change, and changing it. */
import type { Db } from "#/server/db.ts";
import { write } from "./apply.ts";
import { type Comparison, compare } from "./compare.ts";
import { countPlan, describePlan } from "./describe.ts";
import type { PlantFile } from "./file.ts";
import { type Farewell, sayFarewell, signalsWithHistory } from "./history.ts";
import { itemsOf } from "./items.ts";
import { readPlant } from "./queries.ts";
import { materializeShiftInstances, shiftsWindow } from "./shift-instances.ts";
import { planTimelines, type TimelinePlan } from "./timeline-plan.ts";

export type Plan = {
  comparison: Comparison;
  farewell: Farewell;
  timelines: TimelinePlan;
  /** What would change, a line each; empty: nothing. */
  lines: string[];
  /** `3 added, 1 changed` */
  summary: string;
  /** Why the file cannot be applied; empty: it can. */
  troubles: string[];
};

/** What applying the file at `now` would change. Reads only. */
export async function planPlant(tx: Db, plant: PlantFile, now: Date): Promise<Plan> {
  const file = itemsOf(plant);
  const current = await readPlant(tx);
  const comparison = compare(file, current);
  const troubles = [...comparison.troubles];
  if (troubles.length > 0)
    return { comparison, farewell: { retire: [], remove: [] }, timelines: { rates: [], patterns: [] }, lines: [], summary: "", troubles };
  const timelines = planTimelines(file, current, comparison, now);
  const farewell = await sayFarewell(tx, comparison, current, file, timelines);
  troubles.push(...(await whyRolesCannotChange(tx, comparison)));
  return {
    comparison,
    farewell,
    timelines,
    lines: describePlan(comparison, farewell, timelines, file.zones),
    summary: countPlan(comparison, farewell, timelines),
    troubles,
  };
}

/** Held while a plan is made and written, so that two never mix. Ends with the transaction. */
export const lockPlant = (tx: Db) => tx.rows("-- plant.lock\n select pg_advisory_xact_lock(hashtext('takt plant'))");

/** Writes a plan, and lays out the shifts that follow from it. The caller holds the lock and has looked at `troubles`. An empty plan writes nothing. */
export async function applyPlan(tx: Db, plan: Plan, now: Date): Promise<void> {
  if (plan.summary === "") return;
  await write(tx, plan.comparison, plan.farewell, plan.timelines, now);
  await materializeShiftInstances(tx, shiftsWindow(now));
}

/** Values of a signal lie in the table of its class. One that has some cannot change over to the other class. */
async function whyRolesCannotChange(tx: Db, { changed }: Comparison): Promise<string[]> {
  const isTrend = (role: unknown) => role === "measurement" || role === "energy";
  const crossing = changed.filter(
    ({ row, fields }) => row.kind === "signal" && fields.some(({ field, from, to }) => field === "role" && isTrend(from) !== isTrend(to)),
  );
  const withHistory = await signalsWithHistory(
    tx,
    crossing.map(({ row }) => row.id),
  );
  return crossing
    .filter(({ row }) => withHistory.has(row.id))
    .map(
      ({ item, row }) =>
        `The signal ${item.address} has history as ${row.fields.role} and cannot become ${item.fields.role}, which is kept elsewhere. Give the new one a key of its own; the old one is then retired.`,
    );
}
