/**
 * Hourly roll-up of measurements: sample -> sample_hour, for every hour that is over and has a mark. Late values mark their hour again.
 *
 * A worker sets a mark once and then remembers that it stands, so taking marks off while it writes could lose one. Three steps, each after the other
 * has been committed:
 *   1. marks become claims (trend_mark -> trend_claim);
 *   2. each ingest_lease gets a new generation. That waits for the write transactions under way, which hold their lease; a later one sees the new
 *      generation and marks anew what it writes;
 *   3. the hours of exactly those claims are added up from what is committed by then, and the claims deleted.
 * A writer that relied on a claimed mark has therefore committed before step 3 looks; one that has not has set a mark of its own.
 * Any number of processes may do this at once, and be killed at any instant: a claim stands until its hour is written.
 */
import type { Db } from "#/server/db.ts";
import type { JobsDb } from "./database.ts";

const hourMs = 3_600_000;
/** Values of an hour's last seconds are still on their way when it ends. Later ones cost no more than adding up again. */
const settleMs = 60_000;
const marksAtOnce = 5_000;
const claimsAtOnce = 20_000;
/** Signals added up in one transaction: of a value a second 720,000 rows, about a second of work. */
const signalsAtOnce = 200;

export type RollUpOptions = {
  now: Date;
  /** Stops after the slice in which this time is over; the claims left are the next run's. */
  budgetMs: number;
  signal: AbortSignal;
};

/** hours: written; isDone: false if time ran out or another process was at the same hours. */
export type RollUpResult = { hours: number; isDone: boolean };

export type Claim = { id: string; signalId: number; hour: Date };

export async function rollUp(db: JobsDb, { now, budgetMs, signal }: RollUpOptions): Promise<RollUpResult> {
  const until = performance.now() + budgetMs;
  const isLate = () => signal.aborted || performance.now() > until;
  let hours = 0;
  while ((await claimMarks(db, now)) === marksAtOnce && !isLate());
  for (;;) {
    const claims = await listClaims(db);
    if (claims.length === 0) return { hours, isDone: true };
    await renewGenerations(db);
    let written = 0;
    for (const slice of slicesOf(claims)) {
      if (isLate()) return { hours: hours + written, isDone: false };
      written += await addUp(db, slice);
    }
    if (written === 0) return { hours, isDone: false };
    hours += written;
  }
}

/** Step 1, one slice of it: marks of hours that are over become claims. Marks that a writer holds are left. Returns how many. */
export async function claimMarks(db: Db, now: Date): Promise<number> {
  const [row] = await db.rows<{ count: number }>(
    `-- jobs.claimTrendMarks
     with over as (
       select signal_id, hour from trend_mark where hour <= $1::timestamptz order by hour, signal_id limit $2 for update skip locked
     ), taken as (
       delete from trend_mark m using over where m.signal_id = over.signal_id and m.hour = over.hour returning m.signal_id, m.hour
     ), claimed as (
       insert into trend_claim (signal_id, hour) select signal_id, hour from taken returning 1
     )
     select count(*)::int as count from claimed`,
    [new Date(now.getTime() - hourMs - settleMs), marksAtOnce],
  );
  return row?.count ?? 0;
}

export function listClaims(db: Db): Promise<Claim[]> {
  return db.rows<Claim>(
    `-- jobs.trendClaims
    select id, signal_id as "signalId", hour from trend_claim order by hour, id limit $1`,
    [claimsAtOnce],
  );
}

/** Step 2. One lease at a time, so that no lease is held while another is waited for. */
export async function renewGenerations(db: Db): Promise<void> {
  const leases = await db.rows<{ name: string }>("-- jobs.leases\nselect name from ingest_lease order by name");
  for (const { name } of leases) await db.rows("-- jobs.renewGeneration\nupdate ingest_lease set generation = generation + 1 where name = $1", [name]);
}

/** Claims of one hour, in slices; claims of the same signal stay together. */
function* slicesOf(claims: readonly Claim[]): Generator<Claim[]> {
  const byHour = Map.groupBy(claims, (claim) => claim.hour.getTime());
  for (const ofHour of byHour.values()) {
    const bySignal = [...Map.groupBy(ofHour, (claim) => claim.signalId).values()];
    for (let i = 0; i < bySignal.length; i += signalsAtOnce) yield bySignal.slice(i, i + signalsAtOnce).flat();
  }
}

