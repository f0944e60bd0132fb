// Workers that share the topics: messages that come to the wrong one, letters that are tried again, claims.
import type pg from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { addLine, type PlantIds } from "#/scripts/soak/plant.ts";
import { Writer } from "#/scripts/soak/writer.ts";
import { aDatabase, type TestDatabase } from "#/server/testing.ts";
import { acquireLease } from "./lease.ts";

let fresh: TestDatabase;
let db: pg.Client;
let berlin: Writer;
let chicago: Writer;
let ids: PlantIds;
let lines = 0;
let path: string;
let packer: string;
const now = Date.now() - 600_000;

beforeAll(async () => {
  fresh = await aDatabase();
  db = await fresh.connect();
});
afterAll(() => fresh.drop());
beforeEach(async () => {
  await db.query("delete from dead_letter; delete from ingest_lease; delete from topic_mapping");
  path = `chicago/packing/line-${++lines}/packer`;
  packer = `takt/v1/${path}`;
  const machines = {
    packer: [
      { key: "good", role: "good_count" },
      { key: "scrap", role: "reject_count", counterMode: "increment" as const },
      { key: "temperature", role: "measurement" },
    ],
  };
  ids = await addLine(db, { site: "chicago", area: "packing", line: `line-${lines}`, machines });
  berlin = await Writer.on(await fresh.connect(), "berlin", ["takt/v1/berlin/#"]);
});
const chicagoStarts = async () => {
  chicago = await Writer.on(await fresh.connect(), "chicago", ["takt/v1/chicago/#"]);
};

const one = async <T>(sql: string, ...values: unknown[]) => (await db.query<{ v: T }>(sql, values)).rows[0]?.v;
const pieces = () => one<number>("select coalesce(sum(pieces), 0) as v from count_minute where signal_id = $1", ids.signals.get(`${path}/good`));
const latest = () => one<number>("select value as v from signal_latest where signal_id = $1", ids.signals.get(`${path}/good`));
const temperatures = () =>
  one<number[]>("select coalesce(array_agg(value order by at), '{}') as v from sample where signal_id = $1", ids.signals.get(`${path}/temperature`));
const letters = async () =>
  (await db.query<{ code: string; status: string; reason: string }>("select reason_code as code, status, reason from dead_letter order by received_at desc"))
    .rows;
const claimed = (name: string) => one<string[]>("select filters as v from ingest_lease where name = $1", name);

describe("a message on a topic of another worker", () => {
  it("is handed over to it, which writes it in its place: nothing lost, nothing twice, pieces right", async () => {
    await chicagoStarts();
    const count = (writer: Writer, after: number, good: number) => writer.send(`${packer}/good`, { ts: now + after * 60_000, value: good });
    count(chicago, 0, 100);
    count(chicago, 3, 160);
    await chicago.commit();
    // Queued in the session of a worker that read everything before; one of them the other worker got as well.
    for (const [after, good] of [
      [1, 120],
      [2, 140],
      [3, 160],
    ] as const)
      count(berlin, after, good);
    expect(await berlin.commit()).toEqual({ written: 0, duplicate: 0, setAside: new Map([["other_worker", 3]]) });
    expect((await letters()).map((l) => l.status)).toEqual(["retry", "retry", "retry"]);
    expect(await pieces()).toBe(60);

    expect(await berlin.retry()).toBe(false);
    expect(berlin.filling.received).toBe(3); // its own are elsewhere: it takes none of them up
    count(chicago, 4, 190);
    await chicago.retry();
    expect(await chicago.commit()).toEqual({ written: 3, duplicate: 1, setAside: new Map() });
    expect([await pieces(), await latest(), await letters()]).toEqual([90, 190, []]);
    const minutes = await db.query<{ pieces: number }>("select pieces from count_minute where signal_id = $1 and pieces > 0 order by minute", [
      ids.signals.get(`${path}/good`),
    ]);
    expect(minutes.rows.map((r) => r.pieces)).toEqual([20, 20, 20, 30]);
  });

  it("without a time is taken for each time that it came, at the instant at which it came", async () => {
    await chicagoStarts();
    for (const after of [0, 500, 500]) berlin.send(`${packer}/scrap`, "2", now + after);
    await berlin.commit();
    await chicago.retry();
    await chicago.commit();
    const made = await db.query<{ at: number }>(
      "select round(extract(epoch from at - to_timestamp($2::float8 / 1000)) * 1000000)::float8 as at from ledger_sample where signal_id = $1 order by 1",
      [ids.signals.get(`${path}/scrap`), now],
    );
    expect(made.rows.map((r) => r.at)).toEqual([0, 500_000, 500_001]); // microseconds
    expect(await one("select sum(pieces) as v from count_minute where signal_id = $1", ids.signals.get(`${path}/scrap`))).toBe(6);
  });

  it("that the broker had kept is its reader's without our doing; what cannot be read is a letter as anywhere", async () => {
    await chicagoStarts();
    berlin.send(`${packer}/temperature`, { ts: now, value: 1 }, now, true);
    berlin.send(`${packer}/humour`, { ts: now, value: 1 });
    expect(await berlin.commit()).toEqual({ written: 0, duplicate: 1, setAside: new Map([["unknown_signal", 1]]) });
    expect((await letters()).map((l) => [l.code, l.status])).toEqual([["unknown_signal", "open"]]);
  });

  it("that nobody reads is written by the one worker that there is; meanwhile no other can begin", async () => {
    berlin.send(`${packer}/temperature`, { ts: now, value: 7 });
    await berlin.commit();
    expect(await temperatures()).toEqual([]);
    await berlin.retry();
    expect(await claimed("berlin")).toEqual(["takt/v1/berlin/#", "#"]);
    expect(await acquireLease(db, "chicago", ["takt/v1/chicago/#"], "elsewhere 2")).toEqual({ heldBy: 'worker "berlin" (elsewhere 1 berlin) reads #' });
    await berlin.commit();
    expect([await temperatures(), await letters(), await claimed("berlin")]).toEqual([[7], [], ["takt/v1/berlin/#"]]);
    await chicagoStarts();
  });

  it("that nobody reads while others live waits ten minutes for its worker, then is open and says why", async () => {
    const detroit = await Writer.on(await fresh.connect(), "detroit", ["takt/v1/detroit/#"]);
    for (const ago of [700_000, 1_000]) berlin.send(`${packer}/temperature`, { ts: now, value: ago }, Date.now() - ago);
    await berlin.commit();
    for (const writer of [detroit, berlin]) {
      await writer.retry();
      expect(writer.filling.batch.values).toBe(0);
    }
    const reason = "No worker reads this topic. Map it to a signal, or add it to the INGEST_TOPICS of a worker; then try again.";
    expect(await letters()).toMatchObject([{ status: "retry" }, { status: "open", reason }]);
    await chicagoStarts();
    await chicago.retry();
    await chicago.commit();
    expect(await temperatures()).toEqual([1_000]);
  });

  it("waits for its worker also when that one is away, but not for ever", async () => {
    await chicagoStarts();
    berlin.send(`${packer}/temperature`, { ts: now, value: 7 }, Date.now() - 700_000);
    await berlin.commit();
    await db.query("update ingest_lease set expires_at = now() - interval '23 hours' where name = 'chicago'");
    await berlin.retry();
    expect((await letters()).map((l) => l.status)).toEqual(["retry"]);
    await db.query("update ingest_lease set expires_at = now() - interval '25 hours' where name = 'chicago'");
    await berlin.retry();
    await berlin.commit();
    expect(await temperatures()).toEqual([7]);
  });
});

