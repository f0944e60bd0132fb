import { createHash } from "node:crypto";
import pg from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { loadPlant } from "#/ingest-worker/plant.ts";
import { Resolver } from "#/ingest-worker/resolve.ts";
import type { Letter, Sample } from "#/ingest-worker/sample.ts";
import { closePool } from "#/server/db.ts";
import { everywhere, grant, permitted, personWith, program } from "#/server/identity/testing.ts";
import { applyText, refusal } from "#/server/plant/edit-testing.ts";
import { exportPlant } from "#/server/plant/export.ts";
import { readPlantFile } from "#/server/plant/read-file.ts";
import { aDatabase, type TestDatabase } from "#/server/testing.ts";
import { type Mapping, mapMany as mapAll } from "./mapping.ts";
import { previewMapping, proposeMappings } from "./mapping-preview.ts";

let db: TestDatabase;
beforeAll(async () => {
  db = await aDatabase();
  process.env.DATABASE_URL = db.url; // changes go through the process's own pool
});
afterAll(async () => {
  await closePool();
  await db.drop();
});
beforeEach(async () => {
  await db.asOwner.rows("truncate dead_letter, enterprise cascade");
  await applyText(
    db,
    `enterprise: { key: acme }
sites:
  - key: berlin
    zone: Europe/Berlin
    areas: [{ key: hall, lines: [{ key: l1, machines: [{ key: oven, signals: [{ key: state, role: state }] }, { key: press }, { key: packer, source: { form: sparkplug, address: G/N } }] }] }]
  - { key: chicago, zone: America/Chicago, areas: [{ key: a, lines: [{ key: l, machines: [{ key: x }] }] }] }`,
  );
});

const now = Date.now();
async function letter(topic: string, payload: string, metric: string | null = null): Promise<void> {
  const print = createHash("sha256").update(`${topic}|${metric}|${payload}`).digest();
  await db.rows(
    `insert into dead_letter (fingerprint, received_at, last_received_at, form, topic, metric, payload, payload_size, reason_code, reason)
     values ($1, to_timestamp($2 / 1000.0), to_timestamp($2 / 1000.0), 'message', $3, $4, $5, $6, 'unknown_signal', 'Because.')`,
    [print, now, topic, metric, Buffer.from(payload), payload.length],
  );
}
const place = (topic: string, path = "", metric: string | null = null) => ({ topic, path, metric, tsPath: null });
const preview = (topic: string, path: string, signal: Record<string, unknown>, metric: string | null = null) =>
  previewMapping(db, everywhere, { ...place(topic, path, metric), signal, known: [] });
const mapAs = (actor = program as Parameters<typeof permitted>[1]) => permitted(db, actor, "signal.map");
const mapMany = (ctx: Parameters<typeof mapAll>[0], mappings: readonly (Omit<Mapping, "isNew"> & { isNew?: boolean })[]) =>
  mapAll(
    ctx,
    mappings.map((one) => ({ isNew: false, ...one })),
  );
const column = async (sql: string) => (await db.rows<{ x: unknown }>(sql)).map((row) => row.x);

const reasonsOf = (results: readonly PromiseSettledResult<unknown>[]) =>
  results.flatMap((result) => (result.status === "rejected" ? [String(result.reason)] : []));

/** What the worker makes of a message with the plant as it is now. */
async function worked(topic: string, payload: string): Promise<{ samples: Sample[]; letters: Letter[] }> {
  const client = new pg.Client({ connectionString: db.url });
  await client.connect();
  const samples: Sample[] = [];
  const letters: Letter[] = [];
  const ignored = () => undefined;
  try {
    const resolver = new Resolver(await loadPlant(client, null), 7 * 86_400_000);
    const sink = { sample: (s: Sample) => samples.push(s), letter: (l: Letter) => letters.push(l), link: ignored, repeat: ignored, setAside: ignored };
    resolver.message({ topic, payload: Buffer.from(payload), retained: false, receivedAt: now }, sink);
    return { samples, letters };
  } finally {
    await client.end();
  }
}

