/** The real program on a database of its own that is stopped, killed and started under it. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type Embedded, startEmbedded } from "#/scripts/embedded/start.ts";
import { migrate } from "#/scripts/migrate.ts";
import type { Db } from "#/server/db.ts";
import { aLine, aSignal } from "#/server/testing.ts";
import { jobs } from "./tasks.ts";

const root = join(import.meta.dirname, "../..");
const dataDir = mkdtempSync(join(tmpdir(), "takt-jobs-"));
let embedded: Embedded;
let pool: pg.Pool;
let db: Db;

type Program = { child: ChildProcess; out: () => string; ended: Promise<number | null>; health: () => Promise<{ status: number; body: HealthBody }> };
type HealthBody = { ok: boolean; trouble: string | null; jobs: { name: string; lastOkAt: string | null }[] };
const running: Program[] = [];

beforeAll(async () => {
  embedded = await startEmbedded({ dataDir });
  pool = new pg.Pool({ connectionString: embedded.databaseUrl });
  pool.on("error", () => undefined); // the database is killed on purpose
  db = { rows: async (sql, parameters = []) => (await pool.query(sql, [...parameters])).rows };
});
afterEach(({ task }) => {
  for (const holder of holders.splice(0)) holder.release(true);
  for (const { child, out } of running.splice(0)) {
    child.kill("SIGKILL");
    if (task.result?.state === "fail") console.error(out());
  }
});
afterAll(async () => {
  await pool?.end();
  await embedded?.stop();
  rmSync(dataDir, { recursive: true, force: true });
});

function start(variables: Record<string, string> = {}): Program {
  const child = spawn(process.execPath, ["server/jobs/main.ts"], {
    cwd: root,
    env: { ...process.env, LOG_LEVEL: "debug", DATABASE_URL: embedded.databaseUrl, JOBS_HTTP_PORT: "0", ...variables },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (part) => (text += part));
  const program: Program = {
    child,
    out: () => text,
    ended: new Promise((resolve) => child.once("close", resolve)),
    async health() {
      const url = /"health":"([^"]+)"/.exec(text)?.[1];
      if (!url) return { status: 0, body: { ok: false, trouble: "not started", jobs: [] } };
      const response = await fetch(url);
      return { status: response.status, body: (await response.json()) as HealthBody };
    },
  };
  running.push(program);
  return program;
}

async function asAdmin(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(sql).finally(() => client.end());
}

/** The test's own time is the limit. */
async function until(what: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await what())) await new Promise((resolve) => setTimeout(resolve, 50));
}
const firstRoundDone = (program: Program) =>
  until(async () => (await program.health()).body.jobs.filter((job) => job.lastOkAt !== null).length === jobs.length);
const isHealthy = (program: Program) => until(async () => (await program.health()).status === 200);
const isWorking = (program: Program) => until(() => program.out().includes('"working"'));

const holders: pg.PoolClient[] = [];
/** Keeps the roll-up waiting in the middle of its work until the lock is given back. */
async function holdUpRollUp(): Promise<() => Promise<unknown>> {
  const holder = await pool.connect();
  holders.push(holder);
  await holder.query("begin");
  await holder.query("lock table trend_mark in exclusive mode");
  await dueNow("roll_up_measurements");
  const waiting = "select from pg_stat_activity where wait_event_type = 'Lock' and query like '%jobs.claimTrendMarks%' and pid <> pg_backend_pid()";
  await until(async () => (await db.rows(waiting)).length > 0);
  return () => holder.query("commit");
}

let minute = 0;
/** A value of an hour that is long over, and its mark. */
async function aMarkedHour(): Promise<{ signalId: number; isRolledUp: () => Promise<boolean> }> {
  const { signalId } = await aSignal(db);
  const at = new Date(Date.now() - 86_400_000 + 60_000 * minute++);
  await db.rows("insert into sample values ($1, $2, 42)", [signalId, at]);
  await db.rows("insert into trend_mark values ($1, date_trunc('hour', $2::timestamptz))", [signalId, at]);
  return { signalId, isRolledUp: async () => (await db.rows("select from sample_hour where signal_id = $1 and mean = 42", [signalId])).length === 1 };
}
/** As if its time had come. */
const dueNow = (job: string) => db.rows("select graphile_worker.add_job($1, job_key := $1, run_at := now())", [job]);

