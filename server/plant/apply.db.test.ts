import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Db } from "#/server/db.ts";
import { readPlantFile } from "./read-file.ts";
import { applyPlan, planPlant } from "./service.ts";
import { example, later, m1, m2, noon, PlantStage, small } from "./testing.ts";

let stage: PlantStage;
const apply = (text: string, now?: Date) => stage.apply(text, now);
const give = (signal: string, at?: Date) => stage.give(signal, at);
const column = (sql: string) => stage.column(sql);
beforeEach(async () => {
  stage = await PlantStage.open();
});
afterEach(() => stage.close());

const revision = async () => (await stage.db.rows<{ revision: string }>("select revision from plant_revision"))[0]?.revision;

describe("apply", () => {
  it("makes the plant, its sources, mappings and shifts; the second time there is nothing to change", async () => {
    const plan = await apply(example);
    expect(plan.lines).toEqual([
      '+ enterprise acme "Acme Housings" with 1 product line, 2 products',
      '+ site berlin "Berlin works" with 1 shift pattern, 2 shifts, 2 reasons, 1 team, 3 sources',
      '+ area berlin/press-shop "Press shop"',
      '+ line berlin/press-shop/line-1 "Line 1" with 2 machines, 7 signals',
    ]);
    expect(await column("select form || ' ' || address || ' ' || no_data_timeout_s as x from source order by id")).toEqual([
      "mapped energy-meters 60",
      "json berlin/press-shop/line-1/press-1 60",
      "sparkplug Berlin/Edge1/Packer1 300",
    ]);
    expect(await column("select concat_ws(' ', form, pattern, path, ts_path) as x from topic_mapping order by id")).toEqual([
      "sparkplug Berlin/Edge1/Packer1 Status/State",
      "sparkplug Berlin/Edge1/Packer1 Good",
      "json meters/packer-1/+ data.0.wh data.0.time",
    ]);
    expect(await column("select concat_ws(' ', name, weekdays, start_local, end_local) as x from shift order by id")).toEqual([
      "Early {1,2,3,4,5} 06:00:00 14:00:00",
      "Night {1,2,3,4} 22:00:00 06:00:00",
    ]);
    expect(
      await column("select r.key || ' < ' || p.key || ' ' || r.loss || ' ' || r.fault_code as x from reason r join reason p on p.id = r.parent_id"),
    ).toEqual(["belt < mechanical breakdown 17"]);
    expect(
      await column(
        "select concat_ws(' ', p.key, c.ideal_cycle_s, c.from_at at time zone 'Europe/Berlin', c.to_at at time zone 'Europe/Berlin') as x from ideal_cycle c left join product p on p.id = c.product_id order by c.id",
      ),
    ).toEqual(["4.2 1970-01-01 01:00:00", "H-200 5 1970-01-01 01:00:00 2026-04-01 00:00:00", "H-200 4.8 2026-04-01 00:00:00"]);
    expect(
      await column(
        "select l.constraint_machine_id = c.id and l.last_machine_id = u.downstream_id as x from line l, machine c, machine u where c.key = 'press-1' and u.key = 'press-1'",
      ),
    ).toEqual([true]);
    // 15 days back and 60 ahead: 11 working days, today, 43 to come; nights Monday to Thursday
    const instances = await stage.db.rows<{ name: string; n: number; first: string; last: string }>(
      "select name, count(*)::int as n, min(business_date)::text as first, max(business_date)::text as last from shift_instance group by name order by name",
    );
    expect(instances).toEqual([
      { name: "Early", n: 54, first: "2026-05-05", last: "2026-07-17" },
      { name: "Night", n: 43, first: "2026-05-05", last: "2026-07-16" },
    ]);
    const before = await revision();
    expect((await apply(example, later(3))).lines).toEqual([]);
    expect(await revision()).toBe(before);
  });

  it("shows old and new, and wakes those who keep a copy", async () => {
    await apply(example);
    await stage.client.query("listen plant");
    const woken: string[] = [];
    stage.client.on("notification", ({ channel }) => woken.push(channel));
    const plan = await apply(
      example
        .replace("kind: press\n", "kind: cnc\n")
        .replace("no_count_timeout: 90s", "no_count_timeout: 2m")
        .replace("zone: Europe/Berlin", "zone: Europe/Paris")
        .replace("start: 09:00, end: 09:15", "start: 09:00, end: 09:30")
        .replace("metric: Status/State", "metric: State")
        .replace("low: -20, high: 150", "high: 120")
        .replace("{ seconds: 4.2 }", "{ seconds: 4.5 }")
        .replace("days: mon-thu, start", "days: mon-fri, start")
        .replace("{ key: maintenance, name: Maintenance }", "{ key: maintenance, name: Maintainers }")
        .replace("{ key: belt, name: Belt torn, fault_code: 17 }", "{ key: belt, name: Belt torn, loss: other }"),
      later(1),
    );
    expect(plan.lines).toEqual([
      "~ site berlin: zone Europe/Berlin -> Europe/Paris",
      "~ shift berlin/two-shift/early: breaks Breakfast 09:00-09:15 -> Breakfast 09:00-09:30",
      "~ shift berlin/two-shift/night: days mon-thu -> mon-fri",
      "~ reason berlin/belt: loss breakdown -> other, fault code 17 -> none",
      "~ team berlin/maintenance: name Maintenance -> Maintainers",
      "~ machine berlin/press-shop/line-1/press-1: kind press -> cnc, no count timeout 90s -> 2m",
      "~ signal berlin/press-shop/line-1/press-1/oil-temp: low -20 -> none, high 150 -> 120",
      "~ signal berlin/press-shop/line-1/packer-1/state: mapping metric Status/State of Berlin/Edge1/Packer1 -> metric State of Berlin/Edge1/Packer1",
      "~ ideal cycle of machine berlin/press-shop/line-1/press-1: 4.2 s -> 4.2 s until 2026-05-20 13:00:00, 4.5 s from 2026-05-20 13:00:00",
    ]);
    expect(plan.summary).toBe("9 changed");
    await stage.client.query("select 1");
    expect(woken.length).toBeGreaterThan(0);
  });

  it("deletes what never had history and retires what had, with what it stands on; both come back", async () => {
    await apply(small(`${m1}\n${m2}`));
    await give("m1/temp");
    const plan = await apply(small("[]"), later(1));
    expect(plan.lines.filter((line) => line.includes("retired")).sort()).toEqual([
      "- machine berlin/hall/l1/m1: retired, its history stays",
      "- signal berlin/hall/l1/m1/temp: retired, its history stays",
      "- source berlin/hall/l1/m1: retired, its history stays",
    ]);
    expect(plan.lines.filter((line) => line.includes("deleted")).sort()).toEqual([
      "- machine berlin/hall/l1/m2: deleted, it has no history",
      "- signal berlin/hall/l1/m1/state: deleted, it has no history",
      "- signal berlin/hall/l1/m2/good: deleted, it has no history",
      "- source berlin/hall/l1/m2: deleted, it has no history",
    ]);
    expect(await column("select key || (retired_at is not null)::text as x from machine")).toEqual(["m1true"]);
    expect(await column("select key || (retired_at is not null)::text as x from signal")).toEqual(["temptrue"]);
    expect((await apply(small("[]"), later(2))).lines).toEqual([]);

    const back = await apply(small(m1), later(3));
    expect(back.lines).toEqual([
      "+ signal berlin/hall/l1/m1/state",
      "~ machine berlin/hall/l1/m1: back, with its history",
      "~ source berlin/hall/l1/m1: back, with its history",
      "~ signal berlin/hall/l1/m1/temp: back, with its history",
    ]);
    expect(await column("select count(*)::int as x from signal where retired_at is null")).toEqual([2]);
    expect(await column("select count(*)::int as x from sample")).toEqual([1]);
  });

  it("retires a site with history as a whole, and deletes one without", async () => {
    const other =
      "  - { key: chicago, zone: America/Chicago, teams: [{ key: t }], shift_patterns: [{ key: p, shifts: [{ key: s, days: daily, start: 06:00, end: 14:00 }] }], areas: [{ key: a, lines: [{ key: l, shift_pattern: p, machines: [{ key: m9, signals: [{ key: state, role: state }] }] }] }] }";
    await apply(small(m1, other));
    await give("m1/state");
    const only = `enterprise: { key: acme }\nproduct_lines: [{ key: pl, products: [{ key: A }, { key: B }] }]\nsites:\n${other}`;
    const retired = await apply(only, later(1));
    expect(retired.summary).toBe("7 retired, 3 deleted");
    expect(
      await column(
        "select status || count(*) filter (where from_at > now()) as x from shift_instance i join line l on l.id = i.line_id where l.key = 'l1' and i.from_at > '2026-05-20 11:00Z' group by status",
      ),
    ).toEqual([]);
    const deleted = await apply("enterprise: { key: acme }", later(2));
    expect(deleted.lines.filter((line) => line.includes("chicago") && !line.endsWith("deleted, it has no history"))).toEqual([]);
    expect(await column("select key as x from site order by id")).toEqual(["berlin"]);
    expect(await column("select count(*)::int as x from machine")).toEqual([1]);
  });

  it("keeps a deleted line's neighbours and constraint clean", async () => {
    const two = (constraint: string) => small(`${m1}\n${m2}`).replace("shift_pattern: day", `shift_pattern: day${constraint}`);
    await apply(two("\n            topology: constraint\n            constraint_machine: m1\n            last_machine: m2"));
    await give("m2/good");
    await apply(small(m2.replace("upstream: m1, ", "")), later(1));
    expect(await column("select concat_ws(' ', key, upstream_id) as x from machine")).toEqual(["m2"]);
    expect(await column("select concat_ws(' ', topology, constraint_machine_id, last_machine_id) as x from line")).toEqual(["parallel"]);
  });

  it("refuses another enterprise, a rename onto a key in use, and a role of another class where there is history", async () => {
    await apply(small(m1));
    expect((await apply(small(m1).replace("key: acme", "key: other"))).troubles).toEqual([
      'The database holds the enterprise "acme", and the file says "other". If it is the same one with another key, write was: acme beside it.',
    ]);
    await give("m1/temp");
    await apply(small(m2.replace("upstream: m1, ", "")), later(1)); // m1 is retired now
    expect((await apply(small("- { key: m1, was: m2 }"), later(1))).troubles).toEqual([
      'The machine berlin/hall/l1/m2 cannot be renamed to m1: there already is one of that key, retired. Choose another key, or leave "was" out.',
    ]);
    expect((await apply(small(m1.replace("role: measurement, unit: Cel", "role: good_count")), later(1))).troubles).toEqual([
      "The signal berlin/hall/l1/m1/temp has history as measurement and cannot become good_count, which is kept elsewhere. Give the new one a key of its own; the old one is then retired.",
    ]);
  });
});

