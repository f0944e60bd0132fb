// Prisma's picture of the database against the migrated one, column by column: the migrations are plain SQL, so nothing else holds them together.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { DMMF } from "@prisma/client/runtime/client";
import { getDMMF } from "@prisma/internals";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { prismaClient } from "#/server/prisma.ts";
import { aDatabase, type TestDatabase } from "#/server/testing.ts";

/** Tables that are read and written with pg alone: time series, what is written with them, and bookkeeping. */
const withoutModel = [
  "audit_chain",
  "audit_entry",
  "audit_exempt",
  "audit_open",
  "audit_pending",
  "audit_way",
  "count_minute",
  "dead_letter_dropped",
  "dead_letter_group",
  "ledger_claim",
  "ledger_mark",
  "ledger_reach",
  "ledger_sample",
  "machine_interval",
  "oee_fact",
  "sample",
  "sample_hour",
  "schema_migration",
  "shift_touched",
  "shift_version",
  "signal_latest",
  "signature",
  "signed_content",
  "source_minute",
  "source_status",
  "trend_claim",
  "trend_mark",
  "trend_retention",
];

type Column = { table: string; column: string; type: string; isList: boolean; isNullable: boolean; hasDefault: boolean };
type Key = { table: string; columns: string[] };

let db: TestDatabase;
let models: DMMF.Model[];
let columns: Column[];
beforeAll(async () => {
  db = await aDatabase();
  models = [...(await getDMMF({ datamodel: readFileSync(join(import.meta.dirname, "schema.prisma"), "utf8") })).datamodel.models] as DMMF.Model[];
  columns = await db.rows<Column>(
    `-- catalogue.columns
     select c.relname as "table", a.attname as "column", coalesce(e.typname, t.typname) as type, t.typcategory = 'A' as "isList", not a.attnotnull as "isNullable",
       a.atthasdef or a.attidentity <> '' or a.attgenerated <> '' as "hasDefault"
     from pg_class c join pg_attribute a on a.attrelid = c.oid join pg_type t on t.oid = a.atttypid left join pg_type e on t.typcategory = 'A' and e.oid = t.typelem
     where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and a.attnum > 0 and not a.attisdropped`,
  );
});
afterAll(() => db.drop());

const tableOf = (model: DMMF.Model) => model.dbName ?? model.name;
const columnOf = (field: DMMF.Field) => field.dbName ?? field.name;
const scalars = (model: DMMF.Model) => model.fields.filter((field) => field.kind !== "object");

/** PostgreSQL's name of the type that a field stands for. */
function typeOf(field: DMMF.Field): string {
  const native = field.nativeType?.[0];
  if (native === "Timestamptz") return "timestamptz";
  if (native === "Date" || native === "Time" || native === "Uuid") return native.toLowerCase();
  const types: Record<string, string> = {
    String: "text",
    Int: "int4",
    BigInt: "int8",
    Float: "float8",
    Decimal: "numeric",
    Boolean: "bool",
    Json: "jsonb",
    Bytes: "bytea",
  };
  return types[field.type] ?? `no type for ${field.type}`;
}

