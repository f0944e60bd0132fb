import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { aDatabase, aLine, type TestDatabase, type TestLine } from "#/server/testing.ts";
import { materializeShiftInstances, shiftsWindow } from "./shift-instances.ts";

let db: TestDatabase;
beforeAll(async () => {
  db = await aDatabase();
});
afterAll(() => db.drop());

const noon = new Date("2026-10-14T10:00:00Z"); // a Wednesday, 12:00 in Berlin; clocks change on the 25th
let line: TestLine;
let patternId = 0;
beforeEach(async () => {
  await db.asOwner.rows("truncate enterprise cascade");
  line = await aLine(db, { zone: "Europe/Berlin" });
  patternId = await newPattern();
  await work(line.lineId, patternId, "1970-01-01");
  await shift("Early", "06:00", "14:00", "{1,2,3,4,5}", [["09:00", "09:15"]]);
  await shift("Night", "22:00", "06:00", "{1,2,3,4,5,6}", [["02:00", "02:30"]]);
});

const id = async (sql: string, parameters: readonly unknown[]) => (await db.rows<{ id: number }>(`${sql} returning id`, parameters))[0]?.id ?? 0;
const newPattern = (key = "p") => id("insert into shift_pattern (site_id, key, name) values ($1, $2, $2)", [line.siteId, key]);
const work = (lineId: number, pattern: number, from: string) =>
  id("insert into line_shift_pattern (line_id, shift_pattern_id, from_date) values ($1, $2, $3)", [lineId, pattern, from]);
async function shift(key: string, start: string, end: string, weekdays: string, breaks: [string, string][] = [], pattern = patternId): Promise<void> {
  const shiftId = await id("insert into shift (shift_pattern_id, key, name, weekdays, start_local, end_local) values ($1, $2, $2, $3, $4, $5)", [
    pattern,
    key,
    weekdays,
    start,
    end,
  ]);
  for (const [from, to] of breaks)
    await db.rows("insert into shift_break (shift_id, name, start_local, end_local) values ($1, 'Break', $2, $3)", [shiftId, from, to]);
}
const layOut = (now = noon) => materializeShiftInstances(db, shiftsWindow(now));
const instances = async (where = "true") =>
  (
    await db.rows<{ x: string }>(
      `select concat_ws(' ', i.business_date, i.name, to_char(i.from_at at time zone 'UTC', 'DD HH24:MI'), to_char(i.to_at at time zone 'UTC', 'DD HH24:MI'), nullif(i.status, 'planned'),
         (select string_agg(to_char(b.from_at at time zone 'UTC', 'HH24:MI') || '-' || to_char(b.to_at at time zone 'UTC', 'HH24:MI'), ',' order by b.from_at)
          from shift_instance_break b where b.shift_instance_id = i.id)) as x
       from shift_instance i where ${where} order by i.from_at`,
    )
  ).map((row) => row.x);
const revision = async () => (await db.rows<{ revision: string }>("select revision from plant_revision"))[0]?.revision;

