// The host application's connection against a real broker, with a note of every packet that it sends.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { connectAsync, type MqttClient } from "mqtt";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type Broker, startBroker } from "#/scripts/embedded/broker.ts";
import { preparePrograms } from "#/scripts/embedded/packages.ts";
import { Packet, readConnect, readPublish, readSubscribe, type Wiretap, wiretap } from "./sparkplug/wiretap.ts";
import { SparkplugConnection, type SparkplugConnectionOptions } from "./sparkplug-connection.ts";

const stateOf = (hostId: string) => `spBv1.0/STATE/${hostId}`;
let dir: string;
let broker: Broker;
let tap: Wiretap;
const open: SparkplugConnection[] = [];
const clients: MqttClient[] = [];

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "takt-sparkplug-"));
  broker = await startBroker(await preparePrograms(() => undefined), { dataDir: join(dir, "plain"), tls: true, detached: false, log: () => undefined });
  tap = await wiretap(broker.port);
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((connection) => connection.offline()));
  await Promise.all(clients.splice(0).map((client) => client.endAsync(true)));
});
afterAll(async () => {
  await tap?.close();
  await broker?.stop();
  if (dir) rmSync(dir, { recursive: true, force: true });
});

async function until(what: string, condition: () => boolean, maxWaitMs = 20_000) {
  for (const end = Date.now() + maxWaitMs; !condition(); await pause(5)) if (Date.now() > end) throw new Error(`In vain waited for: ${what}`);
}

type Seen = { topic: string; text: string; retain: boolean; qos: number };
/** A client that notes what it gets. */
async function watcher(filter: string): Promise<{ seen: Seen[]; client: MqttClient }> {
  const client = await connectAsync(broker.mqttUrl, { protocolVersion: 5 });
  const seen: Seen[] = [];
  client.on("message", (topic, payload, packet) => seen.push({ topic, text: payload.toString(), retain: packet.retain, qos: packet.qos }));
  clients.push(client);
  await client.subscribeAsync(filter, { qos: 1 });
  return { seen, client };
}

let count = 0;
function host(options: Partial<SparkplugConnectionOptions> = {}) {
  const noted = { got: [] as string[], connects: [] as number[], disconnects: [] as [number, number][], problems: [] as string[] };
  const hostId = `host${++count}`;
  const from = tap.sent.length;
  const connection = new SparkplugConnection({
    url: tap.url,
    hostId,
    groups: ["Berlin", "Chicago"],
    protocolVersion: 5,
    retryMinMs: 50,
    onMessage: (topic, payload) => {
      noted.got.push(`${topic} ${payload}`);
    },
    onConnected: (now) => noted.connects.push(now),
    onDisconnected: (now, aliveUntil) => noted.disconnects.push([now, aliveUntil]),
    onProblem: (sentence) => noted.problems.push(sentence),
    ...options,
  });
  open.push(connection);
  return { connection, noted, hostId, sent: () => tap.sent.slice(from) };
}
const isState = (text: string, online: boolean) => (JSON.parse(text) as { online: boolean }).online === online;
const timeOf = (text: string) => (JSON.parse(text) as { timestamp: number }).timestamp;

