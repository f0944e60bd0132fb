// What a figure is measured on: a database and a broker of its own, the worker as `npm run ingest` starts it, and the load generator.
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as wait } from "node:timers/promises";
import { promisify } from "node:util";
import pg from "pg";
import { childrenOf, freePort, gone, isAlive } from "#/scripts/embedded/processes.ts";
import { type Embedded, startEmbedded } from "#/scripts/embedded/start.ts";
import { childEnv, env, projectRoot } from "#/scripts/env.ts";
import { migrate } from "#/scripts/migrate.ts";
import { messageOf, Trouble } from "#/scripts/trouble.ts";
import { type LoadMode, type LoadStats, loadPlantText } from "#/simulator/load.ts";
import type { Cast } from "./cpu.ts";

const run = promisify(execFile);

export type RigOptions = {
  /** For its folder and its messages. */
  name: string;
  mode: LoadMode;
  profile: boolean;
  postgresSettings?: Record<string, string>;
  say: (line: string) => void;
};

/** Values by outcome, from the worker's /metrics. */
export type Settled = { received: number; written: number; duplicate: number; setAside: number; held: number };
/** What was sent. values: with those that births carry. */
export type Sent = { values: number; messages: number; seconds: number };
export type Load = { pid: number; sent: Promise<Sent> /** Values sent so far, as told each second. */; soFar(): number; stop(): void };

const ingestName = "bench";
/** The plant: two of a machine's ten signals are of class ledger. */
const lines = 20;
const machines = 10;
const valuesOfBirth = machines * 10;
/** Values that the load may be ahead of what is committed: half a second's worth and what the worker itself holds, so that the worker never waits. */
const ahead: Record<LoadMode, number> = { single: 40_000, batch100: 250_000, sparkplug100: 250_000 };

export class Rig {
  readonly embedded: Embedded;
  /** As the application's role, for looking at what was stored. */
  readonly db: pg.Client;
  readonly folder: string;
  private readonly options: RigOptions;
  private npm: ChildProcess | null = null;
  private readonly httpPort: number;
  private workerPid = 0;
  private load: Load | null = null;
  private readonly cleanUp: () => void;

  private constructor(options: RigOptions, embedded: Embedded, db: pg.Client, folder: string, httpPort: number) {
    this.options = options;
    this.embedded = embedded;
    this.db = db;
    this.folder = folder;
    this.httpPort = httpPort;
    this.cleanUp = () => {
      this.load?.stop();
      this.npm?.kill("SIGKILL");
    };
    process.once("exit", this.cleanUp);
  }

  /** Starts all of it but the load. */
  static async start(options: RigOptions): Promise<Rig> {
    const folder = join(env.stateDir, "bench", `${options.name}-${process.pid}`);
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    options.say("starting a database and a broker");
    const libraries: Record<string, string> = options.profile ? { shared_preload_libraries: "timescaledb,pg_stat_statements" } : {};
    const embedded = await startEmbedded({ dataDir: join(folder, "data"), postgresSettings: { ...libraries, ...options.postgresSettings } });
    try {
      await migrate(embedded.migrateUrl, { application: embedded.databaseUrl, log: () => undefined });
      if (options.profile) await asAdmin(embedded, (admin) => admin.query("create extension pg_stat_statements"));
      const db = new pg.Client({ connectionString: embedded.databaseUrl, application_name: "takt-bench" });
      await db.connect();
      await db.query("set timezone = 'UTC'");
      await applyPlant(folder, embedded.databaseUrl, options.mode);
      const rig = new Rig(options, embedded, db, folder, await freePort());
      await rig.startWorker();
      return rig;
    } catch (error) {
      await embedded.stop();
      throw error;
    }
  }

  /** Settings that make a commit durable, as the server has them. */
  async durability(): Promise<string> {
    const { rows } = await this.db.query<{ name: string; setting: string }>(
      "select name, setting from pg_settings where name in ('fsync', 'synchronous_commit', 'full_page_writes') order by name",
    );
    return rows.map(({ name, setting }) => `${name} ${setting}`).join(", ");
  }

