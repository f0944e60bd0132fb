/** How shifts fall on real days: of a line as its patterns and the calendar say, or of a pattern that is being edited. */
import { transaction } from "#/server/db.ts";
import { type Actor, mayAt, sees } from "#/server/domain/permission.ts";
import { addDays, type CalendarException, calendarInstances, clockChanges, instantOf, type PatternPeriod } from "#/server/domain/shift.ts";
import { type FieldFault, Refusal } from "#/server/errors.ts";
import { asSentence, formSentence } from "./edit-faults.ts";
import { laidOver } from "./edit-fields.ts";
import type { ClockChange, GivenFields, ShiftShown } from "./edit-types.ts";
import { entryShapes, type ShiftEntry } from "./file.ts";
import { brokenShifts, timesOf } from "./file-shift-rules.ts";
import { lineLayouts } from "./shift-instances.ts";

type Asked = { site: string; line?: string | undefined; from: string; days: number; pattern?: { shifts: GivenFields[] } | undefined };
export type ShownShifts = { zone: string; clockChanges: ClockChange[]; shifts: ShiftShown[] };

/**
 * pattern: shifts of a form, which need not be stored; the calendar of the whole site is laid over them. Without it: those of the line.
 * @throws Refusal NOT_FOUND; RULE_BROKEN with the fields of `pattern` that are wrong
 */
export async function shiftsShown({ actor }: { actor: Actor }, { site, line, from, days, pattern }: Asked): Promise<ShownShifts> {
  const until = addDays(from, days);
  const found = await transaction(async (tx) => {
    const [row] = await tx.rows<{ id: number; zone: string }>("-- plant.zone\n select id, zone from site where key = $1 and retired_at is null", [site]);
    if (!row || !sees(actor, row.id)) throw new Refusal("NOT_FOUND", `There is no site ${site}.`);
    if (!mayAt(actor, "plant.read", row.id)) throw new Refusal("FORBIDDEN", "You may not look at the set-up of this site.");
    const lines = await lineLayouts(tx, instantOf(from, 0, row.zone), [site]);
    if (pattern === undefined) {
      const own = lines.find(({ key, retired }) => key === line && !retired);
      if (!own) throw new Refusal("NOT_FOUND", `There is no line ${line ?? ""} at this site.`);
      return { ...own, zone: row.zone };
    }
    return { zone: row.zone, periods: [periodOf(pattern.shifts)], calendar: ofWholeSite(lines.map(({ calendar }) => calendar)) };
  });
  return {
    zone: found.zone,
    clockChanges: clockChanges(found.zone, from, until),
    shifts: calendarInstances(found.periods, found.calendar, found.zone, from, until).map(({ name, businessDate, fromAt, toAt, status, why, breaks }) => ({
      name,
      businessDate,
      fromAt: fromAt.getTime(),
      toAt: toAt.getTime(),
      hours: (toAt.getTime() - fromAt.getTime()) / 3_600_000,
      status,
      why,
      breaks: breaks.map((b) => ({ name: b.name, fromAt: b.fromAt.getTime(), toAt: b.toAt.getTime() })),
    })),
  };
}

/** Entries that every line has. */
function ofWholeSite(calendars: readonly CalendarException[][]): CalendarException[] {
  const [first = [], ...rest] = calendars;
  const others = rest.map((calendar) => new Set(calendar.map((entry) => JSON.stringify(entry))));
  return first.filter((entry) => others.every((known) => known.has(JSON.stringify(entry))));
}

/** The shifts of a form as a pattern that always holds. @throws Refusal RULE_BROKEN */
function periodOf(given: readonly GivenFields[]): PatternPeriod {
  const faults: FieldFault[] = [];
  const shifts: ShiftEntry[] = [];
  for (const [i, fields] of given.entries()) {
    const read = entryShapes.shift.safeParse(laidOver({ key: `shift-${i + 1}` }, fields), { error: formSentence });
    if (read.success) shifts.push(read.data);
    else for (const { path, message } of read.error.issues) faults.push({ path: ["pattern", "shifts", i, ...path].join("."), sentence: asSentence(message) });
  }
  if (faults.length === 0)
    for (const { path, sentence } of brokenShifts({ key: "pattern", shifts }, []))
      faults.push({ path: ["pattern", ...path].join("."), sentence: asSentence(sentence) });
  if (faults.length > 0) throw new Refusal("RULE_BROKEN", faults.map(({ sentence }) => sentence).join(" "), { fields: faults });
  return { fromDate: "1970-01-01", toDate: null, shifts: shifts.map((shift, i) => timesOf(shift, i + 1)) };
}
