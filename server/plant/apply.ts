/** Writes a plan into the database, in sets. One transaction, which the caller opens. */
import type { Db } from "#/server/db.ts";
import type { Comparison, Gone } from "./compare.ts";
import { writeClock } from "./file-values.ts";
import type { Farewell } from "./history.ts";
import { breakTables, type Column, tables, unpackedMapping } from "./item-fields.ts";
import { type FieldValue, type Item, type Kind, kinds, parentKind, references } from "./items.ts";
import { type TimelineName, timelineKinds, timelineNames, unpacked } from "./timeline-kinds.ts";
import type { TimelineChange } from "./timeline-plan.ts";

type Ids = Record<Kind, Map<string, number>>;

const withBreaks = ["shift", "calendar_entry"] as const;

/** Rows in one statement: some tenths of a second, after which it can be told how far it is. */
const rowsAtOnce = 2_000;

/** Told while a plan is written: items of `of` that are. */
export type TellWritten = (done: number, of: number) => void;

export async function write(
  tx: Db,
  { comparison, farewell, timelines, now }: { comparison: Comparison; farewell: Farewell; timelines: readonly TimelineChange[]; now: Date },
  tell?: TellWritten,
): Promise<void> {
  const ids = {} as Ids;
  for (const kind of kinds) ids[kind] = new Map([...comparison.rowAt[kind]].map(([address, row]) => [address, row.id]));
  const written = [...comparison.changed.map(({ item, row }) => ({ item, id: row.id })), ...comparison.added.map((item) => ({ item, id: null }))];

  let done = 0;
  const add = (items: number) => {
    done += items;
    tell?.(done, written.length);
  };
  add(0);
  const restless = [
    ...comparison.changed.filter(({ row }) => row.kind === "signal").map(({ row }) => row.id),
    ...goneIds([...farewell.retire, ...farewell.remove], "signal"),
  ];
  if (restless.length > 0) await tx.rows("-- plant.freeMappings\n delete from topic_mapping where signal_id = any($1)", [restless]);
  // A shift that moves would leave its breaks outside.
  for (const kind of withBreaks) await clearBreaks(tx, kind, comparison);
  for (const kind of kinds) {
    const ofKind = written.filter(({ item }) => item.kind === kind);
    for (const part of inParts(ofKind.filter((one) => one.id !== null))) {
      await update(tx, kind, part, ids);
      if (kind === "signal")
        await writeMappings(
          tx,
          part.map(({ item }) => item),
          ids,
        );
      add(part.length);
    }
    for (const part of inParts(ofKind.filter(({ id }) => id === null).map(({ item }) => item))) {
      await insert(tx, kind, part, ids);
      if (kind === "signal") await writeMappings(tx, part, ids);
      add(part.length);
    }
  }
  for (const kind of ["reason", "line", "machine"] as const)
    await link(
      tx,
      kind,
      written.filter(({ item }) => item.kind === kind).map(({ item }) => item),
      ids,
    );
  for (const kind of withBreaks)
    await writeBreaks(
      tx,
      kind,
      written.filter(({ item }) => item.kind === kind).map(({ item }) => item),
      ids,
    );
  for (const name of timelineNames)
    await writeTimeline(
      tx,
      name,
      timelines.filter((change) => change.name === name),
      ids,
    );
  for (const kind of kinds) {
    const retired = goneIds(farewell.retire, kind);
    if (retired.length > 0) await tx.rows(`-- plant.retire\n update ${tables[kind].table} set retired_at = $2 where id = any($1)`, [retired, now]);
  }
  await remove(tx, farewell.remove);
}

function inParts<T>(all: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(all.length / rowsAtOnce) }, (_, i) => all.slice(i * rowsAtOnce, (i + 1) * rowsAtOnce));
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
  if (type === "time") return value === null ? null : writeClock(Number(value));
  if (type === "timestamptz") return value === null ? null : new Date(Number(value)).toISOString();
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

async function clearBreaks(tx: Db, kind: Kind, { changed }: Comparison): Promise<void> {
  const kept = breakTables[kind];
  const owners = changed.filter(({ row }) => row.kind === kind).map(({ row }) => row.id);
  if (owners.length === 0 || !kept) return;
  await tx.rows(`-- plant.clearBreaks ${kind}\n delete from ${kept.table} where ${kept.ownerColumn} = any($1)`, [owners]);
}

