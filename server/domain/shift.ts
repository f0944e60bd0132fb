/**
 * Shift patterns in local time -> instances in UTC (ledger, section 5 and "Calendar" in section 7). Pure.
 * On the nights when clocks change, a start, end or break that does not exist is the first instant after the gap, and one that exists twice is the
 * first of the two. That mapping never goes backwards, so shifts that do not overlap on the wall clock do not overlap in time either.
 */
import { Temporal } from "temporal-polyfill";

/** Minutes after midnight of the shift's business date; an end past 1440 lies on the next day. */
export type BreakTimes = { name: string; startMin: number; endMin: number };
/** weekdays: ISO, 1 Monday, of the start. startMin 0..1439, endMin above it by at most 1440. Breaks lie inside the shift. */
export type ShiftTimes = { shiftId: number; name: string; weekdays: readonly number[]; startMin: number; endMin: number; breaks: readonly BreakTimes[] };
/** What a line works by: shifts whose business date lies in [fromDate, toDate); toDate null: until further notice. Dates as 2026-04-01. */
export type PatternPeriod = { fromDate: string; toDate: string | null; shifts: readonly ShiftTimes[] };

export type BreakInstance = { name: string; fromAt: Date; toAt: Date };
/** [fromAt, toAt). businessDate: local date of the planned start. Breaks are in order, inside the shift, and do not overlap. */
export type ShiftInstance = { shiftId: number | null; name: string; businessDate: string; fromAt: Date; toAt: Date; breaks: BreakInstance[] };

const minutesPerDay = 1440;
const minuteMs = 60_000;

/** Start, end and breaks as the clock shows them -> minutes that only go forwards: an end or break not later than the start lies on the next day. */
export function shiftTimes(s: {
  shiftId: number;
  name: string;
  weekdays: readonly number[];
  startMin: number;
  endMin: number;
  breaks: readonly BreakTimes[];
}): ShiftTimes {
  const breaks = s.breaks.map((b) => {
    const startMin = b.startMin < s.startMin ? b.startMin + minutesPerDay : b.startMin;
    const endMin = b.endMin <= startMin ? b.endMin + minutesPerDay * Math.ceil((startMin - b.endMin + 1) / minutesPerDay) : b.endMin;
    return { name: b.name, startMin, endMin };
  });
  breaks.sort((a, b) => a.startMin - b.startMin || a.endMin - b.endMin);
  return { ...s, endMin: s.endMin <= s.startMin ? s.endMin + minutesPerDay : s.endMin, breaks };
}

/** The instant at which clocks in `zone` first show, or first have passed, `minutes` after midnight of `date`. */
export function instantOf(date: string, minutes: number, zone: string): Date {
  const local = Temporal.PlainDate.from(date).toPlainDateTime().add({ minutes });
  const zoned = local.toZonedDateTime(zone, { disambiguation: "earlier" });
  // In a gap "earlier" reads the clock by the offset after it, which lies before the gap: the next transition is the gap's end.
  const exists = zoned.toPlainDateTime().equals(local);
  return new Date((exists ? zoned : (zoned.getTimeZoneTransition("next") ?? zoned)).epochMilliseconds);
}

/** The date that clocks in `zone` show at `at`. */
export const localDateOf = (at: Date, zone: string): string =>
  Temporal.Instant.fromEpochMilliseconds(at.getTime()).toZonedDateTimeISO(zone).toPlainDate().toString();

/** 2026-04-01 and 1 -> 2026-04-02. */
export const addDays = (date: string, days: number): string => Temporal.PlainDate.from(date).add({ days }).toString();

const earlier = (a: string, b: string) => [a, b].sort()[0] ?? a;
const later = (a: string, b: string) => [a, b].sort()[1] ?? a;

/** True for an IANA zone (or UTC) that this program's calendar knows; mere offsets and abbreviations are none. */
export function isTimeZone(zone: string): boolean {
  if (zone !== "UTC" && !/^[A-Za-z_]+(\/[A-Za-z0-9_+-]+)+$/.test(zone)) return false;
  try {
    new Intl.DateTimeFormat("en", { timeZone: zone });
    return true;
  } catch {
    return false; // RangeError: that is the answer
  }
}

