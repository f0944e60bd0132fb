// Letters that are tried again.
import type pg from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { addLine, type PlantIds } from "#/scripts/soak/plant.ts";
import { Writer } from "#/scripts/soak/writer.ts";
import { aDatabase, type TestDatabase } from "#/server/testing.ts";
import { Flag } from "./sample.ts";
import { signalAt } from "./testing.ts";

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
  (await db.query<{ v: number }>("select value as v from sample where signal_id = $1 order by at", [ids.signals.get(`${press}/${key}`)])).rows.map((r) => r.v);

describe("large letters", () => {
  it("are kept whole and counted by their values, and are read some MB at a time", async () => {
    const entries = Array.from({ length: 40_000 }, (_, i) => ({ ts: now - i, power: i, temperature: 20, note: "x".repeat(40) }));
    for (let n = 0; n < 6; n++) writer.send(`takt/v1/berlin/stamping/line-${lines}/saw-${n}`, entries);
    await writer.commit();
    const [size] = (
      await db.query<{ n: number; values: number; cut: number }>(
        `select count(*)::int as n, sum(value_count)::int as "values", count(*) filter (where length(payload) < payload_size)::int as cut from dead_letter`,
      )
    ).rows;
    expect(size).toEqual({ n: 6, values: 6 * 40_000 * 3, cut: 0 });
    await db.query("update dead_letter set status = 'retry'");
    expect(await writer.retry()).toBe(true);
    await writer.commit();
    const waiting = (await db.query("select from dead_letter where status = 'retry'")).rowCount;
    expect(waiting).toBeGreaterThan(0);
    expect(waiting).toBeLessThan(6);
  });
});

