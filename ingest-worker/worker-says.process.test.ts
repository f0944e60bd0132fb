// A worker that runs, with a real database and a real broker: changes of the plant, and what it says of itself.
import { createServer } from "node:net";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { freePort } from "#/scripts/embedded/processes.ts";
import { Rig } from "#/scripts/soak/rig.ts";
import { Stream } from "#/scripts/soak/stream.ts";
import { until } from "#/scripts/soak/until.ts";
import type { WorkerProcess } from "#/scripts/soak/worker.ts";

let rig: Rig;
let lines = 0;
let press: string;
let topic: string;

beforeAll(async () => {
  rig = await Rig.start();
});
afterAll(() => rig.stop());
beforeEach(async () => {
  press = `berlin/stamping/line-${++lines}/press`;
  [topic = ""] = await rig.line(press.slice(0, press.lastIndexOf("/")), ["press"]);
});
afterEach(() => rig.killWorkers());

const at = Date.now() - 60_000;
const arrives = (n: number, key = "temperature", maxWaitMs?: number) =>
  until(`${n} values of ${press}/${key} are stored`, async () => (await rig.values(`${press}/${key}`)).length === n, maxWaitMs);
const sum = async (worker: WorkerProcess) => {
  const f = await worker.figures();
  return f.written + f.duplicate + f.setAside + f.held - f.received;
};

describe("a plant that changes", () => {
  const waits = "select from pg_stat_activity where application_name = 'takt-ingest ingest' and wait_event_type = 'Lock'";

  it("a new machine's values are taken without a restart, and letters tried again go to where they belong", async () => {
    const worker = await (await rig.worker()).ready();
    const name = `plc/${lines}/db1`;
    await rig.rows("insert into topic_mapping (signal_id, form, pattern, path) values ($1, 'json', $2, 'temp')", [rig.ids.signals.get(`${press}/good`), name]);
    const news = `takt/v1/berlin/stamping/line-${lines}/new`;
    await rig.publish(`${news}/temperature`, { ts: at, value: 5 });
    await rig.publish(`${topic}/humour`, { ts: at, value: 5 });
    const letters = () =>
      rig.rows<{ topic: string; code: string; status: string }>(
        "select topic, reason_code as code, status from dead_letter where topic = any($1) order by topic",
        [[`${news}/temperature`, `${topic}/humour`]],
      );
    await until("both are set aside", async () => (await letters()).length === 2);
    expect(await letters()).toEqual([
      { topic: `${news}/temperature`, code: "unknown_machine", status: "open" },
      { topic: `${topic}/humour`, code: "unknown_signal", status: "open" },
    ]);
    await rig.line(`berlin/stamping/other-${lines}`, ["new"]);
    await rig.rows("insert into topic_mapping (signal_id, form, pattern, path) values ($1, 'json', $2, '')", [
      rig.ids.signals.get(`berlin/stamping/other-${lines}/new/temperature`),
      `${news}/temperature`,
    ]);
    await rig.rows("update dead_letter set status = 'retry' where topic = $1", [`${news}/temperature`]);
    await rig.rows("select pg_notify('dead_letter', 'retry')");
    await until("it is resolved", async () => (await letters())[0]?.status === "resolved");
    expect(await rig.values(`berlin/stamping/other-${lines}/new/temperature`)).toEqual([5]);
    // Mapped outside of the namespace: subscribed to without a restart.
    await rig.publish(name, { ts: at, temp: 4 });
    await arrives(1, "good");
    expect(await sum(worker)).toBe(0);
  });

  it("a message that was under way while its topic was mapped is not left over", async () => {
    await (await rig.worker({ INGEST_TOPICS: "plc/#,takt/v1/#" })).ready();
    const holder = await rig.pool.connect();
    await holder.query("begin; select from ingest_lease for update");
    await rig.publish(`plc/${lines}/temp`, { ts: at, value: 5 });
    await until("the worker's transaction waits", async () => (await rig.rows(waits)).length === 1);
    await rig.rows("insert into topic_mapping (signal_id, form, pattern, path) values ($1, 'json', $2, 'value')", [
      rig.ids.signals.get(`${press}/temperature`),
      `plc/${lines}/+`,
    ]);
    await holder.query("rollback");
    holder.release();
    await arrives(1);
    expect(await rig.rows("select status from dead_letter where topic = $1", [`plc/${lines}/temp`])).toEqual([{ status: "resolved" }]);
  });

  it("values of a signal that is deleted while they are under way are set aside as such", async () => {
    await (await rig.worker()).ready();
    const holder = await rig.pool.connect();
    await holder.query("begin; select from ingest_lease for update");
    await rig.publish(topic, { ts: at, temperature: 5, good: 7, scrap: 1 });
    await until("the worker's transaction waits", async () => (await rig.rows(waits)).length === 1);
    await rig.rows("delete from signal where id = $1", [rig.ids.signals.get(`${press}/temperature`)]);
    await holder.query("rollback");
    holder.release();
    await arrives(1, "good");
    expect(await rig.rows("select reason_code as code, reason from dead_letter where topic = $1", [`${topic}/temperature`])).toEqual([
      { code: "unknown_signal", reason: `${press}/temperature was removed from the plant while its value was under way.` },
    ]);
  });
});

