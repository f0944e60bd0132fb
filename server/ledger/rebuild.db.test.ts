import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { aDatabase, type TestDatabase, type TestLine } from "#/server/testing.ts";
import { CannotRebuild, type RebuildAsked, rebuildLedger } from "./rebuild.ts";
import { type LedgerDb, refreshLedger } from "./refresh.ts";
import { aLedgerLine, dayOf, dice, factsOf, ledgerOn, read, rowsOf, time } from "./testing.ts";

const start = Date.parse("2026-03-04T05:00:00Z");
const end = new Date(start + 20 * time.hour);
let db: TestDatabase;
let ledger: LedgerDb;
let line: TestLine;
beforeAll(async () => {
  db = await aDatabase();
  ledger = await ledgerOn(db);
  const made = await aLedgerLine(db, start, "constraint");
  line = made.line;
  const roll = dice(3);
  await read(
    db,
    made.machines.flatMap((machine) => dayOf(machine, start, roll)),
  );
  const { isDone } = await refreshLedger(ledger, { now: () => end, budgetMs: 60_000, signal: new AbortController().signal });
  expect(isDone).toBe(true);
});
afterAll(() => db.drop());

const rebuild = (asked: Partial<RebuildAsked> = {}, signal = new AbortController().signal) => {
  const progress: number[] = [];
  return rebuildLedger(
    ledger,
    { from: "2026-03-04", to: "2026-03-05", site: null, ...asked },
    { now: () => end, signal, onProgress: (done) => progress.push(done) },
  ).then((result) => ({ ...result, progress }));
};
const counts = () => db.rows("select * from count_minute order by signal_id, minute, job");

describe("a rebuild", () => {
  it("changes nothing of what the refresher made", async () => {
    const before = [await rowsOf(db, line), await factsOf(db, line), await counts()];
    expect(await rebuild()).toEqual({ lines: 1, minutes: 0, rows: 0, kept: 0, isStopped: false, progress: [1, 2, 3, 4] });
    expect([await rowsOf(db, line), await factsOf(db, line), await counts()]).toEqual(before);
    expect(await db.rows("select from ledger_claim")).toEqual([]);
  });

  it("puts right what is wrong in rows, facts and pieces", async () => {
    const before = [await rowsOf(db, line), await factsOf(db, line), await counts()];
    await db.rows("update machine_interval set kind = 'changeover', reason = 'x' where from_at >= $1 and kind = 'run'", [new Date(start + 5 * time.hour)]);
    await db.rows("update oee_fact set good = good + 1");
    await db.rows("update count_minute set pieces = pieces + 7 where minute >= $1", [new Date(start + 3 * time.hour)]);
    await db.rows("delete from count_minute where minute < $1", [new Date(start + 2 * time.hour)]);
    const { minutes, rows } = await rebuild();
    expect([minutes > 900, rows > 20]).toEqual([true, true]);
    expect([await rowsOf(db, line), await factsOf(db, line), await counts()]).toEqual(before);
  });

  it("keeps what it was told of readings that are no longer there", async () => {
    const before = [await rowsOf(db, line), await factsOf(db, line), await counts()];
    await db.rows("delete from ledger_sample where at < $1", [new Date(start + 8 * time.hour)]);
    expect(await rebuild()).toMatchObject({ minutes: 0, rows: 0, kept: 2 });
    expect([await rowsOf(db, line), await factsOf(db, line), await counts()]).toEqual(before);
  });

  it("stops when it is told to, and says so", async () => {
    const stopped = new AbortController();
    stopped.abort();
    expect(await rebuild({}, stopped.signal)).toMatchObject({ isStopped: true, progress: [] });
  });

  it.each([
    [{ from: "yesterday" }, '--from must be a day like 2026-03-01, and "yesterday" is none.'],
    [{ to: "2026-02-30" }, '--to must be a day like 2026-03-01, and "2026-02-30" is none.'],
    [{ from: "2026-03-06" }, "--from 2026-03-06 is later than --to 2026-03-05. Both days are rebuilt."],
    [{ from: "2027-01-01", to: "2027-01-02" }, "2027-01-01 is yet to come: there is nothing to rebuild."],
    [{ site: "nowhere" }, 'There is no site "nowhere".'],
    [{ from: "2020-01-01", to: "2020-12-31" }, "There is no ledger from 2020-01-01 to 2020-12-31: nothing was read in that time."],
  ])("refuses %o in words", async (asked, sentence) => {
    await expect(rebuild(asked)).rejects.toThrow(new CannotRebuild(sentence));
  });
});
