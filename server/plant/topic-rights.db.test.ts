// Who may give whose topics to what: an administrator of Chicago, where Berlin's machines publish.
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { closePool } from "#/server/db.ts";
import type { Actor } from "#/server/domain/permission.ts";
import { grant, personWith } from "#/server/identity/testing.ts";
import { aDatabase, type TestDatabase } from "#/server/testing.ts";
import { applyText, editing, refusal, smallPlant } from "./edit-testing.ts";

let db: TestDatabase;
let chicago: Actor;
let berlin: Actor;
beforeAll(async () => {
  db = await aDatabase();
  process.env.DATABASE_URL = db.url; // changes go through the process's own pool
});
afterAll(async () => {
  await closePool();
  await db.drop();
});
const { as, make, siteId } = editing({ rows: (...query) => db.rows(...query) } as TestDatabase);
beforeEach(async () => {
  await db.asOwner.rows("truncate enterprise, ledger_sample, sample, signal_latest cascade");
  // Berlin reads the Sparkplug node G/N, the topic hall/m2 and its own namespace; this device of it may write to scales/.
  await applyText(db, smallPlant.replace("    sources:", "    devices: [{ key: scales, identity: scales, topics: [scales/1/#] }]\n    sources:"));
  chicago = personWith(grant("administrator", await siteId("chicago")));
  berlin = personWith(grant("administrator", await siteId("berlin")));
});

let serial = 0;
const device = (actor: Actor, site: string, ...topics: string[]) => {
  const key = `device-${++serial}`;
  return make("device", site, { key, identity: key, topics }, actor);
};
const said = async (work: Promise<unknown>) => {
  const { code, sentence } = await refusal(work);
  expect(code).toBe("FORBIDDEN");
  return sentence;
};

it.each([
  "spBv1.0/G/+/N/#",
  "spBv1.0/G/NDATA/N",
  "spBv1.0/G/DDATA/N/any",
  "spBv1.0/+/+/N/#",
  "spBv1.0/G/#",
  "hall/m2",
  "hall/+",
  "hall/#",
  "scales/1/weight",
  "scales/#",
  "takt/v1/berlin/#",
  "takt/v1/+/hall/#",
  "takt/v1/#",
  "takt/v1/paris/#", // a site that there is not yet
])("a device of Chicago is not given %s", async (topic) => {
  expect(await said(device(chicago, "chicago", topic))).toContain("reaches another site, which is not yours");
  await device(personWith(grant("administrator")), "chicago", topic); // who looks after all sites may
});

it.each(["spBv1.0/+/+/X/#", "spBv1.0/H/+/+/#", "press/#", "press/+/state", "takt/v1/+/x"])(
  "nor %s, under which another site's might come to fall",
  async (topic) => {
    expect(await said(device(chicago, "chicago", topic))).toMatch(/so wide|reaches another site/);
  },
);

it.each(["spBv1.0/G/+/M/#", "spBv1.0/H/+/N/#", "scales/2/#", "takt/v1/chicago/#", "chi/7/s", "hall/m3/x", "takt/v1/chicago/../berlin/x", "/chi/8"])(
  "but %s",
  async (topic) => {
    await device(chicago, "chicago", topic);
  },
);

