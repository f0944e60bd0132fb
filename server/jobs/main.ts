/** npm run jobs: rolls up, drops what is old, makes shifts. Any number of these may run; each may be killed at any instant. */
import type { AddressInfo } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import { pino } from "pino";
import { readHeadTargets } from "#/server/audit/env.ts";
import { headPublisher } from "#/server/audit/publish.ts";
import { isDatabaseAway } from "#/server/errors.ts";
import { addressOf, jobsDb, makePool, Trouble, whyHopeless, whyNotReady } from "./database.ts";
import { readEnv } from "./env.ts";
import { type Health, serveHealth } from "./health.ts";
import { startQueue } from "./queue.ts";

const stopWithinMs = 9_000;
const tryAgainMs = 3_000;
const lookEveryMs = 2_000;
const now = () => new Date();

const env = readEnv();
const targets = readHeadTargets();
if ("wrong" in env || "wrong" in targets) {
  for (const { wrong } of [env, targets].filter((one) => "wrong" in one)) for (const line of wrong) process.stderr.write(`takt jobs: ${line}\n`);
  process.exit(1);
}
const publishHeads = headPublisher(targets);
const log = pino({ name: "takt jobs", level: env.LOG_LEVEL, base: { pid: process.pid } });
const address = addressOf(env.DATABASE_URL);
const pool = makePool(env.DATABASE_URL, log);
const db = jobsDb(pool);
const health: Health = { startedAt: Date.now(), trouble: "not connected yet", jobs: new Map() };
const stopping = new AbortController();
const isStopping = () => stopping.signal.aborted;

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  process.once(signal, () => {
    log.info(`${signal}: stopping`);
    stopping.abort();
    setTimeout(() => {
      log.warn(`not stopped after ${stopWithinMs / 1000} s; what was under way is rolled back`);
      process.exit(1);
    }, stopWithinMs).unref();
  });
}

// graphile-worker drops some of its promises: a database that goes away at the wrong instant must not end the process.
process.on("unhandledRejection", (reason) => {
  if (isDatabaseAway(reason)) return log.warn({ reason: reason instanceof Error ? reason.message : String(reason) }, "the database is away");
  log.fatal({ err: reason }, "ended");
  process.exit(1);
});

/** Waits, unless the process is told to stop. */
const pause = (ms: number) => wait(ms, undefined, { signal: stopping.signal }).catch(() => undefined); // the only rejection is the stop itself

/** Until the database answers and has this program's schema; says so while it does not. @throws Trouble for what waiting does not mend */
async function reachDatabase(): Promise<void> {
  while (!isStopping()) {
    try {
      const lack = await whyNotReady(db);
      if (lack === null) {
        health.trouble = null;
        return;
      }
      if (lack !== health.trouble) log.warn(`${lack}. Looking again every ${tryAgainMs / 1000} s.`);
      health.trouble = lack;
      await pause(tryAgainMs);
    } catch (error) {
      if (error instanceof Trouble) throw error;
      const hopeless = whyHopeless(error, address);
      if (hopeless !== null) throw new Trouble(hopeless);
      health.trouble = `The database at ${address} does not answer: ${error instanceof Error ? error.message : error}`;
      log.warn(`${health.trouble}. Trying again in ${tryAgainMs / 1000} s.`);
      await pause(tryAgainMs);
    }
  }
}

/** Keeps /health honest while the queue waits for work. */
async function watchDatabase(): Promise<void> {
  while (!isStopping()) {
    await pause(lookEveryMs);
    if (isStopping()) return;
    try {
      await db.rows("-- jobs.look\nselect 1");
      if (health.trouble !== null) log.info(`the database at ${address} answers again`);
      health.trouble = null;
    } catch (error) {
      const trouble = `The database at ${address} does not answer: ${error instanceof Error ? error.message : error}`;
      if (health.trouble === null) log.warn(trouble);
      health.trouble = trouble;
    }
  }
}

async function main(settings: Exclude<typeof env, { wrong: string[] }>): Promise<void> {
  const server = await serveHealth(health, settings.HOST, settings.JOBS_HTTP_PORT, now).catch((error: Error) => {
    throw new Trouble(error.message);
  });
  const keep = {
    rawDays: settings.RETAIN_TREND_RAW_DAYS,
    hourlyDays: settings.RETAIN_TREND_HOURLY_DAYS,
    deadLetterDays: settings.RETAIN_DEAD_LETTER_DAYS,
    letterBytes: settings.RETAIN_LETTERS_MB * 1_000_000,
  };
  log.info({ health: `http://${settings.HOST}:${(server.address() as AddressInfo).port}/health`, database: address, ...keep }, "started");
  if (Object.values(targets).every((target) => target === null))
    log.info("the heads of the audit trail are published nowhere: set AUDIT_HEAD_FILE, AUDIT_HEAD_MAIL or AUDIT_HEAD_TOPIC");
  await reachDatabase();
  const watching = watchDatabase();
  while (!isStopping()) {
    try {
      const queue = await startQueue({ pool, db, keep, publishHeads, log, now, onState: (name, state) => health.jobs.set(name, state) });
      log.info("working");
      const told = new Promise<void>((resolve) => stopping.signal.addEventListener("abort", () => resolve(), { once: true }));
      const reason = await Promise.race([queue.ended, told]);
      if (isStopping()) await queue.stop();
      else log.warn({ reason }, `the queue ended; a new one in ${tryAgainMs / 1000} s`);
      await pause(tryAgainMs);
    } catch (error) {
      const hopeless = whyHopeless(error, address);
      if (hopeless !== null) log.error({ err: error }, "the queue ended");
      else log.warn({ reason: error instanceof Error ? error.message : String(error) }, "the database is away");
      await pause(tryAgainMs);
    }
  }
  await watching;
  server.close();
  await pool.end();
  log.info("stopped");
}

try {
  await main(env);
  process.exit(0);
} catch (error) {
  if (error instanceof Trouble) process.stderr.write(`takt jobs: ${error.message}\n`);
  else log.fatal({ err: error }, "ended");
  process.exit(1);
}
