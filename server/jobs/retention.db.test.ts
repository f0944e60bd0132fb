import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { aDatabase, aMachine, aSignal, type TestDatabase } from "#/server/testing.ts";
import { type Keep, retain } from "./retention.ts";
import { claimMarks, rollUp } from "./rollup.ts";
import { hourMs, jobsOn, untilWaiting, Writer } from "./testing.ts";

let database: TestDatabase;
let jobs: ReturnType<typeof jobsOn>;
let writer: Writer;
let signalId: number;

beforeAll(async () => {
  database = await aDatabase();
  jobs = jobsOn(database);
  writer = await Writer.on(database, "one");
  ({ signalId } = await aSignal(database, { machine: await aMachine(database) }));
});
afterAll(async () => {
  await jobs?.pool.end();
  await database?.drop();
});
beforeEach(async () => {
  await database.asOwner.rows("select drop_chunks('sample', older_than => 'infinity'::timestamptz)");
  await database.asOwner.rows("truncate sample, sample_hour, trend_mark, trend_claim, dead_letter, ingest_worker, link_event");
  await database.rows("update trend_retention set raw_dropped_to = '-infinity'");
});

// Chunks of sample begin at 0, 6, 12 and 18 o'clock UTC; those of sample_hour are 7 days long.
const now = new Date("2026-05-20T12:00:00Z");
const keep: Keep = { rawDays: 7, hourlyDays: 90, deadLetterDays: 90, letterBytes: 1e9 };
/** Waits long for its locks: how busy the machine is decides nothing. */
const clean = (changed: Partial<Keep> = {}, lockWaitMs = 30_000) =>
  retain(jobs.db, { now, keep: { ...keep, ...changed }, signal: new AbortController().signal, lockWaitMs });
const roll = () => rollUp(jobs.db, { now, budgetMs: 60_000, signal: new AbortController().signal });
const value = (at: string, v: number) => ({ signalId, at: new Date(at), value: v });
const raw = async () => (await database.rows<{ value: number }>("select value from sample order by at")).map((row) => row.value);
const chunks = async () =>
  (
    await database.rows<{ from: Date }>(
      `select range_start as "from" from timescaledb_information.chunks where hypertable_name = 'sample' order by range_start`,
    )
  ).map((row) => row.from.toISOString().slice(5, 13));
const hours = () => database.rows("select hour, n, mean, min, max, last from sample_hour order by hour");
const nothing = { rawChunks: 0, hourlyChunks: 0, letters: 0, strangers: 0, workers: 0, waitingHours: 0, isBusy: false };

