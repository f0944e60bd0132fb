/** The identity library's way to the database: our pool, and our rule that a change knows who makes it from where. */
import { AsyncLocalStorage } from "node:async_hooks";
import { Kysely, PostgresDialect } from "kysely";
import type { QueryResultRow } from "pg";
import { type Changing, change } from "#/server/audit/change.ts";
import { db } from "#/server/db.ts";

/** One request to the identity library. action: what the audit trail calls what it writes. claims: what a sign-in provider said of the person. */
export type Asking = Changing & { action: string; headers: Headers; claims: Record<string, unknown> | null };

const asking = new AsyncLocalStorage<Asking>();

export const whileAsking = <Result>(request: Asking, work: () => Promise<Result>): Promise<Result> => asking.run(request, work);

/** @throws Error outside of a request: nothing of the library runs without one */
export function asked(): Asking {
  const request = asking.getStore();
  if (!request) throw new Error("The identity library was used outside of a request.");
  return request;
}

const isRead = (sql: string): boolean => /^\s*select\b/i.test(sql);

/** Each of its statements stands alone: reads go to the pool, writes are changes by whoever asks. */
async function query<Row extends QueryResultRow>(sql: string, parameters: readonly unknown[] = []) {
  const named = `-- identity.betterAuth\n${sql}`;
  const rows = isRead(sql) ? await db.rows<Row>(named, parameters) : await change(asked(), { action: asked().action }, (tx) => tx.rows<Row>(named, parameters));
  return { command: "SELECT" as const, rowCount: rows.length, rows };
}

/** What the library takes for a pool. It begins no transactions of its own (auth.ts). */
const pool = {
  connect: async () => ({ query: query as never, release: () => undefined }),
  end: async () => undefined,
};

export const library = (): Kysely<unknown> => new Kysely({ dialect: new PostgresDialect({ pool }) });
