/** Marks say which machine's time was touched; they are claimed first and worked off after, so that no writer waits for the ledger. */
import type { Db } from "#/server/db.ts";

/** Marks claimed in one go; a claim is small. */
const marksAtOnce = 20_000;

/**
 * Marks become claims; also of the machines whose blocked and starved time hangs on a marked one, and of a constraint line's other machine. Marks that a writer
 * holds are left: they are for the next time. What a mark stands for is committed, or it could not be seen. Returns how many marks were taken.
 */
export async function claimMarks(db: Db): Promise<number> {
  const [row] = await db.rows<{ count: number }>(
    `-- ledger.claimMarks
    with taken as (
      delete from ledger_mark m using (select machine_id, hour from ledger_mark order by marked_at limit ${marksAtOnce} for update skip locked) t
      where m.machine_id = t.machine_id and m.hour = t.hour returning m.machine_id, m.from_at, m.to_at
    ), meant as (
      select machine_id, from_at, to_at from taken
      union all
      select n.id, t.from_at, t.to_at from taken t join machine n on n.upstream_id = t.machine_id
      union all
      select n.id, t.from_at, t.to_at from taken t join machine n on n.downstream_id = t.machine_id
      union all
      select case l.constraint_machine_id when m.id then l.last_machine_id else l.constraint_machine_id end, t.from_at, t.to_at
      from taken t join machine m on m.id = t.machine_id
        join line l on l.id = m.line_id and l.topology = 'constraint' and l.constraint_machine_id <> l.last_machine_id and m.id in (l.constraint_machine_id, l.last_machine_id)
    ), claimed as (
      insert into ledger_claim (line_id, machine_id, from_at, to_at)
      select m.line_id, m.id, t.from_at, greatest(t.to_at, t.from_at + interval '1 millisecond') from meant t join machine m on m.id = t.machine_id
    )
    select count(*)::int as count from taken`,
  );
  return row?.count ?? 0;
}

/**
 * Locks lines that have claims until the transaction ends, those that wait longest first, at most `most`. Lines that another process works at are left to it.
 * The lock comes before anything is read: what is read then is at least as new as what the line's last worker wrote.
 */
export const lockLines = (tx: Db, most: number) =>
  tx.rows<{ lineId: number }>(
    `-- ledger.lockLines
    select w.line_id as "lineId" from (select line_id from ledger_claim group by line_id order by min(id)) w
    where pg_try_advisory_xact_lock(hashtext('takt.ledger'), w.line_id) limit $1`,
    [most],
  );

export type Claim = { machineId: number; lineId: number; from: number; to: number };

/** Takes the claims of locked lines. */
export const takeClaims = (tx: Db, lineIds: readonly number[]) =>
  tx.rows<Claim>(
    `-- ledger.takeClaims
    delete from ledger_claim where line_id = any($1::int[])
    returning machine_id as "machineId", line_id as "lineId", round(extract(epoch from from_at) * 1000)::float8 as "from", round(extract(epoch from to_at) * 1000)::float8 as "to"`,
    [lineIds],
  );

/** What is left to do of what was claimed. */
export async function putClaims(tx: Db, left: readonly { machineId: number; from: number; to: number }[]): Promise<void> {
  if (left.length === 0) return;
  await tx.rows(
    `-- ledger.putClaims
    insert into ledger_claim (line_id, machine_id, from_at, to_at)
    select m.line_id, m.id, to_timestamp(u.from_ms / 1000), to_timestamp(u.to_ms / 1000)
    from unnest($1::int[], $2::float8[], $3::float8[]) as u(machine_id, from_ms, to_ms) join machine m on m.id = u.machine_id order by m.id`,
    [left.map(({ machineId }) => machineId), left.map(({ from }) => from), left.map(({ to }) => to)],
  );
}

/** Tells whoever listens that the ledger of these lines was looked at. A notice has at most 8,000 bytes. */
export async function tellLines(tx: Db, lineIds: readonly number[]): Promise<void> {
  for (let i = 0; i < lineIds.length; i += 500) await tx.rows("-- ledger.tell\nselect pg_notify('ledger', $1)", [JSON.stringify(lineIds.slice(i, i + 500))]);
}

/** Of machines whose ledger has not moved on for so long, ms, less is known than could be: time passes also for those that say nothing. */
const stalesAfterMs = 30_000;

/**
 * Claims the time that has passed since each machine in use was told last, unless that is waiting already. A machine without a ledger has none yet, or was never
 * read: its first reading brings it. Returns of how many.
 */
export async function claimPassedTime(db: Db, now: Date): Promise<number> {
  const [row] = await db.rows<{ count: number }>(
    `-- ledger.claimPassedTime
    with claimed as (
      insert into ledger_claim (line_id, machine_id, from_at, to_at)
      select m.line_id, m.id, r.to_at, $1::timestamptz from machine m join ledger_reach r on r.machine_id = m.id
      where m.retired_at is null and r.to_at < $1::timestamptz - $2 * interval '1 millisecond'
        and not exists (select from ledger_claim c where c.machine_id = m.id and c.to_at >= r.to_at)
      order by m.id returning 1
    ) select count(*)::int as count, pg_notify('ledger_claim', '') from claimed`,
    [now, stalesAfterMs],
  );
  return row?.count ?? 0;
}
