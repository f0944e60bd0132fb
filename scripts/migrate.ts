/**
 * npm run migrate: brings the database to the schema of prisma/migrations. Plain SQL, upwards only, each file in one transaction. As the role of
 * MIGRATE_DATABASE_URL, which owns the schema; the role of DATABASE_URL, the application's, is given what it needs.
 */
import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { runner } from "node-pg-migrate";
import pg from "pg";
import { env, projectRoot } from "./env.ts";
import { admitApplication } from "./migrate/roles.ts";
import { splitStatements } from "./migrate/statements.ts";
import { keepTexts, refuseChanged } from "./migrate/texts.ts";
import { failWith, messageOf, Trouble } from "./trouble.ts";

const minPostgres = 15;
/** The first TimescaleDB for PostgreSQL 16 and with the present form of hypertable creation. */
const minTimescale = [2, 14] as const;
const table = "schema_migration";

type Options = {
  log: (line: string) => void;
  /** Address with the application's role, DATABASE_URL; left out: the same role owns and uses the tables. */
  application?: string | undefined;
  /** False: without the queue of the jobs, which a test does not need. */
  queue?: boolean;
  /** Folder of the SQL files. */
  dir?: string;
  /** How long an unreachable database is tried again. */
  maxWaitMs?: number;
};

/**
 * Applies what is missing and returns the names of the files applied. Two at once wait for each other.
 * Throws `Trouble`: unreachable, sign-in refused, too old, extension missing, newer than this program, made with another text of a migration, or the file
 * and statement that failed (which then has left nothing behind).
 */
export async function migrate(databaseUrl: string, options: Options): Promise<string[]> {
  const { log, application, queue = true, dir = join(projectRoot, "prisma/migrations"), maxWaitMs = 30_000 } = options;
  const variable = application === undefined || application === databaseUrl ? "DATABASE_URL" : "MIGRATE_DATABASE_URL";
  const client = await connect(databaseUrl, variable, maxWaitMs, log);
  try {
    await checkServer(client);
    // Another one that starts now sees what was applied and its text together. Ends with the connection.
    await client.query("-- migrate.lockTexts\nSELECT pg_advisory_lock(hashtext('takt.migrate'))");
    await refuseNewer(client, dir);
    await refuseChanged(client, table, dir);
    const applied = await apply(client, dir);
    await keepTexts(client, table, dir, applied, log);
    log(applied.length > 0 ? `Applied ${applied.join(", ")}.` : "The schema is up to date.");
    await switchOnColumnstore(client, log);
    await admitApplication(client, application, { log, queue });
    return applied;
  } finally {
    await client.end();
  }
}

async function connect(databaseUrl: string, variable: string, maxWaitMs: number, log: (line: string) => void): Promise<pg.Client> {
  const until = performance.now() + maxWaitMs;
  const address = addressOf(databaseUrl, variable);
  for (let told = false; ; told = true) {
    const client = new pg.Client({ connectionString: databaseUrl, connectionTimeoutMillis: 10_000, application_name: "takt migrate" });
    client.on("error", () => undefined); // the statement under way fails with it
    try {
      await client.connect();
      return client;
    } catch (error) {
      await client.end();
      const code = (error as { code?: string }).code ?? "";
      if (code.startsWith("28"))
        throw new Trouble(`The database at ${address} refuses the sign-in: ${messageOf(error)}. Check user and password in ${variable}.`);
      if (code === "3D000") throw new Trouble(`${messageOf(error)} at ${address}. Create it, or check the name in ${variable}.`);
      if (performance.now() > until)
        throw new Trouble(`The database at ${address} cannot be reached (${messageOf(error)}). Is it running, and is ${variable} right?`);
      if (!told) log(`The database at ${address} does not answer yet (${messageOf(error)}); trying for ${Math.round(maxWaitMs / 1000)} s.`);
      await wait(500);
    }
  }
}

/** Host, port and database, without the password. */
function addressOf(databaseUrl: string, variable: string): string {
  try {
    const url = new URL(databaseUrl);
    if (!/^postgres(ql)?:$/.test(url.protocol)) throw new Error("another protocol");
    return `${url.hostname}:${url.port || 5432}${url.pathname}`;
  } catch {
    throw new Trouble(`${variable} is not an address of the form postgresql://user:password@host:5432/database.`);
  }
}

