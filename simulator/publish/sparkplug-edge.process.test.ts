// The simulated edge node against a real broker: what a host application must be able to rely on.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connectAsync, type MqttClient } from "mqtt";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Embedded, startEmbedded } from "#/scripts/embedded/start.ts";
import { until } from "#/scripts/soak/until.ts";
import { placedMachines } from "#/simulator/model/definition.ts";
import { demoPlant } from "#/simulator/model/demo-plant.ts";
import type { Reading } from "#/simulator/model/readings.ts";
import { SparkplugEdge } from "#/simulator/publish/sparkplug-edge.ts";
import { decode, encode } from "#/simulator/publish/sparkplug-payload.ts";

const dataDir = mkdtempSync(join(tmpdir(), "takt-edge-"));
const machines = placedMachines(demoPlant).filter(({ path }) => path === "berlin/moulding/moulding-1");
const first = () => {
  const [machine] = machines;
  if (!machine) throw new Error("no moulding machine");
  return machine;
};
const start = Date.parse("2026-11-18T08:00:00Z");
const reading = (n: number): Reading => {
  const signal = first().machine.signals.find(({ key }) => key === "good");
  if (!signal) throw new Error("no counter");
  return { signal, at: start + n * 1000, value: 1000 + n, pieces: 1 };
};

type Seen = {
  type: string;
  device: string;
  seq: number;
  bdSeq: number | null;
  metrics: { alias: number; value: unknown; at: number; historical: boolean; name: string }[];
};

let embedded: Embedded;
let host: MqttClient;
let seen: Seen[] = [];
let edge: SparkplugEdge | null = null;

beforeAll(async () => {
  embedded = await startEmbedded({ dataDir });
});
afterAll(async () => {
  await embedded.stop();
  rmSync(dataDir, { recursive: true, force: true });
});
beforeEach(async () => {
  seen = [];
  host = await connectAsync(embedded.mqttUrl, { clean: true });
  host.on("message", (topic, payload) => {
    const [, , type = "", , device = ""] = topic.split("/");
    const message = decode(payload);
    const metrics = (message.metrics ?? []).map((metric) => ({
      alias: Number(metric.alias ?? -1),
      value: metric.value,
      at: Number(metric.timestamp),
      historical: metric.isHistorical === true,
      name: metric.name ?? "",
    }));
    const bdSeq = metrics.find(({ name }) => name === "bdSeq");
    seen.push({ type, device, seq: Number(message.seq ?? -1), bdSeq: bdSeq ? Number(bdSeq.value) : null, metrics });
  });
  await host.subscribeAsync(["NBIRTH", "NDEATH", "DBIRTH", "DDEATH", "NDATA", "DDATA"].map((type) => `spBv1.0/berlin/${type}/#`));
});
afterEach(async () => {
  await edge?.close();
  edge = null;
  await host.publishAsync("spBv1.0/STATE/takt", "", { retain: true });
  await host.endAsync(true);
});

function edgeNode(primaryHost?: string): SparkplugEdge {
  edge = new SparkplugEdge({
    broker: { url: embedded.mqttUrl, version: 5 },
    group: "berlin",
    node: "moulding-1",
    machines,
    ...(primaryHost ? { primaryHost } : {}),
    now: Date.now,
    onSent: () => undefined,
    log: () => undefined,
  });
  return edge;
}
const of = (type: string) => seen.filter((one) => one.type === type);
const births = (n: number) =>
  until(
    () => `${n} births of the node (${seen.map(({ type }) => type).join(" ")})`,
    () => of("NBIRTH").length === n && of("DBIRTH").length % machines.length === 0,
  );

