import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { everywhere, permitted, program } from "#/server/identity/testing.ts";
import { aDatabase, aLine, aMachine, aSignal, type TestDatabase } from "#/server/testing.ts";
import { workerHealth } from "#/server/workers/service.ts";
import { letterGroups, letterRows, unknownRows } from "./letter-queries.ts";
import { payloadOf, settleGroup, settleLetter } from "./service.ts";
import { aLetter } from "./testing.ts";
import { unknownSignals } from "./unknown.ts";

let db: TestDatabase;
beforeAll(async () => {
  db = await aDatabase();
  process.env.DATABASE_URL = db.url; // changes go through the process's own pool
});
afterAll(() => db.drop());
beforeEach(async () => {
  await db.asOwner.rows("truncate dead_letter, enterprise, ingest_worker cascade");
});

const anyone = () => permitted(db, program, "data_health.read");
const letter = (topic: string, payload: string | Buffer, of: { code?: string; metric?: string | null } = {}) => aLetter(db, topic, payload, of);
const statuses = () => db.rows<{ status: string; n: number }>("select status, count(*)::int as n from dead_letter group by 1 order by 1");

/** A machine and its path, as topics name it. */
async function machineAt() {
  const machine = await aMachine(db, { line: await aLine(db) });
  const [row] = await db.rows<{ path: string }>(
    "select concat_ws('/', s.key, a.key, l.key, m.key) as path from machine m join line l on l.id = m.line_id join area a on a.id = l.area_id join site s on s.id = a.site_id where m.id = $1",
    [machine.machineId],
  );
  return { ...machine, path: row?.path ?? "" };
}

describe("unknownSignals", () => {
  it("lists each value once, with what it probably is", async () => {
    const machine = await machineAt();
    await db.rows("update signal set key = 'temperature' where id = $1", [(await aSignal(db, { machine })).signalId]);
    await letter(`takt/v1/${machine.path}/temp`, '{"ts":1,"value":61.5}');
    await letter(`takt/v1/${machine.path}/temp`, '{"ts":2,"value":62.5}');
    await letter("plc/7", '{"ts":1,"data":{"scrap":4,"status":"RUN"}}');
    await letter("spBv1.0/G/n", '{"ts":1,"value":true}', { metric: "Door" });
    const { unknown, signals } = await unknownSignals(db);
    const temp = unknown.find((found) => found.topic.endsWith("/temp"));
    expect(temp).toMatchObject({
      letters: 2,
      machineId: machine.machineId,
      paths: [{ path: "", value: 62.5, suggestedSignalId: signals[0]?.id, role: "measurement", unit: "Cel" }],
    });
    expect(unknown.find((found) => found.topic === "plc/7")?.paths).toMatchObject([
      { path: "data.scrap", value: 4, role: "reject_count", key: "scrap", suggestedSignalId: null },
      { path: "data.status", value: "RUN", role: "state" },
    ]);
    expect(unknown.find((found) => found.metric === "Door")?.paths).toMatchObject([{ path: "", value: true, name: "Door" }]);
    expect(await unknownRows(db)).toHaveLength(3);
  });
});

describe("settleLetter and settleGroup", () => {
  it("changes a letter once: who comes second is told what became of it", async () => {
    const id = await letter("t/1", "x", { code: "value_type" });
    const [row] = await letterRows(db, everywhere, { reasonCode: "value_type", topic: "t/1", metric: null }, "open");
    const asked = { id, statusAt: row?.statusAt ?? "" };
    const results = await Promise.allSettled([settleLetter(anyone(), asked, "retry"), settleLetter(anyone(), asked, "discarded")]);
    expect(results.map((result) => result.status).sort()).toEqual(["fulfilled", "rejected"]);
    await db.rows("update dead_letter set status = 'open', status_at = clock_timestamp()"); // the worker tried in vain
    await expect(settleLetter(anyone(), asked, "discarded")).rejects.toThrow("was tried again meanwhile");
    await expect(settleLetter(anyone(), { id: "99999999", statusAt: "2026-01-01" }, "retry")).rejects.toThrow("no longer there");
  });

  it("takes a whole group, but not what came after it was looked at", async () => {
    await letter("t/2", "a", { code: "value_type" });
    await letter("t/2", "b", { code: "value_type" });
    await letter("t/2", "c", { code: "value_type", metric: "m" });
    const group = (await letterGroups(db, "open")).find((found) => found.metric === null);
    expect(group).toMatchObject({ letters: 2, values: 2, reasonCode: "value_type", topic: "t/2" });
    await letter("t/2", "d", { code: "value_type" });
    const key = { reasonCode: "value_type", topic: "t/2", metric: null };
    expect(await settleGroup(anyone(), key, group?.lastId ?? "", "discarded")).toEqual({ changed: 2 });
    await expect(settleGroup(anyone(), key, group?.lastId ?? "", "discarded")).rejects.toThrow("someone else has dealt with");
    expect(await statuses()).toEqual([
      { status: "discarded", n: 2 },
      { status: "open", n: 2 },
    ]);
  });

  it("shows payloads whole, cut, and as what they are", async () => {
    expect(await payloadOf(anyone(), await letter("t/3", '{"a":1}'))).toMatchObject({ size: 7, cut: false, decoded: '{\n  "a": 1\n}' });
    const long = await payloadOf(anyone(), await letter("t/4", "y".repeat(40_000)));
    expect(long).toMatchObject({ size: 40_000, shown: 16_384, cut: true, decoded: null });
    await expect(payloadOf(anyone(), "99999999")).rejects.toThrow("no longer there");
  });
});

describe("workerHealth", () => {
  it("counts what has no outcome, and takes a worker of another version as it is", async () => {
    await db.rows("insert into ingest_worker (name, at, started_at, stats) values ('a', now(), now(), $1), ('b', now() - interval '1 minute', now(), '{}')", [
      JSON.stringify({ received: 10, written: 5, duplicate: 1, setAside: { value_type: 2 }, held: 1, mqttConnected: true }),
    ]);
    const [a, b] = await workerHealth(db, new Date());
    expect(a).toMatchObject({ name: "a", alive: true, setAsideTotal: 2, unaccounted: 1, mqttConnected: true, sparkplugConnected: null });
    expect(b).toMatchObject({ name: "b", alive: false, received: 0, unaccounted: 0 });
  });

  it("carries what stands in a worker's way, and knows whose topics others read", async () => {
    await db.rows("delete from ingest_worker");
    const worker = async (name: string, age: string, filters: string[], stats: object) => {
      await db.rows("insert into ingest_worker (name, at, started_at, stats) values ($1, now() - $2::interval, now(), $3)", [name, age, JSON.stringify(stats)]);
      await db.rows("insert into ingest_lease (name, filters, holder, expires_at) values ($1, $2, 'test', now())", [name, filters]);
    };
    const way = { leased: true, plantRevision: 7, subscribed: false, trouble: "Broker: it refuses takt/v1/#.", writtenTo: 5 };
    await worker("a", "0 s", ["takt/v1/#"], way);
    await worker("b", "0 s", ["takt/v1/#"], { leased: false, trouble: "Standing by: ..." });
    await worker("c", "1 hour", ["takt/v1/berlin/#"], {});
    await worker("d", "1 hour", ["takt/v1/berlin/#", "shed/1"], {});
    const [a, b, c, d] = await workerHealth(db, new Date());
    expect(a).toMatchObject({ ...way, replaced: false });
    expect(b).toMatchObject({ leased: false, subscribed: true, plantRevision: null, trouble: "Standing by: ..." });
    expect([c?.replaced, d?.replaced]).toEqual([true, false]);
  });
});
