/** Writes a plan into the database, in sets. One transaction, which the caller opens. */
import type { Db } from "#/server/db.ts";
import type { Comparison, Gone } from "./compare.ts";
import { sinceEverDate } from "./file-periods.ts";
import { writeClock } from "./file-values.ts";
import type { Farewell } from "./history.ts";
import { type Column, tables, unpackedMapping } from "./item-fields.ts";
import { type FieldValue, type Item, type Kind, kinds, parentKind, references } from "./items.ts";
import type { Span } from "./timeline.ts";
import type { TimelinePlan } from "./timeline-plan.ts";

type Ids = Record<Kind, Map<string, number>>;

export async function write(tx: Db, comparison: Comparison, farewell: Farewell, timelines: TimelinePlan, now: Date): Promise<void> {
  const ids = {} as Ids;
  for (const kind of kinds) ids[kind] = new Map([...comparison.rowAt[kind]].map(([address, row]) => [address, row.id]));
  const written = [...comparison.changed.map(({ item, row }) => ({ item, id: row.id })), ...comparison.added.map((item) => ({ item, id: null }))];

  const restless = [
    ...comparison.changed.filter(({ row }) => row.kind === "signal").map(({ row }) => row.id),
    ...goneIds([...farewell.retire, ...farewell.remove], "signal"),
  ];
  if (restless.length > 0) await tx.rows("-- plant.freeMappings\n delete from topic_mapping where signal_id = any($1)", [restless]);
  // A shift that moves would leave its breaks outside.
  const changedShifts = comparison.changed.filter(({ row }) => row.kind === "shift").map(({ row }) => row.id);
  if (changedShifts.length > 0) await tx.rows("-- plant.clearBreaks\n delete from shift_break where shift_id = any($1)", [changedShifts]);
  for (const kind of kinds) {
    const ofKind = written.filter(({ item }) => item.kind === kind);
    await update(
      tx,
      kind,
      ofKind.filter((one) => one.id !== null),
      ids,
    );
    await insert(
      tx,
      kind,
      ofKind.filter(({ id }) => id === null).map(({ item }) => item),
      ids,
    );
  }
  for (const kind of ["reason", "line", "machine"] as const)
    await link(
      tx,
      kind,
      written.filter(({ item }) => item.kind === kind).map(({ item }) => item),
      ids,
    );
  await writeBreaks(
    tx,
    written.filter(({ item }) => item.kind === "shift").map(({ item }) => item),
    ids,
  );
  await writeMappings(
    tx,
    written.filter(({ item }) => item.kind === "signal").map(({ item }) => item),
    ids,
  );
  await writeRates(tx, timelines, ids);
  await writePatterns(tx, timelines, ids);
  for (const kind of kinds) {
    const retired = goneIds(farewell.retire, kind);
    if (retired.length > 0) await tx.rows(`-- plant.retire\n update ${tables[kind].table} set retired_at = $2 where id = any($1)`, [retired, now]);
  }
  await remove(tx, farewell.remove);
}

const goneIds = (gone: readonly Gone[], kind: Kind) => gone.filter(({ row }) => row.kind === kind).map(({ row }) => row.id);

/** Columns of the table as JSON rows bring them, each with its type. */
const typed = (columns: readonly Column[]) => columns.map(({ column, type }) => `"${column}" ${type}`).join(", ");
const quoted = (columns: readonly Column[], of = "") => columns.map(({ column }) => `${of}"${column}"`).join(", ");

/** All columns that a kind's rows are written with, links aside: parent, key, fields. */
function columnsOf(kind: Kind): Column[] {
  const { keyColumn, parentColumn, columns } = tables[kind];
  const parent: Column[] = parentColumn === null ? [] : [{ field: "parent", column: parentColumn, type: "int" }];
  return [...parent, { field: "key", column: keyColumn, type: "text" }, ...columns];
}

function record(item: Item, ids: Ids): Record<string, unknown> {
  const { keyColumn, parentColumn, columns } = tables[item.kind];
  const above = parentKind[item.kind];
  const made: Record<string, unknown> = { [keyColumn]: item.key };
  if (parentColumn !== null && above !== null) made[parentColumn] = idAt(ids, above, item.parent);
  for (const { field, column, type } of columns) made[column] = columnValue(item, field, type, ids);
  return made;
}

function columnValue(item: Item, field: string, type: string, ids: Ids): unknown {
  const value = item.fields[field] ?? null;
  if (type === "time") return writeClock(Number(value));
  const refersTo = references[item.kind]?.[field];
  return refersTo === undefined ? value : referenceId(ids, refersTo, value);
}

const referenceId = (ids: Ids, kind: Kind, address: FieldValue) => (typeof address === "string" ? idAt(ids, kind, address) : null);

