/** An embedded PostgreSQL 17 + TimescaleDB cluster in a data folder: made on first use, durable as in production, on 127.0.0.1 alone. */
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, renameSync, rmSync, statfsSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { totalmem } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { promisify } from "node:util";
import pg from "pg";
import { bareEnv } from "../env.ts";
import { messageOf, Trouble } from "../trouble.ts";
import type { Programs } from "./packages.ts";
import { childrenOf, freePort, gone, isAlive, isFree, isOurs, isRoot, launch, makeOwnedDir, own, prefix, signal, tailOf } from "./processes.ts";

const run = promisify(execFile);

/** Ports and passwords of one data folder, kept in it. */
export type PostgresSecrets = { port: number; superPassword: string; ownerPassword: string; taktPassword: string };
export type PostgresOptions = {
  dataDir: string;
  port?: number | undefined;
  /** postgresql.conf settings on top of the defaults, for measurements that say so. */
  settings?: Record<string, string> | undefined;
  /** Left running when this process ends. */
  detached: boolean;
  log: (line: string) => void;
};
export type Postgres = {
  /** As the application's role. */
  databaseUrl: string;
  /** As the role that owns the schema and migrates it. */
  migrateUrl: string;
  /** As the superuser, for tests that make databases of their own or end connections. */
  adminUrl: string;
  port: number;
  pid(): number;
  /** Ends the postmaster and all its processes at once, as a crash does. */
  kill9(): Promise<void>;
  /**
   * Orderly: open transactions are rolled back, connections closed, a checkpoint written. After `orderlyMs` (default 60 s) without
   * the checkpoint, which loses nothing but makes the next start recover.
   */
  stop(orderlyMs?: number): Promise<void>;
  /** Starts again on the same port and data; recovers first after a crash. */
  start(): Promise<void>;
};

const MB = 1024 * 1024;
/** A quarter of the memory, as PostgreSQL's manual advises, within what a demo beside other programs may take. */
const sharedBuffersMb = Math.max(128, Math.min(1024, Math.floor(totalmem() / MB / 16 / 64) * 64));
const defaults: Record<string, string> = {
  listen_addresses: "127.0.0.1",
  // Loopback with a password only: no socket file, whose path may not exceed 107 characters.
  unix_socket_directories: "",
  max_connections: "200",
  shared_buffers: `${sharedBuffersMb}MB`,
  effective_cache_size: `${sharedBuffersMb * 2}MB`,
  work_mem: "16MB",
  maintenance_work_mem: "128MB",
  max_wal_size: "2GB",
  min_wal_size: "256MB",
  checkpoint_timeout: "10min",
  fsync: "on",
  synchronous_commit: "on",
  full_page_writes: "on",
  jit: "off",
  // One lock per chunk and index touched: a query over months of chunks needs more than the default 64.
  max_locks_per_transaction: "256",
  max_worker_processes: "24",
  shared_preload_libraries: "timescaledb",
  "timescaledb.telemetry_level": "off",
  "timescaledb.max_background_workers": "8",
  timezone: "UTC",
  log_timezone: "UTC",
  log_line_prefix: "%m [%p] %u@%d ",
  log_checkpoints: "off",
  log_lock_waits: "on",
  cluster_name: "takt",
};

/** Makes the cluster if there is none, and starts it. */
export async function startPostgres(programs: Programs, options: PostgresOptions): Promise<Postgres> {
  const { dataDir, log } = options;
  if (!existsSync("/usr/share/zoneinfo/Europe/Berlin"))
    throw new Trouble("This machine has no time zone data (/usr/share/zoneinfo). Install it: apt-get install tzdata");
  makeOwnedDir(dataDir);
  const cluster = join(dataDir, "postgres");
  const logFile = join(dataDir, "postgres.log");
  // Before anything is written: a second start must not move the port away under the first.
  clearStaleLock(cluster, dataDir);
  const secrets = await readSecrets(dataDir, options.port);
  if (!existsSync(cluster)) await makeCluster(programs, dataDir, secrets, log);
  if (existsSync(logFile) && statSync(logFile).size > 50 * MB) truncateSync(logFile);
  let pid = 0;

  const start = async () => {
    clearStaleLock(cluster, dataDir);
    for (let attempt = 0; ; attempt++) {
      if (!(await isFree(secrets.port))) throw new Trouble(`Port ${secrets.port} on 127.0.0.1 is in use by another program; the database cannot start there.`);
      pid = await launch({ program: programs.postgres, args: ["-D", cluster], workDir: cluster, logFile, detached: options.detached, endSignal: "SIGINT" });
      const trouble = await readyOrTrouble(urlOf(secrets, "postgres", "postgres"), () => isAlive(pid), log);
      if (trouble === null) break;
      const said = tailOf(logFile);
      // After a crash, a process of the old server may need a moment to notice; it then lets go of the shared memory.
      if (/shared memory block .* in use/.test(said) && attempt < 50) await wait(100);
      else throw new Trouble(explain(said, dataDir) ?? `The database did not start (${trouble}). Its log ${logFile} ends with:\n  ${said}`);
    }
    await makeDatabase(secrets);
  };
  const stop = async (orderlyMs = 60_000) => {
    for (const [how, maxWaitMs] of [
      ["SIGINT", orderlyMs],
      ["SIGQUIT", 10_000],
      ["SIGKILL", 10_000],
    ] as const) {
      if (!isAlive(pid)) return;
      signal(pid, how);
      if (await gone(pid, maxWaitMs)) return;
    }
    throw new Trouble(`The database (process ${pid}) does not end.`);
  };
  const kill9 = async () => {
    const all = [pid, ...childrenOf(pid)];
    for (const one of all) signal(one, "SIGKILL");
    for (const one of all) await gone(one, 30_000);
  };

  writeSettings(cluster, { ...defaults, ...options.settings, port: String(secrets.port) });
  await start();
  return { ...postgresUrls(secrets), port: secrets.port, pid: () => pid, kill9, stop, start };
}

