/**
 * What every board hangs on: the database, the ingest worker, the broker. Read for the whole process, not for each board.
 * A board whose upstream is away must not show its last picture as if it were now.
 */
import { db } from "#/server/db.ts";
import { isDatabaseAway } from "#/server/errors.ts";
import { onWaking } from "#/server/live.ts";
import { logFault } from "#/server/log.ts";
import { type WorkerHealth, workerHealth } from "#/server/workers/service.ts";
import type { Trouble } from "./picture-types.ts";

type Upstream = {
  databaseAwaySince: number | null;
  workers: WorkerHealth[];
  brokerAwaySince: number | null;
  readAt: number;
  reading: Promise<void> | null;
  listeners: Set<() => void>;
  stop: (() => void) | null;
};

/** A worker gives a sign of life about once a second; it counts as away after 15 s without one. */
export const workerAwayAfterMs = 15_000;
/** A broker that restarts is back within seconds: only a longer loss greys a board. */
const brokerAwayAfterMs = 15_000;
const readEveryMs = 5_000;
const readAtMostEveryMs = 2_000;

const shared = globalThis as typeof globalThis & { taktUpstream?: Upstream };
shared.taktUpstream ??= { databaseAwaySince: null, workers: [], brokerAwaySince: null, readAt: 0, reading: null, listeners: new Set(), stop: null };
const upstream = shared.taktUpstream;

/** The first thing from the top that is away; null where all is there. */
export function troubleOf(state: Pick<Upstream, "databaseAwaySince" | "workers" | "brokerAwaySince">, nowMs: number): Trouble | null {
  if (state.databaseAwaySince !== null) return { part: "database", sinceAt: state.databaseAwaySince };
  const seenAt = state.workers.map((worker) => worker.seenAt);
  if (seenAt.length === 0) return { part: "worker", sinceAt: null };
  const newest = Math.round(Math.max(...seenAt) / 1000) * 1000; // whole seconds: it is told as "since", and only once
  if (nowMs - newest > workerAwayAfterMs) return { part: "worker", sinceAt: newest };
  if (state.brokerAwaySince !== null && nowMs - state.brokerAwaySince > brokerAwayAfterMs) return { part: "broker", sinceAt: state.brokerAwaySince };
  return null;
}

export const currentTrouble = (nowMs: number): Trouble | null => troubleOf(upstream, nowMs);

/** Tells of a query that could not reach the database (or could), so that boards grey at once and not at the next reading. */
export function noteDatabase(away: boolean, nowMs: number): void {
  const before = upstream.databaseAwaySince;
  upstream.databaseAwaySince = away ? (before ?? nowMs) : null;
  if ((before === null) === away) tell();
}

/** Calls `listener` after each reading; the readings stop when the last listener has gone. */
export function onUpstream(listener: () => void): () => void {
  upstream.listeners.add(listener);
  upstream.stop ??= start();
  return () => {
    upstream.listeners.delete(listener);
    if (upstream.listeners.size > 0) return;
    upstream.stop?.();
    upstream.stop = null;
  };
}

function start(): () => void {
  const timer = setInterval(() => void readUpstream(), readEveryMs);
  const stopWaking = onWaking((waking) => {
    if (waking.type === "reread" || (waking.type === "worker" && Date.now() - upstream.readAt >= readAtMostEveryMs)) void readUpstream();
  });
  return () => {
    clearInterval(timer);
    stopWaking();
  };
}

/** Resolves when what is known is of now: at once while boards are open, else after a reading. */
export const upstreamKnown = (): Promise<void> => (Date.now() - upstream.readAt > 2 * readEveryMs ? readUpstream() : Promise.resolve());

/** Reads once, whoever asks meanwhile. Does not throw: an unreachable database is what it finds out. */
export function readUpstream(): Promise<void> {
  upstream.reading ??= read().finally(() => {
    upstream.reading = null;
  });
  return upstream.reading;
}

async function read(): Promise<void> {
  upstream.readAt = Date.now();
  try {
    const workers = await workerHealth(db, new Date());
    upstream.workers = workers;
    upstream.databaseAwaySince = null;
    const connected = workers.some((worker) => worker.alive && worker.mqttConnected);
    const anyAlive = workers.some((worker) => worker.alive);
    upstream.brokerAwaySince = connected || !anyAlive ? null : (upstream.brokerAwaySince ?? Date.now());
  } catch (error) {
    if (upstream.databaseAwaySince === null) logFault(error, isDatabaseAway(error) ? "the database is away" : "the worker's sign of life could not be read");
    upstream.databaseAwaySince ??= Date.now();
  }
  tell();
}

function tell(): void {
  for (const listener of upstream.listeners) listener();
}