function idAt(ids: Ids, kind: Kind, address: string): number {
  const id = ids[kind].get(address);
  if (id === undefined) throw new Error(`The plan refers to ${kind} ${address}, which neither the file nor the database has.`);
  return id;
}

async function insert(tx: Db, kind: Kind, items: readonly Item[], ids: Ids): Promise<void> {
  if (items.length === 0) return;
  const { table, keyColumn, parentColumn } = tables[kind];
  const columns = columnsOf(kind);
  const rows = await tx.rows<{ id: number; parent: number | null; key: string }>(
    `-- plant.insert ${kind}
     insert into ${table} (${quoted(columns)})
     select ${quoted(columns, "x.")} from jsonb_to_recordset($1::jsonb) as x(ord int, ${typed(columns)}) order by x.ord
     returning id, ${parentColumn ?? "null::int"} as parent, ${keyColumn} as key`,
    [JSON.stringify(items.map((item, ord) => ({ ord, ...record(item, ids) })))],
  );
  const made = new Map(rows.map((row) => [`${row.parent} ${row.key}`, row.id]));
  const above = parentKind[kind];
  for (const item of items) {
    const id = made.get(`${above === null ? null : idAt(ids, above, item.parent)} ${item.key}`);
    if (id !== undefined) ids[kind].set(item.address, id);
  }
}

async function update(tx: Db, kind: Kind, changed: readonly { item: Item; id: number | null }[], ids: Ids): Promise<void> {
  if (changed.length === 0) return;
  const { table, hasRetiredAt } = tables[kind];
  const columns = columnsOf(kind);
  await tx.rows(
    `-- plant.update ${kind}
     update ${table} t set ${columns.map(({ column }) => `"${column}" = x."${column}"`).join(", ")}${hasRetiredAt ? ", retired_at = null" : ""}
     from jsonb_to_recordset($1::jsonb) as x(id int, ${typed(columns)}) where t.id = x.id`,
    [JSON.stringify(changed.map(({ item, id }) => ({ id, ...record(item, ids) })))],
  );
}

/** References among items of one kind, and of lines to their machines: once all of them are there. */
async function link(tx: Db, kind: "reason" | "line" | "machine", items: readonly Item[], ids: Ids): Promise<void> {
  const { table, links } = tables[kind];
  const rows = items.map((item) => ({
    id: idAt(ids, kind, item.address),
    ...Object.fromEntries(links.map(({ field, column, type }) => [column, columnValue(item, field, type, ids)])),
  }));
  if (rows.length === 0) return;
  await tx.rows(
    `-- plant.link ${kind}
     update ${table} t set ${links.map(({ column }) => `"${column}" = x."${column}"`).join(", ")}
     from jsonb_to_recordset($1::jsonb) as x(id int, ${typed(links)})
     where t.id = x.id and (${links.map(({ column }) => `t."${column}" is distinct from x."${column}"`).join(" or ")})`,
    [JSON.stringify(rows)],
  );
}

async function writeBreaks(tx: Db, shifts: readonly Item[], ids: Ids): Promise<void> {
  const rows = shifts.flatMap((item) =>
    (item.fields.breaks as { name: string; start: number; end: number }[]).map((b) => ({
      shift_id: idAt(ids, "shift", item.address),
      name: b.name,
      start_local: writeClock(b.start),
      end_local: writeClock(b.end),
    })),
  );
  if (rows.length === 0) return;
  await tx.rows(
    `-- plant.writeBreaks
     insert into shift_break (shift_id, name, start_local, end_local)
     select shift_id, name, start_local, end_local from jsonb_to_recordset($1::jsonb) as x(ord int, shift_id int, name text, start_local time, end_local time) order by ord`,
    [JSON.stringify(rows.map((row, ord) => ({ ord, ...row })))],
  );
}

async function writeMappings(tx: Db, signals: readonly Item[], ids: Ids): Promise<void> {
  const rows = signals.flatMap((item) =>
    (item.fields.mapping as string[]).map((packed) => ({ signal_id: idAt(ids, "signal", item.address), ...unpackedMapping(packed) })),
  );
  if (rows.length === 0) return;
  await tx.rows(
    `-- plant.writeMappings
     insert into topic_mapping (signal_id, form, pattern, path, ts_path)
     select signal_id, form, pattern, path, "tsPath" from jsonb_to_recordset($1::jsonb) as x(ord int, signal_id int, form text, pattern text, path text, "tsPath" text) order by ord`,
    [JSON.stringify(rows.map((row, ord) => ({ ord, ...row })))],
  );
}

const isoOrNull = (ms: number) => (ms === Number.POSITIVE_INFINITY ? null : new Date(ms).toISOString());
const dayOrNull = (ms: number) => isoOrNull(ms)?.slice(0, sinceEverDate.length) ?? null;

