// One reader per topic: a lease with a fencing number. A worker without the lease stands by; one that lost it cannot write.
import { hostname } from "node:os";
import type pg from "pg";
import { filtersOverlap } from "#/server/domain/topic-filter.ts";

export type Lease = { name: string; filters: readonly string[]; holder: string; fence: number; generation: number };

/** Renewed every third of it. Long, because a holder on a dead host is rare and one whose process is gone is not waited for. */
export const leaseMs = 30_000;

export class LeaseLost extends Error {
  constructor(name: string) {
    super(`Another worker has taken over the topics of "${name}".`);
  }
}

type LeaseRow = { name: string; filters: string[]; holder: string; fence: string; generation: string; alive: boolean };

/** Takes the lease, or says who holds topics that overlap. */
export async function acquireLease(db: pg.ClientBase, name: string, filters: readonly string[], holder: string): Promise<Lease | { heldBy: string }> {
  await db.query("begin");
  try {
    await db.query("select pg_advisory_xact_lock(hashtext('takt.ingest_lease'))");
    const { rows } = await db.query<LeaseRow>(
      "-- ingest.leases\nselect name, filters, holder, fence, generation, expires_at > now() as alive from ingest_lease",
    );
    for (const row of rows) {
      if (row.holder === holder || !row.alive || isGone(row.holder)) continue;
      const shared = row.filters.find((theirs) => filters.some((ours) => filtersOverlap(ours, theirs)));
      if (row.name === name || shared !== undefined) {
        await db.query("rollback");
        return { heldBy: `worker "${row.name}" (${row.holder})${shared === undefined ? "" : ` reads ${shared}`}` };
      }
    }
    const taken = await db.query<{ fence: string; generation: string }>(
      `-- ingest.takeLease
       insert into ingest_lease (name, filters, holder, expires_at) values ($1, $2, $3, now() + $4 * interval '1 ms')
       on conflict (name) do update set filters = excluded.filters, holder = excluded.holder, expires_at = excluded.expires_at, fence = ingest_lease.fence + 1
       returning fence, generation`,
      [name, filters, holder, leaseMs],
    );
    await db.query("commit");
    const row = taken.rows[0]!;
    return { name, filters, holder, fence: Number(row.fence), generation: Number(row.generation) };
  } catch (error) {
    await db.query("rollback").catch((again: Error) => Object.assign(again, { cause: error }));
    throw error;
  }
}

// host, process id, start: of this host, so its process can be looked for
function isGone(holder: string): boolean {
  const [host, pid] = holder.split(" ");
  if (host !== hostname()) return false;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
}

export async function renewLease(db: pg.ClientBase, lease: Lease): Promise<void> {
  const { rowCount } = await db.query(
    "-- ingest.renewLease\nupdate ingest_lease set expires_at = now() + $3 * interval '1 ms' where name = $1 and fence = $2",
    [lease.name, lease.fence, leaseMs],
  );
  if (rowCount === 0) throw new LeaseLost(lease.name);
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
