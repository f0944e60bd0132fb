import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { transaction } from "#/server/db.ts";
import { exportPlant } from "#/server/plant/export.ts";
import { readPlantFile } from "#/server/plant/read-file.ts";
import { applyPlan, planPlant } from "#/server/plant/service.ts";
import { prismaClient } from "#/server/prisma.ts";
import { aDatabase, aLine, aMachine, aSignal, type TestDatabase } from "#/server/testing.ts";
import { workerHealth } from "#/server/workers/service.ts";
import { letterGroups, letterRows, unknownRows } from "./letter-queries.ts";
import { mapUnknown } from "./mapping.ts";
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
  await db.rows("truncate dead_letter, enterprise, ingest_worker cascade");
});

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

  it("leads a metric to no signal of topics, nor a topic to one of Sparkplug: what says that they are there is not the same", async () => {
    const [byTopic, byMetric] = [await machineAt(), await machineAt()];
    await db.rows("update source set form = 'sparkplug' where id = $1", [byMetric.sourceId]);
    const [one, two] = [await aSignal(db, { machine: byTopic }), await aSignal(db, { machine: byMetric })];
    const metric = { topic: "spBv1.0/G/node/dev", metric: "Oil/Temp", path: "" };
    await expect(mapUnknown({ ...metric, to: "signal", signalId: one.signalId })).rejects.toThrow("a Sparkplug metric cannot lead there");
    await expect(mapUnknown({ topic: "plc/9", metric: null, path: "v", to: "signal", signalId: two.signalId })).rejects.toThrow("a topic cannot lead there");
    await mapUnknown({ ...metric, to: "signal", signalId: two.signalId });
    expect(await db.rows("select form, signal_id from topic_mapping")).toEqual([{ form: "sparkplug", signal_id: two.signalId }]);
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

describe("what is mapped here and the plant file", () => {
  const file = `enterprise: { key: e, name: E }
sites: [{ key: s, name: S, zone: UTC, areas: [{ key: a, lines: [{ key: l, machines: [{ key: m, signals: [{ key: state, role: state }] }] }] }] }]`;
  const readBack = async () => {
    const prisma = prismaClient(db.url);
    try {
      return readPlantFile((await exportPlant(prisma)) ?? "");
    } finally {
      await prisma.$disconnect();
    }
  };
  const apply = async (text: string) => {
    const { plant } = readPlantFile(text);
    if (!plant) throw new Error("no plant file");
    await transaction(async (tx) => applyPlan(tx, await planPlant(tx, plant, new Date()), new Date()));
  };
  const map = (key: string, role: "state" | "job" | "product" | "fault_code", topic: string, machineId: number) =>
    mapUnknown({ topic, metric: null, path: "", to: "new", machineId, key, name: key, role, unit: "", counterMode: null });

  it("agree: what is made comes back from an export, and what the file refuses is refused", async () => {
    await apply(file);
    const [machine] = await db.rows<{ id: number }>("select id from machine");
    const id = machine?.id ?? 0;
    await expect(map("state2", "state", "takt/v1/s/a/l/m/state2", id)).rejects.toThrow("has a signal with the role state already: state.");
    await expect(map("ts", "fault_code", "x/ts", id)).rejects.toThrow("cannot be called ts");
    for (const [key, role] of [
      ["job", "job"],
      ["product", "product"],
      ["f1", "fault_code"],
      ["f2", "fault_code"],
    ] as const)
      await map(key, role, `x/${key}`, id);
    for (const role of ["job", "product"] as const) await expect(map("another", role, "x/another", id)).rejects.toThrow(`with the role ${role} already`);
    const { plant, complaints } = await readBack();
    expect(complaints).toEqual([]);
    expect(plant?.sites[0]?.areas[0]?.lines[0]?.machines[0]?.signals.map(({ key }) => key).sort()).toEqual(["f1", "f2", "job", "product", "state"]);
  });

  it("the schema holds it, too; a role may go from one signal to another", async () => {
    await apply(file);
    const two = "insert into signal (machine_id, source_id, key, name, role) select machine_id, source_id, $1, $1, $2 from signal where key = 'state'";
    await expect(db.rows(two, ["state2", "state"])).rejects.toThrow("exclusion constraint");
    await expect(db.rows(two, ["ts", "measurement"])).rejects.toThrow("check constraint");
    await apply(file.replace("{ key: state, role: state }", "{ key: state, role: fault_code }, { key: mode, role: state }"));
    await apply(file.replace("{ key: state, role: state }", "{ key: state, role: state }, { key: mode, role: fault_code }"));
    expect(await db.rows("select key, role from signal where retired_at is null order by key")).toEqual([
      { key: "mode", role: "fault_code" },
      { key: "state", role: "state" },
    ]);
  });

  it("of two people who map a machine's state at once one is told", async () => {
    await apply(file.replace("{ key: state, role: state }", ""));
    const [machine] = await db.rows<{ id: number }>("select id from machine");
    const results = await Promise.allSettled(["a", "b"].map((key) => map(key, "state", `x/${key}`, machine?.id ?? 0)));
    expect(results.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    expect(results.flatMap((result) => (result.status === "rejected" ? [String(result.reason)] : []))[0]).toContain("with the role state already");
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
