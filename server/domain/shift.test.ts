import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { addDays, fitAround, instantOf, isTimeZone, localDateOf, type PatternPeriod, type ShiftInstance, shiftInstances, shiftTimes } from "./shift.ts";

const at = (iso: string) => new Date(iso);
const clock = (text: string) => Number(text.slice(0, 2)) * 60 + Number(text.slice(3));
const shift = (name: string, start: string, end: string, breaks: [string, string][] = [], weekdays = [1, 2, 3, 4, 5, 6, 7], shiftId = 1) =>
  shiftTimes({
    shiftId,
    name,
    weekdays,
    startMin: clock(start),
    endMin: clock(end),
    breaks: breaks.map(([s, e]) => ({ name: "Break", startMin: clock(s), endMin: clock(e) })),
  });
const always = (...shifts: ReturnType<typeof shift>[]): PatternPeriod[] => [{ fromDate: "1970-01-01", toDate: null, shifts }];
const lines = (found: ShiftInstance[]) =>
  found.map((i) => [
    i.businessDate,
    i.name,
    i.fromAt.toISOString().slice(0, 16),
    i.toAt.toISOString().slice(0, 16),
    ...i.breaks.map((b) => `${b.fromAt.toISOString().slice(11, 16)}-${b.toAt.toISOString().slice(11, 16)}`),
  ]);
const hours = (i: ShiftInstance | undefined) => ((i?.toAt.getTime() ?? Number.NaN) - (i?.fromAt.getTime() ?? 0)) / 3_600_000;

describe("instantOf", () => {
  it.each([
    // zone, date, local, UTC
    ["Europe/Berlin", "2026-01-15", "06:00", "2026-01-15T05:00:00Z"],
    ["Europe/Berlin", "2026-03-29", "01:59", "2026-03-29T00:59:00Z"],
    ["Europe/Berlin", "2026-03-29", "02:00", "2026-03-29T01:00:00Z"], // does not exist: the first instant after the gap
    ["Europe/Berlin", "2026-03-29", "02:30", "2026-03-29T01:00:00Z"],
    ["Europe/Berlin", "2026-03-29", "03:00", "2026-03-29T01:00:00Z"],
    ["Europe/Berlin", "2026-10-25", "02:00", "2026-10-25T00:00:00Z"], // twice: the first of the two
    ["Europe/Berlin", "2026-10-25", "02:30", "2026-10-25T00:30:00Z"],
    ["Europe/Berlin", "2026-10-25", "03:00", "2026-10-25T02:00:00Z"],
    ["America/Chicago", "2026-03-08", "02:30", "2026-03-08T08:00:00Z"],
    ["America/Chicago", "2026-11-01", "01:30", "2026-11-01T06:30:00Z"],
    ["America/Chicago", "2026-11-01", "02:00", "2026-11-01T08:00:00Z"],
    ["Australia/Lord_Howe", "2026-10-04", "02:15", "2026-10-03T15:30:00Z"], // a gap of 30 minutes
    ["Pacific/Apia", "2011-12-30", "12:00", "2011-12-30T10:00:00Z"], // the day that Samoa left out
    ["UTC", "2026-03-29", "02:30", "2026-03-29T02:30:00Z"],
  ])("%s %s %s", (zone, date, local, utc) => {
    expect(instantOf(date, clock(local), zone)).toEqual(at(utc));
  });

  it("goes past midnight", () => {
    expect(instantOf("2026-03-28", 24 * 60 + 150, "Europe/Berlin")).toEqual(at("2026-03-29T01:00:00Z"));
  });
});

