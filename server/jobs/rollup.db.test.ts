import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { aDatabase, aMachine, aSignal, type TestDatabase, type TestMachine } from "#/server/testing.ts";
import { addUp, claimMarks, listClaims, renewGenerations, rollUp } from "./rollup.ts";
import { hourMs, jobsOn, untilWaiting, Writer } from "./testing.ts";

let database: TestDatabase;
let jobs: ReturnType<typeof jobsOn>;
let machine: TestMachine;
let writer: Writer;
let signalId: number;

beforeAll(async () => {
  database = await aDatabase();
  jobs = jobsOn(database);
  machine = await aMachine(database);
  writer = await Writer.on(database, "one");
});
afterAll(async () => {
  await jobs?.pool.end();
  await database?.drop();
});
beforeEach(async () => {
  await database.asOwner.rows("truncate sample, sample_hour, trend_mark, trend_claim");
  await database.rows("update trend_retention set raw_dropped_to = '-infinity'");
  ({ signalId } = await aSignal(database, { machine }));
});

const hour = Date.UTC(2026, 4, 4, 10);
const at = (minute: number, second = 0) => new Date(hour + minute * 60_000 + second * 1000);
const value = (minute: number, v: number | null, flags = 0) => ({ signalId, at: at(minute), value: v, flags });
const later = new Date(hour + 2 * hourMs);
const roll = (now = later) => rollUp(jobs.db, { now, budgetMs: 60_000, signal: new AbortController().signal });
type Hour = { signalId: number; n: number; mean: number; min: number; max: number; last: number; lastAt: Date };
const hours = () =>
  database.rows<Hour>(`select signal_id as "signalId", n, mean, min, max, last, last_at as "lastAt" from sample_hour order by signal_id, hour`);
/** What sample_hour should hold, straight from the raw values. */
const expected = () =>
  database.rows<Hour>(`select signal_id as "signalId", count(*)::int as n, avg(value order by at) as mean, min(value), max(value), (array_agg(value order by at desc))[1] as last, max(at) as "lastAt"
    from sample where value is not null and flags & 8 = 0 group by signal_id, date_trunc('hour', at) order by signal_id, date_trunc('hour', at)`);
const leftOver = async () => (await database.rows("select signal_id from trend_mark union all select signal_id from trend_claim")).length;