describe("previewMapping", () => {
  it.each([
    ["scaled", { role: "measurement", unit: "Cel", scale: 0.5, offset: -5 }, { value: 3531.5, text: null, reason: null }],
    ["out of limits", { role: "measurement", high: 100 }, { reason: "7073  is outside the physical limits of this signal (-∞ to 100). A broken wire?" }],
    ["a state by its map", { role: "state", values: { "7073": "changeover" } }, { value: 7073, meaning: "changeover", reason: null }],
    ["a text", { role: "product" }, { text: "7073", reason: null }],
  ])("is what the worker makes of it once it is saved: %s", async (_what, fields, expected) => {
    const payload = JSON.stringify({ data: [{ t: 7073, ts: now - 1000 }] });
    await letter("hall/oven", payload);
    const { messages } = await preview("hall/oven", "data.0.t", fields);
    expect(messages).toMatchObject([{ topic: "hall/oven", payload, at: now - 1000, hasTime: true, ...expected }]);
    await mapMany(mapAs(), [{ ...place("hall/oven", "data.0.t"), machine: "berlin/hall/l1/press", key: "t", fields }]);
    const { samples, letters } = await worked("hall/oven", payload);
    const [message] = messages;
    expect(samples.map(({ at, value, text }) => ({ at, value, text }))).toEqual(
      message?.reason === null ? [{ at: message.at, value: message.value, text: message.text }] : [],
    );
    expect(letters.map(({ reason }) => reason)).toEqual(message?.reason === null ? [] : [message?.reason?.replace("this signal", "berlin/hall/l1/press/t")]);
  });

  it("says why a message would be set aside, and which field of the signal is wrong", async () => {
    for (const payload of ["{", '{"v":"hot"}', '{"v":1,"ts":5}', `{"v":1,"ts":${now + 3_600_000}}`, '{"w":1}']) await letter("x/y", payload);
    const { messages } = await preview("x/y", "v", { role: "measurement" });
    expect(messages.map(({ reason }) => reason?.slice(0, 40))).toEqual([
      'The message has nothing at "v", which is',
      `The time stamp ${new Date(now + 3_600_000).toISOString().replace(/\.\d+Z$/, "Z")} is 6`.slice(0, 40),
      "The time stamp 5 is before 1973: the dev",
      "This signal takes numbers, but the text ",
      "The message is not JSON: Expected proper",
    ]);
    expect((await refusal(preview("x/y", "v", { role: "measurement", low: 5, high: 1, scale: 0 }))).fields).toEqual({ "signal.scale": "Must not be 0." });
    expect((await refusal(preview("x/y", "v", { role: "state", low: 5, high: 1 }))).fields).toEqual({ "signal.low": '"low" (5) must be below "high" (1).' });
    expect((await refusal(preview("x/y", "v", {}))).fields).toEqual({ "signal.role": "This is needed." });
  });

  it("shows the newest message of each topic that a filter matches, and a metric's", async () => {
    for (const machine of ["oven", "press"]) for (const value of [1, 2]) await letter(`hall/${machine}/temp`, `{"v":${value}}`);
    await letter("spBv1.0/G/N", '{"ts":null,"value":3}', "Temp");
    expect((await preview("hall/+/temp", "v", { role: "measurement" })).messages.map(({ topic, value }) => [topic, value])).toEqual([
      ["hall/oven/temp", 2],
      ["hall/press/temp", 2],
    ]);
    expect((await preview("spBv1.0/G/N", "", { role: "measurement" }, "Temp")).messages.map(({ value }) => value)).toEqual([3]);
    const atChicago = personWith(grant("technician", Number((await column("select id as x from site where key = 'chicago'"))[0])));
    expect((await previewMapping(db, mapAs(atChicago).scope, { ...place("hall/+/temp", "v"), signal: { role: "state" }, known: [] })).messages).toEqual([]);
  });
});