describe("nights when clocks change", () => {
  const night = always(shift("Night", "22:00", "06:00", [["02:00", "02:30"]]));

  it("Berlin, spring: 7 hours; the break in the gap starts at its end and keeps its length", () => {
    const [found] = shiftInstances(night, "Europe/Berlin", "2026-03-28", "2026-03-29");
    expect(lines(found ? [found] : [])).toEqual([["2026-03-28", "Night", "2026-03-28T21:00", "2026-03-29T04:00", "01:00-01:30"]]);
    expect(hours(found)).toBe(7);
  });
  it("Berlin, autumn: 9 hours; the ambiguous break is the first of the two", () => {
    const [found] = shiftInstances(night, "Europe/Berlin", "2026-10-24", "2026-10-25");
    expect(lines(found ? [found] : [])).toEqual([["2026-10-24", "Night", "2026-10-24T20:00", "2026-10-25T05:00", "00:00-00:30"]]);
    expect(hours(found)).toBe(9);
  });
  it("Chicago, spring and autumn", () => {
    expect(hours(shiftInstances(night, "America/Chicago", "2026-03-07", "2026-03-08")[0])).toBe(7);
    expect(hours(shiftInstances(night, "America/Chicago", "2026-10-31", "2026-11-01")[0])).toBe(9);
    expect(lines(shiftInstances(night, "America/Chicago", "2026-03-07", "2026-03-08"))).toEqual([
      ["2026-03-07", "Night", "2026-03-08T04:00", "2026-03-08T11:00", "08:00-08:30"],
    ]);
    // 02:00 comes once on this night in Chicago: clocks go from 02:00 back to 01:00
    expect(lines(shiftInstances(night, "America/Chicago", "2026-10-31", "2026-11-01"))).toEqual([
      ["2026-10-31", "Night", "2026-11-01T03:00", "2026-11-01T12:00", "08:00-08:30"],
    ]);
  });
  it("a start and an end in the gap are its end", () => {
    const found = shiftInstances(
      always(shift("A", "00:30", "02:30", [], [7]), shift("B", "02:30", "10:00", [], [7])),
      "Europe/Berlin",
      "2026-03-29",
      "2026-03-30",
    );
    expect(lines(found)).toEqual([
      ["2026-03-29", "A", "2026-03-28T23:30", "2026-03-29T01:00"],
      ["2026-03-29", "B", "2026-03-29T01:00", "2026-03-29T08:00"],
    ]);
  });
  it("an ambiguous start and end are the first of the two, so the second pass of the hour is in the later shift", () => {
    const found = shiftInstances(
      always(shift("A", "00:30", "02:30", [], [7]), shift("B", "02:30", "10:00", [], [7])),
      "Europe/Berlin",
      "2026-10-25",
      "2026-10-26",
    );
    expect(lines(found)).toEqual([
      ["2026-10-25", "A", "2026-10-24T22:30", "2026-10-25T00:30"],
      ["2026-10-25", "B", "2026-10-25T00:30", "2026-10-25T09:00"],
    ]);
  });
  it("a shift that falls into the gap altogether does not take place", () => {
    expect(shiftInstances(always(shift("A", "02:00", "03:00", [], [7])), "Europe/Berlin", "2026-03-29", "2026-03-30")).toEqual([]);
  });
  it("a break that the gap pushes onto the next lets that one follow", () => {
    const found = shiftInstances(
      always(
        shift(
          "N",
          "22:00",
          "06:00",
          [
            ["02:15", "02:45"],
            ["03:00", "03:15"],
          ],
          [6],
        ),
      ),
      "Europe/Berlin",
      "2026-03-28",
      "2026-03-29",
    );
    expect(lines(found)[0]?.slice(4)).toEqual(["01:00-01:30", "01:30-01:45"]);
  });
  it("a break over the ambiguous hour keeps its length", () => {
    const found = shiftInstances(always(shift("N", "22:00", "06:00", [["02:30", "03:30"]], [6])), "Europe/Berlin", "2026-10-24", "2026-10-25");
    expect(lines(found)[0]?.slice(4)).toEqual(["00:30-01:30"]);
  });
});

