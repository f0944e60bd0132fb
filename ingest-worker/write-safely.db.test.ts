// Outcomes that are not "written": repeats, conflicts, what the database refuses, signals that go away, a lease that is lost.
import type pg from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { addLine, type PlantIds } from "#/scripts/soak/plant.ts";
import { Writer } from "#/scripts/soak/writer.ts";
import { aDatabase, type TestDatabase } from "#/server/testing.ts";
import { emptyBatch } from "./batch.ts";
import { LeaseLost } from "./lease.ts";
import { signalAt } from "./testing.ts";
import { writeBatch } from "./write.ts";

let fresh: TestDatabase;
let db: pg.Client;
let ids: PlantIds;
let writer: Writer;
let lines = 0;
let press: string;
let root: string;
const now = Date.now();

beforeAll(async () => {
  fresh = await aDatabase();
  db = await fresh.connect();
});
afterAll(() => fresh.drop());
afterEach(() => db.query("rollback")); // of a test that failed half-way
// A line of its own for each test.
beforeEach(async () => {
  await db.query("delete from dead_letter; delete from ingest_lease");
  const line = `line-${++lines}`;
  const machines = {
    press: [
      { key: "good", role: "good_count" },
      { key: "job", role: "job" },
      { key: "state", role: "state" },
      { key: "temperature", role: "measurement" },
      { key: "power", role: "measurement", scale: 0.001, offset: 0.5 },
    ],
  };
  ids = await addLine(db, { site: "berlin", area: "stamping", line, machines });
  press = `berlin/stamping/${line}/press`;
  root = `takt/v1/${press}`;
  writer = await Writer.on(db, line, [`takt/v1/berlin/stamping/${line}/#`]);
});

type LetterRow = { topic: string; payload: string; code: string; reason: string; status: string; repeats: number };
const letters = async () =>
  (
    await db.query<LetterRow>(
      "select topic, convert_from(payload, 'UTF8') as payload, reason_code as code, reason, status, repeats::float8 as repeats from dead_letter order by id",
    )
  ).rows;
const values = async (key: string) =>
  (
    await db.query<{ v: number | string | null }>(
      key === "temperature" || key === "power"
        ? "select value as v from sample where signal_id = $1 order by at"
        : "select coalesce(text_value, value::text) as v from ledger_sample where signal_id = $1 order by at",
      [ids.signals.get(`${press}/${key}`)],
    )
  ).rows.map((r) => r.v);
const pieces = async () =>
  (await db.query<{ n: number }>("select coalesce(sum(pieces), 0) as n from count_minute where signal_id = $1", [ids.signals.get(`${press}/good`)])).rows[0]!.n;

