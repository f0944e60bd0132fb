/** The ledger's rows in the database: read, compared, written. Instants are ms since 1970. */
import type { Db } from "#/server/db.ts";
import type { Segment } from "#/server/domain/segments.ts";
import type { MachineWindow } from "./readings.ts";

const ms = (column: string) => `round(extract(epoch from ${column}) * 1000)::float8`;

type Row = Omit<Segment, "rate" | "gap"> & {
  machineId: number;
  rateId: string | null;
  idealCycleS: number | null;
  gapGood: number | null;
  gapReject: number | null;
  gapRework: number | null;
  gapWithin: boolean | null;
};
const columns = `i.machine_id as "machineId", i.kind, ${ms("i.from_at")} as "from", ${ms("i.to_at")} as "to", i.is_open as "isOpen", i.base, ${ms("i.base_at")} as "baseFrom", ${ms("i.stop_at")} as "stopFrom", i.reason, ${ms("i.change_at")} as "changeAt",
  i.shift_instance_id::text as "shiftId", i.date::text as date, ${ms("i.hour_at")} as "hourAt", i.job, i.product, i.rate_id::text as "rateId", i.ideal_cycle_s as "idealCycleS",
  i.is_startup as "isStartup", i.is_stop_start as "isStopStart", i.is_dead as "isDead", i.is_bridged as "isBridged",
  i.gap_good as "gapGood", i.gap_reject as "gapReject", i.gap_rework as "gapRework", i.gap_within as "gapWithin"`;

/** A rate's times are not kept with a row: it holds for all of it. */
const asSegment = ({ machineId: _m, rateId, idealCycleS, gapGood, gapReject, gapRework, gapWithin, ...row }: Row): Segment => ({
  ...row,
  rate: rateId === null || idealCycleS === null ? null : { id: rateId, from: row.from, to: null, product: row.product, idealCycleS },
  gap:
    gapGood === null || gapReject === null || gapRework === null || gapWithin === null
      ? null
      : { good: gapGood, reject: gapReject, rework: gapRework, isWithin: gapWithin },
});

/** Rows that reach into the windows, by machine, in order of time. No row is longer than an hour. */
export async function storedRows(db: Db, windows: readonly MachineWindow[]): Promise<Map<number, Segment[]>> {
  const rows = await db.rows<Row>(
    `-- ledger.rows
    select ${columns} from unnest($1::int[], $2::float8[], $3::float8[]) as u(machine_id, from_ms, to_ms) cross join lateral (
      select * from machine_interval r where r.machine_id = u.machine_id and r.from_at > to_timestamp(u.from_ms / 1000) - interval '1 hour' and r.from_at < to_timestamp(u.to_ms / 1000)
        and r.to_at > to_timestamp(u.from_ms / 1000) offset 0) i
    order by i.machine_id, i.from_at`,
    [windows.map(({ machineId }) => machineId), windows.map(({ from }) => from), windows.map(({ to }) => to)],
  );
  return new Map([...Map.groupBy(rows, ({ machineId }) => machineId)].map(([id, own]) => [id, own.map(asSegment)]));
}

/** vouchedTo: nobody listened to the machine's sources beyond this; null: somebody did. */
export type Reach = { machineId: number; from: number; to: number; vouchedTo: number | null };
/** How far the ledger of each machine reaches; one that has none is not among them. */
export const reaches = (db: Db, machineIds: readonly number[]) =>
  db.rows<Reach>(
    `-- ledger.reaches
    select machine_id as "machineId", ${ms("from_at")} as "from", ${ms("to_at")} as "to", ${ms("vouched_to")} as "vouchedTo" from ledger_reach where machine_id = any($1::int[])`,
    [machineIds],
  );

const same = (a: Segment, b: Segment): boolean => JSON.stringify(content(a)) === JSON.stringify(content(b));
const content = ({ rate, ...row }: Segment) => [
  row.isOpen,
  row.kind,
  row.from,
  row.to,
  row.base,
  row.baseFrom,
  row.stopFrom,
  row.reason,
  row.changeAt,
  row.shiftId,
  row.date,
  row.hourAt,
  row.job,
  row.product,
  rate?.id ?? null,
  rate?.idealCycleS ?? null,
  row.isStartup,
  row.isStopStart,
  row.isDead,
  row.isBridged,
  row.gap,
];

/** The same time, told the same way, wherever it is cut. */
export const alike = (a: Segment, b: Segment): boolean => {
  const [from, to] = [Math.max(a.from, b.from), Math.min(a.to, b.to)];
  return same({ ...a, from, to, isOpen: false, isStopStart: false, gap: null }, { ...b, from, to, isOpen: false, isStopStart: false, gap: null });
};