async function writeBreaks(tx: Db, kind: Kind, items: readonly Item[], ids: Ids): Promise<void> {
  const kept = breakTables[kind];
  if (!kept) return;
  const rows = items.flatMap((item) =>
    (item.fields.breaks as { name: string; start: number; end: number }[]).map((b) => ({
      owner_id: idAt(ids, kind, item.address),
      name: b.name,
      start_local: writeClock(b.start),
      end_local: writeClock(b.end),
    })),
  );
  if (rows.length === 0) return;
  await tx.rows(
    `-- plant.writeBreaks ${kind}
     insert into ${kept.table} (${kept.ownerColumn}, name, start_local, end_local)
     select owner_id, name, start_local, end_local from jsonb_to_recordset($1::jsonb) as x(ord int, owner_id int, name text, start_local time, end_local time) order by ord`,
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

const textOrNull = (ms: number, unit: "instant" | "day") => {
  if (ms === Number.POSITIVE_INFINITY) return null;
  const text = new Date(ms).toISOString();
  return unit === "day" ? text.slice(0, "1970-01-01".length) : text;
};

async function writeTimeline(tx: Db, name: TimelineName, changes: readonly TimelineChange[], ids: Ids): Promise<void> {
  if (changes.length === 0) return;
  const { table, owner, ownerColumn, sub, values, unit } = timelineKinds[name];
  const [from, to, type] = unit === "day" ? ["from_date", "to_date", "date"] : ["from_at", "to_at", "timestamptz"];
  const remove = changes.flatMap(({ steps }) => steps.remove);
  if (remove.length > 0) await tx.rows(`-- plant.removeSpans ${name}\n delete from ${table} where id = any($1)`, [remove]);
  for (const step of ["shrink", "grow"] as const) {
    const moved = changes.flatMap(({ steps }) => steps[step].map((span) => ({ id: span.id, until: textOrNull(span.to, unit) })));
    if (moved.length === 0) continue;
    await tx.rows(
      `-- plant.endSpans ${name}\n update ${table} t set ${to} = x.until from jsonb_to_recordset($1::jsonb) as x(id int, until ${type}) where t.id = x.id`,
      [JSON.stringify(moved)],
    );
  }
  const columns: [column: string, type: string][] = [
    [ownerColumn, "int"],
    ...(sub === null ? [] : [[sub.column, "int"] as [string, string]]),
    [from, type],
    [to, type],
    ...values.map(({ column, type: of }) => [column, of] as [string, string]),
  ];
  const added = changes.flatMap((change) =>
    change.steps.add.map((span) => {
      const said = unpacked(span.value);
      return {
        [ownerColumn]: idAt(ids, owner, change.owner),
        ...(sub === null ? {} : { [sub.column]: change.sub === "" ? null : idAt(ids, sub.kind, change.sub) }),
        [from]: textOrNull(span.from, unit),
        [to]: textOrNull(span.to, unit),
        ...Object.fromEntries(values.map(({ column, refersTo }, i) => [column, refersTo === undefined ? said[i] : idAt(ids, refersTo, String(said[i]))])),
      };
    }),
  );
  if (added.length === 0) return;
  await tx.rows(
    `-- plant.addSpans ${name}
     insert into ${table} (${columns.map(([column]) => column).join(", ")})
     select ${columns.map(([column]) => column).join(", ")}
     from jsonb_to_recordset($1::jsonb) as x(ord int, ${columns.map(([column, of]) => `${column} ${of}`).join(", ")}) order by ord`,
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
  }
  if (lines.length > 0) {
    await tx.rows("-- plant.removeLineShifts\n delete from shift_instance where line_id = any($1)", [lines]);
  }
  for (const name of timelineNames) {
    const { table, owner, ownerColumn } = timelineKinds[name];
    const owners = goneIds(gone, owner);
    if (owners.length > 0) await tx.rows(`-- plant.removeTimelines ${name}\n delete from ${table} where ${ownerColumn} = any($1)`, [owners]);
  }
  // Sites own sources and areas, patterns are named by lines: backwards through the order of making.
  for (const kind of [...kinds].reverse()) {
    const removed = goneIds(gone, kind);
    if (removed.length > 0) await tx.rows(`-- plant.remove ${kind}\n delete from ${tables[kind].table} where id = any($1)`, [removed]);
  }
}
