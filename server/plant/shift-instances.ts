/** Shift patterns of lines -> shift instances in the database. Safe to repeat; what has begun is never rewritten. */
import type { Db } from "#/server/db.ts";
import {
  addDays,
  type BreakTimes,
  type CalendarException,
  type CalendarInstance,
  calendarInstances,
  fitAround,
  localDateOf,
  type PatternPeriod,
  shiftTimes,
} from "#/server/domain/shift.ts";

/** How far ahead shifts are laid out (ledger, section 5), and at `plant apply` how far back, so that a new line's history has shifts. */
export const shiftsAheadDays = 60;
export const shiftsBackDays = 15;

const dayMs = 86_400_000;
export const shiftsWindow = (now: Date) => ({
  from: new Date(now.getTime() - shiftsBackDays * dayMs),
  to: new Date(now.getTime() + shiftsAheadDays * dayMs),
  now,
});

type LineRow = {
  id: number;
  key: string;
  zone: string;
  retired: boolean;
  periods: { patternId: number; from: string; to: string | null }[];
  calendar: CalendarRow[];
};
type CalendarRow = {
  kind: CalendarException["kind"];
  name: string;
  firstDate: string;
  lastDate: string;
  shiftId: number | null;
  startMin: number | null;
  endMin: number | null;
  breaks: BreakTimes[];
};
type ShiftRow = { id: number; patternId: number; name: string; weekdays: number[]; startMin: number; endMin: number; breaks: BreakTimes[] };
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
  byCalendar: boolean;
  breaks: { name: string; from: number; to: number }[];
};

export type Layout = { from: Date; to: Date; now: Date /** Keys of the sites that are looked at; without it, all. */; sites?: readonly string[] };

/**
 * Lays out the instances of the lines whose business dates lie between the local dates of `from` and `to`: as patterns and calendar say. What a pattern planned is
 * not rewritten once it has begun; what the calendar says of a day (extra, cancelled, and no longer so) holds for that, too. Writes nothing where nothing changes.
 */
export async function materializeShiftInstances(tx: Db, { from, to, now, sites }: Layout): Promise<{ added: number; removed: number }> {
  const lines = await lineLayouts(tx, from, sites ?? null);
  const existing = Map.groupBy(await tx.rows<InstanceRow>(instancesSql, [from, to, lines.map(({ id }) => id)]), (row) => row.lineId);
  const lastBegun = new Map((await tx.rows<{ lineId: number; to: number }>(lastBegunSql, [now, lines.map(({ id }) => id)])).map((row) => [row.lineId, row.to]));
  const laidOut = new Map<string, CalendarInstance[]>();

  const all: Steps & { add: (CalendarInstance & { lineId: number })[] } = { remove: [], cancel: [], restore: [], add: [] };
  for (const line of lines) {
    const window = { from: localDateOf(from, line.zone), to: addDays(localDateOf(to, line.zone), 1) };
    // Lines of one pattern and calendar have the same shifts: they are computed once.
    const key = JSON.stringify([line.zone, line.periods, line.calendar]);
    let wanted = laidOut.get(key);
    if (!wanted) {
      wanted = calendarInstances(line.periods, line.calendar, line.zone, window.from, window.to);
      laidOut.set(key, wanted);
    }
    const steps = instanceSteps(line.retired ? [] : wanted, existing.get(line.id) ?? [], {
      ...window,
      now,
      lastBegunTo: lastBegun.get(line.id) ?? Number.NEGATIVE_INFINITY,
      retired: line.retired,
    });
    for (const step of ["remove", "cancel", "restore"] as const) all[step].push(...steps[step]);
    for (const instance of steps.add) all.add.push({ ...instance, lineId: line.id });
  }
  if (all.remove.length > 0) await tx.rows("-- plant.removeShiftInstances\n delete from shift_instance where id = any($1::bigint[])", [all.remove]);
  for (const [step, status, byCalendar] of [
    ["cancel", "cancelled", true],
    ["restore", "planned", false],
  ] as const)
    if (all[step].length > 0)
      await tx.rows(`-- plant.${step}ShiftInstances\n update shift_instance set status = $2, by_calendar = $3 where id = any($1::bigint[])`, [
        all[step],
        status,
        byCalendar,
      ]);
  for (let start = 0; start < all.add.length; start += chunk) await tx.rows(insertSql, [JSON.stringify(all.add.slice(start, start + chunk))]);
  return { added: all.add.length, removed: all.remove.length };
}

export type LineLayout = { id: number; key: string; zone: string; retired: boolean; periods: PatternPeriod[]; calendar: CalendarException[] };

