// The worker's life with a real database and a real broker: start, stop, stand by, take over, outages, changes of the plant, and what it says.
import { createServer } from "node:net";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { freePort } from "#/scripts/embedded/processes.ts";
import { startLine } from "#/scripts/soak/line.ts";
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

describe("stopping", () => {
  it("under load: what it holds is written and acknowledged, in less than 10 s, and nothing is lost", async () => {
    const worker = await (await rig.worker()).ready();
    const stream = await Stream.flood(rig.embedded.mqttUrl, `${topic}/temperature`);
    await until("values are written", async () => (await worker.figures()).written > 3_000);
    const end = await worker.stop();
    expect({ code: end.code, signal: end.signal }).toEqual({ code: 0, signal: null });
    expect(end.tookMs).toBeLessThan(10_000);
    expect(worker.lines.at(-1)).toBe("stopped");
    const [lease] = await rig.rows<{ free: boolean }>("select expires_at <= now() as free from ingest_lease where name = 'ingest'");
    expect(lease).toEqual({ free: true });
    const next = await (await rig.worker()).ready();
    const sent = await stream.end();
    await arrives(sent);
    // All that the first one took it wrote and acknowledged: nothing comes twice.
    expect((await next.figures()).duplicate).toBe(0);
  });

  it("while the database is held: gives up after 10 s without an acknowledgement", async () => {
    const worker = await (await rig.worker()).ready();
    const holder = await rig.pool.connect();
    await holder.query("begin; select from ingest_lease for update");
    await rig.publish(`${topic}/temperature`, { ts: at, value: 1 });
    await until("the worker holds it", async () => (await worker.figures()).held === 1);
    const end = await worker.stop();
    expect(end.code).toBe(1);
    expect(end.tookMs).toBeLessThan(12_000);
    await holder.query("rollback");
    holder.release();
    await rig.worker();
    await arrives(1);
  });
});

