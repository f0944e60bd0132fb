/** Which of the things that left the file have history, and so are retired rather than deleted. */
import type { Db } from "#/server/db.ts";
import type { Comparison, Gone } from "./compare.ts";
import { breakTables, tables } from "./item-fields.ts";
import { type FileItems, type Kind, parentKind } from "./items.ts";
import type { CurrentPlant, CurrentRow } from "./queries.ts";
import { timelineKinds, timelineNames, unpacked } from "./timeline-kinds.ts";
import type { TimelineChange } from "./timeline-plan.ts";

export type Farewell = { retire: Gone[]; remove: Gone[] };

/** The plant's own tables, and work that programs are yet to do: a reference from one of them is no history, it goes or stays with its owner. */
const ownTables = [
  ...Object.values(tables).map(({ table }) => table),
  ...Object.values(timelineKinds).map(({ table }) => table),
  ...Object.values(breakTables).map(({ table }) => table),
  "topic_mapping",
  "shift_instance",
  "shift_instance_break",
  "ledger_claim",
  "shift_touched",
];

export async function sayFarewell(
  tx: Db,
  comparison: Comparison,
  current: CurrentPlant,
  file: FileItems,
  timelines: readonly TimelineChange[],
): Promise<Farewell> {
  const gone = Map.groupBy(comparison.gone, ({ row }) => row.kind);
  const removed = new Set<CurrentRow>();
  const decide = async (kind: Kind, hasHistory: (row: CurrentRow) => boolean) => {
    const rows = (gone.get(kind) ?? []).map(({ row }) => row);
    if (rows.length === 0) return;
    const referenced = await referencedIds(
      tx,
      kind,
      rows.map((row) => row.id),
    );
    for (const row of rows) if (!referenced.has(row.id) && !hasHistory(row)) removed.add(row);
  };
  const never = () => false;
  const keepsChild = (...kinds: Kind[]) => {
    const kept = new Set(
      kinds.filter((kind) => parentKind[kind] !== null).flatMap((kind) => current.rows[kind].filter((row) => !removed.has(row)).map((row) => row.parentId)),
    );
    return (row: CurrentRow) => kept.has(row.id);
  };

  await decide("signal", never);
  await decide("machine", keepsChild("signal"));
  const usedSources = sourcesInUse(comparison, current, file, removed);
  await decide("source", (row) => usedSources.has(row.id));
  const referencedShifts = await linesWithReferencedShifts(
    tx,
    (gone.get("line") ?? []).map(({ row }) => row.id),
  );
  const keepsMachine = keepsChild("machine");
  await decide("line", (row) => keepsMachine(row) || referencedShifts.has(row.id));
  await decide("area", keepsChild("line"));
  await decide("calendar_entry", never);
  await decide("currency_rate", never);
  const usedPatterns = usedByTimelines("shift_pattern", comparison, current, timelines, removed);
  await decide("shift_pattern", (row) => usedPatterns.has(row.id));
  await decide("team", never);
  await decide("device", never);
  await decideReasons(decide, current, removed);
  const usedProducts = usedByTimelines("product", comparison, current, timelines, removed);
  await decide("product", (row) => current.productsWereRead || usedProducts.has(row.id));
  await decide("product_line", keepsChild("product"));
  await decide("site", keepsChild("area", "source", "reason", "team", "shift_pattern", "device"));
  // Shifts have no history of their own (instances keep their names); those of a retired pattern stay with it.
  const shiftGoes = (row: CurrentRow) => {
    const pattern = current.rows.shift_pattern.find((one) => one.id === row.parentId);
    return pattern === undefined || removed.has(pattern) || !(gone.get("shift_pattern") ?? []).some((one) => one.row === pattern);
  };
  await decide("shift", (row) => !shiftGoes(row));
  const farewell: Farewell = { retire: [], remove: [] };
  for (const one of comparison.gone) {
    if (removed.has(one.row)) farewell.remove.push(one);
    else if (tables[one.row.kind].hasRetiredAt) farewell.retire.push(one);
  }
  return farewell;
}

/** A reason stays while one below it does: from the leaves up. */
async function decideReasons(
  decide: (kind: Kind, hasHistory: (row: CurrentRow) => boolean) => Promise<void>,
  current: CurrentPlant,
  removed: Set<CurrentRow>,
): Promise<void> {
  await decide("reason", () => false);
  const rows = new Map(current.rows.reason.map((row) => [row.id, row]));
  for (let again = true; again; ) {
    again = false;
    for (const row of current.rows.reason) {
      const parent = removed.has(row) ? undefined : rows.get(Number(row.fields.parent));
      if (parent && removed.has(parent)) again = removed.delete(parent);
    }
  }
}

