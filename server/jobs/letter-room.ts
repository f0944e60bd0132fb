/**
 * Room for dead letters. Nobody may ever look after them, and a node that publishes what the plant does not know would fill the disk with them: what they
 * take together has a limit. Beyond it those that someone has settled go first, then of the open ones the oldest of the kinds (topic, metric and reason)
 * that take most; rare kinds keep all of theirs.
 */
import type { Db } from "#/server/db.ts";

const lettersAtOnce = 5_000;

/** A kind that takes more than its share. keepLetters: how many of its newest have room. */
type Surplus = { topic: string; metric: string | null; reasonCode: string; openLetters: number; keepLetters: number };

/**
 * Kinds by size, the smallest first: each may take as much as would be left for it and all larger ones in equal shares. The first that does not get by
 * with that sets the share of all from there on (of later ones the quotient is smaller). A share may be less than one letter: then that of the kinds which came longest ago is none.
 */
const surplusOf = (db: Db, mostBytes: number) =>
  db.rows<Surplus>(
    `-- jobs.surplusLetters
     with kind as (
       select topic, metric, reason_code, open_letters, open_bytes, last_at, sum(open_bytes) over smaller - open_bytes as before, count(*) over () - row_number() over smaller + 1 as kinds_left
       from dead_letter_group where open_letters > 0
       window smaller as (order by open_bytes, topic, metric, reason_code rows unbounded preceding)
     ), share as (select max(($1 - before) / kinds_left) as bytes from kind where before + open_bytes * kinds_left > $1),
     large as (
       select kind.*, share.bytes, count(*) over () as kinds, row_number() over (order by last_at desc, topic, metric, reason_code) as by_age,
         ceil(open_bytes::float8 / open_letters) as letter_bytes
       from kind, share where open_bytes > share.bytes
     )
     select topic, metric, reason_code as "reasonCode", open_letters::float8 as "openLetters",
       case when bytes >= letter_bytes then floor(bytes / letter_bytes) when by_age <= bytes * kinds / letter_bytes then 1 else 0 end::float8 as "keepLetters"
     from large order by topic, metric, reason_code`,
    [mostBytes],
  );

/** The oldest open letters of a kind; a letter that someone has in hand is left. Returns how many went. */
async function dropOldest(db: Db, { topic, metric, reasonCode }: Surplus, most: number): Promise<number> {
  const [row] = await db.rows<{ letters: number }>(
    `-- jobs.dropOldestLetters
     with gone as (
       delete from dead_letter where id = any(array(
         select id from dead_letter where topic = $1 and ${metric === null ? "metric is null and $2::text is null" : "metric = $2"} and reason_code = $3 and status = 'open'
         order by id limit $4 for update skip locked)) and status = 'open'
       returning value_count::bigint * (repeats + 1) as n
     ), noted as (
       update dead_letter_dropped set letters = letters + (select count(*) from gone), "values" = "values" + (select sum(n) from gone), dropped_at = now()
       where exists (select from gone)
     ) select count(*)::int as letters from gone`,
    [topic, metric, reasonCode, most],
  );
  return row?.letters ?? 0;
}

type Taken = { open: number; other: number };

async function taken(db: Db): Promise<Taken> {
  const [row] = await db.rows<Taken>(
    `-- jobs.lettersTaken\nselect coalesce(sum(open_bytes), 0)::float8 as open, coalesce(sum(other_bytes), 0)::float8 as other from dead_letter_group`,
  );
  return row ?? { open: 0, other: 0 };
}

/** The oldest settled letters. Returns how many went. */
async function dropSettled(db: Db): Promise<number> {
  const gone = await db.rows(
    `-- jobs.dropSettledLetters
     delete from dead_letter where id = any(array(
       select id from dead_letter where status in ('resolved', 'discarded') order by status_at limit ${lettersAtOnce} for update skip locked))
       and status in ('resolved', 'discarded') returning 1`,
  );
  return gone.length;
}

/** Drops letters until those that are left take about `mostBytes`. Returns how many went; stops between slices when `signal` says so. */
export async function makeRoom(db: Db, mostBytes: number, signal: AbortSignal): Promise<{ settled: number; open: number }> {
  const dropped = { settled: 0, open: 0 };
  let now = await taken(db);
  while (now.open + now.other > mostBytes && !signal.aborted) {
    const gone = await dropSettled(db);
    if (gone === 0) break;
    dropped.settled += gone;
    now = await taken(db);
  }
  if (now.open + now.other <= mostBytes) return dropped;
  // What is being tried again stays.
  for (const kind of await surplusOf(db, Math.max(0, mostBytes - now.other)))
    for (let left = kind.openLetters - kind.keepLetters; left > 0 && !signal.aborted; ) {
      const gone = await dropOldest(db, kind, Math.min(left, lettersAtOnce));
      if (gone === 0) break;
      left -= gone;
      dropped.open += gone;
    }
  return dropped;
}
