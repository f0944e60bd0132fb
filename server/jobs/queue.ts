/**
 * The jobs in the queue of graphile-worker (its own schema in the same database). Each job schedules its next run under its own key, so several
 * processes share the work and none does it twice. What a killed process leaves behind is made good by whoever is left: once a minute every process
 * makes sure that each job stands in the queue.
 */
import { EventEmitter } from "node:events";
import { Logger as GraphileLogger, makeWorkerUtils, type Runner, run, type TaskList, type WorkerEvents, type WorkerUtils } from "graphile-worker";
import type { Pool, PoolClient } from "pg";
import type { Logger } from "pino";
import type { HeadPublisher } from "#/server/audit/publish.ts";
import { isDatabaseAway } from "#/server/errors.ts";
import type { JobsDb } from "./database.ts";
import type { Keep } from "./retention.ts";
import { type Job, jobs } from "./tasks.ts";

/** How a job fared last. Instants are ms since 1970; failure: the sentence of the last failure, null after a success. */
export type JobState = { lastAt: number | null; lastOkAt: number | null; tookMs: number | null; did: Record<string, unknown> | null; failure: string | null };

export type QueueOptions = {
  pool: Pool;
  db: JobsDb;
  keep: Keep;
  publishHeads: HeadPublisher;
  log: Logger;
  now: () => Date;
  onState: (name: string, state: JobState) => void;
};

/** A job that failed is tried again after this time, however long its period. */
const retryAfterS = 30;
const watchEveryMs = 60_000;
/** However many notices come, a job is woken at most so often. */
const wakeEveryMs = 500;
const schema = "graphile_worker";

export type Queue = {
  /** Resolves with the reason when the queue has ended by itself, as it does whenever the database goes away: start a new one. */
  ended: Promise<string>;
  /** Lets what runs come to its next pause, and gives it back if it does not. */
  stop(): Promise<void>;
};

/** Starts working. @throws while the database is away */
export async function startQueue(options: QueueOptions): Promise<Queue> {
  const { pool, log } = options;
  const stopping = new AbortController();
  const logger = toPino(log);
  const utils = await makeWorkerUtils({ pgPool: pool, schema, logger });
  await utils.migrate();
  await ensureScheduled(utils, options.now(), "now");
  const events: WorkerEvents = new EventEmitter();
  // Neither of these always settles the runner's promise, and a runner that met them may never find a job again.
  const gaveUp = new Promise<string>((resolve) => {
    events.once("pool:gracefulShutdown", ({ message }) => resolve(message));
    events.once("worker:getJob:error", ({ error }) => resolve(error instanceof Error ? error.message : String(error)));
  });
  const runner: Runner = await run({
    events,
    pgPool: pool,
    schema,
    logger,
    concurrency: jobs.length,
    pollInterval: 2_000,
    noHandleSignals: true,
    gracefulShutdownAbortTimeout: 4_000,
    // Without these two a database that goes away while a job is being struck off ends the process by an unhandled rejection; so it ends the queue.
    preset: { worker: { completeJobBatchDelay: 0, failJobBatchDelay: 0 } },
    taskList: Object.fromEntries(jobs.map((job) => [job.name, taskOf(job, options, utils, stopping.signal)])) satisfies TaskList,
    parsedCronItems: [],
  });
  const ear = listen(options, utils, stopping.signal);
  const watch = setInterval(() => {
    lookAfter(utils, options.now())
      .then(ear.ensure)
      .catch((error: Error) => log.warn({ reason: error.message }, "the queue could not be looked after; trying again in a minute"));
  }, watchEveryMs);
  await ear.ensure();
  const stop = () => {
    clearInterval(watch);
    stopping.abort();
    ear.end();
    return runner.stop();
  };
  return {
    ended: gaveUp.then((reason) => {
      if (stopping.signal.aborted) return reason;
      stop().catch((error: Error) => log.debug({ reason: error.message }, "what was left of the queue did not end well"));
      return reason;
    }),
    stop,
  };
}