/**
 * All instances with a business date in [fromDate, toDate), in order, without overlaps: where the pattern changes and the old one's last shift
 * runs into the new one's first, the later of the two begins at the end of the earlier.
 */
export function shiftInstances(periods: readonly PatternPeriod[], zone: string, fromDate: string, toDate: string): ShiftInstance[] {
  // The evening before too: its night shift may run into the first day. Earlier ones cannot, no shift is longer than a day.
  const found = plannedInstances(periods, zone, addDays(fromDate, -1), toDate);
  return fitAround(found, []).filter((instance) => instance.businessDate >= fromDate);
}

/** As the patterns say, without a look at overlaps. */
function plannedInstances(periods: readonly PatternPeriod[], zone: string, fromDate: string, toDate: string): ShiftInstance[] {
  const found: ShiftInstance[] = [];
  for (const period of periods) {
    const end = earlier(period.toDate ?? toDate, toDate);
    for (let date = later(period.fromDate, fromDate); date < end; date = addDays(date, 1)) {
      const weekday = Temporal.PlainDate.from(date).dayOfWeek;
      for (const shift of period.shifts) {
        if (!shift.weekdays.includes(weekday)) continue;
        const instance = instanceOn(date, shift, zone);
        if (instance) found.push(instance);
      }
    }
  }
  return found;
}

/** Days on which shifts are other than their pattern says; business dates, both included. extra_shift: times as of a shift, see `shiftTimes`. */
export type CalendarException = { name: string; firstDate: string; lastDate: string } & (
  | { kind: "holiday" }
  | { kind: "cancelled_shift"; shiftId: number }
  | { kind: "extra_shift"; startMin: number; endMin: number; breaks: readonly BreakTimes[] }
);
/** why: what the calendar calls the day on which it is cancelled. An extra one has the calendar's name for its own. */
export type CalendarInstance = ShiftInstance & { status: "planned" | "extra" | "cancelled"; why: string | null };

/**
 * All instances with a business date in [fromDate, toDate), in order. Extra shifts take place on holidays, too, and what is planned fits around them. Those that
 * are not cancelled do not overlap; cancelled ones have the times that they would have had.
 */
export function calendarInstances(
  periods: readonly PatternPeriod[],
  calendar: readonly CalendarException[],
  zone: string,
  fromDate: string,
  toDate: string,
): CalendarInstance[] {
  const dayBefore = addDays(fromDate, -1);
  const extras = calendar.flatMap((entry) => (entry.kind === "extra_shift" ? extraInstances(entry, zone, dayBefore, toDate) : []));
  const cancelled: CalendarInstance[] = [];
  const planned = plannedInstances(periods, zone, dayBefore, toDate).filter((instance) => {
    const entry = calendar.find(
      (one) =>
        one.firstDate <= instance.businessDate &&
        instance.businessDate <= one.lastDate &&
        (one.kind === "holiday" || (one.kind === "cancelled_shift" && one.shiftId === instance.shiftId)),
    );
    if (entry) cancelled.push({ ...instance, status: "cancelled", why: entry.name });
    return !entry;
  });
  const fittedExtras = fitAround(extras, []);
  const all: CalendarInstance[] = [
    ...fittedExtras.map((instance): CalendarInstance => ({ ...instance, status: "extra", why: null })),
    ...fitAround(planned, fittedExtras).map((instance): CalendarInstance => ({ ...instance, status: "planned", why: null })),
    ...cancelled,
  ];
  return all.filter(({ businessDate }) => businessDate >= fromDate).sort((a, b) => a.fromAt.getTime() - b.fromAt.getTime());
}

function extraInstances(entry: Extract<CalendarException, { kind: "extra_shift" }>, zone: string, fromDate: string, toDate: string): ShiftInstance[] {
  const { name, startMin, endMin, breaks } = entry;
  const times = shiftTimes({ shiftId: 0, name, weekdays: [], startMin, endMin, breaks });
  const found: ShiftInstance[] = [];
  for (let date = later(entry.firstDate, fromDate); date <= entry.lastDate && date < toDate; date = addDays(date, 1)) {
    const instance = instanceOn(date, times, zone);
    if (instance) found.push({ ...instance, shiftId: null });
  }
  return found;
}

