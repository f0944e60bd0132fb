/** Applies a plant file: what would change, and changing it. */
import type { Db } from "#/server/db.ts";
import { type TellWritten, write } from "./apply.ts";
import { type Comparison, compare } from "./compare.ts";
import { countPlan, describePlan } from "./describe.ts";
import type { PlantFile } from "./file.ts";
import { type Farewell, sayFarewell, signalsWithHistory } from "./history.ts";
import { type FileItems, itemsOf, type Kind } from "./items.ts";
import { type CurrentPlant, readPlant } from "./queries.ts";
import { materializeShiftInstances, shiftsWindow } from "./shift-instances.ts";
import { planTimelines, type TimelineChange } from "./timeline-plan.ts";

export type Plan = {
  comparison: Comparison;
  farewell: Farewell;
  timelines: TimelineChange[];
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
  return planItems(tx, { file, current, comparison: compare(file, current), now, exact: false });
}

/** exact: as for `planTimelines`. */
export type Wanted = { file: FileItems; current: CurrentPlant; comparison: Comparison; now: Date; exact: boolean };

/** What follows from a comparison: what holds from when, who is retired, and all of it in words. Reads only. */
export async function planItems(tx: Db, { file, current, comparison, now, exact }: Wanted): Promise<Plan> {
  const troubles = [...comparison.troubles];
  if (troubles.length > 0) return { comparison, farewell: { retire: [], remove: [] }, timelines: [], lines: [], summary: "", troubles };
  const timelines = planTimelines(file, current, comparison, now, { exact });
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
export async function applyPlan(tx: Db, plan: Plan, now: Date, tell?: TellWritten): Promise<void> {
  if (plan.summary === "") return;
  await write(tx, { ...plan, now }, tell);
  const sites = sitesOfShifts(plan);
  if (sites.size > 0) await materializeShiftInstances(tx, { ...shiftsWindow(now), sites: [...sites] });
}

const shiftKinds: ReadonlySet<Kind> = new Set<Kind>(["site", "area", "line", "shift_pattern", "shift", "calendar_entry"]);

/** Keys of the sites where a shift may be another afterwards; the others are not looked through, which takes a second in a large plant. */
function sitesOfShifts({ comparison, farewell, timelines }: Plan): Set<string> {
  const addresses = [
    ...timelines.filter(({ name }) => name === "shift_pattern").map(({ owner }) => owner),
    ...[...comparison.added, ...comparison.changed.map(({ item }) => item)].filter(({ kind }) => shiftKinds.has(kind)).map(({ address }) => address),
    ...[...farewell.retire, ...farewell.remove].filter(({ row }) => shiftKinds.has(row.kind)).map(({ address }) => address),
  ];
  return new Set(addresses.map((address) => address.split("/")[0] ?? ""));
}

/** Values of a signal lie in the table of its class. One that has some cannot change over to the other class. */
async function whyRolesCannotChange(tx: Db, { changed }: Comparison): Promise<string[]> {
  const isTrend = ({ role, keep_raw }: Record<string, unknown>) => (role === "measurement" || role === "energy") && keep_raw !== true;
  const crossing = changed.filter(({ row, item }) => row.kind === "signal" && isTrend(row.fields) !== isTrend(item.fields));
  const withHistory = await signalsWithHistory(
    tx,
    crossing.map(({ row }) => row.id),
  );
  return crossing
    .filter(({ row }) => withHistory.has(row.id))
    .map(({ item, row }) =>
      row.fields.role === item.fields.role
        ? `The signal ${item.address} has history, whose raw values are ${row.fields.keep_raw === true ? "" : "not "}kept for ever; that cannot change (keep_raw). Give the new one a key of its own; the old one is then retired.`
        : `The signal ${item.address} has history as ${row.fields.role} and cannot become ${item.fields.role}, which is kept elsewhere. Give the new one a key of its own; the old one is then retired.`,
    );
}
