/** The plant as the database holds it, retired things included. */
import type { Db } from "#/server/db.ts";
import { type Column, packedMapping, tables } from "./item-fields.ts";
import { type FieldValue, type Kind, kinds } from "./items.ts";

/** Fields as an Item has them, but references are ids. parentId is null for the enterprise. */
export type CurrentRow = { kind: Kind; id: number; parentId: number | null; key: string; retired: boolean; fields: Record<string, FieldValue> };
/** Times in ms since 1970; to: null until further notice. */
export type RateRow = { id: number; machineId: number; productId: number | null; from: number; to: number | null; seconds: number };
/** Days as ms of their midnight in UTC. */
export type PatternRow = { id: number; lineId: number; patternId: number; from: number; to: number | null };
export type CurrentPlant = {
  rows: Record<Kind, CurrentRow[]>;
  rates: RateRow[];
  patterns: PatternRow[];
  /** Machines that have sent anything yet. */
  machinesWithHistory: Set<number>;
  /** A product signal has sent anything yet: then raw readings may name any product. */
  productsWereRead: boolean;
};

type ItemRow = { id: number; parentId: number | null; key: string; retired: boolean; fields: Record<string, FieldValue> };
type MappingRow = { signalId: number; form: string; pattern: string; path: string; tsPath: string | null };

export async function readPlant(tx: Db): Promise<CurrentPlant> {
  const rows = {} as Record<Kind, CurrentRow[]>;
  for (const kind of kinds) rows[kind] = (await tx.rows<ItemRow>(itemsSql(kind))).map((row) => ({ kind, ...row }));
  const mappings = await tx.rows<MappingRow>(
    `-- plant.mappings
     select signal_id as "signalId", form, pattern, path, ts_path as "tsPath" from topic_mapping`,
  );
  const mappingsOf = Map.groupBy(mappings, (row) => row.signalId);
  for (const row of rows.signal) {
    row.fields.mapping = (mappingsOf.get(row.id) ?? []).map((m) => packedMapping(m.form, m.pattern, m.path, m.tsPath)).sort();
  }
  const rates = await tx.rows<RateRow>(
    `-- plant.rates
     select id, machine_id as "machineId", product_id as "productId", (extract(epoch from from_at) * 1000)::float8 as "from",
       (extract(epoch from to_at) * 1000)::float8 as "to", ideal_cycle_s as seconds
     from ideal_cycle order by machine_id, product_id, from_at`,
  );
  const patterns = await tx.rows<PatternRow>(
    `-- plant.linePatterns
     select id, line_id as "lineId", shift_pattern_id as "patternId", (extract(epoch from from_date) * 1000)::float8 as "from",
       (extract(epoch from to_date) * 1000)::float8 as "to"
     from line_shift_pattern order by line_id, from_date`,
  );
  const machines = await tx.rows<{ id: number }>(
    `-- plant.machinesWithHistory
     select distinct s.machine_id as id from signal s join signal_latest l on l.signal_id = s.id`,
  );
  const [products] = await tx.rows<{ read: boolean }>(
    `-- plant.productsWereRead
     select exists (select from signal s join signal_latest l on l.signal_id = s.id where s.role = 'product') as read`,
  );
  return { rows, rates, patterns, machinesWithHistory: new Set(machines.map((row) => row.id)), productsWereRead: products?.read ?? false };
}

function itemsSql(kind: Kind): string {
  const { table, keyColumn, parentColumn, columns, links, hasRetiredAt } = tables[kind];
  // Shifts have no end of their own: they are gone with their pattern.
  const ofPattern = "(select p.retired_at is not null from shift_pattern p where p.id = t.shift_pattern_id)";
  const retired = hasRetiredAt ? "retired_at is not null" : kind === "shift" ? ofPattern : "false";
  const fields = [...columns, ...links].map(({ field, column, type }) => `'${field}', ${asJson(column, type)}`);
  if (kind === "shift") {
    fields.push(
      `'breaks', coalesce((select json_agg(json_build_object('name', b.name, 'start', ${asJson("b.start_local", "time")}, 'end', ${asJson("b.end_local", "time")}) order by b.id)
         from shift_break b where b.shift_id = t.id), '[]')`,
    );
  }
  return `-- plant.items ${kind}
    select t.id, ${parentColumn ?? "null::int"} as "parentId", ${keyColumn} as key, ${retired} as retired,
      json_build_object(${fields.join(", ")}) as fields
    from ${table} t order by ${kind === "machine" ? "position, " : ""}t.id`;
}

/** Clock times as minutes after midnight, numbers as JavaScript has them. */
function asJson(column: string, type: Column["type"]): string {
  if (type === "time") return `(extract(epoch from ${column}) / 60)::int`;
  return type === "numeric" ? `${column}::float8` : column;
}
