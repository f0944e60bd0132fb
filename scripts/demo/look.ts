/** What the demo asks the database: is anything live, and which boards are there. */
import { setTimeout as wait } from "node:timers/promises";
import pg from "pg";
import { Trouble } from "../trouble.ts";

async function ask<R extends pg.QueryResultRow>(databaseUrl: string, sql: string, parameters: unknown[] = []): Promise<R[]> {
  const client = new pg.Client({ connectionString: databaseUrl, application_name: "takt demo" });
  await client.connect();
  try {
    return (await client.query<R>(sql, parameters)).rows;
  } finally {
    await client.end();
  }
}

/**
 * When the first value from after `since` was seen stored, in ms of performance.now(). Machines and worker go by the clock of `since`.
 * Looks until `signal` ends it. @throws Trouble: none has come until then
 */
export async function firstValueAt(databaseUrl: string, since: Date, signal: AbortSignal, logFile: string): Promise<number> {
  while (!signal.aborted) {
    const rows = await ask(databaseUrl, "-- demo.firstValue\nSELECT FROM signal_latest WHERE at >= $1 AND received_at >= $1 LIMIT 1", [since]);
    if (rows.length > 0) return performance.now();
    await wait(200);
  }
  throw new Trouble(`No value has arrived yet. See ${logFile}.`);
}

/** The line boards by their path on the web, with the line's name. */
export const lineBoards = (databaseUrl: string) =>
  ask<{ path: string; name: string }>(
    databaseUrl,
    `-- demo.lineBoards
     SELECT '/board/' || site.key || '/' || area.key || '/' || line.key AS path, site.name || ', ' || line.name AS name
     FROM line JOIN area ON area.id = line.area_id JOIN site ON site.id = area.site_id
     WHERE line.retired_at IS NULL ORDER BY site.key, area.key, line.key`,
  );