describe("sizes", () => {
  it("takes as many statements for a hundred machines as for two", async () => {
    const machines = (count: number, unit: string) =>
      small(
        Array.from(
          { length: count },
          (_, i) =>
            `- { key: m${i}, upstream: ${i === 0 ? "" : `m${i - 1}`}, ideal_cycles: [{ seconds: 2 }], signals: [{ key: t, role: measurement, unit: ${unit} }, { key: s, role: state, mapping: { topic: a/${i} } }] }`,
        )
          .join("\n")
          .replace("upstream: , ", ""),
      );
    const count = async (text: string) => {
      let statements = 0;
      const { plant } = readPlantFile(text);
      if (!plant) throw new Error("the file is wrong");
      const tx: Db = {
        rows: async (sql, parameters = []) => {
          statements++;
          return (await stage.client.query(sql, [...parameters])).rows;
        },
      };
      const plan = await planPlant(tx, plant, noon);
      expect(plan.troubles).toEqual([]);
      await applyPlan(tx, plan, noon);
      return statements;
    };
    const few = [await count(machines(2, "Cel")), await count(machines(2, "bar")), await count(small("[]"))];
    const many = [await count(machines(100, "Cel")), await count(machines(100, "bar")), await count(small("[]"))];
    // All but the enterprise, products and site, which the second round finds there already.
    for (const [i, statements] of many.entries()) expect(statements).toBeLessThanOrEqual(few[i] ?? 0);
  });
});