/** What is to be written so that `stored` becomes `made`; both in order, of the same machine. null: nothing. */
export function difference(stored: readonly Segment[], made: readonly Segment[]): { window: { from: number; to: number }; rows: Segment[] } | null {
  let first = 0;
  while (first < made.length && stored[first] && made[first] && same(stored[first] as Segment, made[first] as Segment)) first += 1;
  let [a, b] = [stored.length, made.length];
  while (a > first && b > first && same(stored[a - 1] as Segment, made[b - 1] as Segment)) {
    a -= 1;
    b -= 1;
  }
  const [gone, rows] = [stored.slice(first, a), made.slice(first, b)];
  if (gone.length === 0 && rows.length === 0) return null;
  const edges = [...gone, ...rows];
  return { window: { from: Math.min(...edges.map(({ from }) => from)), to: Math.max(...edges.map(({ to }) => to)) }, rows };
}

export type Rewrite = { machineId: number; from: number; to: number; rows: readonly Segment[] };

/** Puts rows in the place of those that begin in the window. One statement, so that the chain is looked at when it is whole again. */
export async function rewriteRows(tx: Db, rewrites: readonly Rewrite[]): Promise<void> {
  const rows = rewrites.flatMap(({ machineId, rows: own }) => own.map((row) => ({ machineId, ...row })));
  const time = (at: number | null) => (at === null ? null : new Date(at).toISOString());
  await tx.rows(
    `-- ledger.rewriteRows
    with gone as (
      delete from machine_interval i using unnest($1::int[], $2::timestamptz[], $3::timestamptz[]) as u(machine_id, from_at, to_at)
      where i.machine_id = u.machine_id and i.from_at >= u.from_at and i.from_at < u.to_at
        and not exists (select from unnest($5::int[], $6::timestamptz[]) as n(machine_id, from_at) where n.machine_id = i.machine_id and n.from_at = i.from_at)
    )
    insert into machine_interval
    select * from json_populate_recordset(null::machine_interval, $4::json)
    on conflict (machine_id, from_at) do update set (to_at, is_open, kind, base, base_at, stop_at, reason, change_at, shift_instance_id, date, hour_at, job, product, rate_id, ideal_cycle_s, is_startup, is_stop_start,
        is_dead, is_bridged, gap_good, gap_reject, gap_rework, gap_within)
      = row(excluded.to_at, excluded.is_open, excluded.kind, excluded.base, excluded.base_at, excluded.stop_at, excluded.reason, excluded.change_at, excluded.shift_instance_id, excluded.date, excluded.hour_at, excluded.job, excluded.product,
        excluded.rate_id, excluded.ideal_cycle_s, excluded.is_startup, excluded.is_stop_start, excluded.is_dead, excluded.is_bridged, excluded.gap_good, excluded.gap_reject, excluded.gap_rework, excluded.gap_within)`,
    [
      rewrites.map(({ machineId }) => machineId),
      rewrites.map(({ from }) => time(from)),
      rewrites.map(({ to }) => time(to)),
      JSON.stringify(
        rows.map((row) => ({
          machine_id: row.machineId,
          from_at: time(row.from),
          to_at: time(row.to),
          is_open: row.isOpen,
          kind: row.kind,
          base: row.base,
          base_at: time(row.baseFrom),
          stop_at: time(row.stopFrom),
          reason: row.reason,
          change_at: time(row.changeAt),
          shift_instance_id: row.shiftId,
          date: row.date,
          hour_at: time(row.hourAt),
          job: row.job,
          product: row.product,
          rate_id: row.rate?.id ?? null,
          ideal_cycle_s: row.rate?.idealCycleS ?? null,
          is_startup: row.isStartup,
          is_stop_start: row.isStopStart,
          is_dead: row.isDead,
          is_bridged: row.isBridged,
          gap_good: row.gap?.good ?? null,
          gap_reject: row.gap?.reject ?? null,
          gap_rework: row.gap?.rework ?? null,
          gap_within: row.gap?.isWithin ?? null,
        })),
      ),
      rows.map(({ machineId }) => machineId),
      rows.map(({ from }) => time(from)),
    ],
  );
}

/** The ledger of each machine now reaches from here to there. */
export const setReaches = (tx: Db, reached: readonly Reach[], now: Date) =>
  tx.rows(
    `-- ledger.setReaches
    insert into ledger_reach (machine_id, from_at, to_at, refreshed_at, vouched_to)
    select u.machine_id, to_timestamp(u.from_ms / 1000), to_timestamp(u.to_ms / 1000), $5, to_timestamp(u.vouched_ms / 1000)
    from unnest($1::int[], $2::float8[], $3::float8[], $4::float8[]) as u(machine_id, from_ms, to_ms, vouched_ms)
    on conflict (machine_id) do update set from_at = least(ledger_reach.from_at, excluded.from_at), to_at = greatest(ledger_reach.to_at, excluded.to_at),
      refreshed_at = excluded.refreshed_at, vouched_to = excluded.vouched_to`,
    [reached.map(({ machineId }) => machineId), reached.map(({ from }) => from), reached.map(({ to }) => to), reached.map(({ vouchedTo }) => vouchedTo), now],
  );