/** What each line works by. sites: keys; null: all. from: entries of the calendar that ended long before are left out. key: address of the line. */
export async function lineLayouts(tx: Db, from: Date, sites: readonly string[] | null): Promise<LineLayout[]> {
  const lines = await tx.rows<LineRow>(linesSql, [sites, from]);
  const shifts = await tx.rows<ShiftRow>(shiftsSql);
  const timesOf = Map.groupBy(shifts, (shift) => shift.patternId);
  return lines.map(({ periods, calendar, ...line }) => ({
    ...line,
    periods: periods.map((period) => ({
      fromDate: period.from,
      toDate: period.to,
      shifts: (timesOf.get(period.patternId) ?? []).map(({ id, patternId: _, ...rest }) => shiftTimes({ shiftId: id, ...rest })),
    })),
    calendar: calendar.map(exceptionOf),
  }));
}

const exceptionOf = ({ kind, shiftId, startMin, endMin, breaks, ...rest }: CalendarRow): CalendarException => {
  if (kind === "cancelled_shift") return { kind, shiftId: shiftId ?? 0, ...rest };
  return kind === "extra_shift" ? { kind, startMin: startMin ?? 0, endMin: endMin ?? 0, breaks, ...rest } : { kind, ...rest };
};

/** Rows of one statement: its JSON stays below some MB. */
const chunk = 20_000;

/** lastBegunTo: end of the line's last instance that has begun. Business dates in [from, to). */
type LineWindow = { from: string; to: string; now: Date; lastBegunTo: number; retired?: boolean };
/** Ids of rows, and what is new. In this order no two instances overlap at any step. */
type Steps = { remove: string[]; cancel: string[]; restore: string[]; add: CalendarInstance[] };

/** One line: what is to be done. Pure. */
export function instanceSteps(
  wanted: readonly CalendarInstance[],
  existing: readonly InstanceRow[],
  { from, to, now, lastBegunTo, retired = false }: LineWindow,
): Steps {
  const isHere = (row: InstanceRow) => row.businessDate >= from && row.businessDate < to;
  const hasBegun = (row: InstanceRow) => row.from <= now.getTime();
  const of = (status: CalendarInstance["status"]) => wanted.filter((instance) => instance.status === status);
  const cancelled = new Set(of("cancelled").map(dayOfShift));

  // What may go: planned ones that have not begun, and what the calendar made. All else is fixed, unless the calendar cancels it or gives it back.
  const isOpen = (row: InstanceRow) => isHere(row) && (row.byCalendar ? row.status === "extra" || !hasBegun(row) : row.status === "planned" && !hasBegun(row));
  const open = existing.filter((row) => isOpen(row) && !(retired && hasBegun(row)));
  const rest = existing.filter((row) => !open.includes(row));
  const cancel = retired ? [] : rest.filter((row) => row.status === "planned" && isHere(row) && cancelled.has(dayOfShift(row)));
  const walls = rest.filter((row) => row.status !== "cancelled" && !cancel.includes(row)).map(spanOf);
  const back = retired ? [] : rest.filter((row) => row.status === "cancelled" && row.byCalendar && isHere(row) && !cancelled.has(dayOfShift(row)));
  const restore = back.filter((row) => walls.every((wall) => wall.toAt <= spanOf(row).fromAt || wall.fromAt >= spanOf(row).toAt));
  walls.push(...restore.map(spanOf));

  const extras = fitAround(of("extra"), walls).map((instance): CalendarInstance => ({ ...instance, status: "extra", why: null }));
  const taken = new Set(rest.filter((row) => row.shiftId !== null).map(dayOfShift));
  const planned = fitAround(
    of("planned").filter((instance) => !taken.has(dayOfShift(instance))),
    [...walls, ...extras],
  )
    .filter((instance) => instance.fromAt.getTime() > now.getTime() || instance.fromAt.getTime() >= lastBegunTo)
    .map((instance): CalendarInstance => ({ ...instance, status: "planned", why: null }));
  const notTaking = of("cancelled").filter((instance) => instance.fromAt.getTime() > now.getTime() && !taken.has(dayOfShift(instance)));

  const faces = new Map(open.map((row) => [rowFace(row), row.id]));
  const add = [...extras, ...planned, ...notTaking].filter((instance) => !faces.delete(face(instance)));
  const ids = (rows: readonly InstanceRow[]) => rows.map(({ id }) => id);
  return { remove: [...faces.values()], cancel: ids(cancel), restore: ids(restore), add };
}

const spanOf = (row: InstanceRow) => ({ fromAt: new Date(row.from), toAt: new Date(row.to) });
const dayOfShift = ({ shiftId, businessDate }: { shiftId: number | null; businessDate: string }) => `${shiftId} ${businessDate}`;