describe("letters", () => {
  const retry = async () => {
    await db.query("update dead_letter set status = 'retry' where status = 'open'");
    expect(await writer.retry()).toBe(false);
    return writer.commit();
  };

  it("an unknown signal, once it is mapped, is written at the instant at which it came, and its letter is resolved", async () => {
    writer.send(`plc/${lines}`, { ts: now, temp: 55 });
    writer.send(`plc/${lines}`, { temp: 56 }, now + 777);
    await writer.commit();
    expect((await letters()).map((l) => [l.code, l.status])).toEqual([
      ["unknown_signal", "open"],
      ["unknown_signal", "open"],
    ]);
    await db.query("insert into topic_mapping (signal_id, form, pattern, path) values ($1, 'json', $2, 'temp')", [
      ids.signals.get(`${press}/temperature`),
      `plc/${lines}`,
    ]);
    await writer.reload();
    expect(await retry()).toMatchObject({ written: 2 });
    expect((await letters()).map((l) => l.status)).toEqual(["resolved", "resolved"]);
    const { rows } = await db.query<{ at: Date; flags: number }>("select at, flags from sample where signal_id = $1 order by at", [
      ids.signals.get(`${press}/temperature`),
    ]);
    expect(rows.map((r) => [r.at.getTime(), r.flags])).toEqual([
      [now, 0],
      [now + 777, Flag.stampedOnReceipt],
    ]);
  });

  it("fifty pieces without a time, on a topic that nobody knew, are fifty pieces once it is mapped", async () => {
    const at = Date.now();
    for (let i = 0; i < 50; i++) writer.send(`plc/${lines}/piece`, "1", at + (i >> 3)); // eight a millisecond
    for (let i = 0; i < 2; i++) writer.send(root, { cut: 1, ok: 1 }, at); // keys that the machine does not have yet
    await writer.commit();
    expect((await letters()).length).toBe(54);
    const add = async (key: string) =>
      (
        await db.query<{ id: number }>(
          `insert into signal (machine_id, source_id, key, name, role, counter_mode)
           select machine_id, source_id, $2, $2, 'good_count', 'increment' from signal where id = $1 returning id`,
          [ids.signals.get(`${press}/power`), key],
        )
      ).rows[0]!.id;
    const piece = await add("piece");
    await add("cut");
    await add("ok");
    await db.query("insert into topic_mapping (signal_id, form, pattern) values ($1, 'json', $2)", [piece, `plc/${lines}/piece`]);
    expect(await retry()).toEqual({ written: 54, duplicate: 0, setAside: new Map() });
    expect((await letters()).map((l) => l.status)).toEqual(Array(54).fill("resolved"));
    const { rows } = await db.query<{ pieces: number }>("select sum(pieces)::int as pieces from count_minute where signal_id = $1", [piece]);
    expect(rows).toEqual([{ pieces: 50 }]);
  });

  it("a message of which one mapping was taken counts nothing twice when the rest is tried again", async () => {
    await db.query("insert into topic_mapping (signal_id, form, pattern, path) values ($1, 'json', $3, 'a'), ($2, 'json', $3, 'b')", [
      ids.signals.get(`${press}/temperature`),
      ids.signals.get(`${press}/power`),
      `${root}/packed`,
    ]);
    await writer.reload();
    writer.send(`${root}/packed`, { a: 5 }, now);
    writer.send(`${root}/packed`, { a: 6, b: "hot" }, now);
    await writer.commit();
    expect((await letters()).map((l) => [l.topic, l.payload])).toEqual([[`${root}/power`, '{"value":"hot"}']]);
    expect(await retry()).toEqual({ written: 0, duplicate: 0, setAside: new Map([["value_type", 1]]) });
    expect(await values("temperature")).toEqual([5, 6]);
    expect((await letters()).length).toBe(1);
  });

  it("one that fails again is open again with its new reason", async () => {
    writer.send(`plc/${lines}`, { ts: now, temp: "hot" });
    await writer.commit();
    await db.query("insert into topic_mapping (signal_id, form, pattern, path) values ($1, 'json', $2, 'temp')", [
      ids.signals.get(`${press}/temperature`),
      `plc/${lines}`,
    ]);
    await writer.reload();
    await retry();
    const after = await letters();
    // the message is settled; what is left of it is its one bad value
    expect(after.map((l) => [l.code, l.status])).toContainEqual(["value_type", "open"]);
    expect(after.filter((l) => l.status === "open").length).toBe(1);
    // Tried again in vain is not come again.
    expect(await retry()).toEqual({ written: 0, duplicate: 0, setAside: new Map([["value_type", 1]]) });
    expect((await letters()).filter((l) => l.status === "open").map((l) => l.repeats)).toEqual([0]);
  });

  it("one at which the worker itself fails is open again and says why; those behind it are written", async () => {
    for (const [i, key] of ["temperature", "power", "temperature"].entries()) writer.send(`plc/${lines}/${key}`, { ts: now + i, value: i });
    await writer.commit();
    await db.query("update dead_letter set topic = $1 || '/' || split_part(topic, '/', 3), status = 'retry'", [root]);
    const failing = async () => {
      const resolver = await writer.reload();
      const broken = new Map<string, unknown>();
      broken.get = () => {
        throw new TypeError("a fault of our own");
      };
      signalAt(writer.plant, `${press}/power`).valueMap = broken;
      return resolver;
    };
    expect(await writer.retry(failing)).toBe(false);
    expect(await writer.commit()).toMatchObject({ written: 2, setAside: new Map([["payload_shape", 1]]) });
    expect((await letters()).filter((l) => l.status === "open").map((l) => [l.topic, l.payload, l.reason])).toEqual([
      [`${root}/power`, `{"ts":${now + 1},"value":1}`, "It could not be read: a fault of our own"],
    ]);
  });

  it("a conflict that was made room for is written with the value as sent", async () => {
    writer.send(`${root}/power`, { ts: now, value: 1000 });
    writer.send(`${root}/power`, { ts: now, value: 3000 });
    await writer.commit();
    await db.query("delete from sample where signal_id = $1", [ids.signals.get(`${press}/power`)]);
    await retry();
    expect(await values("power")).toEqual([3.5]);
  });

  it("a letter that was discarded stays discarded when it comes again", async () => {
    for (const _ of [1, 2]) {
      writer.send(`${root}/humour`, { ts: now, value: 1 });
      await writer.commit();
      await db.query("update dead_letter set status = 'discarded'");
    }
    expect((await letters()).map((l) => [l.status, l.repeats])).toEqual([["discarded", 1]]);
  });

  it("of one too large only the head is kept; it cannot be tried again and says so by staying open", async () => {
    writer.resolver.metric("G/N", "m", now, "x".repeat(2_000_000), 0, now, writer.filling);
    writer.filling.letter({
      form: "message",
      topic: "plc/large",
      metric: null,
      payload: Buffer.alloc(5_000_000, 65),
      valueCount: 1,
      code: "payload_too_large",
      reason: "Too large.",
      receivedAt: now,
    });
    await writer.commit();
    await retry();
    const { rows } = await db.query("select length(payload) as kept, payload_size as size, status from dead_letter order by payload_size");
    expect(rows).toEqual([
      { kept: 2_000_031, size: 2_000_031, status: "open" },
      { kept: 4_194_304, size: 5_000_000, status: "open" },
    ]);
  });
});