describe("an edge node", () => {
  it("is born with all its devices, in unbroken sequence, with aliases that are unique in the node", async () => {
    edgeNode();
    await births(1);
    await until("all devices are born", () => of("DBIRTH").length === machines.length);
    expect(seen.map(({ seq }) => seq)).toEqual(Array.from({ length: machines.length + 1 }, (_, n) => n));
    expect(seen[0]?.metrics.map(({ name }) => name)).toEqual(["bdSeq", "Node Control/Rebirth"]);
    const aliases = of("DBIRTH").flatMap(({ metrics }) => metrics.map(({ alias }) => alias));
    expect(new Set(aliases).size).toBe(aliases.length);
    expect(of("DBIRTH")[0]?.metrics.map(({ name }) => name)).toContain("Counts/Good");
    expect(of("DBIRTH")[0]?.metrics.every(({ value }) => value === null)).toBe(true); // nothing is known yet
  });

  it("sends data by alias with the next seq, round at 256", async () => {
    const node = edgeNode();
    await births(1);
    for (let n = 0; n < 300; n++) node.publish(first(), [reading(n)]);
    await until("the data are there", () => of("DDATA").length === 300);
    const good = of("DBIRTH")[0]?.metrics.find(({ name }) => name === "Counts/Good");
    of("DDATA").forEach(({ seq, metrics }, n) => {
      expect(seq).toBe((machines.length + 1 + n) % 256);
      expect(metrics).toMatchObject([{ alias: good?.alias, at: start + n * 1000, historical: false, name: "" }]);
      expect(Number(metrics[0]?.value)).toBe(1000 + n);
    });
  });

  it("is born again when the host asks, with the same bdSeq and what it last said", async () => {
    const node = edgeNode();
    await births(1);
    node.publish(first(), [reading(7)]);
    const ask = encode({ timestamp: Date.now(), metrics: [{ name: "Node Control/Rebirth", type: "Boolean", value: true, timestamp: Date.now() }] });
    await host.publishAsync("spBv1.0/berlin/NCMD/moulding-1", ask);
    await births(2);
    await until("all devices are born again", () => of("DBIRTH").length === 2 * machines.length);
    expect(of("NBIRTH").map(({ seq, bdSeq }) => [seq, bdSeq])).toEqual([
      [0, 0],
      [0, 0],
    ]);
    const again = of("DBIRTH")[machines.length]?.metrics.find(({ name }) => name === "Counts/Good");
    expect([Number(again?.value), again?.at]).toEqual([1007, start + 7000]);
  });

  it("dies by its will when the cable is cut, and tells afterwards as history what it recorded", async () => {
    const node = edgeNode();
    await births(1);
    node.publish(first(), [reading(0)]);
    await until("data came", () => of("DDATA").length === 1);
    node.cut();
    await until("the death is told", () => of("NDEATH").length === 1);
    for (let n = 1; n <= 450; n++) node.publish(first(), [reading(n)]);
    await births(2);
    await until("all of the backlog is there", () => of("DDATA").flatMap(({ metrics }) => metrics).length === 451);
    expect(of("NDEATH")[0]?.bdSeq).toBe(0); // the one of the birth that it ends
    expect(of("NBIRTH")[1]?.bdSeq).toBe(1);
    const backlog = of("DDATA")
      .slice(1)
      .flatMap(({ metrics }) => metrics);
    expect(backlog.map(({ at }) => at)).toEqual(Array.from({ length: 450 }, (_, n) => start + (n + 1) * 1000));
    expect(backlog.every(({ historical }) => historical)).toBe(true);
  });

  it("tells of a device that lost its link, and of its return with its backlog", async () => {
    const node = edgeNode();
    await births(1);
    node.setAlive(first(), false);
    node.publish(first(), [reading(1), reading(2)]);
    await until("the device is dead", () => of("DDEATH").length === 1);
    expect(of("DDATA")).toEqual([]);
    node.setAlive(first(), true);
    await until("the backlog came", () => of("DDATA").length === 1);
    expect(of("DDEATH")[0]?.device).toBe("imm-01");
    expect(of("DBIRTH").at(-1)?.device).toBe("imm-01");
    expect(of("DDATA")[0]?.metrics.map(({ at, historical }) => [at, historical])).toEqual([
      [start + 1000, true],
      [start + 2000, true],
    ]);
    const after = seen.slice(seen.findIndex(({ type }) => type === "NBIRTH"));
    expect(after.map(({ seq }) => seq)).toEqual(after.map((_, n) => n)); // deaths and births of devices count as well
  });

  it("waits for its primary host, and falls silent with it", async () => {
    const state = (online: boolean, timestamp: number) =>
      host.publishAsync("spBv1.0/STATE/takt", JSON.stringify({ online, timestamp }), { qos: 1, retain: true });
    await state(false, 1000);
    const node = edgeNode("takt");
    expect(await node.ready(700)).toBe(false);
    expect(seen).toEqual([]);
    node.publish(first(), [reading(1)]);
    await state(true, 2000);
    await births(1);
    await until("what was stored came as history", () => of("DDATA")[0]?.metrics[0]?.historical === true);
    await state(false, 1500); // an older word changes nothing
    await state(false, 3000);
    await until("the node says that it goes", () => of("NDEATH").length >= 1);
    expect(node.online).toBe(false);
    await state(true, 4000);
    await births(2);
    expect(of("NBIRTH")[1]?.bdSeq).toBeGreaterThan(of("NBIRTH")[0]?.bdSeq ?? 0);
  });

  it("leaves with a death certificate of its own", async () => {
    const node = edgeNode();
    await births(1);
    await node.close();
    edge = null;
    await until("the death is told", () => of("NDEATH").length === 1);
    expect(of("NDEATH")[0]?.bdSeq).toBe(0);
  });
});