/** null: all of the shift falls into the gap of a clock change. */
function instanceOn(businessDate: string, shift: ShiftTimes, zone: string): ShiftInstance | null {
  const fromAt = instantOf(businessDate, shift.startMin, zone);
  const toAt = instantOf(businessDate, shift.endMin, zone);
  if (fromAt >= toAt) return null;
  const breaks: BreakInstance[] = [];
  let free = fromAt.getTime();
  for (const { name, startMin, endMin } of shift.breaks) {
    // A break keeps its planned length. One that the gap pushes onto the next follows it, and what passes the shift's end is lost.
    const start = Math.max(instantOf(businessDate, startMin, zone).getTime(), free);
    const end = Math.min(start + (endMin - startMin) * minuteMs, toAt.getTime());
    if (start >= end) continue;
    breaks.push({ name, fromAt: new Date(start), toAt: new Date(end) });
    free = end;
  }
  return { shiftId: shift.shiftId, name: shift.name, businessDate, fromAt, toAt, breaks };
}

/**
 * The wanted instances in order, cut so that none overlaps another or a fixed one: what began earlier keeps its time, a fixed one always does.
 * One of which nothing is left is left out.
 */
export function fitAround(wanted: readonly ShiftInstance[], fixed: readonly { fromAt: Date; toAt: Date }[]): ShiftInstance[] {
  const inOrder = [...wanted].sort((a, b) => a.fromAt.getTime() - b.fromAt.getTime() || a.toAt.getTime() - b.toAt.getTime());
  const walls = [...fixed].sort((a, b) => a.fromAt.getTime() - b.fromAt.getTime());
  const fitted: ShiftInstance[] = [];
  let free = Number.NEGATIVE_INFINITY;
  let next = 0;
  for (const instance of inOrder) {
    let from = Math.max(instance.fromAt.getTime(), free);
    while ((walls[next]?.toAt.getTime() ?? Number.POSITIVE_INFINITY) <= from) next++;
    let to = instance.toAt.getTime();
    for (let i = next; i < walls.length; i++) {
      const wall = walls[i];
      if (!wall || wall.fromAt.getTime() >= to) break;
      if (wall.fromAt.getTime() <= from) from = Math.max(from, wall.toAt.getTime());
      else to = wall.fromAt.getTime();
    }
    if (from >= to) continue;
    fitted.push(cut(instance, from, to));
    free = to;
  }
  return fitted;
}

function cut(instance: ShiftInstance, from: number, to: number): ShiftInstance {
  if (from === instance.fromAt.getTime() && to === instance.toAt.getTime()) return instance;
  const breaks = instance.breaks.flatMap(({ name, fromAt, toAt }) => {
    const start = Math.max(fromAt.getTime(), from);
    const end = Math.min(toAt.getTime(), to);
    return start < end ? [{ name, fromAt: new Date(start), toAt: new Date(end) }] : [];
  });
  return { ...instance, fromAt: new Date(from), toAt: new Date(to), breaks };
}

/** Nights in [fromDate, toDate) on which clocks in the zone change. at: ms since 1970; offsets: minutes east of UTC. */
export function clockChanges(zone: string, fromDate: string, toDate: string): { day: string; at: number; fromOffsetMin: number; toOffsetMin: number }[] {
  const found = [];
  const offsetMin = (time: Temporal.ZonedDateTime) => time.offsetNanoseconds / 60e9;
  let time = Temporal.PlainDate.from(fromDate).toZonedDateTime({ timeZone: zone, plainTime: "00:00" });
  for (let next = time.getTimeZoneTransition("next"); next && next.toPlainDate().toString() < toDate; next = time.getTimeZoneTransition("next")) {
    const before = next.subtract({ nanoseconds: 1 });
    if (offsetMin(before) !== offsetMin(next))
      found.push({ day: next.toPlainDate().toString(), at: next.epochMilliseconds, fromOffsetMin: offsetMin(before), toOffsetMin: offsetMin(next) });
    time = next;
  }
  return found;
}