describe.each([
  ["MQTT 3.1.1", 4],
  ["MQTT 5", 5],
] as const)("connection, %s", (_, protocolVersion) => {
  it("[tck-id-message-flow-phid-sparkplug-clean-session-311] [tck-id-message-flow-phid-sparkplug-clean-session-50] [tck-id-host-topic-phid-death-required] [tck-id-host-topic-phid-death-qos] [tck-id-host-topic-phid-death-retain] [tck-id-operational-behavior-host-application-connect-will] [tck-id-operational-behavior-host-application-connect-will-topic] [tck-id-operational-behavior-host-application-connect-will-payload] [tck-id-operational-behavior-host-application-connect-will-qos] [tck-id-operational-behavior-host-application-connect-will-retained] [tck-id-payloads-state-will-message] [tck-id-payloads-state-will-message-qos] [tck-id-payloads-state-will-message-retain] connects with a clean session and a will of its death, QoS 1, retained", async () => {
    const before = Date.now();
    const { connection, noted, hostId, sent } = host({ protocolVersion });
    connection.online();
    await until("connected", () => noted.connects.length === 1);
    const { level, clean, sessionExpiryS, will } = readConnect(sent()[0]!);
    expect({ level, clean, sessionExpiryS }).toEqual({ level: protocolVersion, clean: true, sessionExpiryS: 0 });
    expect(will).toMatchObject({ given: true, topic: stateOf(hostId), qos: 1, retain: true });
    expect(JSON.parse(will.payload)).toEqual({ online: false, timestamp: expect.any(Number) });
    expect(timeOf(will.payload)).toBeGreaterThanOrEqual(before);
    expect(timeOf(will.payload)).toBeLessThanOrEqual(Date.now());
  });

  it("[tck-id-host-topic-phid-birth-message] [tck-id-host-topic-phid-birth-qos] [tck-id-host-topic-phid-birth-retain] [tck-id-host-topic-phid-birth-sub-required] [tck-id-host-topic-phid-birth-required] [tck-id-message-flow-phid-sparkplug-subscription] [tck-id-message-flow-phid-sparkplug-state-publish] [tck-id-operational-behavior-primary-application-state-with-multiple-servers-state] [tck-id-operational-behavior-primary-application-state-with-multiple-servers-state-subs] [tck-id-operational-behavior-host-application-connect-birth] [tck-id-operational-behavior-host-application-connect-birth-topic] [tck-id-operational-behavior-host-application-connect-birth-payload] [tck-id-operational-behavior-host-application-connect-birth-qos] [tck-id-operational-behavior-host-application-connect-birth-retained] [tck-id-payloads-state-subscribe] [tck-id-payloads-state-birth] subscribes first, then publishes its birth before anything else, QoS 1, retained, with the will's time", async () => {
    const { connection, noted, hostId, sent } = host({ protocolVersion });
    connection.publish({ topic: "spBv1.0/Berlin/NCMD/too-early", payload: Buffer.from("x"), qos: 0, retain: false });
    connection.online();
    await until("connected", () => noted.connects.length === 1);
    await until("birth sent", () => sent().length >= 3);
    expect(
      sent()
        .slice(0, 3)
        .map((packet) => packet.type),
    ).toEqual([Packet.connect, Packet.subscribe, Packet.publish]);
    expect(readSubscribe(sent()[1]!, protocolVersion)).toEqual([`${stateOf(hostId)} 1`, "spBv1.0/Berlin/# 1", "spBv1.0/Chicago/# 1"]);
    const birth = readPublish(sent()[2]!, protocolVersion);
    expect(birth).toMatchObject({ topic: stateOf(hostId), qos: 1, retain: true });
    expect(JSON.parse(birth.payload.toString())).toEqual({ online: true, timestamp: timeOf(readConnect(sent()[0]!).will.payload) });
    const { seen } = await watcher(stateOf(hostId));
    await until("retained birth", () => seen.length === 1);
    expect(seen[0]).toMatchObject({ retain: true, text: birth.payload.toString() });
  });

  it("[tck-id-operational-behavior-host-application-termination] [tck-id-operational-behavior-host-application-death-topic] [tck-id-operational-behavior-host-application-death-payload] [tck-id-operational-behavior-host-application-death-qos] [tck-id-operational-behavior-host-application-death-retained] [tck-id-operational-behavior-host-application-disconnect-intentional] [tck-id-host-topic-phid-death-payload-timestamp-disconnect-clean] [tck-id-host-topic-phid-death-payload-timestamp-disconnect-with-no-disconnect-packet] says that it is offline, at the time of leaving, before each DISCONNECT; there is no leaving without", async () => {
    const { connection, noted, hostId, sent } = host({ protocolVersion });
    connection.online();
    await until("connected", () => noted.connects.length === 1);
    const { seen } = await watcher(stateOf(hostId));
    const before = Date.now();
    await connection.offline();
    const last = sent()
      .filter((packet) => packet.type !== Packet.puback) // the broker's echo of the host's own STATE
      .slice(-2);
    expect(last.map((packet) => packet.type)).toEqual([Packet.publish, Packet.disconnect]);
    const death = readPublish(last[0]!, protocolVersion);
    expect(death).toMatchObject({ topic: stateOf(hostId), qos: 1, retain: true });
    expect(JSON.parse(death.payload.toString())).toEqual({ online: false, timestamp: expect.any(Number) });
    expect(timeOf(death.payload.toString())).toBeGreaterThanOrEqual(before);
    await until("offline seen", () => seen.some(({ text }) => isState(text, false)));
    expect(seen.filter(({ text }) => isState(text, false))).toHaveLength(1); // the will did not follow
    expect(noted.disconnects).toHaveLength(1);
    expect(connection.connected).toBe(false);
  });

  it("when the line is cut the broker says its will; back again, it says a newer birth, and so do its edges learn of it", async () => {
    const { connection, noted, hostId, sent } = host({ protocolVersion });
    const { seen } = await watcher(stateOf(hostId));
    connection.online();
    await until("connected", () => noted.connects.length === 1);
    await until("birth seen", () => seen.length === 1);
    await pause(20); // the second CONNECT shall have a later time than the first
    tap.cut();
    await until("connected again", () => noted.connects.length === 2);
    await until("death and second birth", () => seen.length >= 3);
    const [first, will, second] = seen.map(({ text }) => text);
    expect(will).toBe(JSON.stringify({ online: false, timestamp: timeOf(first!) }));
    expect(isState(second!, true)).toBe(true);
    expect(timeOf(second!)).toBeGreaterThan(timeOf(first!));
    expect(sent().filter((packet) => packet.type === Packet.connect)).toHaveLength(2);
    const [[lostAt, aliveUntil]] = noted.disconnects as [[number, number]];
    expect(aliveUntil).toBeLessThanOrEqual(lostAt);
    expect(aliveUntil).toBeGreaterThanOrEqual(timeOf(first!));
  });
});