describe("shiftInstances", () => {
  it("takes weekdays of the start, and the business date is the local date of the start", () => {
    const found = shiftInstances(always(shift("Night", "22:00", "06:00", [], [5])), "America/Chicago", "2026-06-01", "2026-06-15");
    expect(lines(found)).toEqual([
      ["2026-06-05", "Night", "2026-06-06T03:00", "2026-06-06T11:00"],
      ["2026-06-12", "Night", "2026-06-13T03:00", "2026-06-13T11:00"],
    ]);
  });
  it("changes the pattern on a date; the new one's first shift waits for the old one's last", () => {
    const periods: PatternPeriod[] = [
      { fromDate: "1970-01-01", toDate: "2026-06-03", shifts: [shift("Night", "22:00", "06:00")] },
      { fromDate: "2026-06-03", toDate: null, shifts: [shift("Early", "05:00", "13:00", [["05:30", "06:15"]])] },
    ];
    expect(lines(shiftInstances(periods, "UTC", "2026-06-02", "2026-06-05"))).toEqual([
      ["2026-06-02", "Night", "2026-06-02T22:00", "2026-06-03T06:00"],
      ["2026-06-03", "Early", "2026-06-03T06:00", "2026-06-03T13:00", "06:00-06:15"],
      ["2026-06-04", "Early", "2026-06-04T05:00", "2026-06-04T13:00", "05:30-06:15"],
    ]);
    // the same when the window begins with the new pattern
    expect(lines(shiftInstances(periods, "UTC", "2026-06-03", "2026-06-04"))).toEqual([
      ["2026-06-03", "Early", "2026-06-03T06:00", "2026-06-03T13:00", "06:00-06:15"],
    ]);
  });
  it("a shift of 24 hours and a break past midnight", () => {
    const found = shiftInstances(
      always(
        shift("All day", "06:00", "06:00", [
          ["23:45", "00:15"],
          ["05:00", "05:30"],
        ]),
      ),
      "UTC",
      "2026-06-02",
      "2026-06-03",
    );
    expect(lines(found)).toEqual([["2026-06-02", "All day", "2026-06-02T06:00", "2026-06-03T06:00", "23:45-00:15", "05:00-05:30"]]);
  });
});

describe("fitAround", () => {
  const span = (from: string, to: string) => ({ fromAt: at(`2026-06-02T${from}:00Z`), toAt: at(`2026-06-02T${to}:00Z`) });
  const wanted = (from: string, to: string): ShiftInstance => ({ shiftId: 1, name: "S", businessDate: "2026-06-02", ...span(from, to), breaks: [] });
  const cutTo = (w: ShiftInstance[], f: ReturnType<typeof span>[]) =>
    fitAround(w, f).map((i) => `${i.fromAt.toISOString().slice(11, 16)}-${i.toAt.toISOString().slice(11, 16)}`);
  it("begins after a fixed one, ends before one, and vanishes inside one", () => {
    expect(cutTo([wanted("05:00", "13:00")], [span("04:00", "06:00")])).toEqual(["06:00-13:00"]);
    expect(cutTo([wanted("05:00", "13:00")], [span("12:00", "16:00")])).toEqual(["05:00-12:00"]);
    expect(cutTo([wanted("05:00", "13:00"), wanted("13:00", "15:00")], [span("04:00", "14:00")])).toEqual(["14:00-15:00"]);
    expect(cutTo([wanted("05:00", "13:00")], [span("04:00", "06:00"), span("06:00", "07:00"), span("12:00", "16:00")])).toEqual(["07:00-12:00"]);
  });
});

describe("isTimeZone", () => {
  it.each(["Europe/Berlin", "America/Argentina/Buenos_Aires", "UTC", "Etc/GMT+5"])("%s is one", (zone) => expect(isTimeZone(zone)).toBe(true));
  it.each(["CET", "Berlin", "+02:00", "Europe/Bielefeld", "", "europe berlin"])("%s is none", (zone) => expect(isTimeZone(zone)).toBe(false));
});

