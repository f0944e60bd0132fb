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

/** statementMs: how long a statement may take, and the commit; without it as long as one of a screen. isSnapshot: reads only, and all of it of one moment. */
export type Manner = { statementMs?: number; isSnapshot?: boolean };

/** Runs `work` in one transaction: all of it or nothing. @throws what `work` throws, after the rollback */
export async function transaction<Result>(work: (tx: Db) => Promise<Result>, { statementMs, isSnapshot = false }: Manner = {}): Promise<Result> {
  const client = await pool().connect();
  // The driver's own limit goes by query; its types do not know that.
  const limit = statementMs === undefined ? {} : { query_timeout: statementMs + 2_000 };
  const run = (text: string, values: readonly unknown[] = []) => client.query({ text, values: [...values], ...limit });
  const tx: Db = { rows: async <Row extends QueryResultRow>(sql: string, parameters: readonly unknown[] = []) => (await run(sql, parameters)).rows as Row[] };
  let broken: Error | undefined;
  try {
    await run(isSnapshot ? "begin isolation level repeatable read read only" : "begin");
    if (statementMs !== undefined) await run(`set local statement_timeout = ${Math.round(statementMs)}`);
    const result = await work(tx);
    await run("commit");
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

/** Lets go of the database, so that a command can end. */
export async function closePool(): Promise<void> {
  await shared.taktPool?.end();
  shared.taktPool = undefined;
}

/** A connection of its own for LISTEN, outside the pool. */
export const listenClient = () =>
  new Client({ connectionString: env().DATABASE_URL, application_name: "takt-web-listen", connectionTimeoutMillis: connectTimeoutMs, keepAlive: true });
