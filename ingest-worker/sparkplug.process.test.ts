// Host and connection together, against a real broker and an edge node that follows the protocol: births on request, will, QoS 0 and 1.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { connectAsync, type MqttClient } from "mqtt";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type Broker, startBroker } from "#/scripts/embedded/broker.ts";
import { preparePrograms } from "#/scripts/embedded/packages.ts";
import { byAlias, decode, double, encode, TestEdge } from "./sparkplug/testing.ts";
import { emptyOutput } from "./sparkplug/types.ts";
import { type HostOutput, SparkplugHost } from "./sparkplug.ts";
import { SparkplugConnection } from "./sparkplug-connection.ts";

let dir: string;
let broker: Broker;
const open: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "takt-sparkplug-"));
  broker = await startBroker(await preparePrograms(() => undefined), { dataDir: dir, detached: false, log: () => undefined });
});
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});
afterAll(async () => {
  await broker?.stop();
  if (dir) rmSync(dir, { recursive: true, force: true });
});

async function until(what: string, condition: () => boolean, maxWaitMs = 20_000) {
  for (const end = Date.now() + maxWaitMs; !condition(); await pause(5)) if (Date.now() > end) throw new Error(`In vain waited for: ${what}`);
}

/** The host as the worker runs it, with what came out. */
async function startHost(hostId: string) {
  const host = new SparkplugHost({ hostId, reorderTimeoutMs: 300, rebirthThrottleMs: 500 });
  const out: HostOutput = emptyOutput();
  const gather = (output: HostOutput) => {
    out.values.push(...output.values);
    out.links.push(...output.links);
    out.refused.push(...output.refused);
    for (const command of output.commands) connection.publish(command);
  };
  const connection: SparkplugConnection = new SparkplugConnection({
    url: broker.mqttUrl,
    hostId,
    groups: ["+"],
    protocolVersion: 5,
    retryMinMs: 50,
    onMessage: (topic, payload, receivedAt, about) => gather(host.onMessage(topic, payload, receivedAt, about)),
    onConnected: (now) => host.onConnected(now),
    onDisconnected: (now, aliveUntil) => gather(host.onDisconnected(now, aliveUntil)),
  });
  const timer = setInterval(() => gather(host.onTick(Date.now())), 20);
  open.push(async () => {
    clearInterval(timer);
    await connection.offline();
  });
  connection.online();
  await until("host connected", () => connection.connected);
  return { host, out, connection };
}

/** An edge node with a device, which is born on connecting and on each request, and dies by its will. */
async function startEdge(node: string, qos: 0 | 1 = 0) {
  const edge = new TestEdge("Berlin", node, 1);
  const will = edge.ndeath();
  const client: MqttClient = await connectAsync(broker.mqttUrl, {
    protocolVersion: 4,
    reconnectPeriod: 0,
    will: { topic: will.topic, payload: will.payload, qos: 1, retain: false },
  });
  const publish = ({ topic, payload }: { topic: string; payload: Buffer }) => client.publishAsync(topic, payload, { qos });
  let value = 0;
  const born = async () => {
    const at = Date.now();
    await publish(edge.nbirth([double("a", value, { alias: 1, timestamp: at })], at));
    await publish(edge.dbirth("Press", [double("d", value, { alias: 2, timestamp: at })], at));
  };
  const asked: unknown[] = [];
  client.on("message", (_topic, payload) => {
    asked.push(decode(payload));
    void born();
  });
  await client.subscribeAsync(edge.topic("NCMD"), { qos: 1 });
  open.push(() => client.endAsync(true));
  const send = () => publish(edge.ddata("Press", [byAlias(2, ++value, Date.now())], Date.now()));
  return { edge, client, born, send, publish, asked };
}
const values = (out: HostOutput, node: string) => out.values.filter((v) => v.address.startsWith(`Berlin/${node}`)).map((v) => `${v.metric}=${v.value}`);
const links = (out: HostOutput, node: string) =>
  out.links.filter((l) => l.address.startsWith(`Berlin/${node}`)).map((l) => `${l.kind} ${l.address.slice(7)} ${l.alive}`);