it.each([
  [[" takt/v1/berlin/#"], /begins or ends with a space/],
  [["takt/v1/chicago/x", "\u00a0takt/v1/berlin/#"], /cannot be seen/],
  [["takt//v1/berlin/x"], /empty level/],
  [["takt/audit/heads"], /the rest is Takt's own/],
  [["STATE/takt"], /Takt says to Sparkplug nodes/],
  [["spBv1.0/STATE/takt"], /Takt says to Sparkplug nodes/],
  [["takt/v1"], /the rest is Takt's own/],
  [["оne/topic/x"], /others than they look like/],
])("%j is refused whoever types it, at its field", async (topics, why) => {
  for (const actor of [chicago, personWith(grant("administrator"))]) {
    const key = `device-${++serial}`;
    const { code, fields } = await refusal(make("device", "chicago", { key, identity: key, topics }, actor));
    expect(code).toBe("RULE_BROKEN");
    expect(fields).toEqual({ [`topics.${topics.length - 1}`]: expect.stringMatching(why) });
  }
  expect(await db.rows("select key from device where key like 'device-%'")).toEqual([]);
});

it("however topics are sent, what is stored is what was asked about", async () => {
  const key = `device-${++serial}`;
  const sent = (fields: Record<string, unknown>) => said(make("device", "chicago", { key, identity: key, ...fields }, chicago));
  expect(await sent({ topics: "takt/v1/berlin/#" })).toContain("reaches another site"); // one, and not a list
  expect(await sent({ topics: ["", "takt/v1/berlin/#"] })).toContain("reaches another site"); // with what counts as none
  const signal = (mapping: unknown) => said(make("signal", "chicago/a/l/x", { key: `s${++serial}`, role: "measurement", mapping }, chicago));
  expect(await signal({ topic: "hall/m2", path: "other" })).toContain("reaches another site");
  expect(await signal([null, { topic: "hall/m2", path: " ", ts_path: "" }])).toContain("reaches another site");
});

it("names and topics of Takt's own are nobody's, and another site's beginning is not for a name", async () => {
  const signal = (mapping: unknown) => refusal(make("signal", "chicago/a/l/x", { key: `s${++serial}`, role: "measurement", mapping: [mapping] }, chicago));
  expect(Object.values((await signal({ topic: "takt/audit/heads" })).fields)).toEqual([expect.stringContaining("the rest is Takt's own")]);
  expect(Object.values((await signal({ topic: "one/topic\u200b" })).fields)).toEqual([expect.stringContaining("cannot be seen")]);
  expect(await said(make("source", "chicago", { form: "mapped", address: "berlin/x" }, chicago))).toContain("begins as the addresses of another site do");
  expect(await said(make("machine", "chicago/a/l", { key: "z", source: { form: "mapped", address: "berlin" } }, chicago))).toContain("begins as");
  await make("source", "chicago", { form: "mapped", address: "chicago/scales" }, chicago);
  process.env.AUDIT_HEAD_TOPIC = "press/heads";
  try {
    expect((await refusal(device(personWith(grant("administrator")), "chicago", "press/heads"))).sentence).toContain("Takt itself publishes there");
  } finally {
    delete process.env.AUDIT_HEAD_TOPIC;
  }
  const taken = { key: "d-taken", identity: "scales" };
  const { fields } = await refusal(make("device", "chicago", taken, chicago));
  expect(fields).toEqual({ identity: 'The identity "scales" is taken: a broker knows each name once.' });
  expect((await refusal(make("device", "chicago", { key: "d-p", identity: "takt-ingest" }, chicago))).fields.identity).toContain("Takt's own programs");
});

it("what a device has been given stays when its form is saved by who could not give it", async () => {
  const { address } = await device(personWith(grant("administrator")), "chicago", "scales/#");
  const { fields, version } = await as(chicago).item({ kind: "device", address });
  await as(chicago).put({ kind: "device", address, parent: null, fields: { ...fields, firmware: "2" }, version });
  expect(await said(as(chicago).put({ kind: "device", address, parent: null, fields: { topics: ["scales/#", "hall/m2"] }, version: null }))).toContain(
    "hall/m2",
  );
});

it("no source on a node of another site, and no signal that reads what another site reads", async () => {
  const x = "chicago/a/l/x";
  for (const fields of [
    { form: "sparkplug", address: "G/N/press" },
    { form: "sparkplug", address: "G/N" },
    { form: "json", address: "berlin/hall/l1/m9" },
  ])
    expect(await said(make("source", "chicago", fields, chicago)), JSON.stringify(fields)).toContain("reaches another site");
  expect(await said(make("machine", "chicago/a/l", { key: "y", source: { form: "sparkplug", address: "G/N/press" } }, chicago))).toContain(
    "reaches another site",
  );
  const signal = (mapping: unknown) => make("signal", x, { key: `s${++serial}`, role: "measurement", mapping: [mapping] }, chicago);
  expect(await said(signal({ topic: "hall/m2", path: "other", ts_path: null }))).toContain("reaches another site");
  expect(await said(signal({ descriptor: "G/N", metric: "T" }))).toContain("reaches another site");
  await make("source", "chicago", { form: "sparkplug", address: "G/M" }, chicago);
});

it("nothing reads what a device of another site may write", async () => {
  await device(chicago, "chicago", "spBv1.0/K/+/N/#", "press/7/#");
  expect(await said(make("source", "berlin", { form: "sparkplug", address: "K/N" }, berlin))).toContain(
    "A device of another site, which is not yours, may publish",
  );
  const mapped = { key: "p", role: "measurement", mapping: [{ topic: "press/7/state", path: "", ts_path: null }] };
  expect(await said(make("signal", "berlin/hall/l1/m1", mapped, berlin))).toContain("A device of another site");
  await make("source", "berlin", { form: "sparkplug", address: "K/N" }, personWith(grant("administrator")));
});
