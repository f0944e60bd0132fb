import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { exportPlant } from "./export.ts";
import { later, m1, PlantStage, small } from "./testing.ts";

let stage: PlantStage;
const apply = (text: string, now?: Date) => stage.apply(text, now);
const give = (signal: string, at?: Date) => stage.give(signal, at);
const column = (sql: string) => stage.column(sql);
beforeEach(async () => {
  stage = await PlantStage.open();
});
afterEach(() => stage.close());

describe("what holds from a time on", () => {
  const rates = () =>
    column("select concat_ws(' ', ideal_cycle_s, from_at at time zone 'UTC', to_at at time zone 'UTC') as x from ideal_cycle order by from_at");
  const patterns = () =>
    column(
      "select concat_ws(' ', p.key, l.from_date, l.to_date) as x from line_shift_pattern l join shift_pattern p on p.id = l.shift_pattern_id order by l.from_date",
    );
  const withRates = (list: string) => small(`- { key: m1, ideal_cycles: ${list}, signals: [{ key: state, role: state }] }`);

  it("rates: ever, then from now, then as the file says; what leaves the file ends", async () => {
    await apply(withRates("[{ seconds: 4 }]"));
    expect(await rates()).toEqual(["4 1970-01-01 00:00:00"]);
    const [first] = await column("select id as x from ideal_cycle");
    await apply(withRates("[{ seconds: 5 }]"), later(1));
    expect(await rates()).toEqual(["4 1970-01-01 00:00:00 2026-05-20 11:00:00", "5 2026-05-20 11:00:00"]);
    expect(await column("select min(id) as x from ideal_cycle")).toEqual([first]);
    expect((await apply(withRates("[{ seconds: 5 }]"), later(2))).lines).toEqual([]);
    await apply(withRates("[{ seconds: 5 }, { seconds: 6, from: 2026-06-01 }]"), later(3));
    expect(await rates()).toEqual(["4 1970-01-01 00:00:00 2026-05-20 11:00:00", "5 2026-05-20 11:00:00 2026-05-31 22:00:00", "6 2026-05-31 22:00:00"]);
    const rewritten = await apply(withRates("[{ seconds: 7, from: 2026-05-01T06:00 }]"), later(4));
    expect(rewritten.lines).toEqual([
      "~ ideal cycle of machine berlin/hall/l1/m1: 4 s until 2026-05-20 13:00:00, 5 s from 2026-05-20 13:00:00 until 2026-06-01, 6 s from 2026-06-01 -> 4 s until 2026-05-01 06:00:00, 7 s from 2026-05-01 06:00:00",
    ]);
    await apply(withRates("[]"), later(5));
    expect(await rates()).toEqual(["4 1970-01-01 00:00:00 2026-05-01 04:00:00", "7 2026-05-01 04:00:00 2026-05-20 15:00:00"]);
  });
  it("a first rate of a machine that has sent values holds from now, unless the file says from when", async () => {
    await apply(withRates("[]"));
    await give("m1/state");
    await apply(withRates("[{ seconds: 4 }]"), later(1));
    expect(await rates()).toEqual(["4 2026-05-20 11:00:00"]);
    await apply(withRates("[{ seconds: 4, from: 2026-01-01T00:00:00Z }]"), later(2));
    expect(await rates()).toEqual(["4 2026-01-01 00:00:00"]);
  });
  it("a product that has a past is retired, with its rates", async () => {
    const text = withRates("[{ seconds: 4 }, { product: B, seconds: 3 }]");
    await apply(text);
    await give("m1/state");
    const plan = await apply(text.replace(", { key: B }", "").replace(", { product: B, seconds: 3 }", ""), later(1));
    expect(plan.lines).toEqual([
      "~ ideal cycle of machine berlin/hall/l1/m1 for product B: 3 s -> 3 s until 2026-05-20 13:00:00",
      "- product B: retired, its history stays",
    ]);
  });
  it("line patterns change tomorrow; today's shift and what has begun stay", async () => {
    await apply(small(m1));
    await give("m1/state");
    const before = await column(
      "select concat_ws(' ', business_date, from_at, to_at) as x from shift_instance where from_at <= '2026-05-20 12:00Z' order by from_at",
    );
    const plan = await apply(small(m1).replace("shift_pattern: day", "shift_pattern: long"), later(1));
    expect(plan.lines).toEqual(["~ shift pattern of line berlin/hall/l1: day -> day until 2026-05-21, long from 2026-05-21"]);
    expect(await patterns()).toEqual(["day 1970-01-01 2026-05-21", "long 2026-05-21"]);
    expect(
      await column("select concat_ws(' ', business_date, from_at, to_at) as x from shift_instance where from_at <= '2026-05-20 12:00Z' order by from_at"),
    ).toEqual(before);
    expect(await column("select distinct (to_at - from_at)::text as x from shift_instance where from_at > '2026-05-20 12:00Z'")).toEqual(["12:00:00"]);
    expect((await apply(small(m1).replace("shift_pattern: day", "shift_pattern: long"), later(30))).lines).toEqual([]);
  });
  it("a pattern that a line worked by is retired, and its shifts stay with it", async () => {
    await apply(small(m1).replace("shift_pattern: day", "shift_pattern: long"));
    await give("m1/state");
    const without = small(m1).replace(/ {6}- \{ key: long.*\n/, "");
    expect((await apply(without, later(1))).lines).toEqual([
      "~ shift pattern of line berlin/hall/l1: long -> long until 2026-05-21, day from 2026-05-21",
      "- shift pattern berlin/long: retired, its history stays",
    ]);
    expect(await column("select count(*)::int as x from shift")).toEqual([2]);
    expect((await apply(without, later(2))).lines).toEqual([]);
    const text = await exportPlant(stage.db);
    expect(text).toContain("- { pattern: day, from: 2026-05-21 }");
    expect((await apply(text ?? "", later(2))).lines).toEqual([]);
  });
});