describe("repeats and conflicts", () => {
  it("the same value again is a duplicate, in the same batch and in a later one", async () => {
    for (let i = 0; i < 3; i++) writer.send(`${root}/temperature`, { ts: now, value: 5 });
    expect(await writer.commit()).toEqual({ written: 1, duplicate: 2, setAside: new Map() });
    writer.send(`${root}/temperature`, { ts: now, value: 5 });
    expect(await writer.commit()).toEqual({ written: 0, duplicate: 1, setAside: new Map() });
    expect([await values("temperature"), await letters()]).toEqual([[5], []]);
  });

  it("another value for the same instant is set aside with both values named; a repeat of it is set aside too, and not a second letter", async () => {
    writer.send(`${root}/temperature`, { ts: now, value: 5 });
    writer.send(`${root}/temperature`, { ts: now, value: 6 });
    expect(await writer.commit()).toEqual({ written: 1, duplicate: 0, setAside: new Map([["conflict", 1]]) });
    writer.send(`${root}/temperature`, { ts: now, value: 6 });
    expect(await writer.commit()).toEqual({ written: 0, duplicate: 0, setAside: new Map([["conflict", 1]]) });
    expect(await values("temperature")).toEqual([5]);
    expect(await letters()).toEqual([
      {
        topic: `${root}/temperature`,
        payload: `{"ts":${now},"value":6}`,
        code: "conflict",
        reason: `${press}/temperature already has the value 5 for ${new Date(now).toISOString()}; the first one stays. Does the device send two values for one instant?`,
        status: "open",
        repeats: 1,
      },
    ]);
  });

  it("a number and the text of it are two values", async () => {
    writer.send(`${root}/state`, { ts: now, value: 6 });
    writer.send(`${root}/state`, { ts: now, value: "6" });
    expect(await writer.commit()).toMatchObject({ written: 1, setAside: new Map([["conflict", 1]]) });
  });

  it("texts come back as they were compared: emoji, half a pair, quotes, 500 characters of three bytes", async () => {
    const texts = ["😀 Auftrag", "A\ud800", "a'\"\\{}", "工".repeat(500), ""];
    for (const round of [1, 2]) {
      texts.forEach((value, i) => {
        writer.send(`${root}/job`, { ts: now + i, value });
      });
      expect(await writer.commit()).toMatchObject(round === 1 ? { written: 5, duplicate: 0 } : { written: 0, duplicate: 5 });
    }
    expect(await values("job")).toEqual(texts.map((t) => t.toWellFormed()));
  });

  it("a conflict keeps the value as it was sent, unscaled", async () => {
    writer.send(`${root}/power`, { ts: now, value: 1000 });
    writer.send(`${root}/power`, { ts: now, value: 3000 });
    await writer.commit();
    expect([await values("power"), (await letters()).map((l) => l.payload)]).toEqual([[1.5], [`{"ts":${now},"value":3000}`]]);
  });

  it("conflicts with other bad values of the batch: what is received is accounted for", async () => {
    for (let i = 0; i < 50; i++) {
      writer.send(root, [
        { ts: now + i, good: i, temperature: i % 7 === 0 ? "hot" : i },
        { ts: now + (i % 10), temperature: i },
      ]);
    }
    const outcome = await writer.commit();
    const setAside = [...outcome.setAside.values()].reduce((a, b) => a + b, 0);
    expect(outcome.written + outcome.duplicate + setAside).toBe(writer.filling.received);
    const { rows } = await db.query<{ n: number }>("select sum(value_count * (repeats + 1))::int as n from dead_letter");
    expect(rows[0]!.n).toBe(setAside);
    expect(outcome.duplicate).toBe(duplicatesOfSamples());
    function duplicatesOfSamples() {
      // of temperature: instants now..now+9 come from both lists; equal values are repeats
      const seen = new Map<number, number>();
      let n = 0;
      for (let i = 0; i < 50; i++)
        for (const [at, v] of [...(i % 7 === 0 ? [] : [[i, i] as const]), [i % 10, i] as const]) {
          if (seen.get(at) === v) n++;
          else if (!seen.has(at)) seen.set(at, v);
        }
      return n;
    }
  });

  it("fifty without a time are fifty letters: each is a value", async () => {
    for (let i = 0; i < 50; i++) writer.send(`${root}/temperature`, "hot", now);
    expect(await writer.commit()).toEqual({ written: 0, duplicate: 0, setAside: new Map([["value_type", 50]]) });
    expect((await letters()).map((l) => l.repeats)).toEqual(Array(50).fill(0));
  });

  it("fifty bad messages are fifty set aside, in one batch and in several, and one letter that counts them", async () => {
    const bad = (n: number) => {
      for (let i = 0; i < n; i++) writer.send(`${root}/temperature`, { ts: now, value: "hot" }, now + i);
      return writer.commit();
    };
    expect(await bad(20)).toEqual({ written: 0, duplicate: 0, setAside: new Map([["value_type", 20]]) });
    expect(await bad(30)).toEqual({ written: 0, duplicate: 0, setAside: new Map([["value_type", 30]]) });
    expect((await letters()).map((l) => [l.code, l.repeats])).toEqual([["value_type", 49]]);
    const { rows } = await db.query(
      "select extract(epoch from received_at)::float8 * 1000 - $1 as first, extract(epoch from last_received_at)::float8 * 1000 - $1 as last from dead_letter",
      [now],
    );
    expect(rows).toEqual([{ first: 0, last: 29 }]);
  });
});