describe("rollUp", () => {
  it("writes mean, smallest, largest and last of the values that the device vouches for", async () => {
    // 10, 20, 60: mean 30. No value (null) and bad quality (flag 8) count nothing, history (flag 2) counts.
    await writer.write([value(0, 10), value(30, 60, 2), value(20, 20), value(40, null, 4), value(50, 1000, 8)]);
    expect(await roll()).toEqual({ hours: 1, isDone: true });
    expect(await hours()).toEqual([{ signalId, n: 3, mean: 30, min: 10, max: 60, last: 60, lastAt: at(30) }]);
    expect(await leftOver()).toBe(0);
  });

  it("leaves the hour that still runs, and its last minute to arrive", async () => {
    await writer.write([value(10, 1)]);
    expect(await roll(new Date(hour + hourMs + 59_000))).toEqual({ hours: 0, isDone: true });
    expect(await leftOver()).toBe(1);
    expect(await roll(new Date(hour + hourMs + 60_000))).toEqual({ hours: 1, isDone: true });
  });

  it("an hour without a value that counts has no row, and its mark is gone", async () => {
    await writer.write([value(10, null, 4)]);
    await roll();
    expect([await hours(), await leftOver()]).toEqual([[], 0]);
  });

  it("late values write their hour anew, exactly", async () => {
    await writer.write([value(5, 0.1), value(10, 0.2)]);
    await roll();
    await writer.write([value(7, 0.3), value(2, -5)]);
    await roll();
    expect(await hours()).toEqual(await expected());
    expect((await hours())[0]).toMatchObject({ n: 4, min: -5, max: 0.3, last: 0.2 });
  });

  it("keeps the mean between the smallest and the largest, where adding up rounds past them", async () => {
    // 0.1 + 0.1 + 0.1 is more than 0.3 in double precision, and a third of it more than 0.1.
    await writer.write([value(5, 0.1), value(10, 0.1), value(15, 0.1)]);
    await roll();
    expect(await hours()).toMatchObject([{ n: 3, mean: 0.1, min: 0.1, max: 0.1 }]);
    await database.rows("update trend_retention set raw_dropped_to = 'infinity'");
    await database.rows("delete from sample");
    for (let i = 0; i < 5; i++) {
      await writer.write([value(20 + i, 0.1)]);
      await renewGenerations(jobs.db);
      await roll();
    }
    expect(await hours()).toMatchObject([{ n: 8, mean: 0.1 }]);
  });

  it("readings too large to be added up have no mean, and hold up no one", async () => {
    const other = await aSignal(database, { machine });
    await writer.write([value(5, 1e308), value(10, -1e308), value(15, 2), { signalId: other.signalId, at: at(5), value: 7 }]);
    expect(await roll()).toEqual({ hours: 2, isDone: true });
    expect(await hours()).toMatchObject([
      { n: 3, mean: null, min: -1e308, max: 1e308, last: 2 },
      { n: 1, mean: 7 },
    ]);
    await database.rows("update trend_retention set raw_dropped_to = 'infinity'");
    await database.rows("delete from sample");
    await writer.write([value(20, 4), { signalId: other.signalId, at: at(6), value: 1e200 }]);
    await renewGenerations(jobs.db);
    expect(await roll()).toEqual({ hours: 2, isDone: true });
    expect(await hours()).toMatchObject([
      { n: 4, mean: null, last: 4 },
      { n: 2, mean: null, min: 7, max: 1e200 },
    ]);
  });

  it("values in any order, with roll-ups in between, give the same bits as all at once", async () => {
    const values = Array.from({ length: 40 }, (_, i) => ({ signalId, at: at(Math.floor(i * 4.5), i), value: Math.sin(i) * 10 ** (i % 7) }));
    const stirred = values
      .map((v, i) => ({ v, key: Math.sin(i * 9301 + 7) }))
      .sort((a, b) => a.key - b.key)
      .map(({ v }) => v);
    for (let i = 0; i < stirred.length; i += 8) {
      await writer.write(stirred.slice(i, i + 8));
      await roll(new Date(hour + 9 * hourMs));
    }
    const inPieces = await hours();
    await database.asOwner.rows("truncate sample_hour");
    await database.rows("insert into trend_mark select distinct signal_id, date_trunc('hour', at) from sample");
    await roll(new Date(hour + 9 * hourMs));
    expect(await hours()).toEqual(inPieces);
    expect(inPieces).toEqual(await expected());
    expect(inPieces.length).toBe(3);
  });

  it("stops when told to and when its time is over, and the next run goes on", async () => {
    const stopped = new AbortController();
    stopped.abort();
    await writer.write([value(5, 1)]);
    expect(await rollUp(jobs.db, { now: later, budgetMs: 60_000, signal: stopped.signal })).toEqual({ hours: 0, isDone: false });
    expect(await rollUp(jobs.db, { now: later, budgetMs: 0, signal: new AbortController().signal })).toEqual({ hours: 0, isDone: false });
    expect(await leftOver()).toBe(1);
    expect(await roll()).toEqual({ hours: 1, isDone: true });
  });

  it("works off the claims of a process that was killed after any step", async () => {
    await writer.write([value(5, 1)]);
    await claimMarks(jobs.db, later);
    await writer.write([value(6, 3)]); // the worker still believes that its mark stands
    await renewGenerations(jobs.db);
    expect(await roll()).toEqual({ hours: 1, isDone: true });
    expect((await hours())[0]).toMatchObject({ n: 2, mean: 2 });
  });
});

