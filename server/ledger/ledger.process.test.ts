/** The real jobs process, killed in the middle of what it does: the ledger that is left is the one that a rebuild gives. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { aDatabase, type TestDatabase } from "#/server/testing.ts";
import { claimPassedTime } from "./marks.ts";
import { type LedgerDb, refreshLedger } from "./refresh.ts";
import { aLedgerLine, dayOf, dice, factsOf, forget, ledgerOn, read, rowsOf, time } from "./testing.ts";

const root = join(import.meta.dirname, "../..");
let db: TestDatabase;
let ledger: LedgerDb;
const running = new Set<ChildProcess>();
beforeAll(async () => {
  db = await aDatabase();
  ledger = await ledgerOn(db);
  // The queue makes its own schema.
  const [row] = await db.rows<{ database: string; role: string }>("select current_database() as database, current_user as role");
  await db.asAdmin.rows(`grant create on database ${row?.database} to ${row?.role}`);
});
afterAll(async () => {
  for (const child of running) child.kill("SIGKILL");
  await db.drop();
});

function start(): ChildProcess {
  const env = { ...process.env, LOG_LEVEL: "warn", DATABASE_URL: db.url, JOBS_HTTP_PORT: "0" };
  const child = spawn(process.execPath, ["server/jobs/main.ts"], { cwd: root, env, stdio: ["ignore", "inherit", "inherit"] });
  running.add(child);
  return child;
}
async function kill(child: ChildProcess): Promise<void> {
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  await ended;
  running.delete(child);
}
/** The test's own time is the limit. */
async function until(what: () => Promise<boolean>, everyMs: number): Promise<void> {
  while (!(await what())) await new Promise((resolve) => setTimeout(resolve, everyMs));
}
/** A refresher has written rows and waits to write their facts. */
const isInTheMiddle = async () =>
  (
    await db.asAdmin.rows(
      "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and query like '-- ledger.deleteFacts%'",
    )
  ).length > 0;
const isWorkedOff = async () => (await db.rows("select machine_id from ledger_mark union all select machine_id from ledger_claim")).length === 0;

it("killed in the middle of a refresh, again and again, it leaves the ledger that a rebuild gives", async () => {
  const day = Math.floor(Date.now() / time.hour) * time.hour - 20 * time.hour;
  const { line, machines } = await aLedgerLine(db, day, "constraint");
  const roll = dice(7);
  const coming = machines
    .flatMap((machine) => dayOf(machine, day, roll))
    .map((one) => ({ one, at: one.at + [0, 0, 5 * time.minute, 3 * time.hour][roll(4)]! }))
    .sort((a, b) => a.at - b.at)
    .map(({ one }) => one);
  const steps = 6;
  const holder = await db.connect();
  let jobs = [start(), start()];
  for (let step = 0; step < steps; step += 1) {
    const isKilled = step % 2 === 1;
    if (isKilled) {
      await until(isWorkedOff, 50);
      await holder.query("begin");
      await holder.query("lock table oee_fact in share mode");
    }
    await read(db, coming.slice(Math.floor((coming.length * step) / steps), Math.floor((coming.length * (step + 1)) / steps)));
    await db.rows("select pg_notify('ledger_claim', '')");
    if (!isKilled) continue;
    await until(isInTheMiddle, 20);
    await Promise.all(jobs.map(kill));
    await holder.query("rollback");
    jobs = [start(), start()];
  }
  await until(isWorkedOff, 100);
  await Promise.all(jobs.map(kill));

  const now = new Date();
  const refresh = () => refreshLedger(ledger, { now: () => now, budgetMs: 60_000, signal: new AbortController().signal });
  await claimPassedTime(db, new Date(now.getTime() + time.minute));
  expect((await refresh()).isDone).toBe(true);
  const [rows, facts] = [await rowsOf(db, line), await factsOf(db, line)];
  expect(rows.length).toBeGreaterThan(100);
  expect(rows.at(-1)).toMatchObject({ to_at: now, is_open: true });
  await forget(db, line, day - time.hour, now.getTime());
  expect((await refresh()).isDone).toBe(true);
  expect(await rowsOf(db, line)).toEqual(rows);
  expect(await factsOf(db, line)).toEqual(facts);
});

it("npm run ledger rebuilds days, and says in a sentence what it cannot", async () => {
  const run = (...args: string[]) =>
    new Promise<{ code: number; out: string; err: string }>((resolve) => {
      const child = execFile(
        process.execPath,
        ["server/ledger/cli.ts", ...args],
        { cwd: root, env: { ...process.env, DATABASE_URL: db.url } },
        (error, out, err) => resolve({ code: error ? (child.exitCode ?? 1) : 0, out, err }),
      );
    });
  const day = (at: number) => new Date(at).toISOString().slice(0, 10);
  const [done, wrong, lacking] = await Promise.all([
    run("rebuild", "--from", day(Date.now() - 2 * 24 * time.hour), "--to", day(Date.now() + 24 * time.hour)),
    run("rebuild", "--from", "2026-03-04", "--to", "2026-03-03"),
    run("rebuild", "--from", "2026-03-04"),
  ]);
  expect([done.code, done.out]).toEqual([0, expect.stringMatching(/^Rebuilt .*, 1 line, [\d.]+ s: nothing was otherwise than it should be\.\n$/)]);
  expect(done.err).toMatch(/^\d+ %, \d+ s, about \d+ s to go\n(.*\n)*100 %, \d+ s, about 0 s to go\n$/);
  expect([wrong.code, wrong.err]).toEqual([1, "takt ledger: --from 2026-03-04 is later than --to 2026-03-03. Both days are rebuilt.\n"]);
  expect([lacking.code, lacking.err]).toEqual([
    1,
    expect.stringMatching(/^takt ledger: Which days\? --from and --to are both needed\.\ntakt ledger: Usage: npm run ledger -- rebuild/),
  ]);
});