describe("a message that is far too large a mouthful", () => {
  it.each([
    ["a million items that are nothing", Array.from({ length: 1_300_000 }, () => ({})), "payload_too_large"],
    ["fifty thousand that cannot be read", Array.from({ length: 50_000 }, () => ({})), "payload_shape"],
  ])("%s: one letter, and its neighbours are written", async (_name, payload, code) => {
    const worker = await (await rig.worker()).ready();
    await rig.publish(`${topic}/temperature`, payload);
    await rig.publish(`${topic}/good`, { ts: at, value: 1 });
    await arrives(1, "good");
    expect(await rig.rows("select reason_code as code, count(*)::int as n from dead_letter where topic = $1 group by 1", [`${topic}/temperature`])).toEqual([
      { code, n: 1 },
    ]);
    expect((await worker.figures()).rssBytes).toBeLessThan(400 * 1024 * 1024);
    expect(await sum(worker)).toBe(0);
  });
});

describe("what it tells", () => {
  it("figures that balance at every instant, in /metrics and for the Data health page", async () => {
    const worker = await (await rig.worker()).ready();
    const stream = await Stream.to(rig.embedded.mqttUrl, `${topic}/temperature`, 2_000, (n) =>
      n % 10 === 0 ? { value: "hot" } : n % 10 === 3 ? { repeat: true } : {},
    );
    let looks = 0;
    await until("some thousands came", async () => {
      expect(await sum(worker)).toBe(0);
      looks++;
      return (await worker.figures()).received > 4_000;
    });
    expect(looks).toBeGreaterThan(5);
    const sent = await stream.end();
    await until("nothing is held", async () => {
      const f = await worker.figures();
      return f.held === 0 && f.received === sent + stream.repeated + stream.spoilt;
    });
    const figures = await worker.figures();
    expect([figures.duplicate, figures.setAside, figures.written]).toEqual([stream.repeated, stream.spoilt, sent]);
    type Stats = { received: number; written: number; duplicate: number; setAside: Record<string, number>; held: number };
    const stats = () => rig.rows<{ stats: Stats }>("select stats from ingest_worker where name = 'ingest'").then((rows) => rows[0]!.stats);
    await until("the sign of life has them too", async () => (await stats()).written === sent);
    expect(await stats()).toMatchObject({
      received: figures.received,
      written: sent,
      duplicate: stream.repeated,
      setAside: { value_type: stream.spoilt },
      held: 0,
      mqttConnected: true,
      databaseOk: true,
    });
    expect(await rig.rows("select from ingest_worker where name = 'ingest' and at > now() - interval '3 s'")).toHaveLength(1);
  });

  it("/health, /ready, /metrics, and nothing else", async () => {
    const worker = await (await rig.worker()).ready();
    expect(JSON.parse((await worker.get("/health"))?.body ?? "")).toMatchObject({ status: "alive" });
    expect(JSON.parse((await worker.get("/ready"))?.body ?? "")).toEqual({
      ready: true,
      database: true,
      lease: true,
      broker: true,
      subscribed: true,
      sparkplug: null,
      trouble: "",
    });
    const metrics = (await worker.get("/metrics"))?.body ?? "";
    for (const name of ["lag_seconds_bucket", "batch_seconds_bucket", "mqtt_connected 1", "database_ok 1", "values_held 0"])
      expect(metrics).toContain(`takt_ingest_${name}`);
    expect((await worker.get("/other"))?.status).toBe(404);
  });

  it.each([
    [{ DATABASE_URL: "" }, 2, ["DATABASE_URL is missing: set it, e.g. postgres://takt:secret@127.0.0.1:5432/takt"]],
    [
      { MQTT_URL: "http://x", MQTT_VERSION: "6" },
      2,
      ["MQTT_URL must be mqtt://host:1883 or mqtts://host:8883", "MQTT_VERSION must be 5 or 4 (4 is MQTT 3.1.1)"],
    ],
  ])("a wrong environment: %j", async (env, code, said) => {
    const worker = await rig.worker(env as Record<string, string>);
    expect(await worker.exited).toEqual({ code, signal: null });
    expect(worker.lines).toEqual(said);
  });

  it("a port in use", async () => {
    const port = await freePort();
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
    const worker = await rig.worker({ INGEST_HTTP_PORT: String(port) });
    expect((await worker.exited).code).toBe(1);
    expect(worker.lines.at(-1)).toBe(`Port ${port} on 127.0.0.1 is in use: is a worker running already? Set INGEST_HTTP_PORT to another one.`);
    server.close();
  });

  it("a database that refuses, is missing, is away, or has no tables: a sentence, and another try", async () => {
    const port = await freePort();
    const good = new URL(rig.embedded.databaseUrl);
    const altered = (change: (url: URL) => void) => {
      const url = new URL(good);
      change(url);
      return url.href;
    };
    const cases: [string, RegExp][] = [
      [
        altered((u) => (u.password = "wrong")),
        /^Database: the database 127\.0\.0\.1:\d+ refuses the sign-in: check user and password in DATABASE_URL\. Holding 0 values/,
      ],
      [altered((u) => (u.pathname = "/nowhere")), /^Database: there is no database nowhere at 127\.0\.0\.1/],
      [altered((u) => (u.port = String(port))), new RegExp(`^Database: no database answers at 127\\.0\\.0\\.1:${port}: is PostgreSQL running`)],
      [altered((u) => (u.pathname = "/postgres")), /^Database: the database lacks a table or column .*: run npm run migrate\./],
    ];
    await Promise.all(
      cases.map(async ([url, sentence]) => {
        const worker = await rig.worker({ DATABASE_URL: url });
        await worker.said(sentence);
        expect(worker.isRunning).toBe(true);
        expect(worker.lines.join("\n")).not.toContain(good.password);
      }),
    );
  });

  it("a broker that is away", async () => {
    const port = await freePort();
    const worker = await rig.worker({ MQTT_URL: `mqtt://127.0.0.1:${port}` });
    await worker.said(new RegExp(`^Broker: no broker answers at 127\\.0\\.0\\.1:${port}: is it running, is the port right\\?; trying again$`));
    expect(worker.isRunning).toBe(true);
  });
});