describe("schema.prisma is the migrated database", () => {
  it("has a model for every table, but those that pg alone uses", () => {
    const tables = [...new Set(columns.map((column) => column.table))].filter((table) => !withoutModel.includes(table));
    expect(models.map(tableOf).sort()).toEqual(tables.sort());
  });

  it("has every column with its type, null, list and default", () => {
    const sorted = (list: Column[]) => list.sort((a, b) => `${a.table}.${a.column}`.localeCompare(`${b.table}.${b.column}`));
    const expected = models.flatMap((model) =>
      scalars(model).map(
        (field): Column => ({
          table: tableOf(model),
          column: columnOf(field),
          type: typeOf(field),
          isList: field.isList,
          isNullable: !field.isRequired,
          hasDefault: field.hasDefaultValue,
        }),
      ),
    );
    const tables = new Set(models.map(tableOf));
    expect(expected.length).toBeGreaterThan(150);
    expect(sorted(expected)).toEqual(sorted(columns.filter((column) => tables.has(column.table))));
  });

  it("has every primary key and every unique key", async () => {
    const keys = await db.rows<Key & { isPrimary: boolean }>(
      `-- catalogue.keys
       select i.indrelid::regclass::text as "table", i.indisprimary as "isPrimary",
         array(select a.attname::text from unnest(i.indkey::int[]) with ordinality k(attnum, n) join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum order by n) as columns
       from pg_index i join pg_class c on c.oid = i.indrelid
       where c.relnamespace = 'public'::regnamespace and i.indisunique and i.indpred is null and i.indexprs is null`,
    );
    const face = (key: Key) => `${key.table}(${key.columns.join(", ")})`;
    const ofModels = models.flatMap((model) => {
      const named = (names: readonly string[]) => ({
        table: tableOf(model),
        columns: names.map((name) => columnOf(model.fields.find((field) => field.name === name) ?? ({ name } as DMMF.Field))),
      });
      const single = model.fields.filter((field) => field.isId || field.isUnique).map((field) => named([field.name]));
      const wide = [...(model.primaryKey ? [model.primaryKey.fields] : []), ...model.uniqueFields].map(named);
      return [...single, ...wide];
    });
    const tables = new Set(models.map(tableOf));
    expect(ofModels.map(face).sort()).toEqual(
      keys
        .filter((key) => tables.has(key.table))
        .map(face)
        .sort(),
    );
  });

  it("has every foreign key", async () => {
    const columnsOf = (table: string, key: string) =>
      `(select string_agg(a.attname, ', ' order by k.n) from unnest(${key}) with ordinality k(attnum, n) join pg_attribute a on a.attrelid = ${table} and a.attnum = k.attnum)`;
    const action = (type: string) => `case ${type} when 'c' then 'Cascade' when 'n' then 'SetNull' else 'NoAction' end`;
    const keys = await db.rows<{ face: string }>(
      `-- catalogue.foreignKeys
       select format('%s(%s) -> %s(%s), %s, %s', c.conrelid::regclass, ${columnsOf("c.conrelid", "c.conkey")}, c.confrelid::regclass, ${columnsOf("c.confrelid", "c.confkey")},
         ${action("c.confdeltype")}, ${action("c.confupdtype")}) as face
       from pg_constraint c
       where c.contype = 'f' and c.connamespace = 'public'::regnamespace and not c.conrelid::regclass::text = any($1)`,
      [withoutModel],
    );
    const ofModels = models.flatMap((model) =>
      model.fields
        .filter((field) => field.kind === "object" && (field.relationFromFields?.length ?? 0) > 0)
        .map((field) => {
          const to = models.find((one) => one.name === field.type);
          const names = (of: DMMF.Model | undefined, fields: readonly string[] | undefined) =>
            fields?.map((name) => columnOf(of?.fields.find((one) => one.name === name) ?? ({ name } as DMMF.Field))).join(", ");
          const [from, at] = [names(model, field.relationFromFields), names(to, field.relationToFields)];
          return `${tableOf(model)}(${from}) -> ${to ? tableOf(to) : "?"}(${at}), ${field.relationOnDelete ?? "?"}, ${field.relationOnUpdate ?? "?"}`;
        }),
    );
    // A signal has one source: that it is of the signal's site is no relation of its own.
    ofModels.push("signal(source_id, site_in_use) -> source(id, site_id), NoAction, NoAction");
    expect(ofModels.sort()).toEqual(keys.map(({ face }) => face).sort());
  });

  it("is what the generated client reads", async () => {
    const prisma = prismaClient(db.url);
    try {
      for (const model of models) {
        const name = `${model.name.charAt(0).toLowerCase()}${model.name.slice(1)}` as "site";
        await expect(prisma[name].findMany({ take: 1 }), model.name).resolves.toBeInstanceOf(Array);
      }
    } finally {
      await prisma.$disconnect();
    }
  });
});
