/** Shift patterns of lines -> shift instances in the database. Safe to repeat; what has begun is never rewritten. */
import type { Db } from "#/server/db.ts";
import { addDays, fitAround, localDateOf, type PatternPeriod, type ShiftInstance, shiftInstances, shiftTimes } from "#/server/domain/shift.ts";

/** How far ahead shifts are laid out (ledger, section 5), and at `plant apply` how far back, so that a new line's history has shifts. */
export const shiftsAheadDays = 60;
export const shiftsBackDays = 15;

const dayMs = 86_400_000;
export const shiftsWindow = (now: Date) => ({
  from: new Date(now.getTime() - shiftsBackDays * dayMs),
  to: new Date(now.getTime() + shiftsAheadDays * dayMs),
  now,
});

type LineRow = { id: number; zone: string; retired: boolean; periods: { patternId: number; from: string; to: string | null }[] };
type ShiftRow = {
  id: number;
  patternId: number;
  name: string;
  weekdays: number[];
  startMin: number;
  endMin: number;
  breaks: { name: string; startMin: number; endMin: number }[];
};
/** Times in ms since 1970. */
type InstanceRow = {
  id: string;
  lineId: number;
  shiftId: number | null;
  name: string;
  businessDate: string;
  from: number;
  to: number;
  status: "planned" | "extra" | "cancelled";
  breaks: { name: string; from: number; to: number }[];
};

/**
 * Lays out the instances of all lines whose business dates lie between the local dates of `from` and `to`.
 * - What began before `now` stays as it is, extra and cancelled shifts always do; planned ones fit around them.
 * - Planned ones yet to come are made as the pattern has them now: added, changed or taken away.
 * - In the past, shifts are added only where a line has none after: to the first days of a new line, and to days that nobody laid out.
 * Returns how many were added and taken away; 0 and 0 when nothing was to be done (then nothing is written).
 */
export async function materializeShiftInstances(tx: Db, { from, to, now }: { from: Date; to: Date; now: Date }): Promise<{ added: number; removed: number }> {
  const lines = await tx.rows<LineRow>(linesSql);
  const shifts = await tx.rows<ShiftRow>(shiftsSql);
  const existing = Map.groupBy(await tx.rows<InstanceRow>(instancesSql, [from, to]), (row) => row.lineId);
  const lastBegun = new Map((await tx.rows<{ lineId: number; to: number }>(lastBegunSql, [now])).map((row) => [row.lineId, row.to]));
  const timesOf = Map.groupBy(
    shifts.map(({ id, patternId, ...rest }) => ({ patternId, times: shiftTimes({ shiftId: id, ...rest }) })),
    (shift) => shift.patternId,
  );
  const laidOut = new Map<string, ShiftInstance[]>();

  const remove: string[] = [];
  const add: (ShiftInstance & { lineId: number })[] = [];
  for (const line of lines) {
    const window = { from: localDateOf(from, line.zone), to: addDays(localDateOf(to, line.zone), 1) };
    // Lines of one pattern have the same shifts: they are computed once.
    const key = JSON.stringify([line.zone, line.periods]);
    let wanted = laidOut.get(key);
    if (!wanted) {
      const periods: PatternPeriod[] = line.periods.map((period) => ({
        fromDate: period.from,
        toDate: period.to,
        shifts: (timesOf.get(period.patternId) ?? []).map(({ times }) => times),
      }));
      wanted = shiftInstances(periods, line.zone, window.from, window.to);
      laidOut.set(key, wanted);
    }
    const steps = instanceSteps(line.retired ? [] : wanted, existing.get(line.id) ?? [], {
      ...window,
      now,
      lastBegunTo: lastBegun.get(line.id) ?? Number.NEGATIVE_INFINITY,
    });
    remove.push(...steps.remove);
    for (const instance of steps.add) add.push({ ...instance, lineId: line.id });
  }
  if (remove.length > 0) await tx.rows("-- plant.removeShiftInstances\n delete from shift_instance where id = any($1::bigint[])", [remove]);
  for (let start = 0; start < add.length; start += chunk) await tx.rows(insertSql, [JSON.stringify(add.slice(start, start + chunk))]);
  return { added: add.length, removed: remove.length };
}

/** Rows of one statement: its JSON stays below some MB. */
const chunk = 20_000;

/** lastBegunTo: end of the line's last instance that has begun. Business dates in [from, to). */
type LineWindow = { from: string; to: string; now: Date; lastBegunTo: number };