describe("letters that someone wants tried again", () => {
  it("are taken by the worker that reads the topic, however many of others stand before them", async () => {
    await chicagoStarts();
    await db.query(
      `insert into dead_letter (fingerprint, received_at, last_received_at, form, topic, payload, payload_size, reason_code, reason, status)
       select decode(md5(i::text), 'hex'), now(), now(), 'value', case when i <= 10050 then 'takt/v1/berlin/x/y/z/t' else $1 end, convert_to(json_build_object('ts', $2::bigint + i, 'value', i)::text, 'UTF8'), 9,
         'value_type', 'x', 'retry' from generate_series(1, 10053) i`,
      [`${packer}/temperature`, now],
    );
    expect(await chicago.retry()).toBe(false);
    expect(await chicago.commit()).toMatchObject({ written: 3 });
    expect(await berlin.retry()).toBe(true);
    expect(berlin.filling.batch.retried.length).toBe(2_000);
  });

  it("of one value of a mapped signal go to the worker that reads what it is mapped to", async () => {
    const factory = await Writer.on(await fresh.connect(), "factory", ["factory/#"]);
    await db.query("insert into topic_mapping (signal_id, form, pattern, path) values ($1, 'json', 'factory/1', 'temp')", [
      ids.signals.get(`${path}/temperature`),
    ]);
    await factory.reload();
    await chicagoStarts();
    factory.send("factory/1", { ts: now, temp: "hot" });
    await factory.commit();
    await db.query("update dead_letter set status = 'retry', payload = convert_to($1, 'UTF8'), payload_size = length($1)", [`{"ts":${now},"value":5}`]);
    await chicago.retry();
    expect(chicago.filling.batch.values).toBe(0);
    await factory.retry();
    expect(await factory.commit()).toMatchObject({ written: 1 });
  });
});

describe("claims", () => {
  const map = (pattern: string) =>
    db.query("insert into topic_mapping (signal_id, form, pattern, path) values ($1, 'json', $2, 'x')", [ids.signals.get(`${path}/temperature`), pattern]);

  it("what the plant maps is claimed before it is read, and given up when the session at the broker has let go of it", async () => {
    await db.query("delete from ingest_lease");
    const all = await Writer.on(await fresh.connect(), "all", undefined);
    await map("plc/1");
    await all.reload();
    expect([all.share.filters, await claimed("all")]).toEqual([
      ["takt/v1/#", "plc/1"],
      ["takt/v1/#", "plc/1"],
    ]);
    await db.query("delete from topic_mapping");
    await all.reload();
    expect([all.share.filters, await claimed("all"), all.share.atBroker]).toEqual([["takt/v1/#"], ["takt/v1/#", "plc/1"], ["takt/v1/#", "plc/1"]]);
    all.share.sessionIs(["takt/v1/#"]);
    await all.share.claim(db);
    expect(await claimed("all")).toEqual(["takt/v1/#"]);
  });

  it("what another worker reads is left to it, for as long as it does", async () => {
    await db.query("delete from ingest_lease");
    await Writer.on(await fresh.connect(), "plc", ["plc/#"]);
    const all = await Writer.on(await fresh.connect(), "all", undefined);
    await map("plc/1");
    await all.reload();
    expect([all.share.filters, all.share.taken, await claimed("all")]).toEqual([["takt/v1/#"], ["plc/1"], ["takt/v1/#"]]);
    await db.query("update ingest_lease set expires_at = now() where name = 'plc'");
    await all.reload();
    expect([all.share.filters, all.share.taken, await claimed("all")]).toEqual([["takt/v1/#", "plc/1"], [], ["takt/v1/#", "plc/1"]]);
  });
});
