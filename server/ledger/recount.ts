/** Pieces per minute from the stored readings, by the same pure function as the worker's. Instants are ms since 1970. */
import type { Db } from "#/server/db.ts";
import { type CounterRule, piecesByMinute } from "#/server/domain/counter.ts";

const ms = (column: string) => `round(extract(epoch from ${column}) * 1000)::float8`;

type SignalRow = CounterRule & { signalId: number; machineId: number; before: number | null };
/** Count signals of machines, and the last count up to `from`. */
const countSignals = (tx: Db, machineIds: readonly number[], from: Date) =>
  tx.rows<SignalRow>(
    `-- ledger.countSignals
    select g.id as "signalId", g.machine_id as "machineId", coalesce(g.counter_mode, 'cumulative') as mode, g.counter_modulus as modulus, b.value as before
    from signal g left join lateral (
      select s.value from ledger_sample s where s.signal_id = g.id and s.value is not null and s.at <= $2 order by s.at desc limit 1) b on true
    where g.machine_id = any($1::int[]) and g.role like '%\\_count' order by g.id`,
    [machineIds, from],
  );

type Row = { signalId: number; machineId: number; minute: number; job: string; pieces: number; firstAt: number | null; lastAt: number | null };
const countRows = (tx: Db, signalIds: readonly number[], from: Date, to: Date) =>
  tx.rows<Row>(
    `-- ledger.countRows
    select signal_id as "signalId", machine_id as "machineId", ${ms("minute")} as minute, job, pieces, ${ms("first_at")} as "firstAt", ${ms("last_at")} as "lastAt"
    from count_minute where signal_id = any($1::int[]) and minute >= $2 and minute < $3`,
    [signalIds, from, to],
  );

const countReadings = (tx: Db, signalIds: readonly number[], from: Date, to: Date) =>
  tx.rows<{ signalId: number; at: number; value: number }>(
    `-- ledger.countReadings
    select signal_id as "signalId", ${ms("at")} as at, value from ledger_sample where signal_id = any($1::int[]) and value is not null and at > $2 and at <= $3 order by 1, 2`,
    [signalIds, from, to],
  );

const jobReadings = (tx: Db, machineIds: readonly number[], from: Date, to: Date) =>
  tx.rows<{ machineId: number; at: number; job: string }>(
    `-- ledger.jobReadings
    select g.machine_id as "machineId", ${ms("r.at")} as at, coalesce(r.text_value, '') as job
    from signal g cross join lateral (
      (select b.at, b.text_value from ledger_sample b where b.signal_id = g.id and b.at <= $2 order by b.at desc limit 1)
      union all (select b.at, b.text_value from ledger_sample b where b.signal_id = g.id and b.at > $2 and b.at <= $3)) r
    where g.machine_id = any($1::int[]) and g.role = 'job' order by 1, 2`,
    [machineIds, from, to],
  );

/**
 * Counts the minutes [from, to) of machines again, both at the start of a minute, whose readings must all be there.
 * Returns how many minutes were otherwise. Writers that add to these minutes wait meanwhile, if there is something to change.
 */
export async function recountMinutes(tx: Db, machineIds: readonly number[], from: Date, to: Date): Promise<number> {
  if ((await differing(tx, machineIds, from, to)).length === 0) return 0;
  await tx.rows("-- ledger.holdWriters\nselect from ingest_lease order by name for update");
  const changes = await differing(tx, machineIds, from, to);
  const gone = changes.filter(({ made }) => made === null).map(({ stored }) => stored as Row);
  const rows = changes.flatMap(({ made }) => made ?? []);
  await tx.rows(
    `-- ledger.dropMinutes
    delete from count_minute c using unnest($1::int[], $2::float8[], $3::text[]) as u(signal_id, minute_ms, job)
    where c.signal_id = u.signal_id and c.minute = to_timestamp(u.minute_ms / 1000) and c.job = u.job`,
    [gone.map(({ signalId }) => signalId), gone.map(({ minute }) => minute), gone.map(({ job }) => job)],
  );
  await tx.rows(
    `-- ledger.writeMinutes
    insert into count_minute (signal_id, minute, job, machine_id, pieces, first_at, last_at)
    select u.signal_id, to_timestamp(u.minute_ms / 1000), u.job, u.machine_id, u.pieces, to_timestamp(u.first_ms / 1000), to_timestamp(u.last_ms / 1000)
    from unnest($1::int[], $2::float8[], $3::text[], $4::int[], $5::float8[], $6::float8[], $7::float8[]) as u(signal_id, minute_ms, job, machine_id, pieces, first_ms, last_ms)
    on conflict (signal_id, minute, job) do update set pieces = excluded.pieces, first_at = excluded.first_at, last_at = excluded.last_at`,
    [
      rows.map(({ signalId }) => signalId),
      rows.map(({ minute }) => minute),
      rows.map(({ job }) => job),
      rows.map(({ machineId }) => machineId),
      rows.map(({ pieces }) => pieces),
      rows.map(({ firstAt }) => firstAt),
      rows.map(({ lastAt }) => lastAt),
    ],
  );
  return changes.length;
}

type Change = { stored: Row | null; made: Row | null };
async function differing(tx: Db, machineIds: readonly number[], from: Date, to: Date): Promise<Change[]> {
  const signals = await countSignals(tx, machineIds, from);
  const ids = signals.map(({ signalId }) => signalId);
  const readings = Map.groupBy(await countReadings(tx, ids, from, to), ({ signalId }) => signalId);
  const jobs = Map.groupBy(await jobReadings(tx, machineIds, from, to), ({ machineId }) => machineId);
  const keyOf = ({ signalId, minute, job }: Row) => `${signalId} ${minute} ${job}`;
  const stored = new Map((await countRows(tx, ids, from, to)).map((row) => [keyOf(row), row]));
  const changes: Change[] = [];
  for (const { signalId, machineId, mode, modulus, before } of signals)
    for (const counted of piecesByMinute({ mode, modulus }, before, readings.get(signalId) ?? [], jobs.get(machineId) ?? [])) {
      const made = { signalId, machineId, ...counted };
      const there = stored.get(keyOf(made)) ?? null;
      stored.delete(keyOf(made));
      if (!there || !same(there, made)) changes.push({ stored: there, made });
    }
  return [...changes, ...[...stored.values()].map((row) => ({ stored: row, made: null }))];
}

/** Parts of pieces may have been added up in another order. */
const same = (a: Row, b: Row) => Math.abs(a.pieces - b.pieces) <= 1e-9 * Math.max(1, Math.abs(a.pieces)) && a.firstAt === b.firstAt && a.lastAt === b.lastAt;
