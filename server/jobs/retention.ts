/**
 * Dropping what has been kept long enough: raw measurements and their hourly roll-up by chunk, settled dead letters, long silent workers and events of
 * publishers that no plant knows by row. Readings of class ledger, and everything that people entered, are kept for ever.
 */
import type { Db } from "#/server/db.ts";
import type { JobsDb } from "./database.ts";

const dayMs = 86_400_000;
/** Long enough for a batch under way; writers that come later wait as long. Not had in this time, the chunk is dropped at the next run. */
const mostLockWaitMs = 1_000;
const lettersAtOnce = 5_000;
const keepWorkerDays = 30;
/** What publishers say of themselves that nobody here knows: for who sets them up later. Whoever reaches the broker can make any number of them. */
const keepStrangerDays = 30;
const mostStrangers = 100_000;

export type Keep = { rawDays: number; hourlyDays: number; deadLetterDays: number /** What letters may take. */; letterBytes: number };

export type RetentionResult = {
  /** Chunks dropped. */
  rawChunks: number;
  hourlyChunks: number;
  /** Settled ones. */
  letters: number;
  /** Events of publishers that no plant knows. */
  strangers: number;
  workers: number;
  /** Marked hours that keep the oldest overdue raw chunk: it goes once they have been rolled up. */
  waitingHours: number;
  /** Someone read or wrote for so long that a chunk could not be had: tried again at the next run. */
  isBusy: boolean;
};

/** Everything that is due at `now`. Stops between steps when `signal` says so; safe to repeat, several at once do no harm. */
export async function retain(
  db: JobsDb,
  { now, keep, signal, lockWaitMs = mostLockWaitMs }: { now: Date; keep: Keep; signal: AbortSignal; lockWaitMs?: number },
): Promise<RetentionResult> {
  const result: RetentionResult = { rawChunks: 0, hourlyChunks: 0, letters: 0, strangers: 0, workers: 0, waitingHours: 0, isBusy: false };
  try {
    while (!signal.aborted) {
      const outcome = await dropRawChunk(db, daysBefore(now, keep.rawDays), lockWaitMs);
      if (outcome !== "dropped") {
        result.waitingHours = outcome === "nothing" ? 0 : outcome;
        break;
      }
      result.rawChunks += 1;
    }
    while (!signal.aborted && (await dropHourlyChunk(db, daysBefore(now, keep.hourlyDays), lockWaitMs))) result.hourlyChunks += 1;
  } catch (error) {
    if (!isLockTimeout(error)) throw error;
    result.isBusy = true;
  }
  for (let gone = lettersAtOnce; !signal.aborted && gone === lettersAtOnce; result.letters += gone)
    gone = await deleteLetters(db, daysBefore(now, keep.deadLetterDays));
  result.strangers = await deleteStrangers(db, daysBefore(now, keepStrangerDays));
  const workers = await db.rows("-- jobs.silentWorkers\ndelete from ingest_worker where at < $1 returning name", [daysBefore(now, keepWorkerDays)]);
  return { ...result, workers: workers.length };
}

/** SQLSTATE lock_not_available: `lockWaitMs` was over. */
const isLockTimeout = (error: unknown) => error instanceof Error && "code" in error && error.code === "55P03";

const daysBefore = (now: Date, days: number) => new Date(now.getTime() - days * dayMs);

type Chunk = { from: Date; to: Date };

/** The oldest chunk that ends at or before `cutoff`. */
async function oldestChunk(db: Db, table: "sample" | "sample_hour", cutoff: Date): Promise<Chunk | undefined> {
  const [chunk] = await db.rows<Chunk>(
    `-- jobs.oldestChunk
     select range_start as "from", range_end as "to" from timescaledb_information.chunks
     where hypertable_schema = 'public' and hypertable_name = $1 and range_end <= $2 order by range_start limit 1`,
    [table, cutoff],
  );
  return chunk;
}

/**
 * Drops the oldest raw chunk that is due. "dropped"; "nothing" is due; or the number of marked hours that keep it.
 * Oldest first and never past one that is kept: raw_dropped_to says that nothing before it is whole.
 */
async function dropRawChunk(db: JobsDb, cutoff: Date, lockWaitMs: number): Promise<"dropped" | "nothing" | number> {
  const due = await oldestChunk(db, "sample", cutoff);
  if (!due) return "nothing";
  const waiting = await openHours(db, due);
  if (waiting > 0) return waiting;
  return db.transaction(async (tx) => {
    // Waits for the writes under way and keeps new ones out, so that no sample is written beside the look at the marks, nor a chunk made. A writer takes
    // this table's lock before it looks for its chunk: it waits here and then finds, or makes, one that stands.
    await tx.rows(`set local lock_timeout = ${lockWaitMs}`);
    await tx.rows("-- jobs.keepWritersOut\nlock table only sample in share row exclusive mode");
    const chunk = await oldestChunk(tx, "sample", cutoff);
    if (!chunk) return "nothing";
    const open = await openHours(tx, chunk);
    if (open > 0) return open;
    await tx.rows("-- jobs.dropRawChunk\nselect takt_drop_chunks('sample', $1::timestamptz, $2::timestamptz)", [chunk.from, chunk.to]);
    await tx.rows("-- jobs.noteRawDropped\nupdate trend_retention set raw_dropped_to = greatest(raw_dropped_to, $1)", [chunk.to]);
    return "dropped";
  });
}

/** Hours of the chunk that are still to be rolled up. */
async function openHours(db: Db, chunk: Chunk): Promise<number> {
  const [row] = await db.rows<{ count: number }>(
    `-- jobs.openHours
     select count(distinct hour)::int as count from (select hour from trend_mark union all select hour from trend_claim) m where hour >= $1 and hour < $2`,
    [chunk.from, chunk.to],
  );
  return row?.count ?? 0;
}

/** True: dropped. Only the roll-up writes here; one under way is waited for, as above. */
function dropHourlyChunk(db: JobsDb, cutoff: Date, lockWaitMs: number): Promise<boolean> {
  return db.transaction(async (tx) => {
    if (!(await oldestChunk(tx, "sample_hour", cutoff))) return false;
    await tx.rows(`set local lock_timeout = ${lockWaitMs}`);
    await tx.rows("-- jobs.keepRollUpOut\nlock table only sample_hour in share row exclusive mode");
    const chunk = await oldestChunk(tx, "sample_hour", cutoff);
    if (!chunk) return false;
    await tx.rows("-- jobs.dropHourlyChunk\nselect takt_drop_chunks('sample_hour', $1::timestamptz, $2::timestamptz)", [chunk.from, chunk.to]);
    return true;
  });
}

async function deleteLetters(db: Db, cutoff: Date): Promise<number> {
  const gone = await db.rows(
    `-- jobs.settledLetters
     delete from dead_letter where id in (
       select id from dead_letter where status in ('resolved', 'discarded') and status_at < $1 limit $2 for update skip locked
     ) returning id`,
    [cutoff, lettersAtOnce],
  );
  return gone.length;
}

/** Those before `cutoff`, and of the others all but the newest. */
async function deleteStrangers(db: Db, cutoff: Date): Promise<number> {
  const gone = await db.rows(
    `-- jobs.strangers
     delete from link_event where source_id is null and (received_at < $1
       or id <= (select id from link_event where source_id is null order by id desc offset $2 limit 1)) returning 1`,
    [cutoff, mostStrangers],
  );
  return gone.length;
}
