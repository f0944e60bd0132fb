/** The jobs' connections: a pool that outlives restarts of the database, and the check that the schema is the one this program knows. */
import { readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { Pool, type PoolClient } from "pg";
import type { Logger } from "pino";
import { programOptions } from "#/server/audit/change.ts";
import type { Db } from "#/server/db.ts";
import { isDatabaseAway } from "#/server/errors.ts";

export type JobsDb = Db & {
  /** Runs `work` in one transaction: all of it or nothing. @throws what `work` throws, after the rollback */
  transaction<Result>(work: (tx: Db) => Promise<Result>): Promise<Result>;
};

/** A slice of work takes a second or two; one that takes this long stands in someone's way. */
const statementTimeoutMs = 60_000;

export function makePool(databaseUrl: string, log: Logger): Pool {
  const pool = new Pool({
    connectionString: databaseUrl,
    application_name: "takt-jobs",
    options: programOptions("jobs", "Jobs"),
    max: 12, // one for each job, one to listen, and some for the queue
    connectionTimeoutMillis: 5_000,
    idleTimeoutMillis: 30_000,
    statement_timeout: statementTimeoutMs,
    query_timeout: statementTimeoutMs + 5_000,
    idle_in_transaction_session_timeout: statementTimeoutMs,
    keepAlive: true,
  });
  // A connection that breaks is replaced on next use; the statement under way on it fails by itself.
  pool.on("error", (error) => log.warn({ reason: error.message }, "an idle database connection broke"));
  pool.on("connect", (client: PoolClient) => client.on("error", (error) => log.debug({ reason: error.message }, "a database connection broke")));
  return pool;
}

export function jobsDb(pool: Pool): JobsDb {
  return {
    rows: async (sql, parameters = []) => (await pool.query(sql, [...parameters])).rows,
    async transaction(work) {
      const client = await pool.connect();
      let broken: Error | undefined;
      try {
        await client.query("begin");
        const result = await work({ rows: async (sql, parameters = []) => (await client.query(sql, [...parameters])).rows });
        await client.query("commit");
        return result;
      } catch (error) {
        await client.query("rollback").catch((failure: Error) => {
          broken = failure; // the connection is gone: the pool must not lend it again
        });
        throw error;
      } finally {
        client.release(broken);
      }
    },
  };
}

/** Host, port and name of the database, without user and password. */
export function addressOf(databaseUrl: string): string {
  const url = new URL(databaseUrl);
  return `${url.hostname}:${url.port || 5432}${url.pathname}`;
}

/** What only a person can put right: told in one sentence, and not tried again. */
export class Trouble extends Error {
  override name = "Trouble";
}

const migrationsDir = join(import.meta.dirname, "../../prisma/migrations");

/** What the schema still lacks, and a migration brings; null: nothing. @throws Trouble: the schema is newer than this program; what pg throws while the database is away */
export async function whyNotReady(db: Db, knownMigrations: readonly string[] = filesOf(migrationsDir)): Promise<string | null> {
  const [table] = await db.rows<{ exists: boolean; readable: boolean | null }>(
    "-- jobs.hasMigrations\nselect t is not null as exists, has_table_privilege(t, 'select') as readable from to_regclass('public.schema_migration') t",
  );
  // The application's role is given its rights when the migrations are done.
  if (table?.exists && !table.readable) return "The database has given this program no rights yet. Run first: npm run migrate";
  const rows = table?.exists ? await db.rows<{ name: string }>("-- jobs.migrations\nselect name from public.schema_migration order by id") : [];
  const applied = new Set(rows.map((row) => row.name));
  const pending = knownMigrations.filter((name) => !applied.has(name));
  if (pending.length > 0) return `The database lacks ${pending.join(", ")}. Run first: npm run migrate`;
  const newer = [...applied].filter((name) => !knownMigrations.includes(name));
  if (newer.length > 0) throw new Trouble(`The database is newer than this program (it has ${newer.join(", ")}). Start the newer version of Takt.`);
  return null;
}

const filesOf = (dir: string) =>
  readdirSync(dir)
    .filter((name) => name.endsWith(".sql"))
    .map((name) => basename(name, ".sql"))
    .sort();

/** One sentence for the person who started the program; null: the database is merely away, and worth trying again. */
export function whyHopeless(error: unknown, address: string): string | null {
  if (!(error instanceof Error)) return String(error);
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  if (code.startsWith("28")) return `The database at ${address} refuses the sign-in: ${error.message}. Check user and password in DATABASE_URL.`;
  if (code === "3D000") return `${error.message} at ${address}. Create it, or check the name in DATABASE_URL.`;
  return isDatabaseAway(error) ? null : `The database at ${address} cannot be used: ${error.message}`;
}
