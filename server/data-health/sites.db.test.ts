// Whose letters, sources and signals: nothing of another site is listed, counted, read or changed.
import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Grant, Scope } from "#/server/domain/permission.ts";
import { everywhere, grant, permitted, personWith, requestOf } from "#/server/identity/testing.ts";
import { aDatabase, aSignal, type TestDatabase } from "#/server/testing.ts";
import { createCaller } from "#/server/trpc.ts";
import { letterRows, mostGroups, siteOfTopic } from "./letter-queries.ts";
import { forgetLetters, lookAtLetters, lookAtSources, lookAtUnknown } from "./look.ts";
import { type Mapping, mapMany } from "./mapping.ts";
import { dataHealthRouter } from "./router.ts";
import { payloadOf, settleGroup, settleLetter, sourceDetail } from "./service.ts";

let db: TestDatabase;
type Site = Awaited<ReturnType<typeof aSignal>> & { key: string; path: string };
let ours: Site;
let theirs: Site;

beforeAll(async () => {
  db = await aDatabase();
  process.env.DATABASE_URL = db.url; // changes go through the process's own pool
  [ours, theirs] = [await aSite(), await aSite()];
  await db.rows("update site set enterprise_id = (select min(id) from enterprise)"); // as of one plant
});
afterAll(() => db.drop());

async function aSite(): Promise<Site> {
  const made = await aSignal(db);
  const [row] = await db.rows<{ key: string; path: string }>(
    `select s.key, concat_ws('/', s.key, a.key, l.key, m.key) as path from machine m join line l on l.id = m.line_id join area a on a.id = l.area_id
     join site s on s.id = a.site_id where m.id = $1`,
    [made.machineId],
  );
  return { ...made, key: row?.key ?? "", path: row?.path ?? "" };
}

async function letter(topic: string, metric: string | null = null, code = "unknown_signal"): Promise<{ id: string; statusAt: string }> {
  const print = createHash("sha256").update(`${topic}|${metric}|${code}|${Math.random()}`).digest();
  const [made] = await db.rows<{ id: string; statusAt: string }>(
    `insert into dead_letter (fingerprint, received_at, last_received_at, form, topic, metric, payload, payload_size, reason_code, reason)
     values ($1, now(), now(), 'value', $2, $3, '1', 1, $4, 'Because.') returning id, status_at::text as "statusAt"`,
    [print, topic, metric, code],
  );
  if (!made) throw new Error("no letter");
  return made;
}

/** Sparkplug's publisher at a site. */
const aDevice = (siteId: number, address: string) => db.rows("insert into source (site_id, form, address) values ($1, 'sparkplug', $2)", [siteId, address]);
const aMapping = (signalId: number, pattern: string, path: string) =>
  db.rows("insert into topic_mapping (signal_id, form, pattern, path) values ($1, 'json', $2, $3)", [signalId, pattern, path]);

const as = (...grants: Grant[]) => permitted(db, personWith(...grants), "data_health.read");
const technician = () => as(grant("technician", ours.siteId));

describe("the site of a topic", () => {
  it("is the one that it names, whose device sent it, or to whose signals alone it is mapped", async () => {
    await aDevice(ours.siteId, "G/press");
    await aDevice(theirs.siteId, "G/press/left");
    await aMapping(ours.signalId, "plc/ours", "a");
    await aMapping(ours.signalId, "plc/both", "a");
    await aMapping(theirs.signalId, "plc/both", "b");
    const cases: [topic: string, metric: string | null, site: number | null][] = [
      [`takt/v1/${ours.path}/unheard`, null, ours.siteId],
      [`takt/v1/${theirs.key}/x`, null, theirs.siteId],
      [`takt/v1/${ours.key}-2/x`, null, null],
      [`other/takt/v1/${ours.key}/x`, null, null],
      ["takt/v1/", null, null],
      ["spBv1.0/G/press", "Temp", ours.siteId],
      ["spBv1.0/G/press/right", "Temp", ours.siteId], // a device of our node that nobody knows yet
      ["spBv1.0/G/press/left", "Temp", theirs.siteId],
      ["spBv1.0/G/NDATA/press", null, ours.siteId],
      ["spBv1.0/G/DDATA/press/left", null, theirs.siteId],
      ["spBv1.0/G/NDATA/unheard", null, null],
      ["plc/ours", null, ours.siteId],
      ["plc/both", null, null],
      ["plc/neither", null, null],
      ["' or true --", null, null],
    ];
    for (const [topic, metric, site] of cases) expect(await siteOfTopic(db, topic, metric), `${topic} ${metric}`).toBe(site);
  });
});