async function checkServer(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ server: string; number: number; timescale: string | null; available: boolean }>(
    `-- migrate.server
     SELECT current_setting('server_version') AS server, current_setting('server_version_num')::int AS number,
       (SELECT extversion FROM pg_extension WHERE extname = 'timescaledb') AS timescale,
       EXISTS (SELECT FROM pg_available_extensions WHERE name = 'timescaledb') AS available`,
  );
  const row = rows[0];
  if (!row) throw new Error("The server told nothing of itself.");
  if (row.number < minPostgres * 10_000) throw new Trouble(`This database is PostgreSQL ${row.server}; Takt needs ${minPostgres} or later.`);
  if (!row.available && !row.timescale)
    throw new Trouble("TimescaleDB is not installed on this database server. Install it and add it to shared_preload_libraries.");
  const [major = 0, minor = 0] = (row.timescale ?? (await createExtension(client))).split(".").map(Number);
  if (major < minTimescale[0] || (major === minTimescale[0] && minor < minTimescale[1])) {
    throw new Trouble(
      `This database has TimescaleDB ${row.timescale}; Takt needs ${minTimescale.join(".")} or later. Update the package, then: ALTER EXTENSION timescaledb UPDATE`,
    );
  }
}

/** Tries to switch the extension on, as the owner of a database may; returns its version. */
async function createExtension(client: pg.Client): Promise<string> {
  try {
    await client.query("CREATE EXTENSION timescaledb");
  } catch (error) {
    throw new Trouble(
      `TimescaleDB is not switched on in this database, and this user may not do it (${messageOf(error)}). As superuser run: CREATE EXTENSION timescaledb`,
    );
  }
  const { rows } = await client.query<{ version: string }>("SELECT extversion AS version FROM pg_extension WHERE extname = 'timescaledb'");
  return rows[0]?.version ?? "0";
}

/** An older program on a newer schema could write what the newer one does not expect. */
async function refuseNewer(client: pg.Client, dir: string): Promise<void> {
  const { rows: present } = await client.query("SELECT FROM pg_tables WHERE schemaname = 'public' AND tablename = $1", [table]);
  if (present.length === 0) return;
  const known = new Set(readdirSync(dir).map((name) => basename(name, ".sql")));
  const { rows } = await client.query<{ name: string }>(`SELECT name FROM public.${table} ORDER BY id`);
  const unknown = rows.filter(({ name }) => !known.has(name)).map(({ name }) => name);
  if (unknown.length > 0) throw new Trouble(`The database is newer than this program (it has ${unknown.join(", ")}). Start the newer version of Takt.`);
}

async function apply(client: pg.Client, dir: string): Promise<string[]> {
  let current = "";
  // The runner names the file that it begins with, and nothing at a failure.
  const note = (line: string) => {
    current = /### MIGRATION (\S+) \(UP\)/.exec(line)?.[1] ?? current;
  };
  try {
    const done = await runner({
      dbClient: client,
      dir,
      ignorePattern: "(?!.*\\.sql$).*",
      migrationsTable: table,
      direction: "up",
      checkOrder: true,
      singleTransaction: false,
      advisoryLockMode: "wait",
      logger: { info: note, warn: () => undefined, error: () => undefined },
    });
    return done.map(({ name }) => name);
  } catch (error) {
    await client.query("ROLLBACK");
    if (!(error instanceof pg.DatabaseError)) throw current === "" ? new Trouble(messageOf(error)) : error;
    throw new Trouble(`${current}.sql failed and left nothing behind. ${await failedStatement(client, join(dir, `${current}.sql`), error)}`);
  }
}

/** The server does not say which of a file's statements failed, so they are run one by one and all rolled back. */
async function failedStatement(client: pg.Client, file: string, error: pg.DatabaseError): Promise<string> {
  const statements = splitStatements(readFileSync(file, "utf8"));
  await client.query("BEGIN");
  try {
    for (const { text, line } of statements) {
      try {
        await client.query(text);
      } catch (again) {
        return `Line ${line}: ${messageOf(again)}\n  ${text.split("\n").slice(0, 6).join("\n  ")}`;
      }
    }
  } finally {
    await client.query("ROLLBACK");
  }
  return messageOf(error);
}

/** Where the community licence is present, old chunks go to the columnstore; elsewhere the function says so and does nothing. */
async function switchOnColumnstore(client: pg.Client, log: (line: string) => void): Promise<void> {
  const { rows } = await client.query<{ present: boolean; license: string | null }>(
    "SELECT to_regprocedure('takt_columnstore_on()') IS NOT NULL AS present, current_setting('timescaledb.license', true) AS license",
  );
  if (!rows[0]?.present || rows[0].license !== "timescale") return;
  const { rows: said } = await client.query<{ what: string }>("SELECT takt_columnstore_on() AS what");
  log(`${said[0]?.what}.`);
}

if (process.argv[1] === import.meta.filename) {
  try {
    if (!env.databaseUrl) throw new Trouble("DATABASE_URL is not set. Set it to your database, or start the embedded one with: npm run embedded -- up");
    await migrate(env.migrateDatabaseUrl ?? env.databaseUrl, { log: console.log, application: env.databaseUrl });
  } catch (error) {
    failWith(error);
  }
}