describe("whatever the pattern", () => {
  const zones = ["Europe/Berlin", "America/Chicago", "Australia/Lord_Howe", "Asia/Kolkata", "America/Sao_Paulo", "UTC"];
  /** Consecutive shifts of one day cut at random minutes, 24 h at most in all, with breaks at random minutes. */
  const pattern = fc
    .record({
      start: fc.integer({ min: 0, max: 1439 }),
      lengths: fc.array(fc.integer({ min: 1, max: 720 }), { minLength: 1, maxLength: 4 }),
      breaks: fc.array(fc.tuple(fc.double({ min: 0, max: 0.99, noNaN: true }), fc.integer({ min: 1, max: 60 })), { maxLength: 3 }),
    })
    .map(({ start, lengths, breaks }) => {
      const shifts = [];
      let begin = start;
      for (const [shiftId, length] of lengths.entries()) {
        const end = begin + length;
        if (end > start + 1440 || begin >= 1440) break;
        let free = begin;
        const inside = breaks.map(([share, minutes]) => ({ start: begin + Math.floor(share * length), minutes })).sort((a, b) => a.start - b.start);
        const own = [];
        for (const b of inside) {
          const from = Math.max(b.start, free);
          const to = Math.min(from + b.minutes, end);
          if (from < to) own.push({ name: "b", startMin: from % 1440, endMin: to % 1440 });
          free = to;
        }
        shifts.push(shiftTimes({ shiftId, name: `s${shiftId}`, weekdays: [1, 2, 3, 4, 5, 6, 7], startMin: begin, endMin: end % 1440, breaks: own }));
        begin = end;
      }
      return shifts;
    });
  const from = fc.integer({ min: 0, max: 365 * 2 }).map((days) => addDays("2025-12-01", days));

  it("instances do not overlap, lie in the window, and breaks lie inside them without overlaps", () => {
    fc.assert(
      fc.property(pattern, fc.constantFrom(...zones), from, (shifts, zone, fromDate) => {
        const found = shiftInstances(always(...shifts), zone, fromDate, addDays(fromDate, 10));
        let free = Number.NEGATIVE_INFINITY;
        for (const i of found) {
          expect(i.fromAt.getTime()).toBeGreaterThanOrEqual(free);
          expect(i.toAt.getTime()).toBeGreaterThan(i.fromAt.getTime());
          expect(i.businessDate >= fromDate && i.businessDate < addDays(fromDate, 10)).toBe(true);
          expect(localDateOf(i.fromAt, zone)).toBe(i.businessDate);
          let inner = i.fromAt.getTime();
          for (const b of i.breaks) {
            expect(b.fromAt.getTime()).toBeGreaterThanOrEqual(inner);
            expect(b.toAt.getTime()).toBeGreaterThan(b.fromAt.getTime());
            inner = b.toAt.getTime();
          }
          expect(inner).toBeLessThanOrEqual(i.toAt.getTime());
          free = i.toAt.getTime();
        }
      }),
      { numRuns: 150 },
    );
  });

  it("shifts without a hole on the wall clock leave no hole in time, and sum to the days' true length", () => {
    const cuts = fc.uniqueArray(fc.integer({ min: 1, max: 1439 }), { minLength: 1, maxLength: 4 }).map((c) => [...c].sort((a, b) => a - b));
    fc.assert(
      fc.property(cuts, fc.constantFrom(...zones), from, (starts, zone, fromDate) => {
        const shifts = starts.map((startMin, shiftId) =>
          shiftTimes({ shiftId, name: "s", weekdays: [1, 2, 3, 4, 5, 6, 7], startMin, endMin: starts[shiftId + 1] ?? starts[0] ?? 0, breaks: [] }),
        );
        const toDate = addDays(fromDate, 10);
        const found = shiftInstances(always(...shifts), zone, fromDate, toDate);
        for (const [n, i] of found.entries()) if (n > 0) expect(i.fromAt).toEqual(found[n - 1]?.toAt);
        expect(found[0]?.fromAt).toEqual(instantOf(fromDate, starts[0] ?? 0, zone));
        expect(found.at(-1)?.toAt).toEqual(instantOf(toDate, starts[0] ?? 0, zone));
      }),
      { numRuns: 150 },
    );
  });

  it("a window is the sum of its parts", () => {
    fc.assert(
      fc.property(pattern, pattern, fc.constantFrom(...zones), from, fc.integer({ min: 1, max: 9 }), (a, b, zone, fromDate, split) => {
        const change = addDays(fromDate, 4);
        const periods: PatternPeriod[] = [
          { fromDate: "1970-01-01", toDate: change, shifts: a },
          { fromDate: change, toDate: null, shifts: b },
        ];
        const middle = addDays(fromDate, split);
        const end = addDays(fromDate, 10);
        expect([...shiftInstances(periods, zone, fromDate, middle), ...shiftInstances(periods, zone, middle, end)]).toEqual(
          shiftInstances(periods, zone, fromDate, end),
        );
      }),
      { numRuns: 100 },
    );
  });
});
