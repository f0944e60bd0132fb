/** Database, broker and workers of one test: all real, all its own, all gone at the end. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connectAsync, type MqttClient } from "mqtt";
import pg from "pg";
import { type Embedded, type EmbeddedOptions, startEmbedded } from "#/scripts/embedded/start.ts";
import { migrate } from "#/scripts/migrate.ts";
import { addLine, noIds, type PlantIds, type SignalRow } from "./plant.ts";
import { WorkerProcess } from "./worker.ts";

/** What every machine of a rig sends. */
export const pressSignals: readonly SignalRow[] = [
  { key: "good", role: "good_count" },
  { key: "rolls", role: "total_count", counterModulus: 10_000 },
  { key: "scrap", role: "reject_count", counterMode: "increment" },
  { key: "job", role: "job" },
  { key: "state", role: "state" },
  { key: "temperature", role: "measurement", lowLimit: -40, highLimit: 400 },
];

export class Rig {
  readonly embedded: Embedded;
  readonly pool: pg.Pool;
  readonly ids: PlantIds = noIds();
  /** Gone at the end. */
  readonly dataDir: string;
  private readonly workers: WorkerProcess[] = [];
  private sender: MqttClient | null = null;

  private constructor(embedded: Embedded, dataDir: string) {
    this.embedded = embedded;
    this.dataDir = dataDir;
    this.pool = new pg.Pool({ connectionString: embedded.databaseUrl, max: 6, application_name: "test" });
    this.pool.on("error", () => undefined); // the database is killed on purpose; the query under way fails with it
  }

  static async start(options: Partial<EmbeddedOptions> = {}): Promise<Rig> {
    const dataDir = mkdtempSync(join(tmpdir(), "takt-ingest-"));
    process.once("exit", () => rmSync(dataDir, { recursive: true, force: true })); // of a run that is broken off
    const embedded = await startEmbedded({ ...options, dataDir });
    await migrate(embedded.migrateUrl, { application: embedded.databaseUrl, log: () => undefined });
    return new Rig(embedded, dataDir);
  }

  /** A line of presses in site/area/line; returns the machines' topics. */
  async line(path: string, machines: readonly string[]): Promise<string[]> {
    const [site = "", area = "", line = ""] = path.split("/");
    await addLine(this.pool, { site, area, line, machines: Object.fromEntries(machines.map((key) => [key, pressSignals])) }, this.ids);
    return machines.map((key) => `takt/v1/${path}/${key}`);
  }

  async worker(env: Record<string, string> = {}): Promise<WorkerProcess> {
    const worker = await WorkerProcess.start({ DATABASE_URL: this.embedded.databaseUrl, MQTT_URL: this.embedded.mqttUrl, ...env });
    this.workers.push(worker);
    return worker;
  }

  /** A client of its own for the test; ended with the rig by the broker's end. */
  async publish(topic: string, payload: unknown, { retain = false }: { retain?: boolean } = {}): Promise<void> {
    this.sender ??= await connectAsync(this.embedded.mqttUrl, { protocolVersion: 5 });
    await this.sender.publishAsync(topic, typeof payload === "string" || Buffer.isBuffer(payload) ? payload : JSON.stringify(payload), { qos: 1, retain });
  }

  /** As the owner of the schema: what the application's role may not do. */
  async asOwner(sql: string): Promise<void> {
    const owner = new pg.Client({ connectionString: this.embedded.migrateUrl });
    await owner.connect();
    try {
      await owner.query(sql);
    } finally {
      await owner.end();
    }
  }

  async rows<R extends pg.QueryResultRow>(sql: string, values: unknown[] = []): Promise<R[]> {
    return (await this.pool.query<R>(sql, values)).rows;
  }

  /** Values of a signal in order of their instants; path site/area/line/machine/signal. */
  async values(path: string): Promise<(number | string | null)[]> {
    const rows = await this.rows<{ v: number | string | null; n: number | null }>(
      `select coalesce(value::text, text_value) as v, value as n from ledger_sample where signal_id = $1
       union all select value::text, value from sample where signal_id = $1`,
      [this.ids.signals.get(path)],
    );
    return rows.map(({ v, n }) => n ?? v);
  }

  async count(table: string): Promise<number> {
    const [row] = await this.rows<{ n: number }>(`select count(*)::int as n from ${table}`);
    return row?.n ?? 0;
  }

  /** Kills what workers there are; between tests. */
  async killWorkers(): Promise<void> {
    await Promise.all(this.workers.splice(0).map((worker) => worker.kill9()));
  }

  async stop(): Promise<void> {
    await this.killWorkers();
    await this.sender?.endAsync(true);
    await this.pool.end();
    await this.embedded.stop();
    rmSync(this.dataDir, { recursive: true, force: true });
  }
}