/**
 * Step 3 for claims of one hour, in one transaction. Returns the number of hours (signals) written; 0 where another process is at this hour.
 * The lock comes first: the sums are of a later snapshot than those of whoever held it before.
 */
export function addUp(db: JobsDb, claims: readonly Claim[]): Promise<number> {
  const hour = claims[0]?.hour;
  if (!hour) return Promise.resolve(0);
  return db.transaction(async (tx) => {
    const [lock] = await tx.rows<{ free: boolean }>("-- jobs.lockHour\nselect pg_try_advisory_xact_lock(hashtext('takt.sample_hour'), $1::int) as free", [
      hour.getTime() / hourMs,
    ]);
    if (!lock?.free) return 0;
    const open = await tx.rows<{ signalId: number }>(
      `-- jobs.openClaims
      delete from trend_claim where id = any($1::bigint[]) returning signal_id as "signalId"`,
      [claims.map((claim) => claim.id)],
    );
    const signalIds = [...new Set(open.map((row) => row.signalId))];
    if (signalIds.length === 0) return 0;
    const [whole] = await tx.rows<{ isWhole: boolean }>(
      `-- jobs.isRawWhole
      select $1::timestamptz >= raw_dropped_to as "isWhole" from trend_retention`,
      [hour],
    );
    await (whole?.isWhole ? writeHour(tx, signalIds, hour) : addLateValues(tx, signalIds, hour));
    return signalIds.length;
  });
}

/** Readings beyond this have no mean: PostgreSQL's avg squares what it adds up, and refuses what then overflows, for ever. */
const mostOfMean = "1e150";
/** Adding up rounds: three readings of 0.1 have a sum that is more than 0.3. */
const within = (mean: string, min: string, max: string) => `least(greatest(${mean}, ${min}), ${max})`;

// avg in order of time: the same readings give the same bits, in whatever order they came.
const sums = `signal_id, count(*)::int as n, min(value) as min, max(value) as max, last(value, at) as last, max(at) as last_at,
  case when max(abs(value)) < ${mostOfMean} then ${within(`avg(value order by at) filter (where abs(value) < ${mostOfMean})`, "min(value)", "max(value)")} end as mean`;
const isCounted = "value is not null and flags & 8 = 0";

/** All raw values of the hour are there: it is written anew. */
async function writeHour(tx: Db, signalIds: number[], hour: Date): Promise<void> {
  await tx.rows(
    `-- jobs.writeHour
     insert into sample_hour (signal_id, hour, n, mean, min, max, last, last_at)
     select signal_id, $2::timestamptz, n, mean, min, max, last, last_at from (
       select ${sums} from sample
       where signal_id = any($1::int[]) and at >= $2::timestamptz and at < $2::timestamptz + interval '1 hour' and ${isCounted}
       group by signal_id
     ) s
     on conflict (signal_id, hour) do update set n = excluded.n, mean = excluded.mean, min = excluded.min, max = excluded.max, last = excluded.last, last_at = excluded.last_at`,
    [signalIds, hour],
  );
}

/** The hour's raw values were dropped: the late ones are added to what is known of it, and taken away, so that they are added once. */
async function addLateValues(tx: Db, signalIds: number[], hour: Date): Promise<void> {
  await tx.rows(
    `-- jobs.addLateValues
     with late as (
       delete from sample where signal_id = any($1::int[]) and at >= $2::timestamptz and at < $2::timestamptz + interval '1 hour' returning signal_id, at, value, flags
     )
     insert into sample_hour as h (signal_id, hour, n, mean, min, max, last, last_at)
     select signal_id, $2::timestamptz, n, mean, min, max, last, last_at from (select ${sums} from late where ${isCounted} group by signal_id) s
     on conflict (signal_id, hour) do update set
       n = h.n + excluded.n,
       mean = case when h.mean is not null and excluded.mean is not null then ${within("h.mean + (excluded.mean - h.mean) * excluded.n / (h.n + excluded.n)", "least(h.min, excluded.min)", "greatest(h.max, excluded.max)")} end,
       min = least(h.min, excluded.min),
       max = greatest(h.max, excluded.max),
       last = case when h.last_at > excluded.last_at then h.last else excluded.last end,
       last_at = greatest(h.last_at, excluded.last_at)`,
    [signalIds, hour],
  );
}