  private async startWorker(): Promise<void> {
    const log = openSync(join(this.folder, "worker.log"), "a");
    const profiling: Record<string, string> = this.options.profile ? { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${join(this.folder, "profile")}` } : {};
    const words = [process.execPath, "scripts/run.mjs", "ingest"];
    if (existsSync("/usr/bin/setpriv")) words.unshift("setpriv", "--pdeathsig=TERM", "--"); // ends with us however we end
    const npm = spawn(words[0]!, words.slice(1), {
      cwd: projectRoot,
      stdio: ["ignore", log, log],
      env: childEnv({
        DATABASE_URL: this.embedded.databaseUrl,
        MQTT_URL: this.embedded.mqttUrl,
        INGEST_NAME: ingestName,
        INGEST_HTTP_PORT: String(this.httpPort),
        LOG_LEVEL: "info",
        ...profiling,
      }),
    });
    this.npm = npm;
    for (let tries = 0; ; tries++) {
      if (npm.exitCode !== null || tries > 300)
        throw new Trouble(`The worker did not start:\n${readFileSync(join(this.folder, "worker.log"), "utf8").slice(-2000)}`);
      await wait(100);
      if (await this.isReady()) break;
    }
    const [worker] = childrenOf(npm.pid!);
    if (worker === undefined) throw new Trouble("The worker's process was not found.");
    this.workerPid = worker;
  }

  private async isReady(): Promise<boolean> {
    try {
      const answer = await fetch(`http://127.0.0.1:${this.httpPort}/ready`);
      const ready = (await answer.json()) as { sparkplug?: boolean };
      return answer.ok && (this.options.mode !== "sparkplug100" || ready.sparkplug === true);
    } catch {
      return false; // not listening yet
    }
  }

  get worker(): number {
    return this.workerPid;
  }

  async cast(): Promise<Cast> {
    const { postgres, broker } = this.embedded.pids;
    return { postgres, broker, worker: this.workerPid, load: this.load?.pid ?? null, writer: await this.writerPid() };
  }

  /** The database's process that the worker writes through. null: it has none now, or it is in a container. */
  async writerPid(): Promise<number | null> {
    if (this.embedded.pids.postgres === 0) return null;
    const { rows } = await this.db.query<{ pid: number }>("select pid from pg_stat_activity where application_name = $1", [`takt-ingest ${ingestName}`]);
    return rows[0]?.pid ?? null;
  }

  get metricsUrl(): string {
    return `http://127.0.0.1:${this.httpPort}/metrics`;
  }

  async settled(): Promise<Settled> {
    const text = await (await fetch(this.metricsUrl)).text();
    const sum = (name: string) =>
      [...text.matchAll(new RegExp(`^takt_ingest_values_${name}(?:\\{[^}]*\\})? (\\S+)$`, "gm"))].reduce((all, [, value]) => all + Number(value), 0);
    return {
      received: sum("received_total"),
      written: sum("written_total"),
      duplicate: sum("duplicate_total"),
      setAside: sum("set_aside_total"),
      held: sum("held"),
    };
  }