/** Addresses with their passwords: for the application, for migrations, and for the superuser. */
export const postgresUrls = (secrets: PostgresSecrets) => ({
  databaseUrl: urlOf(secrets, "takt", "takt"),
  migrateUrl: urlOf(secrets, "takt_owner", "takt"),
  adminUrl: urlOf(secrets, "postgres", "takt"),
});
type Role = "postgres" | "takt_owner" | "takt";
function urlOf(secrets: PostgresSecrets, role: Role, database: string): string {
  const password = { postgres: secrets.superPassword, takt_owner: secrets.ownerPassword, takt: secrets.taktPassword }[role];
  return `postgresql://${role}:${password}@127.0.0.1:${secrets.port}/${database}`;
}

/** The port (the one asked for, else the one it had before, else a free one) and the passwords of a data folder. */
export async function readSecrets(dataDir: string, port: number | undefined): Promise<PostgresSecrets> {
  const file = join(dataDir, "postgres.json");
  const kept = existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Partial<PostgresSecrets>) : null;
  const password = () => randomBytes(18).toString("base64url");
  const secrets = {
    superPassword: kept?.superPassword ?? password(),
    ownerPassword: kept?.ownerPassword ?? password(),
    taktPassword: kept?.taktPassword ?? password(),
    port: port ?? (await freePort(kept?.port)),
  };
  writeFileSync(file, JSON.stringify(secrets), { mode: 0o600 });
  return secrets;
}

/** A new cluster, made beside its place and moved there when it is whole: a kill in between leaves nothing half made. */
async function makeCluster(programs: Programs, dataDir: string, secrets: PostgresSecrets, log: (line: string) => void): Promise<void> {
  const { bavail, bsize } = statfsSync(dataDir);
  if (bavail * bsize < 200 * MB) throw new Trouble(`The disk that holds ${dataDir} is full (${Math.round((bavail * bsize) / MB)} MB left). Make room first.`);
  log("Making a database.");
  const fresh = join(dataDir, "postgres.new");
  const passwordFile = join(dataDir, "postgres.password");
  rmSync(fresh, { recursive: true, force: true });
  makeOwnedDir(fresh);
  writeFileSync(passwordFile, `${secrets.superPassword}\n`, { mode: 0o600 });
  own(passwordFile, 0o600);
  // C.UTF-8 of PostgreSQL's own: sorting does not depend on the machine's libraries.
  const args = [
    "-D",
    fresh,
    "--username=postgres",
    `--pwfile=${passwordFile}`,
    "--auth=scram-sha-256",
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
  ];
  const [command, ...words] = [...prefix({ reach: [dataDir, join(programs.initdb, "..")], signalAtOurEnd: "SIGTERM" }), programs.initdb, ...args];
  try {
    await run(command ?? programs.initdb, words, { cwd: fresh, env: bareEnv() });
  } catch (error) {
    const said = (error as { stderr?: string }).stderr ?? messageOf(error);
    throw new Trouble(explain(said, dataDir) ?? `The database could not be made: ${said.trim()}`);
  } finally {
    rmSync(passwordFile, { force: true });
  }
  renameSync(fresh, join(dataDir, "postgres"));
}