/** Adds what is missing and leaves what is there; a job that runs at this instant, or that a killed process holds, gets a successor. */
async function ensureScheduled(utils: WorkerUtils, now: Date, first: "now" | "later"): Promise<void> {
  for (const job of jobs) {
    const runAt = first === "now" ? now : new Date(now.getTime() + job.everyS * 1000);
    await utils.addJob(job.name, {}, { jobKey: job.name, jobKeyMode: "preserve_run_at", runAt });
  }
}

/** Wakes the jobs that wait for notices. Where the connection breaks, they run by their period until it is there again. */
function listen({ pool, log, now }: QueueOptions, utils: WorkerUtils, stopping: AbortSignal): { ensure(): Promise<void>; end(): void } {
  const wokenBy = new Map<string, string[]>();
  for (const { name, wokenBy: channels = [] } of jobs) for (const channel of channels) wokenBy.set(channel, [...(wokenBy.get(channel) ?? []), name]);
  const timers = new Map<string, NodeJS.Timeout>();
  let client: PoolClient | null = null;
  const wake = (name: string) => {
    if (timers.has(name) || stopping.aborted) return;
    const due = () => {
      timers.delete(name);
      if (stopping.aborted) return;
      utils
        .addJob(name, {}, { jobKey: name, jobKeyMode: "replace", runAt: now() })
        .catch((error: Error) => log.debug({ job: name, reason: error.message }, "could not be woken; its time will come"));
    };
    timers.set(name, setTimeout(due, wakeEveryMs));
  };
  return {
    async ensure() {
      if (client !== null || stopping.aborted) return;
      const taken = await pool.connect();
      client = taken;
      taken.on("notification", ({ channel }) => {
        for (const name of wokenBy.get(channel) ?? []) wake(name);
      });
      taken.once("error", (error) => {
        client = null;
        taken.release(error);
      });
      for (const channel of wokenBy.keys()) await taken.query(`listen ${taken.escapeIdentifier(channel)}`);
    },
    end() {
      for (const timer of timers.values()) clearTimeout(timer);
      client?.release(true);
      client = null;
    },
  };
}

/** A job that a killed process held and that got a successor is no use any more once the queue has let go of it. */
async function lookAfter(utils: WorkerUtils, now: Date): Promise<void> {
  await ensureScheduled(utils, now, "later");
  await utils.cleanup({ tasks: ["DELETE_PERMAFAILED_JOBS"] });
}

function taskOf(job: Job, { db, keep, publishHeads, log, now, onState }: QueueOptions, utils: WorkerUtils, signal: AbortSignal) {
  let state: JobState = { lastAt: null, lastOkAt: null, tookMs: null, did: null, failure: null };
  return async () => {
    const startedAt = now();
    const from = performance.now();
    let nextInS = job.everyS;
    try {
      const { did, again } = await job.run({ db, now: startedAt, clock: now, keep, publishHeads, log, signal });
      if (again) nextInS = 0;
      state = { lastAt: startedAt.getTime(), lastOkAt: startedAt.getTime(), tookMs: performance.now() - from, did, failure: null };
      const isNews = !job.isFrequent || Object.values(did).some((n) => n !== 0);
      log[isNews ? "info" : "debug"]({ job: job.name, tookMs: Math.round(state.tookMs ?? 0), ...did }, "done");
    } catch (error) {
      nextInS = Math.min(retryAfterS, job.everyS);
      const failure = error instanceof Error ? error.message : String(error);
      state = { ...state, lastAt: startedAt.getTime(), tookMs: performance.now() - from, failure };
      if (isDatabaseAway(error)) log.warn({ job: job.name, reason: failure }, `the database is away; trying again in ${nextInS} s`);
      else log.error({ job: job.name, err: error }, `failed; trying again in ${nextInS} s`);
    }
    onState(job.name, state);
    await utils.addJob(job.name, {}, { jobKey: job.name, jobKeyMode: "replace", runAt: new Date(now().getTime() + nextInS * 1000) });
  };
}

const toPino = (log: Logger) =>
  new GraphileLogger(() => (level, message, meta) => {
    const reason = meta?.error instanceof Error ? { reason: meta.error.message } : {};
    if (level === "error") log.warn(reason, message);
    else if (level === "warning") log.warn(reason, message);
    else log.debug(message);
  });