describe("connection", () => {
  it("[tck-id-message-flow-hid-sparkplug-state-message-delivered] says its birth again, with the time of its will, when anyone says that it is offline", async () => {
    const { connection, noted, hostId } = host();
    connection.online();
    await until("connected", () => noted.connects.length === 1);
    const { seen, client } = await watcher(stateOf(hostId));
    await until("birth seen", () => seen.length === 1);
    await client.publishAsync(stateOf(hostId), JSON.stringify({ online: false, timestamp: 1 }), { qos: 1, retain: true });
    await until("contradicted", () => seen.length === 3);
    expect(seen[2]!.text).toBe(seen[0]!.text);
    await client.publishAsync(`STATE/${hostId}`, "OFFLINE", { qos: 1 }); // as programs of Sparkplug 2.2 say it
    await until("contradicted again", () => seen.length === 4);
    expect(seen[3]!.text).toBe(seen[0]!.text);
    await client.publishAsync(stateOf(hostId), "garbage", { qos: 1, retain: true });
    await until("contradicted once more", () => seen.length === 6);
    expect(seen.slice(4).map(({ text }) => text)).toEqual(["garbage", seen[0]!.text]);
    expect(noted.problems).toEqual(Array(3).fill(expect.stringMatching(/Someone said that the host application host\d+ is offline/)));
    expect(noted.got).toEqual([]);
  });

  it("[tck-id-operational-behavior-host-application-host-id] two of one name do not run side by side unnoticed", async () => {
    const one = host({ hostId: "twin" });
    one.connection.online();
    await until("first connected", () => one.noted.connects.length === 1);
    const two = host({ hostId: "twin" });
    two.connection.online();
    await until("first put out", () => one.noted.problems.length > 0);
    expect(one.noted.problems[0]).toBe(
      "Another program took over the connection of the host application twin. Each worker needs a SPARKPLUG_HOST_ID of its own.",
    );
  });

  it("takes one message at a time while the handler works, stays connected meanwhile, and can leave with one in hand", async () => {
    const releases: (() => void)[] = [];
    const got: string[] = [];
    const { connection, noted, hostId, sent } = host({
      keepaliveS: 1,
      onMessage: (_topic, payload) => {
        got.push(payload.toString());
        return new Promise<void>((resolve) => releases.push(resolve));
      },
    });
    connection.online();
    await until("connected", () => noted.connects.length === 1);
    const { client } = await watcher("none");
    for (let i = 0; i < 50; i++) await client.publishAsync("spBv1.0/Berlin/NDATA/n", String(i), { qos: i % 2 === 0 ? 0 : 1 });
    await until("first in hand", () => got.length === 1);
    await until("pings go on", () => sent().filter((packet) => packet.type === Packet.pingreq).length >= 8); // 400 ms each: twice the broker's patience of 1.5 s
    expect(got).toEqual(["0"]);
    expect(connection.connected).toBe(true);
    for (let i = 0; i < 20; i++) {
      await until(`message ${i} in hand`, () => releases.length === i + 1);
      releases[i]!();
    }
    await until("the next in hand", () => got.length === 21);
    const heldFrom = Date.now();
    await pause(20);
    await connection.offline();
    expect(got).toEqual(Array.from({ length: 21 }, (_, i) => String(i)));
    const last = sent()
      .filter((packet) => packet.type !== Packet.puback)
      .slice(-2);
    expect(readPublish(last[0]!, 5)).toMatchObject({ topic: stateOf(hostId), retain: true });
    expect(last[1]!.type).toBe(Packet.disconnect);
    expect(noted.disconnects).toHaveLength(1);
    expect(noted.disconnects[0]![1]).toBeLessThanOrEqual(heldFrom); // what lay unread behind it was not handed over
  });

  it("goes on after a handler that fails", async () => {
    const got: string[] = [];
    const { connection, noted } = host({
      onMessage: (_topic, payload) => {
        got.push(payload.toString());
        if (got.length === 1) throw new Error("first");
        if (got.length === 2) return Promise.reject(new Error("second"));
      },
    });
    connection.online();
    await until("connected", () => noted.connects.length === 1);
    const { client } = await watcher("none");
    for (const text of ["a", "b", "c"]) await client.publishAsync("spBv1.0/Berlin/NDATA/n", text, { qos: 1 });
    await until("all", () => got.length === 3);
    expect(noted.problems).toEqual([
      "A message on spBv1.0/Berlin/NDATA/n could not be handled: first",
      "A message on spBv1.0/Berlin/NDATA/n could not be handled: second",
    ]);
  });

  it("can be taken offline and online again, as while the database is away; and before it was ever connected", async () => {
    const { connection, noted, hostId } = host();
    const { seen } = await watcher(stateOf(hostId));
    connection.online();
    await connection.offline();
    expect(noted.connects).toHaveLength(0);
    for (let i = 1; i <= 3; i++) {
      connection.online();
      connection.online();
      await until(`online ${i}`, () => noted.connects.length === i);
      await connection.offline();
      expect(noted.disconnects).toHaveLength(i);
    }
    await until("three births and deaths", () => seen.length === 6);
    expect(seen.map(({ text }) => isState(text, true))).toEqual([true, false, true, false, true, false]);
    const times = seen.map(({ text }) => timeOf(text));
    expect([...times].sort((a, b) => a - b)).toEqual(times);
  });

  it("comes in over TLS with a client certificate; a stranger's is refused with a sentence", async () => {
    const tls = broker.tls!;
    const withFiles = (certFile: string, keyFile: string) =>
      host({ url: tls.url, ca: readFileSync(tls.caFile), cert: readFileSync(certFile), key: readFileSync(keyFile) });
    const good = withFiles(tls.clientCertFile, tls.clientKeyFile);
    good.connection.online();
    await until("connected over TLS", () => good.noted.connects.length === 1);
    const stranger = withFiles(tls.strangerCertFile, tls.strangerKeyFile);
    stranger.connection.online();
    await until("refused", () => stranger.noted.problems.length > 0);
    expect(stranger.noted.connects).toEqual([]);
    expect(stranger.noted.problems[0]).toMatch(/^The connection to the broker at 127.0.0.1:\d+ failed: /);
  });

  it("says what is wrong where nobody answers, and where the sign-in is refused; and comes in with the right one", async () => {
    const nobody = host({ url: "mqtt://127.0.0.1:1" });
    nobody.connection.online();
    await until("nobody", () => nobody.noted.problems.length > 0);
    expect(nobody.noted.problems[0]).toBe("No broker answers at 127.0.0.1:1. Start it, or set MQTT_URL to where it is.");

    const locked = await startBroker(await preparePrograms(() => undefined), {
      dataDir: join(dir, "locked"),
      password: true,
      detached: false,
      log: () => undefined,
    });
    try {
      const { url, user, password } = locked.password!;
      for (const protocolVersion of [4, 5] as const) {
        const wrong = host({ url, username: user, password: "wrong", protocolVersion });
        wrong.connection.online();
        await until("refused", () => wrong.noted.problems.length > 0);
        expect(wrong.noted.problems[0]).toMatch(/refuses the sign-in/);
        await wrong.connection.offline();
        const right = host({ url, username: user, password, protocolVersion });
        right.connection.online();
        await until("signed in", () => right.noted.connects.length === 1);
        await right.connection.offline();
      }
    } finally {
      await locked.stop();
    }
  });

  it("waits for a broker that is away, and is back when it is", async () => {
    const { connection, noted } = host({ retryMaxMs: 200 });
    connection.online();
    await until("connected", () => noted.connects.length === 1);
    await broker.stop();
    await until("noticed", () => noted.disconnects.length === 1);
    await broker.start();
    await until("connected again", () => noted.connects.length === 2);
    expect(noted.problems.length).toBeGreaterThan(0);
  });
});
