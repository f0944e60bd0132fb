// The simulator's command against a real broker: what it publishes is what it says it published.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connectAsync, type MqttClient } from "mqtt";
import pg from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Embedded, startEmbedded } from "#/scripts/embedded/start.ts";
import { childEnv } from "#/scripts/env.ts";
import { migrate } from "#/scripts/migrate.ts";
import { until } from "#/scripts/soak/until.ts";
import { WorkerProcess } from "#/scripts/soak/worker.ts";
import { runLoad } from "#/simulator/load/run.ts";

const dir = mkdtempSync(join(tmpdir(), "takt-simulator-"));
let embedded: Embedded;
let reader: MqttClient;
let messages: { topic: string; payload: string }[] = [];
let children: ChildProcess[] = [];

beforeAll(async () => {
  embedded = await startEmbedded({ dataDir: join(dir, "embedded") });
});
afterAll(async () => {
  await embedded.stop();
  rmSync(dir, { recursive: true, force: true });
});
beforeEach(async () => {
  messages = [];
  reader = await connectAsync(embedded.mqttUrl, { clean: true });
  reader.on("message", (topic, payload) => messages.push({ topic, payload: payload.toString("utf8") }));
  await reader.subscribeAsync("takt/v1/#", { qos: 1 });
});
afterEach(async () => {
  for (const child of children) child.kill("SIGKILL");
  children = [];
  await reader.endAsync(true);
});

type Running = { child: ChildProcess; out: string[]; ended: Promise<number | null> };

function run(args: string[], env: Record<string, string> = {}): Running {
  const child = spawn(process.execPath, args, { env: childEnv({ MQTT_URL: embedded.mqttUrl, ...env }), stdio: ["ignore", "pipe", "pipe"] });
  children.push(child);
  const out: string[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text: string) => out.push(text));
  return { child, out, ended: once(child, "close").then(([code]) => (typeof code === "number" ? code : null)) };
}
const simulate = (...args: string[]) => run(["simulator/main.ts", ...args]);
const path = (name: string) => join(dir, name);
const lines = (name: string) => readFileSync(path(name), "utf8").trim().split("\n");
/** Identities of the values that came through the broker. */
function received(): string[] {
  const out: string[] = [];
  for (const { topic, payload } of messages) {
    if (topic.endsWith("/_online")) continue;
    const content: unknown = JSON.parse(payload);
    for (const row of Array.isArray(content) ? content : [content]) {
      const { ts, ...values } = row as { ts: number } & Record<string, unknown>;
      for (const key of Object.keys(values)) out.push(`${topic.split("/").length === 7 ? topic : `${topic}/${key}`}\t${ts}`);
    }
  }
  return out;
}
const distinct = (all: readonly string[]) => [...new Set(all)].sort();
const toldByTruth = (name: string) => lines(name).map((line) => line.split("\t").slice(0, 2).join("\t"));

