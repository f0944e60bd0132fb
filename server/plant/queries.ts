/** The plant as the database holds it, retired things included; all of it, or the part that an edit needs. */
import type { Db } from "#/server/db.ts";
import { breakTables, type Column, packedMapping, tables } from "./item-fields.ts";
import { type FieldValue, type Kind, kinds } from "./items.ts";
import { type TimelineName, timelineKinds, timelineNames } from "./timeline-kinds.ts";

/** Fields as an Item has them, but references are ids. parentId is null for the enterprise. */
export type CurrentRow = { kind: Kind; id: number; parentId: number | null; key: string; retired: boolean; fields: Record<string, FieldValue> };
/** Times in ms since 1970, days as their midnight in UTC; to: null until further notice. subId: null for all others. References in values are ids. */
export type SpanRecord = { id: number; ownerId: number; subId: number | null; from: number; to: number | null; values: (number | null)[] };
export type CurrentPlant = {
  part: Part;
  rows: Record<Kind, CurrentRow[]>;
  timelines: Record<TimelineName, SpanRecord[]>;
  /** How many machines in use take values from a source, by its id; machines outside the part count, too. */
  sourceUsers: Map<number, number>;
  /** Machines that have sent anything yet. */
  machinesWithHistory: Set<number>;
  /** A product signal has sent anything yet: then raw readings may name any product. */
  productsWereRead: boolean;
};

/**
 * What is read. siteIds: sites with everything in them but what lies below their machines; of the others only the name. machineIds: machines with their
 * signals, mappings, rates, costs and targets. sources: addresses that are read whoever uses them.
 */
export type Part = "all" | { siteIds: readonly number[]; machineIds: readonly number[]; sources: readonly string[] };

type ItemRow = { id: number; parentId: number | null; key: string; retired: boolean; fields: Record<string, FieldValue> };
type MappingRow = { signalId: number; form: string; pattern: string; path: string; tsPath: string | null };

export async function readPlant(tx: Db, part: Part = "all"): Promise<CurrentPlant> {
  const rows = {} as Record<Kind, CurrentRow[]>;
  for (const kind of kinds) rows[kind] = (await readKind(tx, kind, part)).map((row) => ({ kind, ...row }));
  const mappings = await tx.rows<MappingRow>(
    `-- plant.mappings
     select t.signal_id as "signalId", t.form, t.pattern, t.path, t.ts_path as "tsPath" from topic_mapping t
     ${part === "all" ? "" : "join signal g on g.id = t.signal_id where g.machine_id = any($1::int[])"}`,
    part === "all" ? [] : [part.machineIds],
  );
  const mappingsOf = Map.groupBy(mappings, (row) => row.signalId);
  for (const row of rows.signal) {
    row.fields.mapping = (mappingsOf.get(row.id) ?? []).map((m) => packedMapping(m.form, m.pattern, m.path, m.tsPath)).sort();
  }
  const timelines = {} as CurrentPlant["timelines"];
  for (const name of timelineNames) timelines[name] = await readTimeline(tx, name, part);
  const users = await tx.rows<{ id: number; machines: number }>(
    `-- plant.sourceUsers
     select source_id as id, count(distinct machine_id)::int as machines from ${sourceUses} u where source_id = any($1::int[]) group by source_id`,
    [rows.source.map((row) => row.id)],
  );
  const machines = await tx.rows<{ id: number }>(
    `-- plant.machinesWithHistory
     select distinct s.machine_id as id from signal s join signal_latest l on l.signal_id = s.id ${part === "all" ? "" : "where s.machine_id = any($1::int[])"}`,
    part === "all" ? [] : [rows.machine.map((row) => row.id)],
  );
  const [products] = await tx.rows<{ read: boolean }>(
    `-- plant.productsWereRead
     select exists (select from signal s join signal_latest l on l.signal_id = s.id where s.role = 'product') as read`,
  );
  return {
    part,
    rows,
    timelines,
    sourceUsers: new Map(users.map((row) => [row.id, row.machines])),
    machinesWithHistory: new Set(machines.map((row) => row.id)),
    productsWereRead: products?.read ?? false,
  };
}

/** Which machines in use take values from which source: by a signal, or as what they are set to. */
export const sourceUses = `(select source_id, machine_id from signal where retired_at is null
  union all select source_id, id from machine where retired_at is null and source_id is not null)`;

