// What brokers differ in: TLS with client certificates, user and password, MQTT 3.1.1, retained messages and wills.
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { connectAsync, type IClientOptions, type MqttClient } from "mqtt";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { Rig } from "#/scripts/soak/rig.ts";
import { until } from "#/scripts/soak/until.ts";

let rig: Rig;
let lines = 0;
let press: string;
let topic: string;
beforeAll(async () => {
  rig = await Rig.start({ tls: true, password: true });
});
afterAll(() => rig.stop());
beforeEach(async () => {
  press = `berlin/stamping/line-${++lines}/press`;
  [topic = ""] = await rig.line(press.slice(0, press.lastIndexOf("/")), ["press"]);
});
afterEach(() => rig.killWorkers());

const at = Date.now() - 60_000;
const tls = () => rig.embedded.broker.tls!;
const password = () => rig.embedded.broker.password!;
const arrives = (n: number) => until(`${n} values are stored`, async () => (await rig.values(`${press}/temperature`)).length === n);

describe("sign-in", () => {
  it("by TLS with a client certificate", async () => {
    const { url, caFile, clientCertFile, clientKeyFile } = tls();
    const worker = await rig.worker({ MQTT_URL: url, MQTT_CA_FILE: caFile, MQTT_CERT_FILE: clientCertFile, MQTT_KEY_FILE: clientKeyFile });
    await worker.ready();
    await rig.publish(`${topic}/temperature`, { ts: at, value: 1 });
    await arrives(1);
  });

  it("by user and password of their own variables", async () => {
    const { url, user, password: secret } = password();
    const worker = await (await rig.worker({ MQTT_URL: url, MQTT_USERNAME: user, MQTT_PASSWORD: secret })).ready();
    await rig.publish(`${topic}/temperature`, { ts: at, value: 1 });
    await arrives(1);
    expect(worker.lines.join("\n")).not.toContain(secret);
  });

  it("with a password in the address, which is told to nobody", async () => {
    const worker = await (await rig.worker()).ready();
    const secret = password().password;
    expect(rig.embedded.mqttUrl).toContain(secret);
    await until("it gives a sign of life", async () => (await rig.rows("select from ingest_worker where stats ->> 'mqttConnected' = 'true'")).length === 1);
    expect(JSON.stringify(await rig.rows("select * from ingest_worker"))).not.toContain(secret);
    expect([...worker.lines, (await worker.get("/ready"))?.body, (await worker.get("/metrics"))?.body].join("\n")).not.toContain(secret);
  });

  it.each(["5", "4"])("refused with a wrong password, MQTT_VERSION %s: one line that says what to do, and another try", async (version) => {
    const { url, user } = password();
    const worker = await rig.worker({ MQTT_URL: url, MQTT_USERNAME: user, MQTT_PASSWORD: "wrong", MQTT_VERSION: version });
    await worker.said(/^Broker: the broker 127\.0\.0\.1:\d+ refuses the sign-in: check MQTT_USERNAME, MQTT_PASSWORD or the client certificate; trying again$/);
    expect(worker.isRunning).toBe(true);
    expect((await worker.get("/ready"))?.status).toBe(503);
  });

  it("refused with a stranger's certificate, with none, and where the broker's own is not trusted", async () => {
    const { url, caFile, strangerCertFile, strangerKeyFile } = tls();
    const stranger = await rig.worker({
      INGEST_NAME: "a",
      INGEST_TOPICS: "a/#",
      MQTT_URL: url,
      MQTT_CA_FILE: caFile,
      MQTT_CERT_FILE: strangerCertFile,
      MQTT_KEY_FILE: strangerKeyFile,
    });
    const without = await rig.worker({ INGEST_NAME: "b", INGEST_TOPICS: "b/#", MQTT_URL: url, MQTT_CA_FILE: caFile });
    const unsure = await rig.worker({ INGEST_NAME: "c", INGEST_TOPICS: "c/#", MQTT_URL: url });
    const refused = /^Broker: the broker 127\.0\.0\.1:\d+ refuses the client certificate: check MQTT_CERT_FILE and MQTT_KEY_FILE; trying again$/;
    await stranger.said(refused);
    await without.said(refused);
    await unsure.said(/^Broker: the broker's certificate is not signed by an authority known here: set MQTT_CA_FILE; trying again$/);
  });
});

describe("MQTT 3.1.1", () => {
  it("stores what comes and what came while it was away", async () => {
    const worker = await (await rig.worker({ MQTT_VERSION: "4" })).ready();
    for (let i = 0; i < 50; i++) await rig.publish(`${topic}/temperature`, { ts: at + i, value: i });
    await arrives(50);
    await worker.kill9();
    for (let i = 50; i < 1_100; i++) await rig.publish(`${topic}/temperature`, { ts: at + i, value: i % 300 });
    await (await rig.worker({ MQTT_VERSION: "4" })).ready();
    await arrives(1_100);
  });
});

describe("_online", () => {
  const announced = async () =>
    (
      await rig.rows<{ announced: boolean; by: string }>(
        "select announced, announced_by as by from source_status where source_id = $1 and announced is not null",
        [rig.ids.sources.get(press)],
      )
    )[0];
  const events = () => rig.rows<{ kind: string; alive: boolean }>("select kind, alive from link_event where address = $1 order by received_at, at", [press]);
  const device = (options: IClientOptions = {}) =>
    connectAsync(rig.embedded.mqttUrl, {
      protocolVersion: 5,
      reconnectPeriod: 0,
      will: { topic: `${topic}/_online`, payload: Buffer.from("false"), qos: 1, retain: true },
      ...options,
    });

  it("retained before the worker was there, then the will of a device that is cut off, then back", async () => {
    const first = await device();
    await first.publishAsync(`${topic}/_online`, "true", { qos: 1, retain: true });
    const worker = await (await rig.worker()).ready();
    await until("it is known to be online", async () => (await announced())?.announced === true);
    first.stream.destroy(); // no DISCONNECT: its will is published
    await until("it is known to be offline", async () => (await announced())?.announced === false);
    const again = await device();
    await again.publishAsync(`${topic}/_online`, JSON.stringify({ ts: Date.now(), value: true }), { qos: 1, retain: true });
    await until("it is known to be back", async () => (await announced())?.announced === true);
    expect(await events()).toEqual([
      { kind: "online", alive: true },
      { kind: "offline", alive: false },
      { kind: "online", alive: true },
    ]);
    // Told again at the next connect: no event.
    await worker.kill9();
    const next = await (await rig.worker()).ready();
    await until("the retained message came", async () => (await next.figures()).messages >= 1);
    await rig.publish(`${topic}/temperature`, { ts: at, value: 1 });
    await arrives(1);
    expect((await events()).length).toBe(3);
    await again.endAsync();
  });

  it("is not believed for a time in which nobody watched: the broker has forgotten our session", async () => {
    const events = () => rig.rows<{ at: Date; alive: boolean }>("select at, alive from link_event where address = $1 order by at", [press]);
    const worker = await (await rig.worker()).ready();
    const machine = await device();
    await machine.publishAsync(`${topic}/_online`, "true", { qos: 1, retain: true });
    await until("it is known to be online", async () => (await announced())?.announced === true);
    await until("all that was sent is known to be written", async () => (await rig.rows("select from ingest_worker where stats ? 'writtenTo'")).length === 1);
    await worker.kill9();
    const killedAt = Date.now();
    await (await connectAsync(rig.embedded.mqttUrl, { protocolVersion: 5, clientId: "takt-ingest", clean: true })).endAsync();
    const startedAt = Date.now();
    await (await rig.worker()).ready();
    await until("it is known to be back", async () => (await events()).length === 3);
    const [online, offline, back] = await events();
    expect([online?.alive, offline?.alive, back?.alive]).toEqual([true, false, true]);
    expect(offline?.at.getTime()).toBeLessThan(killedAt);
    expect(back?.at.getTime()).toBeGreaterThanOrEqual(startedAt);
    await machine.endAsync();
  });

  it("is gone while nobody watched: from until when it was watched, whether the worker was down or stood still", async () => {
    const machine = async () => {
      const client = await device();
      await client.publishAsync(`${topic}/_online`, "true", { qos: 1, retain: true });
      await until("it is known to be online", async () => (await announced())?.announced === true);
      return client;
    };
    const dies = async (client: MqttClient) => {
      await wait(1_500);
      client.stream.destroy(); // its will is published
      await wait(3_000); // longer than a worker that is merely slow
      return Date.now();
    };
    const goneAt = async () => {
      await until("it is known to be offline", async () => (await announced())?.announced === false);
      const [offline] = await rig.rows<{ at: Date }>("select at from link_event where address = $1 order by received_at desc limit 1", [press]);
      return offline?.at.getTime();
    };
    const worker = await (await rig.worker()).ready();
    const first = await machine();
    const stoppedAt = Date.now();
    process.kill(worker.pid, "SIGSTOP");
    const goesOnAt = await dies(first);
    process.kill(worker.pid, "SIGCONT");
    const offlineAt = await goneAt();
    expect(offlineAt).toBeGreaterThan(stoppedAt - 5_000);
    expect(offlineAt).toBeLessThan(goesOnAt - 3_000);
    const second = await machine();
    await worker.kill9();
    const backAt = await dies(second);
    await (await rig.worker()).ready();
    expect(await goneAt()).toBeLessThan(backAt - 3_000);
  });

  it("goes and comes while the database is held: both are told in their order", async () => {
    await (await rig.worker()).ready();
    await rig.publish(`${topic}/_online`, "true");
    await until("it is known to be online", async () => (await announced())?.announced === true);
    const holder = await rig.pool.connect();
    await holder.query("begin; select from ingest_lease for update");
    await rig.publish(`${topic}/_online`, "false");
    await rig.publish(`${topic}/_online`, "true");
    await rig.publish(`${topic}/temperature`, { ts: at, value: 1 });
    await holder.query("rollback");
    holder.release();
    await arrives(1);
    expect([(await events()).map((e) => e.alive), (await announced())?.announced]).toEqual([[true, false, true], true]);
  });
});

describe("retained values", () => {
  it("with a time are taken once, without one not at all", async () => {
    await rig.publish(`${topic}/temperature`, { ts: at, value: 7 }, { retain: true });
    await rig.publish(`${topic}/good`, "5", { retain: true });
    for (const _ of [1, 2]) {
      const worker = await (await rig.worker({ INGEST_NAME: "newcomer" })).ready(); // without a session at the broker so far
      await until("both came", async () => {
        const { received, held } = await worker.figures();
        return received >= 2 && held === 0;
      });
      await worker.kill9();
    }
    expect([await rig.values(`${press}/temperature`), await rig.values(`${press}/good`)]).toEqual([[7], []]);
  });
});

describe("a broker that is killed together with a machine", () => {
  it("has kept our session and the machine's word, and its will is lost: offline until it says so again", async () => {
    const { broker } = rig.embedded;
    const status = async () =>
      (
        await rig.rows<{ announced: boolean; by: string; at: Date }>(
          "select announced, announced_by as by, announced_at as at from source_status where source_id = $1",
          [rig.ids.sources.get(press)],
        )
      )[0];
    await (await rig.worker()).ready();
    const machine = await connectAsync(rig.embedded.mqttUrl, {
      protocolVersion: 5,
      reconnectPeriod: 0,
      will: { topic: `${topic}/_online`, payload: Buffer.from("false"), qos: 1, retain: true },
    });
    machine.on("error", () => undefined);
    await machine.publishAsync(`${topic}/_online`, "true", { qos: 1, retain: true });
    await until("it is known to be online", async () => (await status())?.announced === true);
    const saved = join(rig.dataDir, "broker", "mosquitto.db");
    const savedAt = Date.now();
    process.kill(broker.pid(), "SIGUSR1"); // saves what it keeps, as it does each minute
    await until("the broker has saved", () => existsSync(saved) && statSync(saved).mtimeMs >= savedAt - 1_000);
    await broker.kill9();
    const killedAt = Date.now();
    machine.end(true);
    await broker.start();
    await until("it is known to be offline", async () => (await status())?.announced === false, 40_000);
    expect(await status()).toMatchObject({ by: "broker_restart" });
    expect((await status())!.at.getTime()).toBeLessThan(killedAt);
    const words: string[] = [];
    const reader = await connectAsync(rig.embedded.mqttUrl, { protocolVersion: 5 });
    reader.on("message", (_topic, payload) => words.push(payload.toString()));
    await reader.subscribeAsync(`${topic}/_online`);
    await until("the broker tells what it has kept", () => words.includes("true"));
    await rig.killWorkers();
    await (await rig.worker()).ready(); // hears the kept word again
    await rig.publish(`${topic}/temperature`, { ts: at, value: 1 });
    await arrives(1);
    expect((await status())?.announced).toBe(false);
    await reader.publishAsync(`${topic}/_online`, "true", { qos: 1, retain: true });
    await until("it is back", async () => (await status())?.announced === true);
    await reader.endAsync();
  });
});