describe("npm run simulate", () => {
  it("goes live, says that it is online, and ends at once and in order on Ctrl-C, which npm passes on twice", async () => {
    const run = simulate("--only", "berlin/filling", "--truth", path("live"), "--truth-values", path("live.values"));
    await until("the filler speaks", () => messages.some(({ topic }) => topic.endsWith("/filler/state")));
    expect(JSON.parse(messages.find(({ topic }) => topic.endsWith("/filler/_online"))?.payload ?? "")).toMatchObject({ value: true });
    const stoppedAt = performance.now();
    run.child.kill("SIGINT");
    run.child.kill("SIGINT");
    expect(await run.ended).toBe(0);
    expect(performance.now() - stoppedAt).toBeLessThan(5000);
    await until(
      "it said goodbye",
      () => messages.filter(({ topic, payload }) => topic.endsWith("/_online") && JSON.parse(payload).value === false).length === 6,
    );
    expect(distinct(received())).toEqual(distinct(toldByTruth("live.values").filter((line) => !/cap_bin|label_reel/.test(line)))); // those two have topics of their own
    expect(JSON.parse(lines("live").at(-1) ?? "")).toMatchObject({ kind: "published", garbage: 0 });
  });

  it("is missed by its will when it is killed", async () => {
    const run = simulate("--only", "berlin/filling/filling-1/filler");
    await until("it is online", () => messages.some(({ topic, payload }) => topic.endsWith("/filler/_online") && JSON.parse(payload).value === true));
    run.child.kill("SIGKILL");
    await until("its will is told", () => messages.some(({ topic, payload }) => topic.endsWith("/filler/_online") && payload === "false"));
  });

  it("repeats and shuffles on demand, and loses nothing", async () => {
    const run = simulate(
      "--lines",
      "2",
      "--machines",
      "5",
      "--rate",
      "100",
      "--for",
      "3s",
      "--duplicates",
      "0.1",
      "--shuffle",
      "0.1",
      "--truth",
      path("load"),
      "--truth-values",
      path("load.values"),
    );
    expect(await run.ended).toBe(0);
    const published = JSON.parse(lines("load").at(-1) ?? "");
    await until("all of it came", () => messages.length >= published.messages);
    expect(distinct(received())).toEqual(distinct(toldByTruth("load.values")));
    expect(distinct(received())).toHaveLength(published.distinct);
    expect(published.values).toBeGreaterThan(published.distinct * 1.05);
  });

  it("outlives its broker, and delivers what it said meanwhile", async () => {
    const run = simulate("--lines", "1", "--machines", "5", "--rate", "50", "--for", "6s", "--truth", path("away"), "--truth-values", path("away.values"));
    await until("it speaks", () => messages.length > 100);
    await embedded.broker.kill9();
    await embedded.broker.start();
    expect(await run.ended).toBe(0);
    const published = JSON.parse(lines("away").at(-1) ?? "");
    // every instant of the six seconds was told and acknowledged: ten signals, a row every 200 ms
    expect(published.distinct).toBeGreaterThanOrEqual(5 * 10 * 29);
    const bySignal = new Map<string, number[]>();
    for (const line of lines("away.values")) {
      const [topic = "", ts] = line.split("\t");
      bySignal.set(topic, [...(bySignal.get(topic) ?? []), Number(ts)]);
    }
    for (const [topic, instants] of bySignal) {
      const sorted = [...new Set(instants)].sort((a, b) => a - b);
      for (let n = 1; n < sorted.length; n++) expect(sorted[n]! - sorted[n - 1]!, topic).toBe(200);
    }
  });

  it("publishes history newest day first, tells how far it is, and goes on where it was", async () => {
    const args = [
      "--only",
      "chicago/machining",
      "--backfill",
      "30h",
      "--marker",
      path("marker.json"),
      "--truth",
      path("past"),
      "--truth-values",
      path("past.values"),
    ];
    const run = simulate(...args);
    expect(await run.ended).toBe(0);
    const progress = run.out
      .join("")
      .split("\n")
      .filter((line) => line.startsWith("{"))
      .map((line) => JSON.parse(line));
    expect(progress.at(-1)).toMatchObject({ progress: 1 });
    const days = progress.map(({ day }) => day);
    expect(days).toEqual([...days].sort().reverse());
    const published = JSON.parse(lines("past").at(-1) ?? "");
    await until("all of it came", () => messages.length >= published.messages);
    expect(distinct(received())).toEqual(distinct(toldByTruth("past.values")));
    const again = simulate(...args);
    expect(await again.ended).toBe(0);
    expect(JSON.parse(lines("past").at(-1) ?? "").values).toBeLessThan(published.values / 50);
  });

  it("publishes the same history to whoever asks twice", async () => {
    const args = ["--only", "berlin/press-shop/stamping-1/press-01", "--from", "2026-11-18T08:00:00Z", "--to", "2026-11-18T09:00:00Z", "--speed", "max"];
    expect(await simulate(...args, "--truth", path("a"), "--truth-values", path("a.values")).ended).toBe(0);
    expect(await simulate(...args, "--truth", path("b"), "--truth-values", path("b.values")).ended).toBe(0);
    expect(lines("a.values").sort()).toEqual(lines("b.values").sort());
    expect(lines("a.values").length).toBeGreaterThan(300);
  });

  it("replays a recording, twice the same", async () => {
    writeFileSync(
      path("data.csv"),
      "ts,asset,items,status,status_time,power_avg,cycle_time,alarm,product\n2022-08-31 22:00:00+00:00,0,4.0,2.0,43.0,2.0,0.0,0,4\n2022-08-31 22:00:00+00:00,1,8.0,3.0,20.0,2.0,0.0,1,1\n2022-08-31 22:05:00+00:00,1,9.0,2.0,38.0,1.0,0.0,0,1\n",
    );
    const args = ["--replay", path("data.csv"), "--map", "simulator/replay/sme.map.yaml", "--truth", path("replay")];
    expect(await simulate(...args).ended).toBe(0);
    expect(await simulate(...args, "--shuffle", "0.5", "--duplicates", "0.5").ended).toBe(0);
    const totals = lines("replay")
      .map((line) => JSON.parse(line))
      .filter(({ kind, signal }) => kind === "total" && signal === "items");
    expect(totals.map(({ machine, pieces }) => [machine, pieces]).sort()).toEqual([
      ["sme/shop/line-1/asset-0", 4],
      ["sme/shop/line-1/asset-1", 17],
    ]);
    await until("both replays came", () => messages.length >= 6);
    expect(new Set(messages.map(({ payload }) => payload)).size).toBe(3);
  });

  it("replays a recording with its own times into a plant that was applied just now: nothing is too old", async () => {
    await migrate(embedded.migrateUrl, { application: embedded.databaseUrl, log: () => undefined });
    const worker = await (await WorkerProcess.start({ DATABASE_URL: embedded.databaseUrl, MQTT_URL: embedded.mqttUrl })).ready();
    const database = new pg.Client({ connectionString: embedded.databaseUrl });
    await database.connect();
    try {
      const rows = Array.from({ length: 400 }, (_, i) => `${new Date(Date.UTC(2022, 7, 31, 22, 5 * i)).toISOString()},${i % 2},${i % 7},2,38,1,0,0,1`);
      writeFileSync(path("old.csv"), `ts,asset,items,status,status_time,power_avg,cycle_time,alarm,product\n${rows.join("\n")}\n`);
      const env = { DATABASE_URL: embedded.databaseUrl };
      expect(await run(["server/plant/cli.ts", "apply", "simulator/replay/sme.plant.yaml", "--yes"], env).ended).toBe(0);
      const args = ["simulator/main.ts", "--replay", path("old.csv"), "--map", "simulator/replay/sme.map.yaml", "--as-recorded"];
      for (const mischief of [[], ["--shuffle", "0.5", "--duplicates", "0.2"]]) expect(await run([...args, ...mischief], env).ended).toBe(0);
      await until("both replays came", async () => (await worker.figures()).messages >= 800 && (await worker.figures()).held === 0);
      expect(await worker.figures()).toMatchObject({ setAside: 0, written: 1600 });
      const { rows: pieces } = await database.query("select machine_id, sum(pieces) as pieces from count_minute group by 1 order by 1");
      expect(pieces.map((row) => row.pieces)).toEqual([0, 1].map((asset) => rows.reduce((sum, _, i) => sum + (i % 2 === asset ? i % 7 : 0), 0)));
    } finally {
      await database.end();
      await worker.stop();
    }
  });

  it("says in one sentence what is wrong, and fails", async () => {
    const wrong = simulate("--mqtt", "mqtt://127.0.0.1:1", "--only", "berlin/press-shop");
    expect(await wrong.ended).toBe(1);
    expect(wrong.out.join("")).toMatch(
      /^simulator: The broker at mqtt:\/\/127\.0\.0\.1:1\/? cannot be reached: .*ECONNREFUSED.*Set MQTT_URL|^simulator: The broker at mqtt:\/\/127\.0\.0\.1:1.*set MQTT_URL/m,
    );
    const option = simulate("--sped", "60");
    expect(await option.ended).toBe(1);
    expect(option.out.join("")).toMatch(/^simulator: Unknown option/);
  });
});

describe("the load publisher", () => {
  it("has every message acknowledged, and no value twice", async () => {
    const stats = await runLoad({ url: embedded.mqttUrl, mode: "single", lines: 2, machines: 5, rate: 20_000, forMs: 1000, inFlight: 1000 });
    expect(stats.acked).toBe(stats.messages);
    expect(stats.messages).toBeGreaterThan(2000);
    await until("all of it came", () => messages.length === stats.messages);
    expect(distinct(received())).toHaveLength(stats.messages);
  });
});