describe("marks that a writer no longer sets because they stand", () => {
  /** A second worker's transaction that relies on the mark of its first, and is not yet committed. */
  async function inFlight() {
    expect(await writer.write([value(5, 1)])).toBe(1);
    expect(await writer.begin([value(6, 3)])).toBe(0);
  }

  it("are waited for: nothing is lost", async () => {
    await inFlight();
    expect(await claimMarks(jobs.db, later)).toBe(1);
    const claims = await listClaims(jobs.db);
    const renewed = renewGenerations(jobs.db);
    await untilWaiting(database, "jobs.renewGeneration");
    await writer.commit();
    await renewed;
    expect(await addUp(jobs.db, claims)).toBe(1);
    expect((await hours())[0]).toMatchObject({ n: 2, mean: 2 });
    // From here on the writer knows that its marks were taken.
    expect(await writer.write([value(7, 8)])).toBe(1);
    await roll();
    expect((await hours())[0]).toMatchObject({ n: 3, mean: 4 });
    expect(await hours()).toEqual(await expected());
  });

  it("would be lost without the new generation", async () => {
    await inFlight();
    await claimMarks(jobs.db, later);
    await addUp(jobs.db, await listClaims(jobs.db));
    await writer.commit();
    await roll();
    expect((await hours())[0]?.n).toBe(1);
    expect((await expected())[0]?.n).toBe(2);
    expect(await leftOver()).toBe(0);
  });

  it("would be lost with the new generation before the claim: the writer marks again and relies on that", async () => {
    await writer.write([value(5, 1)]);
    await renewGenerations(jobs.db);
    await inFlight();
    await claimMarks(jobs.db, later);
    await addUp(jobs.db, await listClaims(jobs.db));
    await writer.commit();
    await roll();
    expect((await hours())[0]?.n).toBe(1);
    expect((await expected())[0]?.n).toBe(2);
  });

  it("a mark that a writer is just setting is left to the next run", async () => {
    await writer.write([value(5, 1)]);
    await renewGenerations(jobs.db);
    expect(await writer.begin([value(6, 3)])).toBe(1);
    expect(await claimMarks(jobs.db, later)).toBe(0);
    await writer.commit();
    expect(await claimMarks(jobs.db, later)).toBe(1);
  });

  it("an hour marked again while another process adds it up is added up again", async () => {
    await writer.write([value(5, 1)]);
    await claimMarks(jobs.db, later);
    const mine = await listClaims(jobs.db);
    await renewGenerations(jobs.db);
    // Meanwhile: marked anew, claimed by someone else, and a transaction that relies on that mark.
    await inFlight();
    await claimMarks(jobs.db, later);
    await addUp(jobs.db, mine);
    await writer.commit();
    expect(await leftOver()).toBe(1);
    await roll();
    expect(await hours()).toEqual(await expected());
  });
});

describe("several processes at once", () => {
  it("of four, with three writers at work, every value is in its hour in the end", async () => {
    const others = [jobsOn(database), jobsOn(database), jobsOn(database)];
    let isOver = false;
    const runs = [jobs, ...others].map(async ({ db }) => {
      let written = 0;
      while (!isOver) written += (await rollUp(db, { now: new Date(hour + 9 * hourMs), budgetMs: 60_000, signal: new AbortController().signal })).hours;
      return written;
    });
    const writers = ["one", "two", "three"].map(async (lease, w) => {
      const own = await Writer.on(database, lease);
      const ids = [(await aSignal(database, { machine })).signalId, (await aSignal(database, { machine })).signalId];
      for (let i = 0; i < 150; i += 1) {
        const batch = Array.from({ length: 4 }, (_, k) => ({
          signalId: ids[k % 2] ?? 0,
          at: at(((i * 37 + k * 61 + w) * 7) % 240, i % 60),
          value: Math.cos(i * 4 + k),
        }));
        await own.write(batch);
      }
    });
    await Promise.all(writers);
    isOver = true;
    const written = await Promise.all(runs);
    await roll(new Date(hour + 9 * hourMs));
    expect(await hours()).toEqual(await expected());
    expect((await hours()).length).toBe(24); // 6 signals, 4 hours
    expect(written.filter((n) => n > 0).length).toBeGreaterThan(1);
    expect(await leftOver()).toBe(0);
    for (const { pool } of others) await pool.end();
  });
});
