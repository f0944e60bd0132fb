/** Is the web app fit to serve? For load balancers and for whoever operates it. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { buildId } from "#/server/build.ts";
import { type Db, db } from "#/server/db.ts";
import { isDatabaseAway } from "#/server/errors.ts";
import { logFault } from "#/server/log.ts";
import { workerHealth } from "#/server/workers/service.ts";

/** ok: the database answers and has every migration of this build. A worker that is away is told, but no other web app would help. */
export type Health = {
  ok: boolean;
  build: string;
  database: { ok: boolean; message: string | null };
  migrations: { ok: boolean; missing: string[] };
  workers: { name: string; alive: boolean; seenAt: string }[];
};

const noMigrations = { ok: false, missing: [] };

/** Does not throw. */
export async function health(now: Date): Promise<Health> {
  const build = buildId();
  try {
    const missing = await missingMigrations(db);
    const workers = missing.length > 0 ? [] : await workerHealth(db, now);
    return {
      ok: missing.length === 0,
      build,
      database: { ok: true, message: null },
      migrations: { ok: missing.length === 0, missing },
      workers: workers.map(({ name, alive, seenAt }) => ({ name, alive, seenAt: new Date(seenAt).toISOString() })),
    };
  } catch (error) {
    const away = isDatabaseAway(error);
    const errorId = logFault(error, "the health check failed");
    const message = away ? "The database cannot be reached." : `The database refused the check. Number in the log: ${errorId}.`;
    return { ok: false, build, database: { ok: false, message }, migrations: noMigrations, workers: [] };
  }
}

/** Names of this build's migrations that the database does not have. */
async function missingMigrations(on: Db): Promise<string[]> {
  const [table] = await on.rows<{ there: boolean }>("-- health.hasMigrations\nselect to_regclass('schema_migration') is not null as there");
  const applied = table?.there ? await on.rows<{ name: string }>("-- health.appliedMigrations\nselect name from schema_migration") : [];
  const names = new Set(applied.map((row) => row.name));
  return readdirSync(join(process.cwd(), "prisma/migrations"))
    .filter((file) => file.endsWith(".sql"))
    .map((file) => file.slice(0, -".sql".length))
    .filter((name) => !names.has(name))
    .sort();
}
