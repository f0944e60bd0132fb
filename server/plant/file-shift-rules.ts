/** What must hold for the shifts of one pattern: lengths, breaks inside, no overlaps in the week. */
import { type ShiftTimes, shiftTimes } from "#/server/domain/shift.ts";
import type { ShiftEntry, ShiftPatternEntry } from "./file.ts";
import type { Broken, Path } from "./file-rules.ts";
import { writeClock } from "./file-values.ts";

const dayMin = 1440;
const weekMin = 7 * dayMin;

/** The shift's times going forwards only, as the calendar uses them. */
export const timesOf = (shift: ShiftEntry, shiftId = 0): ShiftTimes =>
  shiftTimes({
    shiftId,
    name: shift.name ?? shift.key,
    weekdays: shift.days,
    startMin: shift.start,
    endMin: shift.end,
    breaks: shift.breaks.map((b) => ({ name: b.name, startMin: b.start, endMin: b.end })),
  });

export function brokenShifts(pattern: ShiftPatternEntry, path: Path): Broken[] {
  const broken: Broken[] = [];
  const week: { from: number; to: number; index: number }[] = [];
  for (const [index, shift] of pattern.shifts.entries()) {
    const at = [...path, "shifts", index];
    broken.push(...brokenShift(shift, at));
    if (brokenLength(shift, at).length > 0) continue;
    const times = timesOf(shift);
    for (const day of shift.days) week.push({ from: (day - 1) * dayMin + times.startMin, to: (day - 1) * dayMin + times.endMin, index });
  }
  return [...broken, ...overlaps(week, pattern, path)];
}

/** One shift by itself: its length, and its breaks inside it. */
export function brokenShift(shift: ShiftEntry, path: Path): Broken[] {
  const trouble = brokenLength(shift, path);
  return trouble.length > 0 ? trouble : brokenBreaks(shift, timesOf(shift), path);
}

function brokenLength(shift: ShiftEntry, path: Path): Broken[] {
  if (shift.start >= dayMin) return [{ path: [...path, "start"], sentence: `"start" must be earlier than 24:00` }];
  if (shift.end === shift.start) {
    return [
      {
        path: [...path, "end"],
        sentence: `the shift lasts 0 h; if it lasts 24 h, write its end as ${writeClock(shift.start + dayMin)} (${writeClock(shift.start)} of the next day)`,
      },
    ];
  }
  if (shift.end > shift.start + dayMin) return [{ path: [...path, "end"], sentence: `the shift lasts ${hours(shift.end - shift.start)}; 24 h is the longest` }];
  return [];
}

function brokenBreaks(shift: ShiftEntry, times: ShiftTimes, path: Path): Broken[] {
  const broken: Broken[] = [];
  const inside: { from: number; to: number; at: Path }[] = [];
  for (const [i, pause] of shift.breaks.entries()) {
    const at = [...path, "breaks", i];
    if (pause.start === pause.end) {
      broken.push({ path: [...at, "end"], sentence: "the break lasts 0 min" });
      continue;
    }
    const [moved] = shiftTimes({ ...times, breaks: [{ name: pause.name, startMin: pause.start, endMin: pause.end }] }).breaks;
    const [from, to] = [moved?.startMin ?? 0, moved?.endMin ?? 0];
    if (from < times.startMin || to > times.endMin) {
      broken.push({
        path: [...at, "start"],
        sentence: `the break ${writeClock(pause.start)} to ${writeClock(pause.end)} is not inside its shift (${writeClock(shift.start)} to ${writeClock(shift.end)})`,
      });
      continue;
    }
    const clash = inside.find((other) => other.from < to && from < other.to);
    if (clash)
      broken.push({
        path: [...at, "start"],
        other: clash.at,
        sentence: `the break ${writeClock(pause.start)} to ${writeClock(pause.end)} overlaps another one of its shift`,
      });
    inside.push({ from, to, at });
  }
  return broken;
}

/** A week goes round: Sunday's night shift runs into Monday. Each pair of shifts is told once. */
function overlaps(week: { from: number; to: number; index: number }[], pattern: ShiftPatternEntry, path: Path): Broken[] {
  const broken: Broken[] = [];
  const told = new Set<string>();
  const twice = [...week, ...week.map((span) => ({ ...span, from: span.from + weekMin, to: span.to + weekMin }))].sort(
    (a, b) => a.from - b.from || a.index - b.index,
  );
  for (const [i, span] of twice.entries()) {
    for (let j = i + 1; j < twice.length; j++) {
      const next = twice[j];
      if (!next || next.from >= span.to) break;
      const [first = 0, second = 0] = [span.index, next.index].sort((a, b) => a - b);
      if (told.has(`${first} ${second}`)) continue;
      told.add(`${first} ${second}`);
      const name = (index: number) => pattern.shifts[index]?.key ?? "";
      const what =
        first === second
          ? `the shift "${name(first)}" overlaps itself on the next day`
          : `the shifts "${name(first)}" and "${name(second)}" overlap on ${dayName(next.from)}`;
      broken.push({ path: [...path, "shifts", second, "start"], other: [...path, "shifts", first], sentence: `${what}, at ${writeClock(next.from % dayMin)}` });
    }
  }
  return broken;
}

const dayName = (minutes: number) => ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"][Math.floor(minutes / dayMin) % 7] ?? "";
const hours = (minutes: number) => (minutes % 60 === 0 ? `${minutes / 60} h` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`);