describe("somebody of one site", () => {
  it("finds the letters of that site in lists and counts, and those of nobody's site only with all sites", async () => {
    await db.asOwner.rows("truncate dead_letter");
    for (const topic of [`takt/v1/${ours.path}/new`, `takt/v1/${theirs.path}/new`, "nobody/knows"]) await letter(topic);
    const mine = technician();
    forgetLetters();
    const open = await lookAtLetters("open", mine.scope);
    expect(open.groups.map(({ topic }) => topic)).toEqual([`takt/v1/${ours.path}/new`]);
    expect([open.counts.find(({ status }) => status === "open"), open.more]).toEqual([{ status: "open", letters: 1, groups: 1 }, 0]);
    const key = { reasonCode: "unknown_signal", topic: `takt/v1/${theirs.path}/new`, metric: null };
    expect(await letterRows(db, mine.scope, key, "open")).toEqual([]);
    expect(await letterRows(db, everywhere, key, "open")).toHaveLength(1);
    const { unknown, more, machines, signals } = await lookAtUnknown(mine.scope);
    expect([unknown.map(({ topic }) => topic), more]).toEqual([[`takt/v1/${ours.path}/new`], 0]);
    expect([machines.map(({ id }) => id), signals.map(({ id }) => id)]).toEqual([[ours.machineId], [ours.signalId]]);
    const { sources } = await lookAtSources(mine.scope);
    expect(sources.map(({ id }) => id)).toContain(ours.sourceId);
    expect(sources.map(({ id }) => id)).not.toContain(theirs.sourceId);
    expect((await lookAtLetters("open", everywhere)).counts[0]).toEqual({ status: "open", letters: 3, groups: 3 });
    expect((await lookAtUnknown(everywhere)).unknown).toHaveLength(3);
    expect((await lookAtLetters("open", as(grant("technician", ours.siteId), grant("viewer", theirs.siteId)).scope)).groups).toHaveLength(2);
  });

  it("is not crowded out of the lists by another site's letters, and is suggested nothing of elsewhere", async () => {
    await db.asOwner.rows("truncate dead_letter");
    await letter(`takt/v1/${ours.path}/old`);
    await db.rows(
      `insert into dead_letter (fingerprint, received_at, last_received_at, form, topic, payload, payload_size, reason_code, reason)
       select convert_to(i::text, 'UTF8'), now(), now(), 'value', $1 || i, '1', 1, 'unknown_signal', 'Because.' from generate_series(1, $2::int) i`,
      [`takt/v1/${theirs.path}/`, mostGroups + 3],
    );
    await db.rows("update signal set key = 'temperature' where id = $1", [theirs.signalId]);
    await letter(`takt/v1/${theirs.path}/temperature`);
    forgetLetters();
    const mine = technician().scope;
    const open = await lookAtLetters("open", mine);
    expect([open.groups.map(({ topic }) => topic), open.more, open.counts[0]?.letters]).toEqual([[`takt/v1/${ours.path}/old`], 0, 1]);
    const [all, both] = [await lookAtLetters("open", everywhere), as(grant("technician", ours.siteId), grant("viewer", theirs.siteId)).scope];
    expect([all.groups.length, all.more, (await lookAtLetters("open", both)).more]).toEqual([mostGroups, 5, 5]);
    const look = await lookAtUnknown(mine);
    expect([look.unknown.map(({ topic }) => topic), look.more]).toEqual([[`takt/v1/${ours.path}/old`], 0]);
    const suggested = async (scope: Scope) =>
      (await lookAtUnknown(scope)).unknown.find(({ topic }) => topic.endsWith("/temperature"))?.paths.map(({ suggestedSignalId }) => suggestedSignalId);
    expect(await suggested(both)).toEqual([theirs.signalId]);
    // Of their site, but not of the line that the signal is on.
    expect(await suggested(as(grant("technician", theirs.siteId, [theirs.lineId + 1_000])).scope)).toEqual([null]);
  });

  it("is told how the workers fare, but not which topics they read or are refused: these name other sites", async () => {
    await db.rows("insert into ingest_worker (name, at, started_at, stats) values ('w', now(), now(), $1)", [
      JSON.stringify({ trouble: `Broker: it refuses takt/v1/${theirs.key}/#.` }),
    ]);
    await db.rows("insert into ingest_lease (name, filters, holder, expires_at) values ('w', $1, 'test', now())", [[`takt/v1/${theirs.key}/#`]]);
    const workers = async (...grants: Grant[]) => (await createCaller(dataHealthRouter)(requestOf(db, personWith(...grants))).workers()).workers;
    const [mine] = await workers(grant("technician", ours.siteId));
    expect(mine).toMatchObject({ name: "w", alive: true, filters: [], trouble: expect.stringMatching(/Something stands in its way/) });
    expect(JSON.stringify(mine)).not.toContain(theirs.key);
    const [all] = await workers(grant("technician"));
    expect(all).toMatchObject({ filters: [`takt/v1/${theirs.key}/#`], trouble: expect.stringContaining(theirs.key) });
  });

  it("is told of a letter, a group and a source elsewhere as if there were none, and changes none", async () => {
    const there = await letter(`takt/v1/${theirs.path}/gone`, null, "value_type");
    const nobodys = await letter("nobody/knows/either", null, "value_type");
    for (const { id, statusAt } of [there, nobodys]) {
      await expect(payloadOf(technician(), id)).rejects.toThrow("no longer there");
      await expect(settleLetter(technician(), { id, statusAt }, "discarded")).rejects.toThrow("no longer there");
    }
    const key = { reasonCode: "value_type", topic: `takt/v1/${theirs.path}/gone`, metric: null };
    await expect(settleGroup(technician(), key, there.id, "retry")).rejects.toThrow("There are no such letters.");
    await expect(sourceDetail(technician(), theirs.sourceId)).rejects.toThrow("There is no such source.");
    await expect(sourceDetail(technician(), 999_999)).rejects.toThrow("There is no such source.");
    expect(await db.rows("select status from dead_letter where id = any($1) and status <> 'open'", [[there.id, nobodys.id]])).toEqual([]);
    expect(await settleLetter(as(grant("technician")), nobodys, "discarded")).toEqual({ changed: 1 });
  });

  it("who may read there, but not change, is told so", async () => {
    const there = await letter(`takt/v1/${theirs.path}/seen`, null, "value_type");
    const actor = personWith(grant("technician", ours.siteId), grant("viewer", theirs.siteId));
    await expect(settleLetter(permitted(db, actor, "dead_letter.discard"), there, "discarded")).rejects.toThrow("may not do this at this site");
    expect(() => permitted(db, personWith(grant("viewer", ours.siteId)), "dead_letter.discard")).toThrow("may not do this");
  });

  it("maps topics of that site to signals of that site, and no other", async () => {
    const mine = () => permitted(db, personWith(grant("technician", ours.siteId)), "signal.map");
    const item = (topic: string, machine: string, key: string, fields = {}): Mapping[] => [
      { topic, metric: null, path: "v", tsPath: null, machine, key, isNew: false, fields },
    ];
    const [ourKey, theirKey] = await db
      .rows<{ id: number; key: string }>("select id, key from signal")
      .then((rows) => [ours, theirs].map(({ signalId }) => rows.find(({ id }) => id === signalId)?.key ?? ""));
    await expect(mapMany(mine(), item(`takt/v1/${ours.path}/x`, theirs.path, theirKey ?? ""))).rejects.toThrow(`There is no machine ${theirs.path}.`);
    const nobodys = await letter("foreign/topic");
    for (const topic of [`takt/v1/${theirs.path}/x`, "foreign/topic", "foreign/+", "#"])
      await expect(mapMany(mine(), item(topic, ours.path, ourKey ?? ""))).rejects.toThrow("no such topic at your sites");
    const torque = { role: "measurement", unit: "N.m" };
    await expect(mapMany(mine(), item(`takt/v1/${ours.path}/y`, theirs.path, "torque", torque))).rejects.toThrow(`There is no machine ${theirs.path}.`);
    await expect(mapMany(mine(), item(`takt/v1/${ours.path}/y`, "no/such/old/machine", "torque", torque))).rejects.toThrow(
      "There is no machine no/such/old/machine.",
    );
    await expect(mapMany(mine(), item(`takt/v1/${ours.path}/y`, ours.path, "torque", torque))).resolves.toMatchObject({ retried: 0 });
    await aMapping(theirs.signalId, `takt/v1/${ours.path}/z`, "v");
    await expect(mapMany(mine(), item(`takt/v1/${ours.path}/z`, ours.path, ourKey ?? ""))).rejects.toThrow("one of another site");
    // A wide filter of their own site takes the letters of that site alone along.
    const [own, other] = [await letter(`takt/v1/${ours.path}/w`), await letter(`takt/v1/${theirs.path}/w`)];
    await expect(mapMany(mine(), item(`takt/v1/${ours.key}/+/+/+/w`, ours.path, "torque"))).resolves.toMatchObject({ retried: 1 });
    const status = async ({ id }: { id: string }) => (await db.rows<{ status: string }>("select status from dead_letter where id = $1", [id]))[0]?.status;
    expect([await status(own), await status(other), await status(nobodys)]).toEqual(["retry", "open", "open"]);
  });
});