describe("what a person must put right is one clear line and an end", () => {
  const saysAndEnds = async (variables: Record<string, string>, line: RegExp) => {
    const program = start(variables);
    expect(await program.ended).toBe(1);
    expect(
      program
        .out()
        .split("\n")
        .filter((text) => text.startsWith("takt jobs: ")),
    ).toEqual([expect.stringMatching(line)]);
    expect(program.out()).not.toMatch(/\n\s+at /);
  };
  it("a wrong variable", () => saysAndEnds({ RETAIN_TREND_RAW_DAYS: "soon" }, /RETAIN_TREND_RAW_DAYS must be a whole number of days/));
  it("a refused sign-in", () => {
    const url = new URL(embedded.databaseUrl);
    url.password = "wrong";
    return saysAndEnds({ DATABASE_URL: url.href }, /refuses the sign-in: .*Check user and password in DATABASE_URL\.$/);
  });
  it("a database that is not there", () => {
    const url = new URL(embedded.databaseUrl);
    url.pathname = "/nowhere";
    return saysAndEnds({ DATABASE_URL: url.href }, /database "nowhere" does not exist .*Create it, or check the name in DATABASE_URL\.$/);
  });
  it("a port in use", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => other.once("listening", resolve));
    const { port } = other.address() as AddressInfo;
    await saysAndEnds({ JOBS_HTTP_PORT: String(port) }, new RegExp(`Port ${port} on 127\\.0\\.0\\.1 is in use.*JOBS_HTTP_PORT`));
    other.close();
  });
  it("an unreachable database is tried again, and says so", async () => {
    const program = start({ DATABASE_URL: "postgres://takt@127.0.0.1:1/takt" });
    await until(() => /does not answer: .*Trying again in 3 s/.test(program.out()));
    expect((await program.health()).status).toBe(503);
    program.child.kill("SIGTERM");
    expect(await program.ended).toBe(0);
  });
});

describe("an older schema", () => {
  it("is waited for, and says so once; a newer one ends it", async () => {
    // A database of its own: what is left in the queue after the first round must not be there for the tests below.
    const own = new URL(embedded.databaseUrl);
    const admin = new URL(embedded.postgres.adminUrl);
    own.pathname = admin.pathname = "/older";
    await asAdmin(embedded.postgres.adminUrl, `create database older owner "${decodeURIComponent(own.username)}"`);
    await asAdmin(admin.href, "create extension if not exists timescaledb");
    const variables = { DATABASE_URL: own.href };
    const program = start(variables);
    await until(() => /The database lacks 0001_plant, .*Run first: npm run migrate\. Looking again/.test(program.out()));
    const { status, body } = await program.health();
    expect([status, body.trouble]).toEqual([503, expect.stringMatching(/^The database lacks 0001_plant, .*npm run migrate$/)]);
    await migrate(own.href, { log: () => undefined });
    await firstRoundDone(program);
    await isHealthy(program);
    expect(program.out().match(/The database lacks/g)).toHaveLength(1);
    program.child.kill("SIGTERM");
    expect(await program.ended).toBe(0);
    await asAdmin(admin.href, "insert into schema_migration (name, run_on) values ('9999_later', now())");
    const old = start(variables);
    expect(await old.ended).toBe(1);
    expect(old.out()).toMatch(/^takt jobs: The database is newer than this program \(it has 9999_later\)/m);
  });
});