/** Sources that a machine or signal will name afterwards, retired ones too. */
function sourcesInUse(comparison: Comparison, current: CurrentPlant, file: FileItems, removed: ReadonlySet<CurrentRow>): Set<number> {
  const used = new Set<number>();
  for (const kind of ["machine", "signal"] as const) {
    const wanted = new Map(file.items.filter((item) => item.kind === kind).map((item) => [item.address, item.fields.source]));
    for (const row of current.rows[kind]) {
      if (removed.has(row)) continue;
      const source = wanted.get(comparison.addressById[kind].get(row.id) ?? "");
      const id = source === undefined ? row.fields.source : source === null ? null : comparison.rowAt.source.get(String(source))?.id;
      if (typeof id === "number") used.add(id);
    }
  }
  return used;
}

/** Ids of the patterns or products that something which stays has held by, or will. */
function usedByTimelines(
  kind: "shift_pattern" | "product",
  comparison: Comparison,
  current: CurrentPlant,
  timelines: readonly TimelineChange[],
  removed: ReadonlySet<CurrentRow>,
): Set<number> {
  const used = new Set<number>();
  for (const name of timelineNames) {
    const { owner, sub, values } = timelineKinds[name];
    const position = values.findIndex(({ refersTo }) => refersTo === kind);
    if (sub?.kind !== kind && position < 0) continue;
    const owners = new Set(current.rows[owner].filter((row) => !removed.has(row)).map((row) => row.id));
    const changes = timelines.filter((change) => change.name === name);
    const dropped = new Set(changes.flatMap(({ steps }) => steps.remove));
    for (const record of current.timelines[name])
      if (owners.has(record.ownerId) && !dropped.has(record.id)) used.add((position < 0 ? record.subId : record.values[position]) ?? 0);
    for (const { sub: subAddress, steps } of changes) {
      const addresses = position < 0 ? (steps.add.length > 0 ? [subAddress] : []) : steps.add.map(({ value }) => String(unpacked(value)[position]));
      for (const address of addresses) used.add(comparison.rowAt[kind].get(address)?.id ?? 0);
    }
  }
  return used;
}

/** Those of the signals that have ever had a value. */
export const signalsWithHistory = (tx: Db, ids: number[]): Promise<Set<number>> => referencedIds(tx, "signal", ids);

/** Ids that rows outside the plant's own tables refer to, whatever tables there are; and those of time series, which have no foreign keys. */
async function referencedIds(tx: Db, kind: Kind, ids: number[]): Promise<Set<number>> {
  const found = new Set<number>();
  if (ids.length === 0) return found;
  for (const { table, column } of await foreignKeysTo(tx, tables[kind].table)) {
    const rows = await tx.rows<{ id: number }>(`-- plant.referencedIds\n select distinct ${column} as id from ${table} where ${column} = any($1)`, [ids]);
    for (const row of rows) found.add(row.id);
  }
  const open = ids.filter((id) => !found.has(id));
  const series = seriesSql[kind];
  if (series !== undefined && open.length > 0) for (const row of await tx.rows<{ id: number }>(series, [open])) found.add(row.id);
  return found;
}

const seriesSql: Partial<Record<Kind, string>> = {
  signal: `-- plant.signalsWithHistory
    select id from unnest($1::int[]) as id where exists (select from ledger_sample where signal_id = id) or exists (select from sample where signal_id = id)
      or exists (select from sample_hour where signal_id = id) or exists (select from count_minute where signal_id = id)`,
  machine: `-- plant.machinesWithPieces
    select id from unnest($1::int[]) as id where exists (select from count_minute where machine_id = id)`,
  source: `-- plant.sourcesWithPresence
    select id from unnest($1::int[]) as id where exists (select from source_minute where source_id = id)`,
};

const foreignKeysTo = (tx: Db, table: string) =>
  tx.rows<{ table: string; column: string }>(
    `-- plant.foreignKeysTo
     select c.conrelid::regclass::text as table, quote_ident(a.attname) as column
     from pg_constraint c join pg_attribute a on a.attrelid = c.conrelid and a.attnum = c.conkey[1]
     where c.contype = 'f' and c.confrelid = $1::regclass and not c.conrelid = any(array(select to_regclass(t) from unnest($2::text[]) as t))`,
    [table, ownTables],
  );

/** Lines one of whose shift instances something else refers to. */
async function linesWithReferencedShifts(tx: Db, lineIds: number[]): Promise<Set<number>> {
  const found = new Set<number>();
  if (lineIds.length === 0) return found;
  for (const { table, column } of await foreignKeysTo(tx, "shift_instance")) {
    const rows = await tx.rows<{ id: number }>(
      `-- plant.linesWithReferencedShifts
       select distinct i.line_id as id from shift_instance i join ${table} r on r.${column} = i.id where i.line_id = any($1)`,
      [lineIds],
    );
    for (const row of rows) found.add(row.id);
  }
  return found;
}