/** One line: what is to be taken away and added. Pure. */
export function instanceSteps(
  wanted: readonly ShiftInstance[],
  existing: readonly InstanceRow[],
  { from, to, now, lastBegunTo }: LineWindow,
): { remove: string[]; add: ShiftInstance[] } {
  const isOpen = (row: InstanceRow) => row.status === "planned" && row.from > now.getTime() && row.businessDate >= from && row.businessDate < to;
  const fixed = existing.filter((row) => !isOpen(row) && row.status !== "cancelled").map((row) => ({ fromAt: new Date(row.from), toAt: new Date(row.to) }));
  const taken = new Set(existing.filter((row) => !isOpen(row)).map((row) => `${row.shiftId} ${row.businessDate}`));
  const fitting = fitAround(
    wanted.filter((instance) => !taken.has(`${instance.shiftId} ${instance.businessDate}`)),
    fixed,
  ).filter((instance) => instance.fromAt.getTime() > now.getTime() || instance.fromAt.getTime() >= lastBegunTo);
  const open = new Map(existing.filter(isOpen).map((row) => [rowFace(row), row.id]));
  const add = fitting.filter((instance) => !open.delete(face(instance)));
  return { remove: [...open.values()], add };
}

const face = (i: ShiftInstance) =>
  JSON.stringify([
    i.shiftId,
    i.name,
    i.businessDate,
    i.fromAt.getTime(),
    i.toAt.getTime(),
    i.breaks.map((b) => [b.name, b.fromAt.getTime(), b.toAt.getTime()]),
  ]);
const rowFace = (r: InstanceRow) => JSON.stringify([r.shiftId, r.name, r.businessDate, r.from, r.to, r.breaks.map((b) => [b.name, b.from, b.to])]);

const linesSql = `-- shifts.lines
  select l.id, s.zone, coalesce(l.retired_at, a.retired_at, s.retired_at) is not null as retired,
    coalesce((select json_agg(json_build_object('patternId', p.shift_pattern_id, 'from', p.from_date, 'to', p.to_date) order by p.from_date)
      from line_shift_pattern p where p.line_id = l.id), '[]') as periods
  from line l join area a on a.id = l.area_id join site s on s.id = a.site_id`;

const minutes = (column: string) => `(extract(epoch from ${column}) / 60)::int`;
const shiftsSql = `-- shifts.shifts
  select f.id, f.shift_pattern_id as "patternId", f.name, f.weekdays, ${minutes("f.start_local")} as "startMin", ${minutes("f.end_local")} as "endMin",
    coalesce((select json_agg(json_build_object('name', b.name, 'startMin', ${minutes("b.start_local")}, 'endMin', ${minutes("b.end_local")}) order by b.id)
      from shift_break b where b.shift_id = f.id), '[]') as breaks
  from shift f`;

const ms = (column: string) => `(extract(epoch from ${column}) * 1000)::float8`;
// Two days wider than the window: local dates and shifts over midnight.
const instancesSql = `-- shifts.instances
  select i.id::text, i.line_id as "lineId", i.shift_id as "shiftId", i.name, i.business_date::text as "businessDate", ${ms("i.from_at")} as "from", ${ms("i.to_at")} as "to", i.status,
    coalesce(b.breaks, '[]') as breaks
  from shift_instance i
    left join lateral (select json_agg(json_build_object('name', b.name, 'from', ${ms("b.from_at")}, 'to', ${ms("b.to_at")}) order by b.from_at) as breaks
      from shift_instance_break b where b.shift_instance_id = i.id) b on true
  where i.from_at > $1::timestamptz - interval '2 days' and i.from_at < $2::timestamptz + interval '2 days'`;

const lastBegunSql = `-- shifts.lastBegun
  select line_id as "lineId", ${ms("max(to_at)")} as "to" from shift_instance where from_at <= $1 group by line_id`;

const insertSql = `-- shifts.insert
  with wanted as (
    select nextval(pg_get_serial_sequence('shift_instance', 'id')) as id, x.*
    from (select * from jsonb_to_recordset($1::jsonb) as x("lineId" int, "shiftId" int, name text, "businessDate" date, "fromAt" timestamptz, "toAt" timestamptz, breaks jsonb)) x
  ), made as (
    insert into shift_instance (id, line_id, shift_id, name, business_date, from_at, to_at) overriding system value
    select id, "lineId", "shiftId", name, "businessDate", "fromAt", "toAt" from wanted returning id
  )
  insert into shift_instance_break (shift_instance_id, name, from_at, to_at)
  select made.id, b.name, b."fromAt", b."toAt"
  from made join wanted using (id) cross join jsonb_to_recordset(wanted.breaks) as b(name text, "fromAt" timestamptz, "toAt" timestamptz)`;