describe("at work", () => {
  beforeAll(async () => {
    await migrate(embedded.migrateUrl, { application: embedded.databaseUrl, log: () => undefined });
  });

  it("rolls up, makes shifts 60 days ahead, tells how it is, and stops cleanly", async () => {
    const { lineId, siteId } = await aLine(db);
    const [pattern] = await db.rows<{ id: number }>("insert into shift_pattern (site_id, key, name) values ($1, 'early', 'Early') returning id", [siteId]);
    await db.rows(
      "insert into shift (shift_pattern_id, key, name, weekdays, start_local, end_local) values ($1, 'early', 'Early', '{1,2,3,4,5,6,7}', '06:00', '14:00')",
      [pattern?.id],
    );
    await db.rows("insert into line_shift_pattern (line_id, shift_pattern_id, from_date) values ($1, $2, '2026-01-01')", [lineId, pattern?.id]);
    const { isRolledUp } = await aMarkedHour();
    const program = start();
    await firstRoundDone(program);
    expect(await isRolledUp()).toBe(true);
    const [shifts] = await db.rows<{ days: number }>("select extract(day from max(from_at) - now())::int as days from shift_instance where line_id = $1", [
      lineId,
    ]);
    expect(shifts?.days).toBeGreaterThanOrEqual(59);
    expect((await program.health()).body).toMatchObject({ ok: true, trouble: null });
    const from = performance.now();
    program.child.kill("SIGTERM");
    expect(await program.ended).toBe(0);
    expect(performance.now() - from).toBeLessThan(10_000);
  });

  it("two at once share the jobs: each is done once", async () => {
    const both = [start(), start()];
    for (const program of both) await isWorking(program);
    const doneSince = (job: string) =>
      both
        .map(
          ({ out }) =>
            out()
              .split("\n")
              .filter((line) => line.includes(`"job":"${job}"`) && line.includes('"done"')).length,
        )
        .reduce((a, b) => a + b, 0);
    for (let i = 0; i < 3; i += 1) {
      const before = doneSince("roll_up_measurements");
      const { isRolledUp } = await aMarkedHour();
      await dueNow("roll_up_measurements");
      await until(isRolledUp);
      await until(() => doneSince("roll_up_measurements") > before);
      expect(doneSince("roll_up_measurements")).toBe(before + 1);
    }
    const keys = async () => (await db.rows<{ key: string | null }>("select key from graphile_worker.jobs order by key")).map((row) => row.key);
    await until(async () => !(await keys()).includes(null)); // what has just run is struck off a moment after it says that it is done
    expect(await keys()).toEqual(jobs.map(({ name }) => name).sort());
  });

  it("what a killed process held is done by the next", async () => {
    const killed = start();
    await isWorking(killed);
    const goOn = await holdUpRollUp();
    killed.child.kill("SIGKILL");
    await killed.ended;
    await goOn();
    const { isRolledUp } = await aMarkedHour();
    const next = start();
    await until(isRolledUp);
    await isHealthy(next);
  });

  it("survives a killed and restarted database, and goes on", async () => {
    const program = start();
    await isWorking(program);
    await embedded.postgres.kill9();
    await until(async () => (await program.health()).status === 503);
    expect((await program.health()).body.trouble).toMatch(/^The database at 127\.0\.0\.1:\d+\/takt does not answer: /);
    await embedded.postgres.start();
    await isHealthy(program);
    const { isRolledUp } = await aMarkedHour();
    await dueNow("roll_up_measurements");
    await until(isRolledUp);
    expect(program.child.exitCode).toBe(null);
    program.child.kill("SIGINT");
    expect(await program.ended).toBe(0);
  });

  it("stops within 10 s while the database is away, and in the middle of a job", async () => {
    const away = start();
    await isWorking(away);
    await embedded.postgres.stop();
    const from = performance.now();
    away.child.kill("SIGTERM");
    expect(await away.ended).not.toBe(null);
    expect(performance.now() - from).toBeLessThan(10_000);
    await embedded.postgres.start();

    const busy = start();
    await isWorking(busy);
    const goOn = await holdUpRollUp();
    const again = performance.now();
    busy.child.kill("SIGTERM");
    await busy.ended;
    expect(performance.now() - again).toBeLessThan(10_000);
    await goOn();
  });
});