describe("materializeShiftInstances", () => {
  it("lays out 15 days back and 60 ahead, with breaks, also over the night when clocks change", async () => {
    await layOut();
    expect(await instances("business_date between '2026-10-14' and '2026-10-15'")).toEqual([
      "2026-10-14 Early 14 04:00 14 12:00 07:00-07:15",
      "2026-10-14 Night 14 20:00 15 04:00 00:00-00:30",
      "2026-10-15 Early 15 04:00 15 12:00 07:00-07:15",
      "2026-10-15 Night 15 20:00 16 04:00 00:00-00:30",
    ]);
    expect(await instances("business_date between '2026-10-24' and '2026-10-26'")).toEqual([
      "2026-10-24 Night 24 20:00 25 05:00 00:00-00:30",
      "2026-10-26 Early 26 05:00 26 13:00 08:00-08:15",
      "2026-10-26 Night 26 21:00 27 05:00 01:00-01:30",
    ]);
    expect((await db.rows("select min(business_date)::text as first, max(business_date)::text as last from shift_instance"))[0]).toEqual({
      first: "2026-09-29",
      last: "2026-12-12",
    });
  });

  it("is safe to repeat, and moves on with the days", async () => {
    await layOut();
    const before = await revision();
    expect(await layOut()).toEqual({ added: 0, removed: 0 });
    expect(await revision()).toBe(before);
    expect(await layOut(new Date("2026-10-15T00:00:00Z"))).toEqual({ added: 2, removed: 0 }); // Monday, December 14
    expect(await layOut(new Date("2026-10-15T12:00:00Z"))).toEqual({ added: 0, removed: 0 });
  });

  it("changes what is to come, and never what has begun", async () => {
    await layOut();
    const begun = await instances(`from_at <= '${noon.toISOString()}'`);
    await db.rows("delete from shift where key = 'Night'");
    await db.rows("update shift set start_local = '05:00', end_local = '13:30' where key = 'Early'");
    await layOut();
    expect(await instances(`from_at <= '${noon.toISOString()}'`)).toEqual(begun);
    expect(await instances("business_date between '2026-10-14' and '2026-10-16'")).toEqual([
      "2026-10-14 Early 14 04:00 14 12:00 07:00-07:15",
      "2026-10-15 Early 15 03:00 15 11:30 07:00-07:15",
      "2026-10-16 Early 16 03:00 16 11:30 07:00-07:15",
    ]);
  });

  it("lets the running shift end before the next one begins", async () => {
    await layOut();
    await db.rows("update shift set end_local = '12:00' where key = 'Early'");
    await shift("Late", "12:00", "20:00", "{1,2,3,4,5}");
    await layOut(new Date("2026-10-14T09:30:00Z")); // Early runs until 14:00, and Late would begin at 12:00
    expect(await instances("business_date between '2026-10-14' and '2026-10-15' and name <> 'Night'")).toEqual([
      "2026-10-14 Early 14 04:00 14 12:00 07:00-07:15",
      "2026-10-14 Late 14 12:00 14 18:00",
      "2026-10-15 Early 15 04:00 15 10:00 07:00-07:15",
      "2026-10-15 Late 15 10:00 15 18:00",
    ]);
  });

  it("leaves extra and cancelled shifts alone and fits around the extra ones", async () => {
    await layOut();
    await db.rows("update shift_instance set status = 'cancelled' where business_date = '2026-10-20' and name = 'Early'");
    await db.rows("delete from shift_instance where business_date = '2026-10-21'");
    await db.rows(
      "insert into shift_instance (line_id, name, business_date, from_at, to_at, status) values ($1, 'Stocktaking', '2026-10-21', '2026-10-21 04:00Z', '2026-10-21 07:10Z', 'extra')",
      [line.lineId],
    );
    await layOut();
    expect(await instances("business_date between '2026-10-20' and '2026-10-21'")).toEqual([
      "2026-10-20 Early 20 04:00 20 12:00 cancelled 07:00-07:15",
      "2026-10-20 Night 20 20:00 21 04:00 00:00-00:30",
      "2026-10-21 Stocktaking 21 04:00 21 07:10 extra",
      "2026-10-21 Early 21 07:10 21 12:00 07:10-07:15",
      "2026-10-21 Night 21 20:00 22 04:00 00:00-00:30",
    ]);
  });

  it("adds no shift to a past that was laid out otherwise, but fills days that nobody laid out", async () => {
    await layOut();
    await shift("Late", "14:00", "22:00", "{1,2,3,4,5}");
    await layOut();
    expect((await instances("name = 'Late'"))[0]).toBe("2026-10-14 Late 14 12:00 14 20:00");
    await layOut(new Date("2026-12-30T12:00:00Z")); // the jobs were away for 11 weeks
    expect(await instances("business_date = '2026-12-14'")).toEqual([]); // more than 15 days back
    expect(await instances("business_date = '2026-12-15'")).toHaveLength(3);
  });

  it("gives a new line its first days, and takes a retired one's coming shifts away", async () => {
    await layOut();
    const areaLine = await id("insert into line (area_id, key, name) values ($1, 'second', 'second')", [line.areaId]);
    await work(areaLine, patternId, "2026-10-05");
    await layOut();
    expect((await instances(`line_id = ${areaLine}`))[0]).toBe("2026-10-05 Early 05 04:00 05 12:00 07:00-07:15");
    await db.rows("update line set retired_at = $1 where id = $2", [noon, areaLine]);
    await layOut();
    expect(await instances(`line_id = ${areaLine} and from_at > '${noon.toISOString()}'`)).toEqual([]);
    expect(await instances(`line_id = ${areaLine}`)).not.toEqual([]);
    expect(await instances(`line_id = ${line.lineId} and from_at > '${noon.toISOString()}'`)).not.toEqual([]);
  });

  it("changes the pattern on its day", async () => {
    const other = await newPattern("q");
    await shift("Day", "05:00", "17:00", "{1,2,3,4,5}", [], other);
    await db.rows("update line_shift_pattern set to_date = '2026-10-20' where line_id = $1", [line.lineId]);
    await work(line.lineId, other, "2026-10-20");
    await layOut();
    expect(await instances("business_date between '2026-10-19' and '2026-10-21'")).toEqual([
      "2026-10-19 Early 19 04:00 19 12:00 07:00-07:15",
      "2026-10-19 Night 19 20:00 20 04:00 00:00-00:30",
      "2026-10-20 Day 20 04:00 20 15:00",
      "2026-10-21 Day 21 03:00 21 15:00",
    ]);
  });
});