  /** Starts the load generator; one at a time. rate: values a second; null: as fast as the worker goes. */
  startLoad({ seconds, rate }: { seconds: number; rate: number | null }): Load {
    const { mode } = this.options;
    const pace = rate === null ? ["--metrics", this.metricsUrl, "--ahead", String(ahead[mode])] : ["--rate", String(Math.round(rate))];
    const args = ["simulator/load.ts", "--mode", mode, "--lines", String(lines), "--machines", String(machines), "--for", `${seconds}s`, ...pace];
    const child = spawn(process.execPath, args, {
      cwd: projectRoot,
      stdio: ["ignore", "pipe", "pipe"],
      env: childEnv({ MQTT_URL: this.embedded.mqttUrl }),
    });
    const errors: string[] = [];
    let last: LoadStats | null = null;
    createInterface({ input: child.stdout }).on("line", (line) => {
      last = JSON.parse(line) as LoadStats;
    });
    createInterface({ input: child.stderr }).on("line", (line) => errors.push(line));
    const sent = new Promise<Sent>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code) => {
        this.load = null;
        if (code === 0 && last) resolve({ values: valuesOf(last), messages: last.messages + last.births, seconds: last.seconds });
        else reject(new Trouble(`The load generator ended with code ${code}: ${errors.join("; ")}`));
      });
    });
    sent.catch(() => undefined); // whoever awaits it hears of it; it may fail before that
    this.load = { pid: child.pid!, sent, soFar: () => (last ? valuesOf(last) : 0), stop: () => void child.kill("SIGTERM") };
    return this.load;
  }

  /** Waits until the worker has settled what was sent. False: it has not within `maxWaitS`. */
  async drained(values: number, maxWaitS: number): Promise<boolean> {
    const until = performance.now() + maxWaitS * 1000;
    for (;;) {
      const { written, duplicate, setAside } = await this.settled();
      if (written + duplicate + setAside >= values) return true;
      if (performance.now() > until) return false;
      await wait(100);
    }
  }

  /** Rows in both hypertables. */
  async stored(): Promise<number> {
    const { rows } = await this.db.query<{ n: string }>("-- bench.stored\nselect (select count(*) from sample) + (select count(*) from ledger_sample) as n");
    return Number(rows[0]!.n);
  }

  /** Readings written so far by the database's own books, and its clock (ms); cheap enough for the middle of a measurement. */
  async committed(): Promise<{ values: number; atMs: number }> {
    const { rows } = await this.db.query<{ n: string; at: number }>(
      "-- bench.committed\nselect coalesce(sum(values_total), 0) as n, extract(epoch from statement_timestamp())::float8 * 1000 as at from signal_latest",
    );
    return { values: Number(rows[0]!.n), atMs: rows[0]!.at };
  }

  /** Milliseconds of the mean flush of the write-ahead log; needs track_wal_io_timing. */
  async meanFlushMs(): Promise<number> {
    const { rows } = await this.db.query<{ ms: number | null }>("-- bench.meanFlush\nselect wal_sync_time / nullif(wal_sync, 0) as ms from pg_stat_wal");
    return rows[0]?.ms ?? 0;
  }

  async asAdmin<T>(work: (admin: pg.Client) => Promise<T>): Promise<T> {
    return asAdmin(this.embedded, work);
  }

  /** Ends the worker in order, so that it writes what it holds, and a profile where one was asked for. */
  async stopWorker(): Promise<void> {
    const npm = this.npm;
    if (!npm || npm.exitCode !== null) return;
    npm.kill("SIGTERM");
    if (!(await gone(this.workerPid, 20_000))) process.kill(this.workerPid, "SIGKILL");
    await gone(npm.pid!, 5_000);
    this.npm = null;
  }

  /** Ends and removes all of it. */
  async stop(): Promise<void> {
    process.removeListener("exit", this.cleanUp);
    const { load } = this;
    if (load && isAlive(load.pid)) {
      load.stop();
      await gone(load.pid, 5_000);
    }
    await this.stopWorker();
    await this.db.end();
    await this.embedded.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

async function asAdmin<T>(embedded: Embedded, work: (admin: pg.Client) => Promise<T>): Promise<T> {
  const admin = new pg.Client({ connectionString: embedded.postgres.adminUrl });
  await admin.connect();
  try {
    return await work(admin);
  } finally {
    await admin.end();
  }
}

const valuesOf = ({ values, births }: LoadStats): number => values + births * valuesOfBirth;

/** The load's own plant file, by the command that everybody uses. */
async function applyPlant(folder: string, databaseUrl: string, mode: LoadMode): Promise<void> {
  const file = join(folder, "plant.yaml");
  writeFileSync(file, loadPlantText(mode, lines, machines));
  try {
    await run(process.execPath, ["scripts/run.mjs", "plant", "apply", file, "--yes"], { cwd: projectRoot, env: childEnv({ DATABASE_URL: databaseUrl }) });
  } catch (error) {
    throw new Trouble(`The load's plant could not be applied: ${(error as { stderr?: string }).stderr ?? messageOf(error)}`);
  }
}
