/**
 * What the boards hang on: the database, the ingest workers, the broker. Read for the whole process, told for each line.
 * A board whose upstream is away must not show its last picture as if it were now.
 */
import { db } from "#/server/db.ts";
import { isDatabaseAway } from "#/server/errors.ts";
import { onWaking } from "#/server/live.ts";
import { logFault } from "#/server/log.ts";
import { workerHealth } from "#/server/workers/service.ts";
import type { Trouble } from "./picture-types.ts";
import { wayRows } from "./queries.ts";
import { lossesBy, passing, type Reader, type Since, type Way, wayOf, wholeSecond, workerAwayAfterMs, worstOf } from "./readers.ts";

type Known = { databaseAwaySince: number | null; workers: readonly Reader[]; since: Since; ways: ReadonlyMap<number, readonly Way[]> };
type Upstream = Known & {
  waysReadAt: number;
  readAt: number;
  reading: Promise<void> | null;
  listeners: Set<() => void>;
  stop: (() => void) | null;
};

const readEveryMs = 5_000;
const readAtMostEveryMs = 2_000;
/** The plant says when it changes; this is for a waking that was missed. */
const waysEveryMs = 60_000;

const shared = globalThis as typeof globalThis & { taktUpstream?: Upstream };
shared.taktUpstream ??= {
  databaseAwaySince: null,
  workers: [],
  since: new Map(),
  ways: new Map(),
  waysReadAt: 0,
  readAt: 0,
  reading: null,
  listeners: new Set(),
  stop: null,
};
const upstream = shared.taktUpstream;

/** What the line lacks, the first thing from the top; null where all is there. lineId null: what all lines lack. */
export function troubleOf(known: Known, lineId: number | null, nowMs: number): Trouble | null {
  if (known.databaseAwaySince !== null) return { part: "database", sinceAt: known.databaseAwaySince };
  if (known.workers.length === 0) return { part: "worker", sinceAt: null };
  const lossOf = lossesBy(known.workers, known.since, nowMs);
  const ofLine = (ways: readonly Way[]) => worstOf(ways.flatMap((way) => lossOf(way)?.trouble ?? []));
  const ofAll = () => {
    const all = [...known.ways.values()].map(ofLine);
    return all.includes(null) ? null : worstOf(all.flatMap((trouble) => trouble ?? []));
  };
  const own = lineId === null ? ofAll() : ofLine(known.ways.get(lineId) ?? []);
  if (own?.part === "worker") return own;
  const newest = wholeSecond(Math.max(...known.workers.map(({ seenAt }) => seenAt)));
  return nowMs - newest > workerAwayAfterMs ? { part: "worker", sinceAt: newest } : own;
}

export const currentTrouble = (lineId: number | null, nowMs: number): Trouble | null => troubleOf(upstream, lineId, nowMs);

/**
 * How far what the line's sources say of themselves (`_online`, a birth) can be believed: by source, ms; null: no further than its last word.
 * Sources that are not listed are listened to now.
 */
export function vouchedTo(known: Known, lineId: number, nowMs: number): Map<number, number | null> {
  const lossOf = lossesBy(known.workers, known.since, nowMs);
  const ends = new Map<number, number | null>();
  for (const way of known.ways.get(lineId) ?? []) {
    const loss = known.workers.length === 0 ? { vouchedTo: null } : lossOf(way);
    if (!loss) continue;
    const before = ends.get(way.sourceId);
    ends.set(way.sourceId, before === undefined || (loss.vouchedTo ?? 0) < (before ?? 0) ? loss.vouchedTo : before);
  }
  return ends;
}

export const currentlyVouchedTo = (lineId: number, nowMs: number): Map<number, number | null> => vouchedTo(upstream, lineId, nowMs);

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
    if (waking.type === "plant" || waking.type === "reread") upstream.waysReadAt = 0;
    if (waking.type === "reread" || waking.type === "plant" || (waking.type === "worker" && Date.now() - upstream.readAt >= readAtMostEveryMs))
      void readUpstream();
  });
  return () => {
    clearInterval(timer);
    stopWaking();
    upstream.waysReadAt = 0; // nobody hears now that the plant changed
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
    if (upstream.readAt - upstream.waysReadAt > waysEveryMs) {
      upstream.waysReadAt = upstream.readAt; // a waking meanwhile sets it back
      upstream.ways = waysOf(await wayRows(db));
    }
    upstream.workers = await workerHealth(db, new Date());
    upstream.since = passing(upstream.workers, [...upstream.ways.values()].flat(), upstream.since, Date.now());
    upstream.databaseAwaySince = null;
  } catch (error) {
    upstream.waysReadAt = 0;
    if (upstream.databaseAwaySince === null) logFault(error, isDatabaseAway(error) ? "the database is away" : "the workers' signs of life could not be read");
    upstream.databaseAwaySince ??= Date.now();
  }
  tell();
}

function waysOf(rows: Awaited<ReturnType<typeof wayRows>>): Map<number, Way[]> {
  const ways = new Map<number, Way[]>();
  for (const row of rows) {
    const way = wayOf(row);
    const known = ways.get(row.lineId);
    if (!way) continue;
    if (known) known.push(way);
    else ways.set(row.lineId, [way]);
  }
  return ways;
}

function tell(): void {
  for (const listener of upstream.listeners) listener();
}
