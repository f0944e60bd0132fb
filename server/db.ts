/** The time series and analytical side of the database: one pool a process, typed rows, bound parameters only. */
import { Client, Pool, type QueryResultRow } from "pg";
import { env } from "#/server/env.ts";
import { log } from "#/server/log.ts";

/** What queries need. A pool's client inside a transaction is one, too. */
export type Db = {
  /** Rows of one statement. The statement's first line is `-- noun.query`, so that the database's slow log names our function. */
  rows<Row extends QueryResultRow>(sql: string, parameters?: readonly unknown[], how?: How): Promise<Row[]>;
};
/** prepared: the database keeps the plan under that name, for a large statement that runs all the time (planning a board takes 10 ms, as long as running it). */
export type How = { prepared: string };

const connectTimeoutMs = 5_000;
/** Longer than any query of a screen should take; a board that waits longer says so instead. */
const statementTimeoutMs = 15_000;

// Next bundles routes apart: without globalThis each would have its own pool and its own LISTEN connection.
const shared = globalThis as typeof globalThis & { taktPool?: Pool };

function pool(): Pool {
  if (shared.taktPool) return shared.taktPool;
  const made = new Pool({
    connectionString: env().DATABASE_URL,
    application_name: "takt-web",
    max: 10,
    connectionTimeoutMillis: connectTimeoutMs,
    idleTimeoutMillis: 30_000,
    statement_timeout: statementTimeoutMs,
    query_timeout: statementTimeoutMs + 2_000,
    keepAlive: true,
  });
  // An idle connection that breaks is replaced on next use.
  made.on("error", (error) => log().warn({ err: error }, "an idle database connection broke"));
  shared.taktPool = made;
  return made;
}

export const db: Db = {
  async rows<Row extends QueryResultRow>(sql: string, parameters: readonly unknown[] = [], how?: How) {
    return (await pool().query<Row>({ text: sql, values: [...parameters], ...(how ? { name: how.prepared } : {}) })).rows;
  },
};

/** Runs `work` in one transaction: all of it or nothing. @throws what `work` throws, after the rollback */
export async function transaction<Result>(work: (tx: Db) => Promise<Result>): Promise<Result> {
  const client = await pool().connect();
  const tx: Db = { rows: async (sql, parameters = []) => (await client.query(sql, [...parameters])).rows };
  let broken: Error | undefined;
  try {
    await client.query("begin");
    const result = await work(tx);
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
}

/** A connection of its own for LISTEN, outside the pool. */
export const listenClient = () =>
  new Client({ connectionString: env().DATABASE_URL, application_name: "takt-web-listen", connectionTimeoutMillis: connectTimeoutMs, keepAlive: true });
