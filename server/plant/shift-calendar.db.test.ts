// Holidays, extra and cancelled shifts in the instances that are laid out; what the calendar says of a day holds when that has begun, too.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { aDatabase, type TestDatabase } from "#/server/testing.ts";
import { applyText } from "./edit-testing.ts";

let db: TestDatabase;
beforeAll(async () => {
  db = await aDatabase();
});
afterAll(() => db.drop());
beforeEach(async () => {
  await db.asOwner.rows("truncate enterprise cascade");
});

const noon = new Date("2026-10-14T10:00:00Z"); // a Wednesday, 12:00 in Berlin: Early runs
const withCalendar = (calendar: string) => `enterprise: { key: acme }
sites:
  - key: berlin
    zone: Europe/Berlin
    shift_patterns: [{ key: p, shifts: [{ key: Early, days: mon-fri, start: 06:00, end: 14:00, breaks: [{ start: 09:00, end: 09:15 }] }, { key: Night, days: mon-fri, start: 22:00, end: 06:00 }] }]
    calendar: [${calendar}]
    areas: [{ key: hall, lines: [{ key: l1, shift_pattern: p }, { key: l2, shift_pattern: p }] }]
`;
const apply = (calendar: string, now = noon) => applyText(db, withCalendar(calendar), now);
const instances = async (from: string, to: string, line = "l1") =>
  (
    await db.rows<{ x: string }>(
      `select concat_ws(' ', i.business_date, i.name, to_char(i.from_at at time zone 'Europe/Berlin', 'HH24:MI'), to_char(i.to_at at time zone 'Europe/Berlin', 'HH24:MI'), nullif(i.status, 'planned')) as x
       from shift_instance i join line l on l.id = i.line_id where l.key = $3 and i.business_date between $1 and $2 order by i.from_at`,
      [from, to, line],
    )
  ).map((row) => row.x);
const at = (day: string, name = "Early") => `${day} ${name} ${name === "Early" ? "06:00 14:00" : "22:00 06:00"}`;

describe("the calendar", () => {
  it("takes shifts away and gives them back, for all lines or one", async () => {
    await apply(
      "{ key: h, kind: holiday, date: 2026-10-20, line: hall/l1 }, { key: c, kind: cancelled_shift, shift: p/Night, date: 2026-10-21, last_date: 2026-10-22 }",
    );
    expect(await instances("2026-10-20", "2026-10-22")).toEqual([
      `${at("2026-10-20")} cancelled`,
      `${at("2026-10-20", "Night")} cancelled`,
      at("2026-10-21"),
      `${at("2026-10-21", "Night")} cancelled`,
      at("2026-10-22"),
      `${at("2026-10-22", "Night")} cancelled`,
    ]);
    expect(await instances("2026-10-20", "2026-10-20", "l2")).toEqual([at("2026-10-20"), at("2026-10-20", "Night")]);
    await apply("");
    expect(await instances("2026-10-20", "2026-10-21")).toEqual([at("2026-10-20"), at("2026-10-20", "Night"), at("2026-10-21"), at("2026-10-21", "Night")]);
    expect(await db.rows("select from shift_instance where by_calendar")).toEqual([]);
  });

  it("adds extra shifts with breaks, around which planned ones fit; another end is another instance", async () => {
    const sat = (end: string) =>
      `{ key: s, name: Saturday, kind: extra_shift, date: 2026-10-17, start: 06:00, end: ${end}, breaks: [{ start: 08:00, end: 08:20 }] }`;
    await apply(sat("12:00"));
    expect(await instances("2026-10-16", "2026-10-18")).toEqual([at("2026-10-16"), at("2026-10-16", "Night"), "2026-10-17 Saturday 06:00 12:00 extra"]);
    expect(
      await db.rows("select count(*)::int as n from shift_instance_break b join shift_instance i on i.id = b.shift_instance_id where i.status = 'extra'"),
    ).toEqual([{ n: 2 }]);
    await apply(sat("13:30"));
    expect(await instances("2026-10-17", "2026-10-17")).toEqual(["2026-10-17 Saturday 06:00 13:30 extra"]);
    await apply(`${sat("13:30")}, { key: t, name: Long, kind: extra_shift, date: 2026-10-15, start: 12:00, end: 18:00 }`);
    expect(await instances("2026-10-15", "2026-10-15")).toEqual([
      "2026-10-15 Early 06:00 12:00",
      "2026-10-15 Long 12:00 18:00 extra",
      at("2026-10-15", "Night"),
    ]);
  });

  it("holds for what has begun: a holiday that was forgotten, an extra shift that was worked, and both taken back", async () => {
    await apply("");
    const forgotten = "{ key: h, kind: holiday, date: 2026-10-13, last_date: 2026-10-14 }";
    await apply(forgotten);
    expect(await instances("2026-10-13", "2026-10-14")).toEqual([
      `${at("2026-10-13")} cancelled`,
      `${at("2026-10-13", "Night")} cancelled`,
      `${at("2026-10-14")} cancelled`,
      `${at("2026-10-14", "Night")} cancelled`,
    ]);
    await apply(`${forgotten}, { key: x, name: Worked, kind: extra_shift, date: 2026-10-13, start: 08:00, end: 12:00 }`);
    expect(await instances("2026-10-13", "2026-10-13")).toContain("2026-10-13 Worked 08:00 12:00 extra");
    await apply("");
    expect(await instances("2026-10-13", "2026-10-14")).toEqual([at("2026-10-13"), at("2026-10-13", "Night"), at("2026-10-14"), at("2026-10-14", "Night")]);
  });

  it("leaves alone what lies before its window, and what was cancelled by hand", async () => {
    await apply("");
    await db.rows("update shift_instance set status = 'cancelled' where business_date = '2026-10-19' and name = 'Early'");
    const before = await instances("2026-09-20", "2026-10-05");
    await apply("{ key: h, kind: holiday, date: 2026-09-20, last_date: 2026-10-05 }", new Date("2026-11-14T10:00:00Z"));
    expect(await instances("2026-09-20", "2026-10-05")).toEqual(before);
    await apply("");
    expect(await instances("2026-10-19", "2026-10-19")).toEqual([`${at("2026-10-19")} cancelled`, at("2026-10-19", "Night")]);
  });
});
