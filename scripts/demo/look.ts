/** What the demo asks the database: is anything live, and which boards are there. */
import { setTimeout as wait } from "node:timers/promises";
import pg from "pg";
import { Trouble } from "../trouble.ts";

async function ask<R extends pg.QueryResultRow>(databaseUrl: string, sql: string): Promise<R[]> {
  const client = new pg.Client({ connectionString: databaseUrl, application_name: "takt demo" });
  await client.connect();
  try {
    return (await client.query<R>(sql)).rows;
  } finally {
    await client.end();
  }
}

/** Waits until a value of the last minute is stored. */
export async function firstValue(databaseUrl: string, logFile: string): Promise<void> {
  const until = performance.now() + 60_000;
  while (performance.now() < until) {
    const rows = await ask(databaseUrl, "-- demo.firstValue\nSELECT FROM signal_latest WHERE received_at > now() - interval '1 minute' LIMIT 1");
    if (rows.length > 0) return;
    await wait(200);
  }
  throw new Trouble(`No value has arrived within 60 s. See ${logFile}.`);
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