describe("raw measurements", () => {
  it("go by whole chunks once all of it is older than kept; their hours stay", async () => {
    // Kept since 13 May 12:00: the chunk 06..12 is due, the one from 12 on is not.
    await writer.write([value("2026-05-13T07:00:00Z", 1), value("2026-05-13T11:59:59Z", 2), value("2026-05-13T12:00:00Z", 3)]);
    await roll();
    expect(await clean()).toEqual({ ...nothing, rawChunks: 1 });
    expect(await raw()).toEqual([3]);
    expect((await hours()).map((h) => h.mean)).toEqual([1, 2, 3]);
    expect(await clean()).toEqual(nothing);
  });

  it("stay while an hour of theirs is marked or claimed, and newer chunks stay with them", async () => {
    await writer.write([value("2026-05-10T01:00:00Z", 1), value("2026-05-11T01:00:00Z", 2)]);
    expect(await clean()).toEqual({ ...nothing, waitingHours: 1 });
    await claimMarks(jobs.db, now);
    expect(await clean()).toEqual({ ...nothing, waitingHours: 1 });
    expect(await chunks()).toEqual(["05-10T00", "05-11T00"]);
    await roll();
    expect(await clean()).toEqual({ ...nothing, rawChunks: 2 });
    expect([await raw(), (await hours()).length]).toEqual([[], 2]);
  });

  it("a value that comes when its hour's raw values were dropped is written, added to the hour once, and dropped again", async () => {
    // Hour 10:00 to 11:00: 10 and 20 were dropped. 60 comes late: n 3, mean 30, last is still the 20 of 10:50.
    await writer.write([value("2026-05-10T10:00:00Z", 10), value("2026-05-10T10:50:00Z", 20)]);
    await roll();
    await clean();
    expect(await chunks()).toEqual([]);
    await writer.write([value("2026-05-10T10:30:00Z", 60)]);
    expect(await clean()).toEqual({ ...nothing, waitingHours: 1 });
    await roll();
    expect(await hours()).toEqual([{ hour: new Date("2026-05-10T10:00:00Z"), n: 3, mean: 30, min: 10, max: 60, last: 20 }]);
    // Another one before the chunk is dropped again: -30 at 10:55 is the last now, mean (90 - 30) / 4 = 15.
    await writer.write([value("2026-05-10T10:55:00Z", -30)]);
    await roll();
    expect(await hours()).toEqual([{ hour: new Date("2026-05-10T10:00:00Z"), n: 4, mean: 15, min: -30, max: 60, last: -30 }]);
    expect(await clean()).toEqual({ ...nothing, rawChunks: 1 });
    expect([await chunks(), await raw()]).toEqual([[], []]);
  });

  it("a value late for an hour that never was makes that hour", async () => {
    await writer.write([value("2026-05-11T10:00:00Z", 1)]);
    await roll();
    await clean();
    await writer.write([value("2026-05-02T10:00:00Z", 7)]);
    await roll();
    expect((await hours())[0]).toMatchObject({ hour: new Date("2026-05-02T10:00:00Z"), n: 1, mean: 7 });
  });

  it("an hour that was kept longer than another is still written as a whole", async () => {
    // 10 May is dropped, 14 May is not: a late value of 14 May meets all its neighbours.
    await writer.write([value("2026-05-10T10:00:00Z", 1), value("2026-05-14T10:00:00Z", 10)]);
    await roll();
    await clean();
    await writer.write([value("2026-05-14T10:30:00Z", 30)]);
    await roll();
    expect((await hours())[1]).toMatchObject({ n: 2, mean: 20 });
    expect(await raw()).toEqual([10, 30]);
  });

  it("a writer that comes while a chunk is dropped waits, and finds its value in a new one", async () => {
    await writer.write([value("2026-05-10T10:00:00Z", 1), value("2026-05-10T10:01:00Z", 2)]);
    await roll();
    const reader = await database.connect();
    await reader.query("begin");
    await reader.query("select * from sample where at < '2026-05-11'");
    const cleaning = clean();
    await untilWaiting(database, "jobs.dropRawChunk");
    const writing = writer.write([value("2026-05-10T10:30:00Z", 60)]);
    await untilWaiting(database, "insert into sample");
    await reader.query("commit");
    expect(await cleaning).toMatchObject({ rawChunks: 1, isBusy: false }); // it may already see the mark of the new chunk
    await writing;
    expect(await raw()).toEqual([60]);
    await roll();
    expect((await hours())[0]).toMatchObject({ n: 3, mean: 21, max: 60, last: 60 });
  });

  it("a write under way is waited for and seen: the chunk stays for its mark", async () => {
    await writer.write([value("2026-05-10T10:00:00Z", 1)]);
    await roll();
    await writer.begin([value("2026-05-10T10:30:00Z", 60)]);
    const cleaning = clean();
    await untilWaiting(database, "jobs.keepWritersOut");
    await writer.commit();
    expect(await cleaning).toEqual({ ...nothing, waitingHours: 1 });
    expect(await raw()).toEqual([1, 60]);
  });

  it("a chunk that someone reads for long is left to the next run, and writers are not held up", async () => {
    await writer.write([value("2026-05-10T10:00:00Z", 1)]);
    await roll();
    const reader = await database.connect();
    await reader.query("begin");
    await reader.query("select * from sample where at < '2026-05-11'");
    expect(await clean({}, 1_000)).toEqual({ ...nothing, isBusy: true });
    await writer.write([value("2026-05-10T10:30:00Z", 2)]);
    await reader.query("commit");
    await roll();
    expect(await clean()).toEqual({ ...nothing, rawChunks: 1 });
  });

  it("two processes at once drop each chunk once", async () => {
    const other = jobsOn(database);
    const days = [1, 2, 3, 4, 5, 6, 7, 8];
    await writer.write(days.map((day) => value(`2026-05-0${day}T10:00:00Z`, day)));
    await roll();
    const both = await Promise.all([clean(), retain(other.db, { now, keep, signal: new AbortController().signal })]);
    await other.pool.end();
    const dropped = both.reduce((sum, r) => sum + r.rawChunks, 0) + (await clean()).rawChunks;
    expect([dropped, await chunks(), (await hours()).length]).toEqual([8, [], 8]);
  });
});