const face = (i: CalendarInstance) =>
  JSON.stringify([
    i.shiftId,
    i.name,
    i.status,
    i.businessDate,
    i.fromAt.getTime(),
    i.toAt.getTime(),
    i.breaks.map((b) => [b.name, b.fromAt.getTime(), b.toAt.getTime()]),
  ]);
const rowFace = (r: InstanceRow) => JSON.stringify([r.shiftId, r.name, r.status, r.businessDate, r.from, r.to, r.breaks.map((b) => [b.name, b.from, b.to])]);

const minutesOf = (column: string) => `(extract(epoch from ${column}) / 60)::int`;
/** $1 keys of sites, null: all. $2 entries that ended long before it are not looked at: a night shift of the day before may still run into the window. */
const linesSql = `-- shifts.lines
  select l.id, concat_ws('/', s.key, a.key, l.key) as key, s.zone, coalesce(l.retired_at, a.retired_at, s.retired_at) is not null as retired,
    coalesce((select json_agg(json_build_object('patternId', p.shift_pattern_id, 'from', p.from_date, 'to', p.to_date) order by p.from_date)
      from line_shift_pattern p where p.line_id = l.id), '[]') as periods,
    coalesce((select json_agg(json_build_object('kind', e.kind, 'name', e.name, 'firstDate', e.first_date, 'lastDate', e.last_date, 'shiftId', e.shift_id,
        'startMin', ${minutesOf("e.start_local")}, 'endMin', ${minutesOf("e.end_local")},
        'breaks', coalesce((select json_agg(json_build_object('name', b.name, 'startMin', ${minutesOf("b.start_local")}, 'endMin', ${minutesOf("b.end_local")}) order by b.id)
          from calendar_break b where b.calendar_entry_id = e.id), '[]')) order by e.id)
      from calendar_entry e where e.site_id = s.id and coalesce(e.line_id, l.id) = l.id and e.last_date >= $2::timestamptz::date - 3), '[]') as calendar
  from line l join area a on a.id = l.area_id join site s on s.id = a.site_id
  where $1::text[] is null or s.key = any($1)`;

const shiftsSql = `-- shifts.shifts
  select f.id, f.shift_pattern_id as "patternId", f.name, f.weekdays, ${minutesOf("f.start_local")} as "startMin", ${minutesOf("f.end_local")} as "endMin",
    coalesce((select json_agg(json_build_object('name', b.name, 'startMin', ${minutesOf("b.start_local")}, 'endMin', ${minutesOf("b.end_local")}) order by b.id)
      from shift_break b where b.shift_id = f.id), '[]') as breaks
  from shift f`;

const ms = (column: string) => `(extract(epoch from ${column}) * 1000)::float8`;
// Two days wider than the window: local dates and shifts over midnight.
const instancesSql = `-- shifts.instances
  select i.id::text, i.line_id as "lineId", i.shift_id as "shiftId", i.name, i.business_date::text as "businessDate", ${ms("i.from_at")} as "from", ${ms("i.to_at")} as "to", i.status, i.by_calendar as "byCalendar",
    coalesce(b.breaks, '[]') as breaks
  from shift_instance i
    left join lateral (select json_agg(json_build_object('name', b.name, 'from', ${ms("b.from_at")}, 'to', ${ms("b.to_at")}) order by b.from_at) as breaks
      from shift_instance_break b where b.shift_instance_id = i.id) b on true
  where i.from_at > $1::timestamptz - interval '2 days' and i.from_at < $2::timestamptz + interval '2 days' and i.line_id = any($3::int[])`;

const lastBegunSql = `-- shifts.lastBegun
  select line_id as "lineId", ${ms("max(to_at)")} as "to" from shift_instance where from_at <= $1 and status <> 'cancelled' and line_id = any($2::int[]) group by line_id`;

const insertSql = `-- shifts.insert
  with wanted as (
    select nextval(pg_get_serial_sequence('shift_instance', 'id')) as id, x.*
    from (select * from jsonb_to_recordset($1::jsonb) as x("lineId" int, "shiftId" int, name text, "businessDate" date, "fromAt" timestamptz, "toAt" timestamptz, status text, breaks jsonb)) x
  ), made as (
    insert into shift_instance (id, line_id, shift_id, name, business_date, from_at, to_at, status, by_calendar) overriding system value
    select id, "lineId", "shiftId", name, "businessDate", "fromAt", "toAt", status, status <> 'planned' from wanted returning id
  )
  insert into shift_instance_break (shift_instance_id, name, from_at, to_at)
  select made.id, b.name, b."fromAt", b."toAt"
  from made join wanted using (id) cross join jsonb_to_recordset(wanted.breaks) as b(name text, "fromAt" timestamptz, "toAt" timestamptz)`;