describe("two workers", () => {
  it("of one name: the second stands by, says so, and takes over when the first is killed", async () => {
    const first = await (await rig.worker()).ready();
    const second = await rig.worker();
    await second.said(/^Standing by: the worker "ingest" \(\S+ \d+ \S+\) reads takt\/v1\/#\. It takes over when that one stops\.$/);
    expect((await second.get("/ready"))?.status).toBe(503);
    expect((await second.get("/health"))?.status).toBe(200);
    await rig.publish(`${topic}/temperature`, { ts: at, value: 1 });
    await arrives(1);
    await first.kill9();
    await second.ready(10_000);
    await rig.publish(`${topic}/temperature`, { ts: at + 1, value: 2 });
    await arrives(2);
    expect(second.isRunning).toBe(true);
  });

  it("read a site each; a third that reaches into one of them is refused in words", async () => {
    const [chicago = ""] = await rig.line(`chicago/packing/line-${lines}`, ["packer"]);
    const one = await rig.worker({ INGEST_NAME: "berlin", INGEST_TOPICS: "takt/v1/berlin/#" });
    const two = await rig.worker({ INGEST_NAME: "chicago", INGEST_TOPICS: "takt/v1/chicago/#" });
    await one.ready();
    await two.ready();
    const third = await rig.worker({ INGEST_NAME: "all", INGEST_TOPICS: "takt/v1/+/packing/#" });
    await third.said(/^Standing by: the worker "(berlin|chicago)" .* reads takt\/v1\/(berlin|chicago)\/#\./);
    for (let i = 0; i < 20; i++) {
      await rig.publish(`${topic}/temperature`, { ts: at + i, value: i });
      if (i < 10) await rig.publish(`${chicago}/temperature`, { ts: at + i, value: i });
    }
    await arrives(20);
    await until("each has its own", async () => (await one.figures()).written === 20 && (await two.figures()).written === 10);
    expect((await third.figures()).messages).toBe(0);
  });

  it("of which one has read everything before: what its session still brings goes to the other, and comes no more", async () => {
    const [chicago = ""] = await rig.line(`chicago/packing/line-${lines}`, ["packer"]);
    const stored = () => rig.values(`chicago/packing/line-${lines}/packer/temperature`);
    const plc = `plc/${lines}/db1`;
    await rig.rows("insert into topic_mapping (signal_id, form, pattern, path) values ($1, 'json', $2, 'temp')", [
      rig.ids.signals.get(`${press}/temperature`),
      plc,
    ]);
    const all = await (await rig.worker()).ready();
    await rig.publish(plc, { ts: at, temp: 1 });
    await arrives(1);
    await all.stop();
    await rig.rows("delete from topic_mapping where pattern = $1", [plc]);
    for (let i = 0; i < 200; i++) await rig.publish(`${chicago}/temperature`, { ts: at + i, value: i });
    const two = await (await rig.worker({ INGEST_NAME: "chicago", INGEST_TOPICS: "takt/v1/chicago/#" })).ready();
    for (let i = 200; i < 300; i++) await rig.publish(`${chicago}/temperature`, { ts: at + i, value: i }); // both sessions get these
    await rig.publish(`${topic}/temperature`, { ts: at + 1, value: 2 });
    const one = await (await rig.worker({ INGEST_TOPICS: "takt/v1/berlin/#" })).ready();
    await arrives(2);
    await until("all of Chicago's values are stored", async () => (await stored()).length === 300);
    await until("nothing waits to be handed over", async () => (await rig.rows("select from dead_letter where reason_code = 'other_worker'")).length === 0);
    const { written, setAside, messages } = await one.figures();
    expect({ written, setAside }).toEqual({ written: 1, setAside: 300 });
    expect((await two.figures()).written).toBe(300);
    expect([await sum(one), await sum(two)]).toEqual([0, 0]);
    // The session is as narrow as the worker now, and so is its lease.
    await until("the lease names no more than is read", async () => {
      const [lease] = await rig.rows<{ filters: string[] }>("select filters from ingest_lease where name = 'ingest'");
      return lease?.filters.join() === "takt/v1/berlin/#";
    });
    for (const name of [`${chicago}/temperature`, plc]) await rig.publish(name, { ts: at + 300, value: 1 });
    await rig.publish(`${topic}/temperature`, { ts: at + 2, value: 3 });
    await arrives(3);
    await until("Chicago's is stored", async () => (await stored()).length === 301);
    expect((await one.figures()).messages).toBe(messages + 1);
  });

  it("one that is cut off from the database leaves the broker to the other, and stands by when it is back", async () => {
    const via = new URL(rig.embedded.databaseUrl);
    const line = await startLine(via.hostname, Number(via.port));
    via.host = `127.0.0.1:${line.port}`;
    const first = await (await rig.worker({ DATABASE_URL: via.href })).ready();
    const second = await rig.worker();
    await second.said(/^Standing by/);
    line.cut();
    await second.ready(60_000); // the lease has to run out
    const connects = () => [first, second].map(({ lines }) => lines.filter((said) => said.startsWith("connected to")).length);
    for (let i = 0; i < 100; i++) await rig.publish(`${topic}/temperature`, { ts: at + i, value: i });
    await arrives(100);
    const told = async () => JSON.parse((await first.get("/ready"))?.body ?? "{}") as { lease?: boolean; broker?: boolean; trouble?: string };
    await until("it is no longer sure of its lease", async () => (await told()).lease === false);
    expect(await told()).toMatchObject({ ready: false, database: false, broker: false });
    line.mend();
    await first.said(/^Standing by/);
    await until("/ready says so too", async () => (await told()).trouble?.startsWith("Standing by"));
    await rig.publish(`${topic}/temperature`, { ts: at + 100, value: 1 });
    await arrives(101);
    expect(connects()).toEqual([1, 1]);
    expect([await sum(first), (await first.figures()).held]).toEqual([0, 0]);
    await second.kill9();
    await first.ready();
    await rig.publish(`${topic}/temperature`, { ts: at + 101, value: 1 });
    await arrives(102);
    await line.close();
  });

  it("one whose lease was taken notices without a message, lets go of the broker and stands by", async () => {
    const worker = await (await rig.worker()).ready();
    await rig.rows("update ingest_lease set fence = fence + 1, holder = 'elsewhere 1 now', expires_at = now() + interval '12 s' where name = 'ingest'");
    await worker.said(/^Another worker has taken over the topics of "ingest"\.$/);
    await until("it has let go of the broker", async () => JSON.parse((await worker.get("/ready"))?.body ?? "{}").broker === false);
    await worker.ready(); // the other one's lease ran out
    await rig.publish(`${topic}/temperature`, { ts: at, value: 1 });
    await arrives(1);
  });
});

describe("outages", () => {
  it("of the database for 10 s: says what it holds, stays small, loses nothing", async () => {
    const worker = await (await rig.worker()).ready();
    const stream = await Stream.to(rig.embedded.mqttUrl, `${topic}/temperature`, 3_000);
    await until("values are written", async () => (await worker.figures()).written > 1_000);
    await rig.embedded.postgres.stop();
    const stoppedAt = performance.now();
    await worker.said(/^Database: .*\. Holding \d+ values, the broker keeps the rest; trying again\.$/);
    expect((await worker.get("/ready"))?.status).toBe(503);
    expect(JSON.parse((await worker.get("/ready"))?.body ?? "{}")).toMatchObject({ ready: false, database: false });
    await until("10 s have passed", () => performance.now() - stoppedAt > 10_000);
    expect(await sum(worker)).toBe(0);
    expect((await worker.figures()).rssBytes).toBeLessThan(400 * 1024 * 1024);
    await rig.embedded.postgres.start();
    await worker.ready();
    const sent = await stream.end();
    await arrives(sent, "temperature", 30_000);
    expect(await sum(worker)).toBe(0);
    expect(worker.lines.filter((line) => line.startsWith("Database:")).length).toBeLessThan(10); // not a line a try
  });

  it("of the broker: says so, comes back, loses nothing", async () => {
    const worker = await (await rig.worker()).ready();
    for (let i = 0; i < 100; i++) await rig.publish(`${topic}/temperature`, { ts: at + i, value: i });
    await rig.embedded.broker.stop();
    await worker.said(/^Broker: .*; trying again$/);
    expect((await worker.get("/ready"))?.status).toBe(503);
    await rig.embedded.broker.start();
    await worker.ready();
    for (let i = 100; i < 200; i++) await rig.publish(`${topic}/temperature`, { ts: at + i, value: i });
    await arrives(200);
  });

  it("of the connection that listens alone: it is opened again", async () => {
    await (await rig.worker()).ready();
    const side = () =>
      rig.rows<{ pid: number }>("select pid from pg_stat_activity where application_name = 'takt-ingest ingest side'").then((rows) => rows[0]?.pid);
    const before = await until("it listens", side);
    await rig.rows("select pg_terminate_backend($1)", [before]);
    await until("it listens again", async () => ((await side()) ?? before) !== before);
    const [sign] = await rig.rows<{ at: Date }>("select at from ingest_worker where name = 'ingest'");
    await until("it gives signs of life", async () => (await rig.rows("select from ingest_worker where name = 'ingest' and at > $1", [sign?.at])).length === 1);
    await rig.publish(`${topic}/temperature`, { ts: at, value: 1 });
    await arrives(1);
  });
});

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
