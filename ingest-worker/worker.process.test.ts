import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
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