describe("was", () => {
  it("renames from the site down to the signal, and history stays", async () => {
    await apply(small(`${m1}\n${m2}`));
    await give("m1/temp");
    const ids = await column("select id as x from signal order by id");
    const renamed = small(
      `${m1.replace("key: m1", "key: press, was: m1").replace("key: temp", "key: oil, was: temp")}\n${m2.replace("upstream: m1", "upstream: press")}`,
    )
      .replace("key: berlin", "key: bln\n    was: berlin")
      .replace("key: hall", "key: hall-a\n        was: hall")
      .replace("key: l1", "key: line-1\n            was: l1")
      .replace("{ key: A }", "{ key: AA, was: A }")
      .replace("{ key: day,", "{ key: days, was: day,")
      .replace("shift_pattern: day", "shift_pattern: days");
    const plan = await apply(renamed, later(1));
    expect(plan.lines).toEqual([
      "~ product AA: key A -> AA, name A -> AA",
      "~ site bln: key berlin -> bln, name berlin -> bln",
      "~ shift pattern bln/days: key day -> days, name day -> days",
      "~ area bln/hall-a: key hall -> hall-a, name hall -> hall-a",
      "~ line bln/hall-a/line-1: key l1 -> line-1, name l1 -> line-1",
      "~ machine bln/hall-a/line-1/press: key m1 -> press, name m1 -> press",
      "~ signal bln/hall-a/line-1/press/oil: key temp -> oil, name temp -> oil",
    ]);
    expect(await column("select id as x from signal order by id")).toEqual(ids);
    expect(await column("select address as x from source order by id")).toEqual(["bln/hall-a/line-1/press", "bln/hall-a/line-1/m2"]);
    expect((await apply(renamed, later(2))).lines).toEqual([]);
    expect(await column("select count(*)::int as x from shift_instance where business_date > '2026-05-21'")).toEqual([40 + 1]);
  });
  it("is no matter in an empty database", async () => {
    expect((await apply(small("- { key: press, was: m1 }"))).troubles).toEqual([]);
  });
});