async function writeRates(tx: Db, { rates }: TimelinePlan, ids: Ids): Promise<void> {
  const remove = rates.flatMap(({ steps }) => steps.remove);
  if (remove.length > 0) await tx.rows("-- plant.removeRates\n delete from ideal_cycle where id = any($1)", [remove]);
  for (const step of ["shrink", "grow"] as const) {
    const moved = rates.flatMap(({ steps }) => steps[step].map(({ id, to }) => ({ id, to_at: isoOrNull(to) })));
    if (moved.length === 0) continue;
    await tx.rows(
      "-- plant.endRates\n update ideal_cycle t set to_at = x.to_at from jsonb_to_recordset($1::jsonb) as x(id int, to_at timestamptz) where t.id = x.id",
      [JSON.stringify(moved)],
    );
  }
  const added = rates.flatMap(({ machine, product, steps }) =>
    steps.add.map((span) => ({
      machine_id: idAt(ids, "machine", machine),
      product_id: product === "" ? null : idAt(ids, "product", product),
      from_at: isoOrNull(span.from),
      to_at: isoOrNull(span.to),
      ideal_cycle_s: Number(span.value),
    })),
  );
  if (added.length === 0) return;
  await tx.rows(
    `-- plant.addRates
     insert into ideal_cycle (machine_id, product_id, from_at, to_at, ideal_cycle_s)
     select machine_id, product_id, from_at, to_at, ideal_cycle_s
     from jsonb_to_recordset($1::jsonb) as x(ord int, machine_id int, product_id int, from_at timestamptz, to_at timestamptz, ideal_cycle_s float8) order by ord`,
    [JSON.stringify(added.map((row, ord) => ({ ord, ...row })))],
  );
}

async function writePatterns(tx: Db, { patterns }: TimelinePlan, ids: Ids): Promise<void> {
  const remove = patterns.flatMap(({ steps }) => steps.remove);
  if (remove.length > 0) await tx.rows("-- plant.removeLinePatterns\n delete from line_shift_pattern where id = any($1)", [remove]);
  for (const step of ["shrink", "grow"] as const) {
    const moved = patterns.flatMap(({ steps }) => steps[step].map(({ id, to }) => ({ id, to_date: dayOrNull(to) })));
    if (moved.length === 0) continue;
    await tx.rows(
      "-- plant.endLinePatterns\n update line_shift_pattern t set to_date = x.to_date from jsonb_to_recordset($1::jsonb) as x(id int, to_date date) where t.id = x.id",
      [JSON.stringify(moved)],
    );
  }
  const added = patterns.flatMap(({ line, steps }) =>
    steps.add.map((span: Span) => ({
      line_id: idAt(ids, "line", line),
      shift_pattern_id: idAt(ids, "shift_pattern", span.value),
      from_date: dayOrNull(span.from),
      to_date: dayOrNull(span.to),
    })),
  );
  if (added.length === 0) return;
  await tx.rows(
    `-- plant.addLinePatterns
     insert into line_shift_pattern (line_id, shift_pattern_id, from_date, to_date)
     select line_id, shift_pattern_id, from_date, to_date
     from jsonb_to_recordset($1::jsonb) as x(ord int, line_id int, shift_pattern_id int, from_date date, to_date date) order by ord`,
    [JSON.stringify(added.map((row, ord) => ({ ord, ...row })))],
  );
}

/** Children first; what only belongs to a removed thing goes with it. */
async function remove(tx: Db, gone: readonly Gone[]): Promise<void> {
  const machines = goneIds(gone, "machine");
  const lines = goneIds(gone, "line");
  if (machines.length > 0) {
    await tx.rows("-- plant.unlinkUpstream\n update machine set upstream_id = null where upstream_id = any($1)", [machines]);
    await tx.rows("-- plant.unlinkDownstream\n update machine set downstream_id = null where downstream_id = any($1)", [machines]);
    await tx.rows(
      `-- plant.unlinkLines
       update line set constraint_machine_id = case when not constraint_machine_id = any($1) then constraint_machine_id end,
         last_machine_id = case when not last_machine_id = any($1) then last_machine_id end
       where constraint_machine_id = any($1) or last_machine_id = any($1)`,
      [machines],
    );
    await tx.rows("-- plant.removeMachineRates\n delete from ideal_cycle where machine_id = any($1)", [machines]);
  }
  if (lines.length > 0) {
    await tx.rows("-- plant.removeLineShifts\n delete from shift_instance where line_id = any($1)", [lines]);
    await tx.rows("-- plant.removeLinePatternsOf\n delete from line_shift_pattern where line_id = any($1)", [lines]);
  }
  // Sites own sources and areas, patterns are named by lines: backwards through the order of making.
  for (const kind of [...kinds].reverse()) {
    const removed = goneIds(gone, kind);
    if (removed.length > 0) await tx.rows(`-- plant.remove ${kind}\n delete from ${tables[kind].table} where id = any($1)`, [removed]);
  }
}