describe("host application on a broker", () => {
  it("[tck-id-payloads-nbirth-qos] [tck-id-payloads-dbirth-qos] [tck-id-payloads-ndata-qos] [tck-id-payloads-ddata-qos] [tck-id-message-flow-edge-node-birth-publish-nbirth-qos] [tck-id-message-flow-device-birth-publish-dbirth-qos] takes births and data at QoS 0 as edges send them, and at QoS 1", async () => {
    const { out } = await startHost("qos");
    for (const qos of [0, 1] as const) {
      const node = `Edge${qos}`;
      const { born, send, publish, edge } = await startEdge(node, qos);
      await born();
      await send();
      await publish(edge.ndata([byAlias(1, 7, Date.now())], Date.now()));
      await until(`values at QoS ${qos}`, () => values(out, node).length === 4);
      expect(values(out, node)).toEqual(["a=0", "d=0", "d=1", "a=7"]);
      expect(links(out, node)).toEqual([`birth ${node} true`, `birth ${node}/Press true`]);
    }
  });

  it("an edge that was there first is asked for its birth, and what it sent meanwhile is not lost", async () => {
    const edge = await startEdge("Early");
    await edge.born();
    const { out } = await startHost("late");
    for (let i = 0; i < 3; i++) await edge.send();
    await until("born again", () => links(out, "Early").includes("birth Early/Press true"));
    await edge.send();
    await until("last value", () => values(out, "Early").includes("d=4"));
    for (const expected of ["d=1", "d=2", "d=3", "d=4"]) expect(values(out, "Early")).toContain(expected);
    expect(edge.asked).toMatchObject([{ metrics: [{ name: "Node Control/Rebirth", booleanValue: true }] }]);
    expect(out.refused).toEqual([]);
  });

  it("a message lost on the way is seen, said, and healed by a birth", async () => {
    const { out } = await startHost("gap");
    const { born, send, edge } = await startEdge("Gap");
    await born();
    await send();
    edge.ddata("Press", []); // counted, never sent
    await send();
    await until("gap said", () => links(out, "Gap").includes("sequence_gap Gap/Press false"));
    await until("born again", () => links(out, "Gap").filter((l) => l === "birth Gap/Press true").length === 2);
    expect(links(out, "Gap").slice(2)).toEqual([
      "sequence_gap Gap false",
      "sequence_gap Gap/Press false",
      "rebirth_requested Gap null",
      "birth Gap true",
      "birth Gap/Press true",
    ]);
  });

  it("the broker's will ends node and device", async () => {
    const { out } = await startHost("will");
    const { born, client } = await startEdge("Dying");
    await born();
    await until("born", () => links(out, "Dying").length === 2);
    client.stream.destroy();
    await until("dead", () => links(out, "Dying").length === 6);
    expect(links(out, "Dying").slice(2)).toEqual(["offline Dying false", "offline Dying/Press false", "death Dying false", "death Dying/Press false"]);
  });

  it("after its own absence takes no link for alive before its birth; asks those that do not report by themselves", async () => {
    const { out, connection } = await startHost("absent");
    const { born, asked } = await startEdge("Quiet");
    await born();
    await until("born", () => links(out, "Quiet").length === 2);
    await connection.offline();
    expect(links(out, "Quiet").slice(2)).toEqual(["offline Quiet false", "offline Quiet/Press false"]);
    connection.online();
    await until("born again", () => links(out, "Quiet").filter((l) => l.startsWith("birth")).length === 4);
    expect(asked).toHaveLength(1);
  });

  it("refuses births that the broker has kept, and rubbish, and lives on", async () => {
    const { client, edge } = await startEdge("Kept");
    const birth = edge.nbirth([double("a", 1)]);
    await client.publishAsync(birth.topic, birth.payload, { qos: 1, retain: true });
    const { out } = await startHost("kept");
    await until("kept birth refused", () => out.refused.length === 1);
    await client.publishAsync("spBv1.0/Berlin/NDATA/Kept", "rubbish", { qos: 1 });
    await client.publishAsync("spBv1.0/Berlin/NOTHING/Kept", encode({}), { qos: 1 });
    await until("rubbish refused", () => out.refused.length === 3);
    expect(out.refused.map((r) => r.code)).toEqual(Array(3).fill("sparkplug_malformed"));
    expect(out.values).toEqual([]);
    await client.publishAsync(birth.topic, "", { qos: 1, retain: true });
  });
});
