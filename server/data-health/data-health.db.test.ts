import { createHash } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { aDatabase, aLine, aMachine, aSignal, type TestDatabase } from "#/server/testing.ts";
import { workerHealth } from "#/server/workers/service.ts";
import { letterGroups, letterRows, unknownRows } from "./letter-queries.ts";
import { mapUnknown, unknownSignals } from "./mapping.ts";
import { gapRows, linkRows, signalRows, sourceRows } from "./queries.ts";
import { payloadOf, settleGroup, settleLetter } from "./service.ts";

let db: TestDatabase;
beforeAll(async () => {
  db = await aDatabase();
  process.env.DATABASE_URL = db.url; // changes go through the process's own pool
});
afterAll(() => db.drop());
beforeEach(async () => {
  await db.rows("truncate dead_letter, enterprise, ingest_worker cascade");
});

async function letter(topic: string, payload: string | Buffer, { code = "unknown_signal", metric = null as string | null } = {}): Promise<string> {
  const bytes = Buffer.from(payload);
  const print = createHash("sha256").update(`${topic}|${metric}|${code}|`).update(bytes).digest();
  const [made] = await db.rows<{ id: string }>(
    `insert into dead_letter (fingerprint, received_at, last_received_at, form, topic, metric, payload, payload_size, reason_code, reason)
     values ($1, now(), now(), 'value', $2, $3, $4, $5, $6, 'Because.') returning id`,
    [print, topic, metric, bytes, bytes.length, code],
  );
  return made?.id ?? "";
}
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
const newSignal = { to: "new", key: "torque", name: "Torque", role: "measurement", unit: "N.m", counterMode: null } as const;

describe("mapUnknown", () => {
  it("makes a signal where the topic's own machine lacks it, needs no mapping for it, and has the letters tried again", async () => {
    const machine = await machineAt();
    const topic = `takt/v1/${machine.path}/torque`;
    await letter(topic, "1");
    await letter(topic, "2");
    await letter(topic, "x", { code: "value_type" });
    expect(await mapUnknown({ topic, metric: null, path: "", machineId: machine.machineId, ...newSignal })).toEqual({ retried: 2 });
    expect(await statuses()).toEqual([
      { status: "open", n: 1 },
      { status: "retry", n: 2 },
    ]);
    const made = await db.rows(
      "select g.key, g.unit, o.form, o.address, (select count(*)::int from topic_mapping) as mappings from signal g join source o on o.id = g.source_id",
    );
    expect(made).toEqual([{ key: "torque", unit: "N.m", form: "json", address: machine.path, mappings: 0 }]);
  });

  it("maps a path of a foreign topic, and a metric of a Sparkplug device", async () => {
    const machine = await machineAt();
    const { signalId } = await aSignal(db, { machine });
    await mapUnknown({ topic: "plc/1", metric: null, path: "data.t", to: "signal", signalId });
    await mapUnknown({ topic: "spBv1.0/G/node/dev", metric: "Oil/Temp", path: "", machineId: machine.machineId, ...newSignal });
    expect(await db.rows("select form, pattern, path from topic_mapping order by id")).toEqual([
      { form: "json", pattern: "plc/1", path: "data.t" },
      { form: "sparkplug", pattern: "G/node/dev", path: "Oil/Temp" },
    ]);
    expect(await db.rows("select form from source where address = 'G/node/dev'")).toEqual([{ form: "sparkplug" }]);
  });

  it("tells the second of two people, and leaves nothing half done", async () => {
    const machine = await machineAt();
    const [one, two] = [await aSignal(db, { machine }), await aSignal(db, { machine })];
    const results = await Promise.allSettled([one, two].map(({ signalId }) => mapUnknown({ topic: "plc/2", metric: null, path: "v", to: "signal", signalId })));
    expect(results.map((result) => result.status).sort()).toEqual(["fulfilled", "rejected"]);
    await expect(mapUnknown({ topic: "plc/3", metric: null, path: "", machineId: machine.machineId, ...newSignal, counterMode: "cumulative" })).rejects.toThrow(
      "Only counters",
    );
    await mapUnknown({ topic: "plc/3", metric: null, path: "", machineId: machine.machineId, ...newSignal });
    await expect(mapUnknown({ topic: "plc/4", metric: null, path: "", machineId: machine.machineId, ...newSignal })).rejects.toThrow(
      "has a signal torque already",
    );
    expect(await db.rows("select count(*)::int as n from topic_mapping")).toEqual([{ n: 2 }]);
    await expect(mapUnknown({ topic: "plc/5", metric: null, path: "", to: "signal", signalId: 999_999 })).rejects.toThrow("no longer in use");
  });
});

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
    const [row] = await letterRows(db, { reasonCode: "value_type", topic: "t/1", metric: null }, "open");
    const asked = { id, statusAt: row?.statusAt ?? "" };
    const results = await Promise.allSettled([settleLetter(asked, "retry"), settleLetter(asked, "discarded")]);
    expect(results.map((result) => result.status).sort()).toEqual(["fulfilled", "rejected"]);
    await db.rows("update dead_letter set status = 'open', status_at = clock_timestamp()"); // the worker tried in vain
    await expect(settleLetter(asked, "discarded")).rejects.toThrow("was tried again meanwhile");
    await expect(settleLetter({ id: "99999999", statusAt: "2026-01-01" }, "retry")).rejects.toThrow("no longer there");
  });

  it("takes a whole group, but not what came after it was looked at", async () => {
    await letter("t/2", "a", { code: "value_type" });
    await letter("t/2", "b", { code: "value_type" });
    await letter("t/2", "c", { code: "value_type", metric: "m" });
    const group = (await letterGroups(db, "open")).find((found) => found.metric === null);
    expect(group).toMatchObject({ letters: 2, values: 2, reasonCode: "value_type", topic: "t/2" });
    await letter("t/2", "d", { code: "value_type" });
    const key = { reasonCode: "value_type", topic: "t/2", metric: null };
    expect(await settleGroup(key, group?.lastId ?? "", "discarded")).toEqual({ changed: 2 });
    await expect(settleGroup(key, group?.lastId ?? "", "discarded")).rejects.toThrow("someone else has dealt with");
    expect(await statuses()).toEqual([
      { status: "discarded", n: 2 },
      { status: "open", n: 2 },
    ]);
  });

  it("shows payloads whole, cut, and as what they are", async () => {
    expect(await payloadOf(db, await letter("t/3", '{"a":1}'))).toMatchObject({ size: 7, cut: false, decoded: '{\n  "a": 1\n}' });
    const long = await payloadOf(db, await letter("t/4", "y".repeat(40_000)));
    expect(long).toMatchObject({ size: 40_000, shown: 16_384, cut: true, decoded: null });
    await expect(payloadOf(db, "99999999")).rejects.toThrow("no longer there");
  });
});

