// What the database holds by itself, whoever writes: reasons, shifts with their breaks, and the calendar.
import type pg from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { aDatabase, aLine, type TestDatabase, type TestLine } from "#/server/testing.ts";
import { check, exclusion, foreignKey, refusedBy, type Statement } from "./testing.ts";

let db: TestDatabase;
let client: pg.Client;
let line: TestLine;
beforeAll(async () => {
  db = await aDatabase();
  client = await db.connect();
});
afterAll(() => db.drop());
beforeEach(async () => {
  await db.asOwner.rows("truncate enterprise cascade");
  line = await aLine(db);
});

const refused = (...statements: Statement[]) => refusedBy(client, statements);
const id = async (sql: string, ...parameters: unknown[]) => (await db.rows<{ id: number }>(`${sql} returning id`, parameters))[0]?.id ?? 0;

describe("reasons and shifts", () => {
  it("a reason's parent is of its site, and a fault code in use means one reason of a site", async () => {
    const other = await aLine(db);
    const reason = (siteId: number, key: string, code: string | null = null) =>
      id("insert into reason (site_id, key, name, loss, fault_code) values ($1, $2, $2, 'other', $3)", siteId, key, code);
    const [a, b, far] = [await reason(line.siteId, "a", "17"), await reason(line.siteId, "b"), await reason(other.siteId, "c", "17")];
    expect(await refused(["update reason set parent_id = $2 where id = $1", b, a])).toBeNull();
    expect(await refused(["update reason set parent_id = $2 where id = $1", b, far])).toBe(foreignKey);
    const same: Statement = ["update reason set fault_code = '17' where id = $1", b];
    expect(await refused(same)).toBe(exclusion);
    expect(await refused(same, ["update reason set retired_at = now() where id = $1", a])).toBeNull();
  });

  const pattern = (siteId = line.siteId) => id("insert into shift_pattern (site_id, key, name) values ($1, 'p', 'P')", siteId);
  const shift = (patternId: number, key: string, start: string, end: string, weekdays = "{1,2,3,4,5}"): Statement => [
    "insert into shift (shift_pattern_id, key, name, weekdays, start_local, end_local) values ($1, $2, $2, $3, $4, $5)",
    patternId,
    key,
    weekdays,
    start,
    end,
  ];

  it("a line works by patterns of its site", async () => {
    const work = (patternId: number) =>
      refused(["insert into line_shift_pattern (line_id, shift_pattern_id, from_date) values ($1, $2, '2026-01-01')", line.lineId, patternId]);
    expect(await work(await pattern())).toBeNull();
    expect(await work(await pattern((await aLine(db)).siteId))).toBe(foreignKey);
  });

  it("a calendar takes away shifts of its site, on lines of its site", async () => {
    const other = await aLine(db);
    const [ours, theirs] = [await pattern(), await pattern(other.siteId)];
    const shiftOf = async (patternId: number) => {
      const [sql, ...parameters] = shift(patternId, "s", "06:00", "14:00");
      return id(sql, ...parameters);
    };
    const [ourShift, theirShift] = [await shiftOf(ours), await shiftOf(theirs)];
    const cancelled = (shiftId: number, lineId: number | null): Statement => [
      "insert into calendar_entry (site_id, key, name, kind, line_id, shift_id, first_date, last_date) values ($1, 'c', 'C', 'cancelled_shift', $2, $3, '2026-01-01', '2026-01-01')",
      line.siteId,
      lineId,
      shiftId,
    ];
    expect([await refused(cancelled(ourShift, null)), await refused(cancelled(ourShift, line.lineId))]).toEqual([null, null]);
    expect([await refused(cancelled(theirShift, null)), await refused(cancelled(ourShift, other.lineId))]).toEqual([foreignKey, foreignKey]);
    // A shift that goes to a pattern of another site, or a pattern that goes there, leaves the calendar behind.
    const moved: Statement = ["update shift set shift_pattern_id = $2, key = 'moved' where id = $1", ourShift, theirs];
    expect(await refused(["update shift set weekdays = '{6}' where id = $1", theirShift], moved)).toBeNull();
    expect(await refused(["update shift set weekdays = '{6}' where id = $1", theirShift], cancelled(ourShift, null), moved)).toBe(foreignKey);
    expect(await refused(["update shift_pattern set site_id = $2, key = 'moved' where id = $1", ours, other.siteId])).toBeNull();
    expect(await refused(cancelled(ourShift, null), ["update shift_pattern set site_id = $2, key = 'moved' where id = $1", ours, other.siteId])).toBe(
      foreignKey,
    );
    expect(await refused(["update shift set site_id = $2 where id = $1", ourShift, other.siteId])).toBe(foreignKey);
  });

  it.each<[string, [string, string, string?][], string | null]>([
    [
      "touch",
      [
        ["06:00", "14:00"],
        ["14:00", "22:00"],
        ["22:00", "06:00"],
      ],
      null,
    ],
    [
      "overlap by an hour",
      [
        ["06:00", "14:00"],
        ["13:00", "22:00"],
      ],
      exclusion,
    ],
    [
      "overlap on other days",
      [
        ["06:00", "14:00", "{1}"],
        ["13:00", "22:00", "{2}"],
      ],
      null,
    ],
    [
      "the night before reaches in",
      [
        ["22:00", "06:00", "{1}"],
        ["05:00", "13:00", "{2}"],
      ],
      exclusion,
    ],
    [
      "round the week's end",
      [
        ["22:00", "06:00", "{7}"],
        ["05:00", "13:00", "{1}"],
      ],
      exclusion,
    ],
    ["a whole day, every day", [["06:00", "06:00", "{1,2,3,4,5,6,7}"]], null],
    [
      "a whole day and something in it",
      [
        ["06:00", "06:00", "{3}"],
        ["05:00", "05:30", "{4}"],
      ],
      exclusion,
    ],
  ])("shifts of one pattern: %s", async (_name, shifts, code) => {
    const patternId = await pattern();
    expect(await refused(...shifts.map(([start, end, days], i) => shift(patternId, `s${i}`, start, end, days)))).toBe(code);
  });

  it("two shifts may change places in one transaction", async () => {
    const patternId = await pattern();
    for (const [sql, ...parameters] of [shift(patternId, "a", "06:00", "14:00"), shift(patternId, "b", "14:00", "22:00")]) await db.rows(sql, parameters);
    const to = (key: string, start: string, end: string): Statement => ["update shift set start_local = $2, end_local = $3 where key = $1", key, start, end];
    expect(await refused(to("a", "14:00", "22:00"))).toBe(exclusion);
    expect(await refused(to("a", "14:00", "22:00"), to("b", "06:00", "14:00"))).toBeNull();
  });

  it.each<[string, [start: string, end: string], [start: string, end: string][], string | null]>([
    [
      "inside",
      ["06:00", "14:00"],
      [
        ["06:00", "06:15"],
        ["13:45", "14:00"],
      ],
      null,
    ],
    ["begins before", ["06:00", "14:00"], [["05:45", "06:15"]], check],
    ["ends after", ["06:00", "14:00"], [["13:45", "14:15"]], check],
    ["outside", ["06:00", "14:00"], [["15:00", "15:15"]], check],
    ["no length", ["06:00", "14:00"], [["09:00", "09:00"]], check],
    [
      "over midnight",
      ["22:00", "06:00"],
      [
        ["23:45", "00:15"],
        ["02:00", "02:30"],
      ],
      null,
    ],
    [
      "overlap over midnight",
      ["22:00", "06:00"],
      [
        ["23:45", "00:15"],
        ["00:10", "00:30"],
      ],
      exclusion,
    ],
    [
      "overlap",
      ["06:00", "14:00"],
      [
        ["09:00", "09:15"],
        ["09:10", "09:30"],
      ],
      exclusion,
    ],
    [
      "touch",
      ["06:00", "14:00"],
      [
        ["09:00", "09:15"],
        ["09:15", "09:30"],
      ],
      null,
    ],
    [
      "of a shift of a day",
      ["06:00", "06:00"],
      [
        ["05:30", "06:00"],
        ["06:00", "06:30"],
      ],
      null,
    ],
    ["of a shift of a day, over its end", ["06:00", "06:00"], [["05:30", "06:15"]], check],
  ])("breaks: %s", async (_name, [start, end], breaks, code) => {
    const patternId = await pattern();
    const [sql, ...parameters] = shift(patternId, "s", start, end);
    const shiftId = await id(sql, ...parameters);
    const rests = breaks.map(
      ([from, to]): Statement => ["insert into shift_break (shift_id, name, start_local, end_local) values ($1, 'Break', $2, $3)", shiftId, from, to],
    );
    expect(await refused(...rests)).toBe(code);
  });

  it("a shift does not move away from its breaks", async () => {
    const [sql, ...parameters] = shift(await pattern(), "s", "06:00", "14:00");
    const shiftId = await id(sql, ...parameters);
    await db.rows("insert into shift_break (shift_id, name, start_local, end_local) values ($1, 'Break', '09:00', '09:15')", [shiftId]);
    const moved = (start: string, end: string) => refused(["update shift set start_local = $2, end_local = $3 where id = $1", shiftId, start, end]);
    expect(await moved("05:00", "13:00")).toBeNull();
    expect(await moved("14:00", "22:00")).toBe(check);
  });
});
