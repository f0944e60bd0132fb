/** For the tests of the jobs: a pool as the process has it, and a writer that keeps the ingest worker's side of the agreement about marks. */
import type pg from "pg";
import { pino } from "pino";
import type { TestDatabase } from "#/server/testing.ts";
import { jobsDb, makePool } from "./database.ts";

export const hourMs = 3_600_000;
export const silent = pino({ level: "silent" });

/** The jobs' own pool on the test's database; end it before the database is dropped. */
export function jobsOn(database: TestDatabase) {
  const pool = makePool(database.url, silent);
  return { pool, db: jobsDb(pool) };
}

type Value = { signalId: number; at: Date; value: number | null; flags?: number };

/**
 * One worker on one connection: each transaction holds the lease (FOR SHARE), writes samples, and marks the hours that it has not marked since the
 * generation last changed.
 */
export class Writer {
  readonly db: pg.Client;
  readonly lease: string;
  private generation = "";
  private marked = new Set<string>();
  private pending = new Set<string>();

  constructor(db: pg.Client, lease: string) {
    this.db = db;
    this.lease = lease;
  }

  static async on(database: TestDatabase, lease: string): Promise<Writer> {
    await database.rows(
      "insert into ingest_lease (name, filters, holder, expires_at) values ($1, '{x/#}', 'test', now() + interval '1 day') on conflict do nothing",
      [lease],
    );
    return new Writer(await database.connect(), lease);
  }

  /** Opens a transaction and writes; `commit` is the caller's. Returns how many marks were set: 0 where they are known to stand. */
  async begin(values: readonly Value[]): Promise<number> {
    await this.db.query("begin");
    const { rows } = await this.db.query<{ generation: string }>("select generation from ingest_lease where name = $1 for share", [this.lease]);
    const generation = rows[0]?.generation ?? "";
    if (generation !== this.generation) this.marked.clear();
    this.generation = generation;
    for (const v of values) await this.db.query("insert into sample values ($1, $2, $3, $4) on conflict do nothing", [v.signalId, v.at, v.value, v.flags ?? 0]);
    this.pending = new Set(values.map((v) => `${v.signalId} ${Math.floor(v.at.getTime() / hourMs) * hourMs}`).filter((key) => !this.marked.has(key)));
    for (const key of [...this.pending].sort()) {
      const [signalId, hour] = key.split(" ").map(Number);
      await this.db.query("insert into trend_mark values ($1, $2) on conflict (signal_id, hour) do update set hour = excluded.hour", [
        signalId,
        new Date(hour ?? 0),
      ]);
    }
    return this.pending.size;
  }

  async commit(): Promise<void> {
    await this.db.query("commit");
    for (const key of this.pending) this.marked.add(key);
  }

  async write(values: readonly Value[]): Promise<number> {
    const marks = await this.begin(values);
    await this.commit();
    return marks;
  }
}

/** Resolves once a connection to this database waits for a lock while it runs a statement that holds `part`. */
export async function untilWaiting(database: TestDatabase, part: string): Promise<void> {
  for (;;) {
    const waiting = await database.rows(
      "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and position($1 in query) > 0 and pid <> pg_backend_pid()",
      [part],
    );
    if (waiting.length > 0) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