describe("the preview of what leads to signals that there are", () => {
  const signalId = async (key: string) => Number((await column(`select id as x from signal where key = '${key}'`))[0]);

  it("is read as these are, beside what is read as a new one", async () => {
    for (const machine of ["oven", "press"]) await letter(`hall/${machine}/temp`, `{"v":${machine === "oven" ? 6 : 215}}`);
    await mapMany(mapAs(), [
      { ...place("x/y", "v"), machine: "berlin/hall/l1/oven", key: "temp", fields: { role: "measurement", unit: "Cel", scale: 0.1, high: 20 } },
    ]);
    const wanted = { ...place("hall/+/temp", "v"), signal: { role: "measurement", unit: "bar" }, known: [] };
    const preview = async (of: object) =>
      (await previewMapping(db, everywhere, { ...wanted, ...of })).messages.map(({ topic, raw, value, unit, meaning, code }) => [
        topic.split("/")[1],
        raw,
        value,
        unit,
        meaning,
        code,
      ]);
    const temp = await signalId("temp");
    expect(await preview({ known: [{ topic: "hall/press/temp", signalId: temp }] })).toEqual([
      ["oven", 6, 6, "bar", null, null],
      ["press", 215, null, "Cel", null, "value_out_of_limits"],
    ]);
    expect(await preview({ known: [{ topic: "hall/oven/temp", signalId: await signalId("state") }], signal: null })).toEqual([
      ["oven", 6, 6, "", "run", null],
      ["press", 215, null, "", null, null],
    ]);
  });

  it("is of no signal elsewhere, nor of one that is gone", async () => {
    const wanted = { ...place("x/y", "v"), signal: null, known: [{ topic: "x/y", signalId: await signalId("state") }] };
    const atChicago = personWith(grant("technician", Number((await column("select id as x from site where key = 'chicago'"))[0])));
    expect((await refusal(previewMapping(db, mapAs(atChicago).scope, wanted))).code).toBe("NOT_FOUND");
    await db.rows("update signal set retired_at = now()");
    expect((await refusal(previewMapping(db, everywhere, wanted))).code).toBe("NOT_FOUND");
  });
});