describe("what the database refuses", () => {
  const poison = async (when: string, table = "ledger_sample") => {
    await fresh.asOwner.rows(
      `create or replace function poison() returns trigger language plpgsql as $$ begin if ${when} then raise exception 'no such value' using errcode = '22003'; end if; return new; end $$`,
    );
    await fresh.asOwner.rows(`create or replace trigger poison before insert on ${table} for each row execute function poison()`);
  };
  const cure = (table = "ledger_sample") => fresh.asOwner.rows(`drop trigger if exists poison on ${table}`);

  it("one value is set aside alone, its neighbours are written, and pieces are counted once", async () => {
    await poison("new.value = 37");
    for (let i = 0; i < 100; i++) writer.send(root, { ts: now + i * 1000, good: i, temperature: i });
    const outcome = await writer.commit();
    await cure();
    expect(outcome).toEqual({ written: 199, duplicate: 0, setAside: new Map([["value_type", 1]]) });
    expect((await letters()).map((l) => [l.topic, l.payload, l.reason])).toEqual([
      [`${root}/good`, `{"ts":${now + 37_000},"value":37}`, "The database refuses the value: no such value"],
    ]);
    expect([(await values("good")).length, await pieces()]).toEqual([99, 99]);
  });

  it("a letter that has come two thousand million times counts on", async () => {
    writer.send(`${root}/humour`, { ts: now, value: 1 });
    await writer.commit();
    await db.query("update dead_letter set repeats = 2147483647");
    writer.send(`${root}/humour`, { ts: now, value: 1 });
    writer.send(`${root}/good`, { ts: now, value: 5 });
    expect(await writer.commit()).toEqual({ written: 1, duplicate: 0, setAside: new Map([["unknown_signal", 1]]) });
    expect((await letters()).map((l) => l.repeats)).toEqual([2_147_483_648]);
    const { rows } = await db.query("select open_values::float8 as n from dead_letter_group where topic = $1", [`${root}/humour`]);
    expect(rows).toEqual([{ n: 2_147_483_649 }]);
  });

  it("one letter: it becomes a plain one, and its neighbours are written as they are", async () => {
    await poison("new.metric = 'bad'", "dead_letter");
    for (let i = 0; i < 20; i++) {
      writer.send(root, { ts: now + i, good: i, humour: i });
      writer.resolver.metric("G/N", i === 7 ? "bad" : "m", now, i, 0, now, writer.filling);
    }
    const outcome = await writer.commit();
    await cure("dead_letter");
    expect(outcome).toEqual({
      written: 20,
      duplicate: 0,
      setAside: new Map([
        ["unknown_signal", 39],
        ["payload_shape", 1],
      ]),
    });
    expect([await pieces(), (await letters()).length]).toEqual([19, 40]);
    expect((await letters()).filter((l) => l.code === "payload_shape")).toMatchObject([
      { topic: "spBv1.0/G/N", payload: `{"ts":${now},"value":7}`, reason: "The database refuses to set this aside as it came: no such value" },
    ]);
  });

  it("every letter, even a plain one: the values are written all the same, and what is received is accounted for", async () => {
    await poison("true", "dead_letter");
    for (let i = 0; i < 3; i++) writer.send(root, { ts: now + i, good: i, humour: i });
    const outcome = await writer.commit();
    await cure("dead_letter");
    expect(outcome).toEqual({ written: 3, duplicate: 0, setAside: new Map([["payload_shape", 3]]) });
  });

  it("one link event: it is set aside, the others and the values are written", async () => {
    await poison("new.alive = false", "link_event");
    for (const alive of [true, false, true]) writer.send(`${root}/_online`, { ts: now, value: alive });
    for (const alive of [true, false]) writer.send(`${root}-2/_online`, { ts: now + 1, value: alive });
    writer.send(`${root}/good`, { ts: now, value: 5 });
    const outcome = await writer.commit();
    await cure("link_event");
    expect(outcome).toEqual({ written: 1, duplicate: 0, setAside: new Map([["payload_shape", 0]]) });
    expect((await letters()).map((l) => l.topic).sort()).toEqual([press, `${press}-2`]);
    const { rows } = await db.query("select distinct address from link_event where alive and address = any($1) order by 1", [[press, `${press}-2`]]);
    expect(rows.map((r) => r.address)).toEqual([press, `${press}-2`]);
  });

  it("everything poisoned: every value is set aside", async () => {
    await poison("true");
    for (let i = 0; i < 9; i++) writer.send(`${root}/good`, { ts: now + i, value: i });
    expect(await writer.commit()).toEqual({ written: 0, duplicate: 0, setAside: new Map([["value_type", 9]]) });
    await cure();
  });

  it("a collision in the fast way: memory was behind, the careful way writes what is missing", async () => {
    const signal = ids.signals.get(`${press}/good`);
    const at = Math.floor(now / 60_000) * 60_000 - 30_000; // all of it in one minute
    // as another writer would have left it, without signal_latest
    await db.query("insert into ledger_sample (signal_id, at, value, received_at) values ($1, to_timestamp($2::float8 / 1000), 5, now())", [signal, at]);
    writer.send(`${root}/good`, { ts: at, value: 5 });
    writer.send(`${root}/good`, { ts: at + 1000, value: 8 });
    expect(await writer.commit()).toEqual({ written: 1, duplicate: 1, setAside: new Map() });
    expect([await values("good"), await pieces()]).toEqual([["5", "8"], 3]);
    writer.send(`${root}/good`, { ts: at + 2000, value: 10 });
    await writer.commit();
    expect(await pieces()).toBe(5);
  });

  it("topics and names longer than an index takes stop nothing", async () => {
    const noise = (n: number) => Array.from({ length: n }, () => Math.random().toString(36)[2] ?? "0").join("");
    const long = [`takt/v1/a/b/c/d/${noise(60_000)}`, `takt/v1/${noise(9_000)}/b/c/d/_online`, noise(5_000)];
    for (const topic of long) writer.send(topic, "1");
    writer.send(root, { [noise(50_000)]: 1, temperature: 7, ts: now });
    writer.resolver.metric(noise(3_000), noise(3_000), now, 1, 0, now, writer.filling);
    const outcome = await writer.commit();
    expect(outcome.written).toBe(1);
    expect((await letters()).map((l) => l.code).sort()).toEqual(["topic_malformed", "topic_malformed", "topic_malformed", "unknown_signal", "unknown_signal"]);
  });

  it("what is worth another try is thrown: nothing of it is committed, and the next try writes it all", async () => {
    const other = await fresh.connect();
    writer.send(`${root}/good`, { ts: now, value: 5 });
    const batch = writer.filling.take();
    await other.query("begin; select from ingest_lease for update");
    await db.query("set statement_timeout = 200");
    await expect(writeBatch(writer.context(), batch)).rejects.toMatchObject({ code: "57014" });
    await db.query("rollback; set statement_timeout = 0");
    await other.query("rollback");
    expect(await values("good")).toEqual([]);
    expect(await writeBatch(writer.context(), batch)).toMatchObject({ written: 1 });
  });
});