function writeSettings(cluster: string, settings: Record<string, string>): void {
  const file = join(cluster, "postgresql.auto.conf");
  const lines = Object.entries(settings).map(([name, value]) => `${name} = '${value.replaceAll("'", "''")}'`);
  writeFileSync(file, `# Written at every start.\n${lines.join("\n")}\n`);
  own(file, 0o600);
}

/** After a crash of the whole machine the id in postmaster.pid may by now belong to any other program of the same user. */
function clearStaleLock(cluster: string, dataDir: string): void {
  const file = join(cluster, "postmaster.pid");
  if (!existsSync(file)) return;
  const pid = Number(readFileSync(file, "utf8").split("\n")[0]);
  if (isOurs(pid, cluster)) throw new Trouble(`The database in ${dataDir} is already running (process ${pid}).`);
  rmSync(file);
}

/** Null once the server answers; recovery after a crash may take long, so it waits as long as the server is alive. */
async function readyOrTrouble(url: string, alive: () => boolean, log: (line: string) => void): Promise<string | null> {
  const startedAt = performance.now();
  let said = false;
  for (;;) {
    const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
    client.on("error", () => undefined); // the query below fails with it
    try {
      await client.connect();
      await client.query("SELECT 1");
      return null;
    } catch (error) {
      if (!alive()) return "it ended";
      const code = (error as { code?: string }).code;
      // Anything else passes: not listening yet, still starting up or recovering, reset while it changes from one to the other.
      if (code?.startsWith("28")) return "it refuses the password kept in postgres.json";
      if (!said && performance.now() - startedAt > 3_000) {
        said = true;
        log("The database recovers from a crash or hard stop; this may take a minute.");
      }
    } finally {
      await client.end();
    }
    await wait(30);
  }
}

/**
 * Roles, database and extension, each only if missing: the migration then needs no superuser. Data of before there were two roles are converted: their one
 * role becomes the owner, by a new name, and the application gets a new one by the old name.
 */
export async function makeDatabase(secrets: PostgresSecrets): Promise<void> {
  const as = async (database: string, work: (client: pg.Client) => Promise<void>) => {
    const client = new pg.Client({ connectionString: urlOf(secrets, "postgres", database) });
    await client.connect();
    try {
      await work(client);
    } finally {
      await client.end();
    }
  };
  await as("postgres", async (client) => {
    const { rows } = await client.query<{ owner: boolean; role: boolean; database: boolean }>(
      `SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = 'takt_owner') AS owner, EXISTS (SELECT FROM pg_roles WHERE rolname = 'takt') AS role,
         EXISTS (SELECT FROM pg_database WHERE datname = 'takt') AS database`,
    );
    let { owner, role, database } = rows[0] ?? { owner: false, role: false, database: false };
    const password = (text: string) => `PASSWORD ${client.escapeLiteral(text)}`;
    if (role && !owner) {
      await client.query("ALTER ROLE takt RENAME TO takt_owner");
      owner = true;
      role = false;
    }
    await client.query(`${owner ? "ALTER" : "CREATE"} ROLE takt_owner LOGIN ${password(secrets.ownerPassword)}`);
    if (!role) await client.query(`CREATE ROLE takt LOGIN ${password(secrets.taktPassword)}`);
    await client.query("GRANT pg_monitor TO takt, takt_owner");
    if (!database) await client.query("CREATE DATABASE takt OWNER takt_owner");
  });
  await as("takt", async (client) => {
    await client.query("CREATE EXTENSION IF NOT EXISTS timescaledb");
    // TimescaleDB schedules this one in the Apache edition too, where it can only fail and fill the log.
    await client.query(
      `UPDATE _timescaledb_config.bgw_job SET scheduled = false
       WHERE proc_name = 'policy_job_stat_history_retention' AND scheduled AND current_setting('timescaledb.license') = 'apache'`,
    );
    // The queue of converted data: the jobs put themselves into a new one, which is the application's.
    const { rows } = await client.query("SELECT FROM pg_namespace WHERE nspname = 'graphile_worker' AND nspowner = 'takt_owner'::regrole");
    if (rows.length > 0) await client.query("DROP SCHEMA graphile_worker CASCADE");
  });
}

/** The usual causes in one sentence; null for an unusual one. */
function explain(said: string, dataDir: string): string | null {
  if (/No space left on device/.test(said)) return `The disk that holds ${dataDir} is full. Make room and start again; what was committed is kept.`;
  if (/incompatible with server|database files are incompatible/.test(said))
    return `The data in ${dataDir} were written by another PostgreSQL version. Start over without them (npm run demo -- --fresh), or move the folder away.`;
  if (/has wrong ownership|Permission denied/.test(said))
    return `The data in ${dataDir} belong to another user${isRoot ? "" : " (were they made as root?)"}. Start as that user, or remove the folder.`;
  return null;
}