describe("mapMany", () => {
  it("maps what a filter matches to the machines that the topics name, and has the letters tried again", async () => {
    for (const machine of ["oven", "press", "mixer"]) await letter(`hall/${machine}/temp`, '{"v":1}');
    const { proposals, topics } = await proposeMappings(db, everywhere, { topic: "hall/+/temp", path: "v" });
    expect(topics).toBe(3);
    expect(proposals).toEqual([
      { topic: "hall/mixer/temp", machine: null, signal: null },
      { topic: "hall/oven/temp", machine: "berlin/hall/l1/oven", signal: null },
      { topic: "hall/press/temp", machine: "berlin/hall/l1/press", signal: null },
    ]);
    const items = proposals.flatMap(({ topic, machine }) =>
      machine === null ? [] : [{ ...place(topic, "v"), machine, key: "temp", fields: { role: "measurement", unit: "Cel" } }],
    );
    expect(await mapMany(mapAs(), items)).toMatchObject({ addresses: ["berlin/hall/l1/oven/temp", "berlin/hall/l1/press/temp"], retried: 2 });
    expect(
      await column(
        "select concat_ws(' ', g.key, s.form, s.address, t.pattern, t.path) as x from signal g join source s on s.id = g.source_id join topic_mapping t on t.signal_id = g.id order by 1",
      ),
    ).toEqual(["temp mapped mapped:berlin/hall/l1/oven hall/oven/temp v", "temp mapped mapped:berlin/hall/l1/press hall/press/temp v"]);
    expect(await column("select topic || ' ' || status as x from dead_letter order by 1")).toEqual([
      "hall/mixer/temp open",
      "hall/oven/temp retry",
      "hall/press/temp retry",
    ]);
    // another value of the same message, to a signal that is known: the letter is tried again although it led somewhere
    await db.rows("update dead_letter set status = 'resolved' where topic = 'hall/oven/temp'");
    expect(await mapMany(mapAs(), [{ ...place("hall/oven/temp", "mode"), machine: "berlin/hall/l1/oven", key: "state", fields: {} }])).toMatchObject({
      retried: 1,
    });
    expect(await column("select count(*)::int as x from topic_mapping t join signal g on g.id = t.signal_id where g.key = 'state'")).toEqual([1]);
  });

  it("maps a metric to the machine of its node, and one of another node to its publisher; an own topic needs no mapping", async () => {
    const item = (machine: string, key: string, topic: string, metric: string | null) => ({
      ...place(topic, "", metric),
      machine,
      key,
      fields: { role: "measurement" },
    });
    await mapMany(mapAs(), [
      item("berlin/hall/l1/packer", "Temp", "spBv1.0/G/N", "Temp"),
      item("berlin/hall/l1/press", "power", "spBv1.0/G/Meter", "P"),
      item("berlin/hall/l1/press", "speed", "takt/v1/berlin/hall/l1/press/speed", null),
    ]);
    expect(
      await column(
        "select concat_ws(' ', g.key, s.form, s.address, t.pattern, t.path) as x from signal g join source s on s.id = g.source_id left join topic_mapping t on t.signal_id = g.id where g.key <> 'state' order by 1",
      ),
    ).toEqual(["Temp sparkplug G/N G/N Temp", "power sparkplug G/Meter G/Meter P", "speed json berlin/hall/l1/press"]);
  });

  it("is all or nothing, tells which mapping is wrong, and asks for the right at the machine's site", async () => {
    const item = (key: string, fields: Record<string, unknown>) => ({ ...place("a/b", key), machine: "berlin/hall/l1/press", key, fields });
    expect((await refusal(mapMany(mapAs(), [item("x", { role: "state" }), item("y", { role: "hot" })]))).fields).toEqual({
      "items.1.role": 'Must be one of state, good_count, reject_count, rework_count, total_count, fault_code, job, product, measurement, energy, but is "hot".',
    });
    expect((await refusal(mapMany(mapAs(), [item("x", { role: "measurement" }), { ...item("z", { role: "measurement" }), path: "x" }]))).fields).toMatchObject({
      "items.1.mapping.0.topic": expect.stringMatching(/would go to two signals/),
    });
    expect(await column("select count(*)::int as x from signal")).toEqual([1]);
    const atChicago = personWith(grant("technician", Number((await column("select id as x from site where key = 'chicago'"))[0])));
    expect((await refusal(mapMany(mapAs(atChicago), [item("x", { role: "measurement" })]))).code).toBe("NOT_FOUND");
  });

  it("tells the second of two people who map the same, and leaves nothing half done; who maps it to the same signal again is right", async () => {
    await letter("plc/2", '{"v":1}');
    const item = (machine: string, key: string, isNew = true) => ({
      ...place("plc/2", "v"),
      machine: `berlin/hall/l1/${machine}`,
      key,
      isNew,
      fields: { role: "measurement" },
    });
    const results = await Promise.allSettled(["press", "oven"].map((machine) => mapMany(mapAs(), [item(machine, "torque")])));
    expect(results.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    expect(reasonsOf(results)).toEqual([expect.stringContaining("would go to two signals")]);
    const [machine = ""] = (await column("select m.key as x from signal g join machine m on m.id = g.machine_id where g.key = 'torque'")) as string[];
    const again = await refusal(mapMany(mapAs(), [{ ...item(machine, "other"), path: "w" }, item(machine, "torque")]));
    expect(again.fields).toEqual({ "items.1.key": "This machine has a signal with this key already: torque. Choose that one, or another key." });
    expect(await mapMany(mapAs(), [{ ...item(machine, "torque", false), tsPath: "t" }])).toMatchObject({ retried: 0 });
    expect(await column("select concat_ws(' ', pattern, path, ts_path) as x from topic_mapping")).toEqual(["plc/2 v t"]);
    expect(await column("select count(*)::int as x from signal where key in ('torque', 'other')")).toEqual([1]);
  });

  it("tells at which mapping something is wrong, also where two lead to one signal", async () => {
    const item = (path: string, key: string, fields: Record<string, unknown>) => ({ ...place("a/b", path), machine: "berlin/hall/l1/press", key, fields });
    const wrong = [item("x", "sum", { role: "measurement" }), item("y", "sum", {}), item("z", "hot", { role: "hot" })];
    expect(Object.keys((await refusal(mapMany(mapAs(), wrong))).fields)).toEqual(["items.2.role"]);
    await mapMany(mapAs(), wrong.slice(0, 2));
    expect(await column("select concat_ws(' ', g.key, t.path) as x from topic_mapping t join signal g on g.id = t.signal_id order by t.path")).toEqual([
      "sum x",
      "sum y",
    ]);
  });

  it("leads a metric to no signal of topics, nor a topic to one of Sparkplug: what says that they are there is not the same", async () => {
    const metric = { ...place("spBv1.0/G/Other", "", "Oil"), fields: {} };
    expect((await refusal(mapMany(mapAs(), [{ ...metric, machine: "berlin/hall/l1/oven", key: "state" }]))).fields).toEqual({
      "items.0.mapping.0.descriptor": expect.stringContaining("the signal's source is json"),
    });
    await mapMany(mapAs(), [{ ...place("spBv1.0/G/N", "", "Temp"), machine: "berlin/hall/l1/packer", key: "Temp", fields: { role: "measurement" } }]);
    const topic = { ...place("plc/9", "v"), machine: "berlin/hall/l1/packer", key: "Temp", fields: {} };
    expect((await refusal(mapMany(mapAs(), [topic]))).fields).toEqual({ "items.0.mapping.0.topic": expect.stringContaining("a Sparkplug source") });
  });

  it("adds a metric to what a signal takes of its own publisher unsaid, and takes nothing away", async () => {
    const item = (topic: string, metric: string) => ({ ...place(topic, "", metric), machine: "berlin/hall/l1/packer", key: "Temp", fields: {} });
    const ways = () => column("select concat_ws(' ', pattern, path) as x from topic_mapping order by 1");
    await mapMany(mapAs(), [{ ...item("spBv1.0/G/N", "Temp"), fields: { role: "measurement" } }]);
    await mapMany(mapAs(), [item("spBv1.0/G/N", "Temp")]);
    expect(await ways()).toEqual(["G/N Temp"]);
    await mapMany(mapAs(), [item("spBv1.0/G/Spare", "T2")]);
    await mapMany(mapAs(), [item("spBv1.0/G/N", "T3")]);
    expect(await ways()).toEqual(["G/N T3", "G/N Temp", "G/Spare T2"]);
  });
});

describe("what is mapped here and the plant file", () => {
  const file = `enterprise: { key: e, name: E }
sites: [{ key: s, name: S, zone: UTC, areas: [{ key: a, lines: [{ key: l, machines: [{ key: m, signals: [{ key: state, role: state }] }] }] }] }]`;
  const map = (key: string, role: string, topic = `x/${key}`) =>
    mapMany(mapAs(), [{ ...place(topic), machine: "s/a/l/m", key, isNew: true, fields: { name: key, role } }]);
  beforeEach(() => db.asOwner.rows("truncate enterprise cascade"));

  it("agree: what is made comes back from an export, and what the file refuses is refused", async () => {
    await applyText(db, file);
    expect((await refusal(map("state2", "state"))).sentence).toContain("two signals with the role state");
    expect((await refusal(map("ts", "fault_code"))).fields).toEqual({ "items.0.key": expect.stringContaining("that is the time") });
    for (const [key, role] of [
      ["job", "job"],
      ["product", "product"],
      ["f1", "fault_code"],
      ["f2", "fault_code"],
    ] as const)
      await map(key, role);
    for (const role of ["job", "product"]) expect((await refusal(map("another", role))).sentence).toContain(`two signals with the role ${role}`);
    const { plant, complaints } = readPlantFile((await exportPlant(db)) ?? "");
    expect(complaints).toEqual([]);
    expect(plant?.sites[0]?.areas[0]?.lines[0]?.machines[0]?.signals.map(({ key }) => key).sort()).toEqual(["f1", "f2", "job", "product", "state"]);
  });

  it("the schema holds it, too; a role may go from one signal to another", async () => {
    await applyText(db, file);
    const two = "insert into signal (machine_id, source_id, key, name, role) select machine_id, source_id, $1, $1, $2 from signal where key = 'state'";
    await expect(db.rows(two, ["state2", "state"])).rejects.toThrow("exclusion constraint");
    await expect(db.rows(two, ["ts", "measurement"])).rejects.toThrow("check constraint");
    await applyText(db, file.replace("{ key: state, role: state }", "{ key: state, role: fault_code }, { key: mode, role: state }"));
    await applyText(db, file.replace("{ key: state, role: state }", "{ key: state, role: state }, { key: mode, role: fault_code }"));
    expect(await db.rows("select key, role from signal where retired_at is null order by key")).toEqual([
      { key: "mode", role: "fault_code" },
      { key: "state", role: "state" },
    ]);
  });

  it("of two people who map a machine's state at once one is told", async () => {
    await applyText(db, file.replace("{ key: state, role: state }", ""));
    const results = await Promise.allSettled(["a", "b"].map((key) => map(key, "state")));
    expect(results.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    expect(reasonsOf(results)).toEqual([expect.stringContaining("two signals with the role state")]);
  });
});