describe("a plant that changes under way", () => {
  it("values of a signal that is deleted are set aside as such, the others are written", async () => {
    writer.send(root, { ts: now, good: 5, temperature: 7 });
    await db.query("delete from signal where id = $1", [ids.signals.get(`${press}/temperature`)]);
    expect(await writer.commit()).toEqual({ written: 1, duplicate: 0, setAside: new Map([["unknown_signal", 1]]) });
    expect((await letters()).map((l) => [l.topic, l.payload, l.reason])).toEqual([
      [`${root}/temperature`, `{"ts":${now},"value":7}`, `${press}/temperature was removed from the plant while its value was under way.`],
    ]);
  });

  it("a source that is retired under way stops none of its values", async () => {
    writer.send(root, { ts: now, good: 5, temperature: 7, state: 6 });
    await db.query("update source set retired_at = now() where id = $1", [ids.sources.get(press)]);
    await writer.reload();
    expect(await writer.commit()).toEqual({ written: 3, duplicate: 0, setAside: new Map() });
  });
});

describe("the lease", () => {
  it("without it nothing is written, whoever has it now", async () => {
    writer.send(`${root}/good`, { ts: now, value: 5 });
    const batch = writer.filling.take();
    await db.query("update ingest_lease set fence = fence + 1 where name = $1", [writer.lease.name]);
    await expect(writeBatch(writer.context(), batch)).rejects.toThrow(LeaseLost);
    await db.query("rollback");
    expect(await values("good")).toEqual([]);
    await db.query("delete from ingest_lease where name = $1", [writer.lease.name]);
    await expect(writeBatch(writer.context(), batch)).rejects.toThrow("Another worker has taken over");
    await db.query("rollback");
    expect(await values("good")).toEqual([]);
  });

  it("a take-over waits for the batch that is being written", async () => {
    const other = await fresh.connect();
    const order: string[] = [];
    await db.query("begin");
    await db.query("select from ingest_lease where name = $1 for share", [writer.lease.name]); // what each write transaction does first
    const takeOver = other.query("update ingest_lease set fence = fence + 1 where name = $1", [writer.lease.name]).then(() => order.push("taken"));
    await waitingFor(other);
    order.push("commit");
    await db.query("commit");
    await takeOver;
    expect(order).toEqual(["commit", "taken"]);
  });

  async function waitingFor(client: pg.Client): Promise<void> {
    const pid = (client as pg.Client & { processID: number }).processID;
    for (;;) {
      const { rows } = await db.query<{ waiting: boolean }>("select exists (select from pg_locks where pid = $1 and not granted) as waiting", [pid]);
      if (rows[0]!.waiting) return;
    }
  }

  it("marks are set once an hour, and again when they were worked off", async () => {
    const marks = async () => (await db.query("select from trend_mark where signal_id = $1", [ids.signals.get(`${press}/temperature`)])).rows.length;
    const send = async (ts: number) => {
      writer.send(`${root}/temperature`, { ts, value: 1 });
      await writer.commit();
    };
    const hour = Math.floor(now / 3_600_000) * 3_600_000 - 3_600_000;
    await send(hour + 1000);
    expect(await marks()).toBe(1);
    await db.query("delete from trend_mark");
    await send(hour + 2000);
    expect(await marks()).toBe(0); // nobody said that they were worked off
    await db.query("update ingest_lease set generation = generation + 1");
    await send(hour + 3000);
    expect(await marks()).toBe(1);
  });
});

describe("nothing", () => {
  it("an empty batch commits nothing and breaks nothing", async () => {
    expect(await writeBatch(writer.context(), emptyBatch())).toEqual({ written: 0, duplicate: 0, setAside: new Map() });
    expect(signalAt(writer.plant, `${press}/good`).latest).toBeNull();
  });
});