/** How a kind's rows are told to belong to a part: $1 sites, $2 machines, $3 addresses of sources. Kinds that are not here are read whole. */
const ofSites = "t.site_id = any($1::int[])";
const inPart: Partial<Record<Kind, string>> = {
  shift_pattern: ofSites,
  shift: "exists (select from shift_pattern p where p.id = t.shift_pattern_id and p.site_id = any($1::int[]))",
  reason: ofSites,
  team: ofSites,
  area: ofSites,
  calendar_entry: ofSites,
  line: "exists (select from area a where a.id = t.area_id and a.site_id = any($1::int[]))",
  machine: "exists (select from line l join area a on a.id = l.area_id where l.id = t.line_id and a.site_id = any($1::int[]))",
  signal: "t.machine_id = any($2::int[])",
  // Of the machines of the part, of several machines, or of nobody: what one machine outside the part uses is that machine's own.
  source: `t.address = any($3::text[]) or t.id in (select source_id from signal where machine_id = any($2::int[]) union select source_id from machine where id = any($2::int[]))
    or (t.site_id = any($1::int[]) and (t.retired_at is not null or (select min(u.machine_id) is not distinct from max(u.machine_id) and min(u.machine_id) is not null
      from ${sourceUses} u where u.source_id = t.id) is not true))`,
};

function readKind(tx: Db, kind: Kind, part: Part): Promise<ItemRow[]> {
  const { table, keyColumn, parentColumn, columns, links, hasRetiredAt } = tables[kind];
  // Shifts have no end of their own: they are gone with their pattern.
  const ofPattern = "(select p.retired_at is not null from shift_pattern p where p.id = t.shift_pattern_id)";
  const retired = hasRetiredAt ? "retired_at is not null" : kind === "shift" ? ofPattern : "false";
  const fields = [...columns, ...links].map(({ field, column, type }) => `'${field}', ${asJson(`t."${column}"`, type)}`);
  const breaks = breakTables[kind];
  if (breaks) {
    fields.push(
      `'breaks', coalesce((select json_agg(json_build_object('name', b.name, 'start', ${asJson("b.start_local", "time")}, 'end', ${asJson("b.end_local", "time")}) order by b.id)
         from ${breaks.table} b where b.${breaks.ownerColumn} = t.id), '[]')`,
    );
  }
  const where = part === "all" ? undefined : inPart[kind];
  // The parameters are named in every statement, so that their types are known where one of them is not used.
  return tx.rows<ItemRow>(
    `-- plant.items ${kind}
    select t.id, ${parentColumn ?? "null::int"} as "parentId", ${keyColumn} as key, ${retired} as retired,
      json_build_object(${fields.join(", ")}) as fields
    from ${table} t ${where === undefined ? "" : `where (${where}) and $1::int[] is not null and $2::int[] is not null and $3::text[] is not null`}
    order by ${kind === "machine" ? "position, " : kind === "currency_rate" ? "key, " : ""}t.id`,
    part === "all" || where === undefined ? [] : [part.siteIds, part.machineIds, part.sources],
  );
}

function readTimeline(tx: Db, name: TimelineName, part: Part): Promise<SpanRecord[]> {
  const { table, owner, ownerColumn, sub, values, unit } = timelineKinds[name];
  const [from, to] = unit === "day" ? ["from_date", "to_date"] : ["from_at", "to_at"];
  const ownersSql: Partial<Record<Kind, string>> = {
    site: `t.${ownerColumn} = any($1::int[])`,
    line: `exists (select from line l join area a on a.id = l.area_id where l.id = t.${ownerColumn} and a.site_id = any($1::int[]))`,
    machine: `t.${ownerColumn} = any($1::int[])`,
  };
  const where = part === "all" ? "" : `and ${ownersSql[owner]}`;
  return tx.rows<SpanRecord>(
    `-- plant.timeline ${name}
     select t.id, t.${ownerColumn} as "ownerId", ${sub === null ? "null::int" : `t.${sub.column}`} as "subId", (extract(epoch from t.${from}) * 1000)::float8 as "from",
       (extract(epoch from t.${to}) * 1000)::float8 as "to", json_build_array(${values.map(({ column, type }) => asJson(`t.${column}`, type)).join(", ")}) as values
     from ${table} t where t.${ownerColumn} is not null ${where} order by t.${ownerColumn}, ${sub === null ? "" : `t.${sub.column} nulls first, `}t.${from}`,
    part === "all" ? [] : [owner === "machine" ? part.machineIds : part.siteIds],
  );
}

/** Clock times as minutes after midnight, numbers as JavaScript has them, instants in ms. */
function asJson(column: string, type: Column["type"]): string {
  if (type === "time") return `(extract(epoch from ${column}) / 60)::int`;
  if (type === "timestamptz") return `(extract(epoch from ${column}) * 1000)::float8`;
  if (type === "date") return `${column}::text`;
  return type === "numeric" ? `${column}::float8` : column;
}
