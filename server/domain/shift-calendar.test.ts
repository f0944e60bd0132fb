import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type CalendarException, calendarInstances, clockChanges, type PatternPeriod, shiftTimes } from "./shift.ts";

const shift = (shiftId: number, name: string, startMin: number, endMin: number) =>
  shiftTimes({ shiftId, name, weekdays: [1, 2, 3, 4, 5, 6, 7], startMin, endMin, breaks: [] });
const early = shift(1, "Early", 360, 840);
const night = shift(2, "Night", 1320, 360);
const always: PatternPeriod[] = [{ fromDate: "1970-01-01", toDate: null, shifts: [early, night] }];
const days = (firstDate: string, lastDate = firstDate) => ({ firstDate, lastDate });
const extra = (date: string, startMin: number, endMin: number): CalendarException => ({
  kind: "extra_shift",
  name: "Extra",
  ...days(date),
  startMin,
  endMin,
  breaks: [],
});
const told = (calendar: CalendarException[], from: string, to: string, zone = "Europe/Berlin") =>
  calendarInstances(always, calendar, zone, from, to).map(
    ({ name, businessDate, fromAt, toAt, status, why }) =>
      `${businessDate} ${name} ${fromAt.toISOString().slice(11, 16)} ${(toAt.getTime() - fromAt.getTime()) / 3_600_000} h ${[status, why].filter(Boolean).join(", ")}`,
  );

describe("calendarInstances", () => {
  it("a holiday takes all shifts that begin on it, a cancelled shift one of them", () => {
    const calendar: CalendarException[] = [
      { kind: "holiday", name: "Christmas", ...days("2026-12-24") },
      { kind: "cancelled_shift", name: "No night", shiftId: 2, ...days("2026-12-25") },
    ];
    expect(told(calendar, "2026-12-23", "2026-12-26")).toEqual([
      "2026-12-23 Early 05:00 8 h planned",
      "2026-12-23 Night 21:00 8 h planned", // it runs into the holiday
      "2026-12-24 Early 05:00 8 h cancelled, Christmas",
      "2026-12-24 Night 21:00 8 h cancelled, Christmas",
      "2026-12-25 Early 05:00 8 h planned",
      "2026-12-25 Night 21:00 8 h cancelled, No night",
    ]);
  });

  it("an extra shift takes place on a holiday, too, and what is planned fits around it", () => {
    const calendar = [{ kind: "holiday" as const, name: "Holiday", ...days("2026-06-04") }, extra("2026-06-04", 480, 960), extra("2026-06-05", 600, 900)];
    expect(told(calendar, "2026-06-04", "2026-06-06").filter((line) => !line.includes("cancelled"))).toEqual([
      "2026-06-04 Extra 06:00 8 h extra",
      "2026-06-05 Early 04:00 4 h planned",
      "2026-06-05 Extra 08:00 5 h extra",
      "2026-06-05 Night 20:00 8 h planned",
    ]);
  });

  it("has the hours that the night of a clock change really has", () => {
    expect(told([], "2026-10-24", "2026-10-25")).toEqual(["2026-10-24 Early 04:00 8 h planned", "2026-10-24 Night 20:00 9 h planned"]);
    expect(told([extra("2027-03-27", 1320, 360)], "2027-03-27", "2027-03-28").at(-1)).toBe("2027-03-27 Extra 21:00 7 h extra");
    expect(clockChanges("Europe/Berlin", "2026-10-01", "2027-04-01")).toEqual([
      { day: "2026-10-25", at: Date.parse("2026-10-25T01:00:00Z"), fromOffsetMin: 120, toOffsetMin: 60 },
      { day: "2027-03-28", at: Date.parse("2027-03-28T01:00:00Z"), fromOffsetMin: 60, toOffsetMin: 120 },
    ]);
    expect(clockChanges("UTC", "2020-01-01", "2030-01-01")).toEqual([]);
    expect(clockChanges("Asia/Kolkata", "2020-01-01", "2030-01-01")).toEqual([]);
  });

  it("whatever the calendar: what takes place does not overlap, every planned shift is there once, and days on their own are as in a longer window", () => {
    const date = fc.integer({ min: 0, max: 9 }).map((day) => `2026-10-2${day}`);
    const range = fc.tuple(date, date).map(([a, b]) => (a < b ? days(a, b) : days(b, a)));
    const exception: fc.Arbitrary<CalendarException> = fc.oneof(
      range.map((of): CalendarException => ({ kind: "holiday", name: "H", ...of })),
      fc.tuple(range, fc.constantFrom(1, 2)).map(([of, shiftId]): CalendarException => ({ kind: "cancelled_shift", name: "C", shiftId, ...of })),
      fc.tuple(date, fc.integer({ min: 0, max: 1439 }), fc.integer({ min: 1, max: 1440 })).map(([of, start, length]) => extra(of, start, start + length)),
    );
    fc.assert(
      fc.property(fc.array(exception, { maxLength: 4 }), (calendar) => {
        const all = calendarInstances(always, calendar, "Europe/Berlin", "2026-10-20", "2026-10-30");
        const taking = all.filter(({ status }) => status !== "cancelled");
        for (const [i, instance] of taking.entries()) if (i > 0) expect(instance.fromAt.getTime()).toBeGreaterThanOrEqual(taking[i - 1]?.toAt.getTime() ?? 0);
        const keys = all
          .filter(({ shiftId }) => shiftId !== null)
          .map(({ shiftId, businessDate, status, fromAt }) => `${shiftId} ${businessDate} ${status === "cancelled" ? "" : fromAt.getTime()}`);
        expect(new Set(keys).size).toBe(keys.length);
        const whole = calendarInstances(always, [], "Europe/Berlin", "2026-10-20", "2026-10-30");
        const isLeft = (one: { shiftId: number | null; businessDate: string }) =>
          all.some((other) => other.shiftId === one.shiftId && other.businessDate === one.businessDate);
        if (!calendar.some(({ kind }) => kind === "extra_shift")) expect(whole.every(isLeft)).toBe(true);
      }),
    );
  });
});
