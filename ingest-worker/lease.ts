// One reader per topic: a lease with a fencing number. A worker without the lease stands by; one that lost it cannot write.
import type pg from "pg";
import { filtersOverlap } from "#/server/domain/topic-filter.ts";
import { inWords, isGone } from "./holder.ts";

/** filters: of the row, which names what its worker reads and whatever else its session at the broker may still be subscribed to. */
export type Lease = {
  name: string;
  filters: readonly string[];
  holder: string;
  fence: number;
  generation: number;
  /** Nobody else had it since this holder took it for the first time. */
  wasOurs: boolean;
  /** Until then nobody else can have it, by performance.now(). */
  sureUntil: number;
};

/** Renewed every third of it. Long, because a holder on a dead host is rare and one whose process is gone is not waited for. */
export const leaseMs = 30_000;

export class LeaseLost extends Error {
  constructor(name: string) {
    super(`Another worker has taken over the topics of "${name}".`);
  }
}

type LeaseRow = { name: string; filters: string[]; holder: string; alive: boolean };

/** The Sparkplug connection begins each session anew: what it was subscribed to is nowhere remembered. */
const isSparkplug = (filter: string) => filter.startsWith("spBv1.0/");

// All that take, extend or give back a claim wait for each other, until COMMIT.
const inTurn = "select pg_advisory_xact_lock(hashtext('takt.ingest_lease'))";

const leaseRows = async (db: pg.ClientBase) =>
  (await db.query<LeaseRow>("-- ingest.leases\nselect name, filters, holder, expires_at > now() as alive from ingest_lease")).rows;

/** What this name claimed before stays in the row, until `claim` says that the session at the broker has let go of it. Or says who holds topics that overlap. */
export async function acquireLease(db: pg.ClientBase, name: string, filters: readonly string[], holder: string): Promise<Lease | { heldBy: string }> {
  const sureUntil = performance.now() + leaseMs;
  return inTransaction(db, async () => {
    await db.query(inTurn);
    const rows = await leaseRows(db);
    for (const row of rows) {
      if (row.holder === holder || !row.alive || isGone(row.holder)) continue;
      const shared = row.filters.find((theirs) => filters.some((ours) => filtersOverlap(ours, theirs)));
      if (row.name === name || shared !== undefined)
        return { heldBy: `worker "${row.name}" (${inWords(row.holder)})${shared === undefined ? "" : ` reads ${shared}`}` };
    }
    const row = rows.find((one) => one.name === name);
    const before = row?.filters.filter((filter) => !isSparkplug(filter)) ?? [];
    const claimed = [...new Set([...filters, ...before])];
    const taken = await db.query<{ fence: string; generation: string }>(
      `-- ingest.takeLease
       insert into ingest_lease (name, filters, holder, expires_at) values ($1, $2, $3, now() + $4 * interval '1 ms')
       on conflict (name) do update set filters = excluded.filters, holder = excluded.holder, expires_at = excluded.expires_at, fence = ingest_lease.fence + 1
       returning fence, generation`,
      [name, claimed, holder, leaseMs],
    );
    const { fence, generation } = taken.rows[0]!;
    return { name, filters: claimed, holder, fence: Number(fence), generation: Number(generation), wasOurs: row?.holder === holder, sureUntil };
  });
}

/**
 * Sets what the lease claims: `sure`, which it may claim already, and what of `wished` no other worker that lives reads. Returns the rest of `wished`.
 * To be called before subscribing, and after the broker has confirmed an end: a claim is never less than what is read.
 */
export async function claim(db: pg.ClientBase, lease: Lease, sure: readonly string[], wished: readonly string[]): Promise<string[]> {
  return inTransaction(db, async () => {
    await db.query(inTurn);
    const others = (await leaseRows(db)).filter((row) => row.name !== lease.name && row.alive && !isGone(row.holder));
    const isTaken = (filter: string) => others.some((row) => row.filters.some((theirs) => filtersOverlap(theirs, filter)));
    const taken = wished.filter(isTaken);
    const filters = [...new Set([...sure, ...wished.filter((filter) => !taken.includes(filter))])];
    const { rowCount } = await db.query("-- ingest.claim\nupdate ingest_lease set filters = $3 where name = $1 and fence = $2", [
      lease.name,
      lease.fence,
      filters,
    ]);
    if (rowCount === 0) throw new LeaseLost(lease.name);
    lease.filters = filters;
    return taken;
  });
}

/** What each other worker reads that lives, or lived in the last day and may come back. */
export async function otherFilters(db: pg.ClientBase, lease: Lease): Promise<string[][]> {
  const { rows } = await db.query<{ filters: string[] }>(
    "-- ingest.otherFilters\nselect filters from ingest_lease where name <> $1 and expires_at > now() - interval '1 day'",
    [lease.name],
  );
  return rows.map(({ filters }) => filters);
}

async function inTransaction<T>(db: pg.ClientBase, work: () => Promise<T>): Promise<T> {
  await db.query("begin");
  try {
    const done = await work();
    await db.query("commit");
    return done;
  } catch (error) {
    await db.query("rollback").catch((again: Error) => Object.assign(again, { cause: error }));
    throw error;
  }
}

export async function renewLease(db: pg.ClientBase, lease: Lease): Promise<void> {
  const sureUntil = performance.now() + leaseMs;
  const { rowCount } = await db.query(
    "-- ingest.renewLease\nupdate ingest_lease set expires_at = now() + $3 * interval '1 ms' where name = $1 and fence = $2",
    [lease.name, lease.fence, leaseMs],
  );
  if (rowCount === 0) throw new LeaseLost(lease.name);
  lease.sureUntil = sureUntil;
}

export async function releaseLease(db: pg.ClientBase, lease: Lease): Promise<void> {
  await db.query("-- ingest.releaseLease\nupdate ingest_lease set expires_at = now() where name = $1 and fence = $2", [lease.name, lease.fence]);
}

/** In each write transaction: locks the lease against a take-over until COMMIT. True: marks are being worked off, so those that were set no longer stand. */
export async function checkLease(db: pg.ClientBase, lease: Lease): Promise<boolean> {
  const { rows } = await db.query<{ fence: string; generation: string }>({
    name: "ingest.checkLease",
    text: "-- ingest.checkLease\nselect fence, generation from ingest_lease where name = $1 for share",
    values: [lease.name],
  });
  if (Number(rows[0]?.fence) !== lease.fence) throw new LeaseLost(lease.name);
  const generation = Number(rows[0]?.generation);
  const changed = generation !== lease.generation;
  lease.generation = generation;
  return changed;
}
