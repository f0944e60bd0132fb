/**
 * Migrations are plain files, and the database knows them by their names alone: one that was changed after it had been applied would pass for applied.
 * So the hash of its text stands beside its name.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type pg from "pg";
import { Trouble } from "../trouble.ts";

/** SHA-256 of the file, as hex; with line ends as the repository has them, which a checkout may change. */
const hashOf = (dir: string, name: string) =>
  createHash("sha256")
    .update(readFileSync(join(dir, `${name}.sql`), "utf8").replaceAll("\r\n", "\n"))
    .digest("hex");

type Row = { name: string; hash: string | null };

/** `hash` null: applied before hashes were kept. Nothing where no migration was ever applied. */
async function appliedTexts(client: pg.Client, table: string): Promise<Row[]> {
  const { rows: columns } = await client.query<{ column: string }>(
    `-- migrate.textColumns
     SELECT attname AS column FROM pg_attribute WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped`,
    [`public.${table}`],
  );
  if (columns.length === 0) return [];
  const hash = columns.some(({ column }) => column === "hash") ? "hash" : "NULL::text AS hash";
  const { rows } = await client.query<Row>(`-- migrate.texts\nSELECT name, ${hash} FROM public.${table} ORDER BY id`);
  return rows;
}

/** Every applied migration must have a file. @throws Trouble: one has another text now than when it was applied */
export async function refuseChanged(client: pg.Client, table: string, dir: string): Promise<void> {
  const changed = (await appliedTexts(client, table)).filter(({ name, hash }) => hash !== null && hash !== hashOf(dir, name)).map(({ name }) => `${name}.sql`);
  if (changed.length === 0) return;
  throw new Trouble(
    `This database was made with another text of ${changed.join(", ")} than this version of Takt has, so it may lack what this version needs. Nothing was changed. ` +
      "Before the first release migrations are still rewritten in place, and such a database cannot be brought up to date. The demo's: npm run demo -- --fresh. " +
      'Your own: make a new database and migrate that (docs/operating.md, "Upgrade").',
  );
}

/** Keeps the hashes of what was applied just now, and of what was applied before hashes were kept: that is taken to be as the files are, and said. */
export async function keepTexts(client: pg.Client, table: string, dir: string, justApplied: readonly string[], log: (line: string) => void): Promise<void> {
  const open = (await appliedTexts(client, table)).filter(({ hash }) => hash === null).map(({ name }) => name);
  if (open.length === 0) return;
  await client.query(`-- migrate.textColumn\nALTER TABLE public.${table} ADD COLUMN IF NOT EXISTS hash text`);
  await client.query(
    `-- migrate.keepTexts
     UPDATE public.${table} t SET hash = o.hash FROM unnest($1::text[], $2::text[]) AS o (name, hash) WHERE t.name = o.name AND t.hash IS NULL`,
    [open, open.map((name) => hashOf(dir, name))],
  );
  const earlier = open.filter((name) => !justApplied.includes(name));
  if (earlier.length > 0)
    log(`It was not kept with what text ${earlier.join(", ")} had been applied; from now on it is, and the present text is taken for the one applied.`);
}
