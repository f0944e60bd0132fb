/**
 * When a line is meant to run: shifts and breaks of one business date, in the site's zone, as instants in ms since 1970 UTC.
 * A plant day goes from the first shift's start to the same clock time of the next date, so it has 23 or 25 hours where the clocks change.
 */
import { Temporal } from "temporal-polyfill";

export type BreakDef = { name: string; start: string; end: string };
export type ShiftDef = { key: string; name: string; days: string; start: string; end: string; breaks: BreakDef[] };
export type ShiftPatternDef = { key: string; name: string; shifts: ShiftDef[] };

export type Window = { from: number; to: number };
export type PlannedShift = Window & { key: string; name: string; breaks: (Window & { name: string })[] };
export type PlantDay = Window & { date: string; shifts: PlannedShift[] };

const dayNames = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/** `mon-fri`, `sat`, `daily`, `mon-thu, sat` -> ISO weekdays (1 Monday). */
export function weekdays(days: string): number[] {
  const found: number[] = [];
  for (const part of days.split(",").map((one) => one.trim())) {
    if (part === "daily") return [1, 2, 3, 4, 5, 6, 7];
    const [first, last = first] = part.split("-");
    const from = dayNames.indexOf(first ?? "");
    const to = dayNames.indexOf(last ?? "");
    if (from < 0 || to < from) throw new RangeError(`"${days}" are no days of the week: write mon-fri, sat or daily.`);
    for (let day = from; day <= to; day++) found.push(day + 1);
  }
  return found;
}

/**
 * Local clock time -> instant. In the autumn's doubled hour it is the first of the two; a time that spring leaves out is the first instant after the gap
 * (ledger.md, section 5).
 */
export function instantOf(zone: string, date: string, clock: string): number {
  const local = Temporal.PlainDateTime.from(`${date}T${clock}`);
  const early = local.toZonedDateTime(zone, { disambiguation: "earlier" });
  if (early.toPlainDateTime().equals(local)) return early.epochMilliseconds;
  const change = early.getTimeZoneTransition("next");
  if (!change) throw new RangeError(`${date} ${clock} does not exist in ${zone}, and no change of the clocks explains it.`);
  return change.epochMilliseconds;
}

export const addDays = (date: string, days: number): string => Temporal.PlainDate.from(date).add({ days }).toString();
export const daysBetween = (from: string, to: string): number => Temporal.PlainDate.from(from).until(Temporal.PlainDate.from(to), { largestUnit: "day" }).days;
const weekdayOf = (date: string): number => Temporal.PlainDate.from(date).dayOfWeek;
/** The Monday of the date's week. */
export const weekOf = (date: string): string => addDays(date, 1 - weekdayOf(date));

/** Clock time at which the plant day of a pattern begins: its earliest shift. */
const dayStart = (pattern: ShiftPatternDef): string => pattern.shifts.map(({ start }) => start).sort()[0] ?? "00:00";

const cache = new Map<string, PlantDay>();

/** Shifts and breaks that begin on the business date. */
export function plantDay(zone: string, pattern: ShiftPatternDef, date: string): PlantDay {
  const cacheKey = `${zone} ${pattern.key} ${date}`;
  const known = cache.get(cacheKey);
  if (known) return known;
  if (cache.size > 20_000) cache.clear();
  const start = dayStart(pattern);
  const nextDate = addDays(date, 1);
  const weekday = weekdayOf(date);
  const shifts = pattern.shifts
    .filter((shift) => weekdays(shift.days).includes(weekday))
    .map((shift): PlannedShift => {
      // a clock time earlier than the shift's start lies on the next day
      const on = (clock: string, after: string) => instantOf(zone, clock < after ? nextDate : date, clock);
      return {
        key: shift.key,
        name: shift.name,
        from: instantOf(zone, date, shift.start),
        to: shift.end <= shift.start ? instantOf(zone, nextDate, shift.end) : instantOf(zone, date, shift.end),
        breaks: shift.breaks.map((one) => {
          const from = on(one.start, shift.start);
          return { name: one.name, from, to: from + clockMinutes(one.start, one.end) * 60_000 };
        }),
      };
    })
    .sort((a, b) => a.from - b.from);
  const day = { date, from: instantOf(zone, date, start), to: instantOf(zone, nextDate, start), shifts };
  cache.set(cacheKey, day);
  return day;
}

/** Planned length in minutes: a break keeps it, also when the clocks change in it. */
function clockMinutes(start: string, end: string): number {
  const minutes = (clock: string) => Number(clock.slice(0, 2)) * 60 + Number(clock.slice(3, 5));
  return (minutes(end) - minutes(start) + 1440) % 1440;
}

/** Business date of the plant day that holds the instant. */
export function dateOf(zone: string, pattern: ShiftPatternDef, at: number): string {
  const local = Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(zone);
  const date = local.toPlainDate().toString();
  return at < plantDay(zone, pattern, date).from ? addDays(date, -1) : date;
}

/** The parts of [from, to) that are inside no window; windows ascending and apart. */
export function outside(from: number, to: number, windows: readonly Window[]): Window[] {
  const rest: Window[] = [];
  let at = from;
  for (const window of windows) {
    if (window.from > at) rest.push({ from: at, to: Math.min(window.from, to) });
    at = Math.max(at, window.to);
    if (at >= to) return rest;
  }
  rest.push({ from: at, to });
  return rest;
}
