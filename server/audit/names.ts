/** What the ids in entries stand for, as it is called today. What is not there any more stays a number. */
import type { Db } from "#/server/db.ts";

/** Columns that hold the id of a row of another table, and that table. */
const tableOf: Readonly<Record<string, string>> = {
  enterprise_id: "enterprise",
  site_id: "site",
  area_id: "area",
  line_id: "line",
  pinned_line_id: "line",
  machine_id: "machine",
  constraint_machine_id: "machine",
  last_machine_id: "machine",
  upstream_id: "machine",
  downstream_id: "machine",
  source_id: "source",
  signal_id: "signal",
  product_line_id: "product_line",
  product_id: "product",
  shift_pattern_id: "shift_pattern",
  shift_id: "shift",
  calendar_entry_id: "calendar_entry",
  parent_id: "reason",
  display_id: "display",
  terminal_id: "terminal",
  person_id: "person",
  owner_id: "person",
  signer_id: "person",
  created_by: "person",
  job_id: "job",
  said_by: "person",
  edited_by: "person",
};

/** What a table's rows are called by, where it is not their `name`. */
const namedBy: Readonly<Record<string, string>> = { source: "address", job: "number" };

type Fields = Record<string, unknown> | null;
/** By column and id: `machine_id 17`. */
export type Names = Record<string, string>;

export async function namesIn(db: Db, entries: readonly { before: Fields; after: Fields }[]): Promise<Names> {
  const wanted = new Map<string, Set<string>>();
  for (const { before, after } of entries)
    for (const [column, value] of [...Object.entries(before ?? {}), ...Object.entries(after ?? {})]) {
      const table = tableOf[column];
      if (table !== undefined && value !== null && /^[\w-]{1,40}$/.test(String(value))) wanted.set(table, (wanted.get(table) ?? new Set()).add(String(value)));
    }
  const tables = [...wanted.keys()].sort();
  if (tables.length === 0) return {};
  // Tables are of the list above, never of what stands in an entry.
  const parts = tables.map(
    (table, n) => `select '${table}' as kind, id::text, ${namedBy[table] ?? "name"} as name from ${table} where id::text = any($${n + 1}::text[])`,
  );
  const rows = await db.rows<{ kind: string; id: string; name: string }>(
    `-- audit.names\n${parts.join("\nunion all ")}`,
    tables.map((table) => [...(wanted.get(table) ?? [])]),
  );
  const known = new Map(rows.map(({ kind, id, name }) => [`${kind} ${id}`, name]));
  return Object.fromEntries(
    Object.entries(tableOf).flatMap(([column, table]) =>
      [...(wanted.get(table) ?? [])].flatMap((id) => {
        const name = known.get(`${table} ${id}`);
        return name === undefined ? [] : [[`${column} ${id}`, name]];
      }),
    ),
  );
}