describe("sourceRows", () => {
  const now = new Date("2026-03-04T10:30:20Z");
  const ago = (s: number) => new Date(now.getTime() - s * 1000).toISOString();

  it("finds silences, also the one that lasts, and counts announced ones where a link announces itself", async () => {
    const [quiet, announced] = [await aMachine(db), await aMachine(db)];
    for (const s of [600, 540, 300, 240, 180]) {
      await db.rows("insert into source_minute values ($1, date_trunc('minute', $2::timestamptz), $2, $2, 4, 1.5)", [quiet.sourceId, ago(s)]);
    }
    await db.rows("insert into source_status (source_id, last_at, last_received_at, lag_s) values ($1, $2, $2, 1.5)", [quiet.sourceId, ago(180)]);
    await db.rows("insert into source_status (source_id, last_at, announced, announced_at) values ($1, $2, true, $2)", [announced.sourceId, ago(900)]);
    for (const [s, kind, alive] of [
      [2000, "death", false],
      [1900, "birth", true],
      [1800, "sequence_gap", null],
      [1700, "rebirth_requested", null],
    ] as const) {
      await db.rows("insert into link_event (source_id, address, at, kind, alive, received_at) values ($1, 'x', $2, $3, $4, $2)", [
        announced.sourceId,
        ago(s),
        kind,
        alive,
      ]);
    }
    const rows = await sourceRows(db, now);
    expect(rows.find((row) => row.id === quiet.sourceId)).toMatchObject({
      gaps: 2,
      gapLongestS: 240,
      gapTotalS: 420,
      lagS: 1.5,
      perMinute: 2.4,
      announced: null,
      sequenceGaps: 0,
    });
    expect(rows.find((row) => row.id === announced.sourceId)).toMatchObject({ gaps: 1, gapLongestS: 100, announced: true, sequenceGaps: 1, rebirths: 1 });
    expect(await gapRows(db, quiet.sourceId, now)).toEqual([
      { from: Date.parse(ago(180)), to: now.getTime() },
      { from: Date.parse(ago(540)), to: Date.parse(ago(300)) },
    ]);
    expect((await linkRows(db, announced.sourceId, now)).map((row) => row.kind)).toEqual(["rebirth_requested", "sequence_gap", "birth", "death"]);
  });

  const hour = 3600;
  const heard = (sourceId: number, ...agoS: number[]) =>
    Promise.all(agoS.map((s) => db.rows("insert into source_minute values ($1, date_trunc('minute', $2::timestamptz), $2, $2, 4, 1.5)", [sourceId, ago(s)])));
  const said = (sourceId: number, s: number, kind: string, alive: boolean) =>
    db.rows("insert into link_event (source_id, address, at, kind, alive, received_at) values ($1, $2, $3, $4, $5, $3)", [
      sourceId,
      `x-${sourceId}`,
      ago(s),
      kind,
      alive,
    ]);
  const both = async (sourceId: number) => ({
    row: (await sourceRows(db, now)).find((found) => found.id === sourceId),
    list: await gapRows(db, sourceId, now),
  });

  it("counts a silence that began before the day, from the day's start", async () => {
    const { sourceId } = await aMachine(db);
    await heard(sourceId, 30 * hour, 2 * hour, 30);
    await db.rows("insert into source_status (source_id, last_at, last_received_at) values ($1, $2, $2)", [sourceId, ago(30)]);
    const { row, list } = await both(sourceId);
    expect(row).toMatchObject({ gaps: 2, gapLongestS: 22 * hour, gapTotalS: 24 * hour - 30 });
    expect(list).toEqual([
      { from: Date.parse(ago(2 * hour)), to: Date.parse(ago(30)) },
      { from: Date.parse(ago(24 * hour)), to: Date.parse(ago(2 * hour)) },
    ]);
  });

  it("takes nothing that was before a source's first value for a gap, and shows the silence that lasts in both places", async () => {
    const { sourceId } = await aMachine(db);
    await heard(sourceId, 2 * hour);
    await db.rows("insert into source_status (source_id, last_at, last_received_at) values ($1, $2, $2)", [sourceId, ago(2 * hour)]);
    const { row, list } = await both(sourceId);
    expect(row).toMatchObject({ gaps: 1, gapTotalS: 2 * hour });
    expect(list).toEqual([{ from: Date.parse(ago(2 * hour)), to: now.getTime() }]);
  });

  it("counts an announced death before the day that lasts, once, and one that ends in it", async () => {
    const [dead, back] = [await aMachine(db), await aMachine(db)];
    await said(dead.sourceId, 40 * hour, "birth", true);
    await said(dead.sourceId, 30 * hour, "offline", false);
    await said(dead.sourceId, 3 * hour, "death", false);
    await said(back.sourceId, 30 * hour, "offline", false);
    await said(back.sourceId, 20 * hour, "online", true);
    for (const [sourceId, s, announced] of [
      [dead.sourceId, 3 * hour, false],
      [back.sourceId, 20 * hour, true],
    ] as const)
      await db.rows("insert into source_status (source_id, last_at, announced, announced_at) values ($1, $2, $3, $4)", [
        sourceId,
        ago(30 * hour),
        announced,
        ago(s),
      ]);
    const lasting = await both(dead.sourceId);
    expect(lasting.row).toMatchObject({ gaps: 1, gapLongestS: 24 * hour });
    expect(lasting.list).toEqual([{ from: Date.parse(ago(24 * hour)), to: now.getTime() }]);
    const ended = await both(back.sourceId);
    expect(ended.row).toMatchObject({ gaps: 1, gapLongestS: 4 * hour });
    expect(ended.list).toEqual([{ from: Date.parse(ago(24 * hour)), to: Date.parse(ago(20 * hour)) }]);
  });

  it("says of each signal how late it is, how often it comes, and how long it has been silent where it has a period", async () => {
    const machine = await aMachine(db);
    const made: number[] = [];
    for (const [age, periodSet] of [
      [3, 1],
      [600, 1],
      [600, null],
      [600, 300],
    ] as const) {
      const { signalId } = await aSignal(db, { machine });
      made.push(signalId);
      await db.rows("update signal set period_s = $2 where id = $1", [signalId, periodSet]);
      await db.rows(
        "insert into signal_latest (signal_id, at, value, flags, received_at, period_s, values_total) values ($1, $2, 1, 0, $2::timestamptz + interval '1.5 s', 5, 9)",
        [signalId, ago(age)],
      );
    }
    const rows = await signalRows(db, machine.sourceId, now);
    expect(made.map((id) => rows.find((row) => row.id === id)).map((row) => [row?.lagS, row?.perMinute, row?.silentS])).toEqual([
      [1.5, 12, null],
      [1.5, 0.1, 600],
      [1.5, 0.1, null],
      [1.5, 0.1, null],
    ]);
  });

  it("lists the signals of a source with their newest values", async () => {
    const { signalId, sourceId } = await aSignal(db);
    await db.rows("insert into signal_latest (signal_id, at, value, flags, received_at, period_s, values_total) values ($1, $2, 71.5, 0, $2, 1.02, 99)", [
      signalId,
      ago(3),
    ]);
    expect(await signalRows(db, sourceId, now)).toMatchObject([{ id: signalId, at: now.getTime() - 3_000, value: 71.5, valuesTotal: 99 }]);
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
});
