/** For tests of the ledger: writes readings as the worker does, in whatever order they come, and marks what they touch. */
import type { Db } from "#/server/db.ts";
import { aMachine, aSignal, type SignalRole, type TestLine, type TestMachine } from "#/server/testing.ts";

export type LedgerMachine = TestMachine & { signals: Partial<Record<SignalRole, number>> };

export async function aLedgerMachine(db: Db, line: TestLine, roles: readonly SignalRole[]): Promise<LedgerMachine> {
  const machine = await aMachine(db, { line });
  const signals: LedgerMachine["signals"] = {};
  for (const role of roles) signals[role] = (await aSignal(db, { machine, role })).signalId;
  return { ...machine, signals };
}

/** at: ms since 1970. */
export type TestReading = { machine: LedgerMachine; role: SignalRole; at: number; value: number | null; text: string | null };

/** A repeat changes nothing. Minutes and presence are derived anew for the machines that are touched, as the worker would have left them. */
export async function read(db: Db, readings: readonly TestReading[]): Promise<void> {
  if (readings.length === 0) return;
  const signals = readings.map(({ machine, role }) => machine.signals[role] ?? 0);
  const instants = readings.map(({ at }) => new Date(at));
  await db.rows(
    `insert into ledger_sample (signal_id, at, value, text_value, received_at)
     select u.signal_id, u.at, u.value, u.text, u.at from unnest($1::int[], $2::timestamptz[], $3::float8[], $4::text[]) as u(signal_id, at, value, text) on conflict do nothing`,
    [signals, instants, readings.map(({ value }) => value), readings.map(({ text }) => text)],
  );
  const machineIds = [...new Set(readings.map(({ machine }) => machine.machineId))];
  await db.rows("delete from count_minute where machine_id = any($1::int[])", [machineIds]);
  await db.rows(
    `insert into count_minute (signal_id, minute, machine_id, pieces, first_at, last_at)
     select signal_id, minute, machine_id, sum(pieces), min(at) filter (where pieces > 0), max(at) filter (where pieces > 0) from (
       select r.signal_id, r.machine_id, r.at, date_bin('1 minute', r.at - interval '1 microsecond', '2000-01-01') as minute,
         case when b is null then 0 when r.value >= b then r.value - b else r.value end as pieces
       from (select l.*, g.machine_id, lag(l.value) over (partition by l.signal_id order by l.at) as b from ledger_sample l join signal g on g.id = l.signal_id
         where g.machine_id = any($1::int[]) and g.role like '%\\_count' and l.value is not null) r) d
     group by 1, 2, 3`,
    [machineIds],
  );
  await db.rows(
    `insert into source_minute (source_id, minute, first_at, last_at, n, lag_max_s)
     select g.source_id, date_trunc('minute', r.at), min(r.at), max(r.at), count(*), 0 from ledger_sample r join signal g on g.id = r.signal_id where g.machine_id = any($1::int[]) group by 1, 2
     on conflict (source_id, minute) do update set first_at = excluded.first_at, last_at = excluded.last_at, n = excluded.n`,
    [machineIds],
  );
  await db.rows(
    `insert into signal_latest (signal_id, at, flags, received_at, first_at)
     select r.signal_id, max(r.at), 0, max(r.at), min(r.at) from ledger_sample r join signal g on g.id = r.signal_id where g.machine_id = any($1::int[]) group by 1
     on conflict (signal_id) do update set at = excluded.at, first_at = excluded.first_at`,
    [machineIds],
  );
  // A late count changes the pieces of the next reading, too, which the worker marks.
  await db.rows(
    `insert into ledger_mark (machine_id, hour, from_at, to_at)
     select g.machine_id, date_trunc('hour', t.at), min(t.at), max(t.at) from unnest($1::int[], $2::timestamptz[]) as u(signal_id, at) join signal g on g.id = u.signal_id
       cross join lateral (select u.at union all (select n.at from ledger_sample n where n.signal_id = u.signal_id and n.at > u.at order by n.at limit 1)) t
     group by 1, 2
     on conflict (machine_id, hour) do update set from_at = least(ledger_mark.from_at, excluded.from_at), to_at = greatest(ledger_mark.to_at, excluded.to_at)`,
    [signals, instants],
  );
}