describe("the rest", () => {
  it("hourly values go after 90 days, by chunks of 7 days", async () => {
    const insert = (hour: string) => database.rows("insert into sample_hour values ($1, $2, 1, 1, 1, 1, 1, $2)", [signalId, hour]);
    // Kept since 19 February 12:00; chunks are 7 days from a Thursday (the epoch): 5..12, 12..19, 19..26 February.
    for (const hour of ["2026-02-06T00:00:00Z", "2026-02-18T23:00:00Z", "2026-02-19T11:00:00Z", "2026-05-01T00:00:00Z"]) await insert(hour);
    expect(await clean()).toEqual({ ...nothing, hourlyChunks: 2 });
    expect((await hours()).map((h) => h.hour)).toEqual([new Date("2026-02-19T11:00:00Z"), new Date("2026-05-01T00:00:00Z")]);
  });

  it("settled letters go after 90 days since they were settled; open ones stay while there is room", async () => {
    const letter = (status: string, days: number) =>
      database.rows(
        `insert into dead_letter (fingerprint, received_at, last_received_at, form, topic, payload, payload_size, reason_code, reason, status, status_at)
         values (sha256(convert_to($1, 'UTF8')), now(), now(), 'message', $1, '', 0, 'payload_empty', 'x', $2, $3)`,
        [`${status} ${days}`, status, new Date(now.getTime() - days * 24 * hourMs)],
      );
    for (const status of ["open", "retry", "resolved", "discarded"]) for (const days of [89, 91]) await letter(status, days);
    expect(await clean()).toEqual({ ...nothing, letters: 2 });
    expect((await database.rows("select topic from dead_letter order by topic")).map((row) => row.topic)).toEqual([
      "discarded 89",
      "open 89",
      "open 91",
      "resolved 89",
      "retry 89",
      "retry 91",
    ]);
  });

  it("workers not seen for 30 days go", async () => {
    const seen = (name: string, days: number) =>
      database.rows("insert into ingest_worker values ($1, $2, $2, '{}')", [name, new Date(now.getTime() - days * 24 * hourMs)]);
    await seen("gone", 31);
    await seen("there", 29);
    expect(await clean()).toEqual({ ...nothing, workers: 1 });
  });

  it("events of publishers that no plant knows go after 30 days, those of its own stay", async () => {
    const event = (address: string, days: number, sourceId: number | null) =>
      database.rows("insert into link_event (source_id, address, at, kind, alive, received_at) values ($1, $2, $3, 'online', true, $3)", [
        sourceId,
        address,
        new Date(now.getTime() - days * 24 * hourMs),
      ]);
    const [source] = await database.rows<{ id: number }>("select source_id as id from signal where id = $1", [signalId]);
    await event("nobody/a", 31, null);
    await event("nobody/a", 29, null);
    await event("known", 400, source?.id ?? null);
    expect(await clean()).toEqual({ ...nothing, strangers: 1 });
    expect((await database.rows("select address from link_event order by address")).map((row) => row.address)).toEqual(["known", "nobody/a"]);
  });

  it("keeps as long as it is told to", async () => {
    await writer.write([value("2026-05-10T10:00:00Z", 1)]);
    await roll();
    expect(await clean({ rawDays: 30 })).toEqual(nothing);
    expect(await clean({ rawDays: 1 })).toEqual({ ...nothing, rawChunks: 1 });
  });
});
