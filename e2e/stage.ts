/** What the specs act with: a web app and a worker of their own that they may stop, the broker, and the database. */
import { type ChildProcess, spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connectAsync, type MqttClient } from "mqtt";
import pg from "pg";
import { authSecret } from "./people.ts";
import { commonStore, root, type Store, startStore, stopStore } from "./store.ts";

async function connected({ databaseUrl }: Store): Promise<pg.Client> {
  const db = new pg.Client({ connectionString: databaseUrl });
  await db.connect();
  return db;
}

async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(10_000, 32_000);
    const server = createServer().listen(port, "127.0.0.1");
    const isFree = await once(server, "listening").then(
      () => true,
      () => false,
    );
    if (!isFree) continue;
    server.close();
    await once(server, "close");
    return port;
  }
}

async function until(what: string, is: () => Promise<boolean>, withinMs = 30_000): Promise<void> {
  const end = Date.now() + withinMs;
  while (!(await is().catch(() => false))) {
    if (Date.now() > end) throw new Error(`Not within ${withinMs / 1000} s: ${what}`);
    await new Promise((done) => setTimeout(done, 100));
  }
}

/** A program of the project that can be stopped and started again, with the same surroundings. */
class Program {
  private child: ChildProcess | null = null;
  private output = "";
  private readonly args: string[];
  private readonly options: { cwd: string; env: Record<string, string> };
  private readonly isUp: () => Promise<boolean>;

  constructor(args: string[], options: { cwd: string; env: Record<string, string> }, isUp: () => Promise<boolean>) {
    this.args = args;
    this.options = options;
    this.isUp = isUp;
  }

  async start(): Promise<void> {
    const child = spawn(process.execPath, this.args, {
      cwd: this.options.cwd,
      env: { ...process.env, ...this.options.env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.child = child;
    const keep = (text: Buffer) => {
      this.output = (this.output + text).slice(-4_000);
    };
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    await until(`${this.args[0]} answers`, async () => {
      if (child.exitCode !== null) throw new Error(this.output);
      return this.isUp();
    }).catch((error: Error) => {
      throw new Error(`${error.message}\n${this.output}`);
    });
  }

  /** @throws Error where it has not ended within 10 s; it has then. */
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    const child = this.child;
    this.child = null;
    if (!child || child.exitCode !== null) return;
    const ended = once(child, "exit");
    child.kill(signal);
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      child.kill("SIGKILL");
    }, 10_000);
    await ended;
    clearTimeout(timer);
    if (isLate) throw new Error(`${this.args[0]} did not end within 10 s of ${signal}.`);
  }
}

export class Stage {
  readonly url: string;
  readonly folder: string;
  readonly web: Program;
  readonly worker: Program;
  readonly store: Store;
  private db: pg.Client;
  readonly mqtt: MqttClient;
  private readonly counts = new Map<string, number>();

  private constructor(store: Store, url: string, folder: string, web: Program, worker: Program, db: pg.Client, mqtt: MqttClient) {
    this.store = store;
    this.url = url;
    this.folder = folder;
    this.web = web;
    this.worker = worker;
    this.db = db;
    this.mqtt = mqtt;
  }

  /** Web app and worker running, on the database and broker of the tests. */
  static async open(
    options: {
      worker?: boolean /** More of the web app's environment, once its address is known. */;
      env?: (url: string) => Promise<Record<string, string>>;
      /** Another database and broker than those of setup.ts. */
      store?: Store;
    } = {},
  ): Promise<Stage> {
    const store = options.store ?? commonStore();
    const { databaseUrl, mqttUrl } = store;
    // A copy of its own, so that a test may make another build of it.
    const folder = mkdtempSync(join(tmpdir(), "takt-web-"));
    cpSync(join(root, ".next/standalone"), folder, { recursive: true, verbatimSymlinks: true });
    cpSync(join(root, ".next/static"), join(folder, ".next/static"), { recursive: true });
    const [port, workerPort] = [await freePort(), await freePort()];
    const url = `http://127.0.0.1:${port}`;
    const ok = (address: string) => async () => (await fetch(address)).ok;
    const web = new Program(
      ["server.js"],
      {
        cwd: folder,
        env: {
          DATABASE_URL: databaseUrl,
          AUTH_SECRET: authSecret,
          PORT: String(port),
          HOSTNAME: "127.0.0.1",
          NODE_ENV: "production",
          LOG_LEVEL: "warn",
          ...(await options.env?.(url)),
        },
      },
      ok(`${url}/api/health`),
    );
    const workerEnv = {
      DATABASE_URL: databaseUrl,
      MQTT_URL: mqttUrl,
      INGEST_HTTP_PORT: String(workerPort),
      INGEST_TOPICS: "takt/v1/#,plc7/#",
      LOG_LEVEL: "warn",
    };
    const worker = new Program(["ingest-worker/main.ts"], { cwd: root, env: workerEnv }, ok(`http://127.0.0.1:${workerPort}/ready`));
    const stage = new Stage(store, url, folder, web, worker, await connected(store), await connectAsync(mqttUrl));
    try {
      await web.start();
      if (options.worker !== false) await worker.start();
    } catch (error) {
      await stage.close();
      throw error;
    }
    return stage;
  }

  async close(): Promise<void> {
    await this.mqtt.endAsync();
    await this.web.stop("SIGKILL");
    await this.worker.stop();
    await this.db.end();
    rmSync(this.folder, { recursive: true, force: true });
  }

  async publish(topic: string, payload: unknown): Promise<void> {
    await this.mqtt.publishAsync(topic, payload instanceof Buffer ? payload : JSON.stringify(payload), { qos: 1 });
  }

  /** What a machine says of itself now. `pieces`: good ones more than before. */
  async say(machine: string, what: { state?: string; pieces?: number; fault?: string; ts?: number }): Promise<void> {
    const good = (this.counts.get(machine) ?? 0) + (what.pieces ?? 0);
    this.counts.set(machine, good);
    const { state, fault, ts = Date.now() } = what;
    await this.publish(`takt/v1/works/hall/${machine}`, { ts, good, ...(state ? { state } : {}), ...(fault !== undefined ? { fault } : {}) });
  }

  async rows<Row extends object>(sql: string, parameters: unknown[] = []): Promise<Row[]> {
    return (await this.db.query<Row & pg.QueryResultRow>(sql, parameters)).rows;
  }

  /** Stops the database and the broker, does `meanwhile`, and starts them again where they were. */
  async restartDatabase(meanwhile: () => Promise<void>): Promise<void> {
    await this.db.end();
    await stopStore(this.store);
    try {
      await meanwhile();
    } finally {
      await startStore(this.store.name);
      this.db = await connected(this.store);
    }
  }

  /** As the owner of the schema: what the application's role may not do. */
  async asOwner(sql: string): Promise<void> {
    const owner = new pg.Client({ connectionString: this.store.migrateUrl });
    await owner.connect();
    try {
      await owner.query(sql);
    } finally {
      await owner.end();
    }
  }
}
