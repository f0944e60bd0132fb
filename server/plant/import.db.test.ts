import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import writeExcelFile from "write-excel-file/universal";
import { closePool } from "#/server/db.ts";
import type { Actor } from "#/server/domain/permission.ts";
import { grant, personWith, program, requestOf } from "#/server/identity/testing.ts";
import { aDatabase, type TestDatabase } from "#/server/testing.ts";
import { applyText, editing, refusal, smallPlant } from "./edit-testing.ts";
import { applyImport, previewImport } from "./import.ts";
import { type SheetName, sheetNames } from "./import-sheets.ts";
import { csvTemplate } from "./import-template.ts";

let db: TestDatabase;
beforeAll(async () => {
  db = await aDatabase();
  process.env.DATABASE_URL = db.url; // changes go through the process's own pool
});
afterAll(async () => {
  await closePool();
  await db.drop();
});
beforeEach(async () => {
  await db.asOwner.rows("truncate enterprise cascade");
  await applyText(db, smallPlant);
});
const { plant, column, siteId } = editing({ rows: (...query) => db.rows(...query) } as TestDatabase);

const bytes = (text: string) => new TextEncoder().encode(text);
const preview = (sheet: SheetName, text: string | Uint8Array, actor: Actor = program) =>
  previewImport(requestOf(db, actor), sheet, typeof text === "string" ? bytes(text) : text);
const apply = (sheet: SheetName, text: string, actor: Actor = program) => applyImport(requestOf(db, actor), sheet, bytes(text));
const told = async (sheet: SheetName, text: string) =>
  (await preview(sheet, text)).faults.map(({ row, column: name, value, sentence }) => `${row} ${name} ${value}: ${sentence}`);

describe("a table", () => {
  it("of machines and signals as a German spreadsheet writes it: previewed, then imported; a second time there is nothing to change", async () => {
    const machines = "\uFEFFline;key;name;kind;upstream;no_count_timeout\r\nberlin/hall/l1;m4;Presse 4;press;m3;90s\r\nberlin/hall/l1;m5;;;;\r\n";
    const seen = await preview("machines", machines);
    expect(seen).toMatchObject({
      rows: 2,
      wrong: 0,
      summary: "2 added",
      lines: ['+ machine berlin/hall/l1/m4 "Presse 4"', "+ machine berlin/hall/l1/m5"],
      header: ["line", "key", "name", "kind", "upstream", "no_count_timeout"],
    });
    expect(await column("select count(*)::int as x from machine")).toEqual([4]);
    await apply("machines", machines);
    expect((await preview("machines", machines)).summary).toBe("");

    const signals = [
      "machine;key;role;unit;scale;low;values;topic;path;keep_raw",
      "berlin/hall/l1/m4;state;state;;;;1=run; 2=down;;;",
      'berlin/hall/l1/m4;temp;measurement;Cel;0,1;-1.000,5;;"hall/m4";data.temp;ja',
    ].join("\n");
    // Semicolons inside of a cell need quotation marks.
    expect((await preview("signals", signals)).faults).toMatchObject([
      { row: 2, column: null, sentence: expect.stringMatching(/^The row has more cells than the header\./) },
    ]);
    await apply("signals", signals.replace("1=run; 2=down", '"1=run; 2=down"'));
    expect((await plant().item({ kind: "signal", address: "berlin/hall/l1/m4/temp" })).fields).toMatchObject({
      scale: 0.1,
      low: -1000.5,
      keep_raw: true,
      mapping: [{ topic: "hall/m4", path: "data.temp" }],
    });
    expect((await plant().item({ kind: "signal", address: "berlin/hall/l1/m4/state" })).fields.values).toEqual({ "1": "run", "2": "down" });
    // What a row does not say stays.
    await apply("signals", "machine,key,role,unit\nberlin/hall/l1/m4,temp,measurement,K\n");
    expect((await plant().item({ kind: "signal", address: "berlin/hall/l1/m4/temp" })).fields).toMatchObject({ unit: "K", scale: 0.1, keep_raw: true });
  });

  it("of rates, costs and targets: rows take the place of what there is for the same product, and leave the rest", async () => {
    await apply("ideal_cycles", "machine,product,seconds,from\nberlin/hall/l1/m1,A,2.5,\nberlin/hall/l1/m1,B,3,2030-01-01\nberlin/hall/l1/m1,B,4,2031-01-01\n");
    expect((await plant().item({ kind: "machine", address: "berlin/hall/l1/m1" })).fields.ideal_cycles).toMatchObject([
      { product: null, seconds: 4 },
      { product: "A", seconds: 3 },
      { product: "A", seconds: 2.5 },
      { product: "B", seconds: 3, from: "2030-01-01" },
      { product: "B", seconds: 4, from: "2031-01-01" },
    ]);
    await apply("product_costs", "site;product;value;scrap;from\nberlin;B;12,50;3;2026-01-01\n");
    await apply("targets", "of,oee,quality\nberlin,75,\nberlin/hall/l1,80,99.5\nberlin/hall/l1/m1,85,\n");
    expect(await column("select oee_percent::float8 as x from target order by 1")).toEqual([75, 80, 85]);
    expect((await plant().item({ kind: "site", address: "berlin" })).fields.product_costs).toMatchObject([
      { product: "A", value: 10 },
      { product: "B", value: 12.5, scrap: 3 },
    ]);
  });

  it("of reasons in any order, products, currency rates, calendar and devices", async () => {
    await apply("reasons", "site,key,name,parent,loss\nberlin,x1,X one,x,\nberlin,x,X,,quality\n");
    expect(await column("select r.key || ' < ' || p.key || ' ' || r.loss as x from reason r join reason p on p.id = r.parent_id where r.key = 'x1'")).toEqual([
      "x1 < x quality",
    ]);
    await apply("products", "product_line,key,name\npl,C,Third\n");
    await apply("currency_rates", "currency,month,rate\nUSD,2026-04,0.92\n");
    await apply("calendar", "site,key,kind,date,start,end\nberlin,sat,extra_shift,28.11.2026,6:00,14:00\n");
    await apply("devices", "site,key,identity,topics\nberlin,gw,berlin-gw,takt/v1/berlin/#; hall/#\n");
    expect(await column("select topics as x from device")).toEqual([["hall/#", "takt/v1/berlin/#"]]);
    expect(await column("select concat_ws(' ', first_date, start_local, end_local) as x from calendar_entry")).toEqual(["2026-11-28 06:00:00 14:00:00"]);
  });

  it("from XLSX, with days and clock times as spreadsheets keep them", async () => {
    const day = { value: new Date("2026-11-28T00:00:00Z"), type: Date, format: "yyyy-mm-dd" };
    const clock = (fraction: number) => ({ value: fraction, format: "hh:mm" });
    const rows = [
      ["site", "key", "kind", "date", "start", "end"].map((value) => ({ value })),
      [{ value: "berlin" }, { value: 4711 }, { value: "extra_shift" }, day, clock(0.25), clock(0.5)],
    ];
    const file = new Uint8Array(await (await writeExcelFile(rows as never, { sheet: "S" }).toBlob()).arrayBuffer());
    expect(await preview("calendar", file)).toMatchObject({ wrong: 0, lines: ["+ calendar entry berlin/4711"] });
  });
});

describe("wrong cells", () => {
  it("are told with row, column and sentence, all at once", async () => {
    expect(
      await told(
        "signals",
        [
          "machine,key,role,unit,low,high,topic",
          "berlin/hall/l1/m1,a,measurement,Cel,abc,5,",
          "berlin/hall/l1/m9,b,measurement,,,,",
          "berlin/hall/l1/m1,c,heat,,,,",
          "berlin/hall/l1/m1,,measurement,,,,",
          "berlin/hall/l1/m1,d,measurement,,9,5,",
          "nowhere/x/y/z,e,measurement,,,,",
          "berlin/hall/l1/m1,a,measurement,,,,",
        ].join("\n"),
      ),
    ).toEqual([
      '2 low abc: Must be a number, but is "abc".',
      '3 machine berlin/hall/l1/m9: There is no machine "berlin/hall/l1/m9".',
      '4 role heat: Must be one of state, good_count, reject_count, rework_count, total_count, fault_code, job, product, measurement, energy, but is "heat".',
      "5 key : This cell must not be empty.",
      '6 low 9: "low" (9) must be below "high" (5).',
      '7 machine nowhere/x/y/z: There is no site "nowhere".',
      "8 key a: This signal is in row 2 already.",
    ]);
    expect(await told("signals", "machine,key,role,topic,path\nberlin/hall/l1/m1,a,measurement,hall/m2,good\n")).toEqual([
      "2 topic hall/m2: The topic hall/m2 with the path good would go to two signals: berlin/hall/l1/m2/good and berlin/hall/l1/m1/a.",
    ]);
    expect(
      await told(
        "ideal_cycles",
        "machine,product,seconds,from,until\nberlin/hall/l1/m1,B,0,,\nberlin/hall/l1/m1,Z,2,,\nberlin/hall/l1/mm,B,2,,\nberlin/hall/l1/m2,A,1,2026-01-01,2025-01-01\n",
      ),
    ).toEqual([
      "2 seconds 0: Must be above 0: it is the ideal time of one piece.",
      '3 product Z: There is no product "Z"; did you mean "A"?',
      '4 machine berlin/hall/l1/mm: There is no machine with the address "berlin/hall/l1/mm".',
      '5 until 2025-01-01: "until" is not later than "from".',
    ]);
    expect(await told("reasons", "site,key,parent,loss\nberlin,a,b,\nberlin,b,a,\n")).toEqual([
      "2 parent b: This reason would stand below itself.",
      "3 parent a: This reason would stand below itself.",
    ]);
    expect(await told("reasons", "site,key,parent,loss\nberlin,deep,torn,\n")).toEqual([
      "2 null : The tree of reasons has 3 levels at most; this would be level 4.",
    ]);
  });

  it("and wrong columns", async () => {
    expect(await told("machines", "line,key,nam\nberlin/hall/l1,a,b\n")).toEqual(['1 nam nam: There is no column "nam" here; did you mean "name"?']);
    expect(await told("machines", "key\na\n")).toEqual(['1 line : The column "line" is missing.']);
    expect(await told("machines", "Line,KEY,key\nberlin/hall/l1,a,b\n")).toEqual(['1 key key: The column "key" is there twice.']);
  });

  it("keep all of the file out", async () => {
    const { code, sentence } = await refusal(apply("machines", "line,key\nberlin/hall/l1,ok\nberlin/hall/l1,not ok\n"));
    expect({ code, sentence }).toMatchObject({
      code: "RULE_BROKEN",
      sentence: expect.stringMatching(/^One cell is wrong; nothing was imported\. Must be 1 to 64/),
    });
    expect(await column("select count(*)::int as x from machine")).toEqual([4]);
  });
});

it("asks for the right at each row's site, and knows of no other", async () => {
  const manager = personWith(grant("plant_manager", await siteId("berlin")));
  const viewer = personWith(grant("viewer", await siteId("berlin")));
  expect((await preview("machines", "line,key\nberlin/hall/l1,a\nchicago/a/l,b\n", manager)).faults).toEqual([
    { row: 3, column: "line", value: "chicago/a/l", sentence: 'There is no site "chicago".' },
  ]);
  expect((await refusal(preview("machines", "line,key\nberlin/hall/l1,a\n", viewer))).code).toBe("FORBIDDEN");
  expect((await refusal(preview("products", "product_line,key\npl,C\n", manager))).code).toBe("FORBIDDEN");
  expect((await preview("targets", "of,oee\nchicago,5\n", manager)).faults).toMatchObject([
    { row: 2, column: "of", sentence: 'There is no site or line or machine with the address "chicago".' },
  ]);
});

it.each(sheetNames)("the template of %s says what is missing in this plant and nothing else", async (sheet) => {
  for (const { sentence } of (await preview(sheet, csvTemplate(sheet))).faults)
    expect(sentence).toMatch(/^(There is no|This (site|line) has no|The money of this site needs)/);
});

it("brings in what stands above machines, and what people work by", async () => {
  await apply("areas", "site,key,name\nberlin,annex,Annex\n");
  await apply("lines", "area,key,name\nberlin/annex,l9,Line 9\n");
  await apply("product_lines", "key,name\ncaps,Caps\n");
  await apply("teams", "site,key,name\nberlin,a,Team A\n");
  await apply("shift_patterns", "site,key,name\nberlin,nights,Nights\n");
  await apply("shifts", "pattern,key,name,days,start,end\nberlin/nights,n,Night,sun-thu,22:00,06:00\n");
  expect(await column("select a.key || '/' || l.key as x from line l join area a on a.id = l.area_id where l.key = 'l9'")).toEqual(["annex/l9"]);
  expect(await column("select name as x from product_line where key = 'caps' union all select name from team where key = 'a'")).toEqual(["Caps", "Team A"]);
  expect(
    await column("select p.key || ' ' || s.start_local::text as x from shift s join shift_pattern p on p.id = s.shift_pattern_id where s.key = 'n'"),
  ).toEqual(["nights 22:00:00"]);
});

it("brings in sites, where whoever imports may make them, and breaks of shifts", async () => {
  const manager = personWith(grant("plant_manager", await siteId("berlin")));
  const sites = "key,name,zone\nlyon,Lyon,Europe/Paris\nberlin,Berlin,\n";
  expect((await refusal(preview("sites", sites, manager))).code).toBe("FORBIDDEN");
  expect(await told("sites", "key,name,zone\nlyon,Lyon,\n")).toEqual([expect.stringMatching(/^2 zone/)]);
  await apply("sites", sites);
  expect(await column("select key || ' ' || zone as x from site order by key")).toEqual(expect.arrayContaining(["berlin Europe/Berlin", "lyon Europe/Paris"]));
  await apply("shift_patterns", "site,key\nlyon,days\n");
  const shifts = (breaks: string) => `pattern,key,days,start,end,breaks\nlyon/days,d,mon-fri,06:00,14:00,${breaks}\n`;
  expect(await told("shifts", shifts("at noon"))).toEqual([expect.stringMatching(/^2 breaks at noon/)]);
  expect(await told("shifts", shifts("15:00-15:10"))).toEqual([expect.stringMatching(/^2 breaks 15:00-15:10/)]);
  await apply("shifts", shifts("Lunch 9:45-10:15; 12:00 - 12:10"));
  expect(await column("select name || ' ' || start_local::text || ' ' || end_local::text as x from shift_break order by start_local")).toEqual([
    "Lunch 09:45:00 10:15:00",
    "Break 12:00:00 12:10:00",
  ]);
});

it("asks what 1,234 means where nothing in the file says it, and knows of no cycle below a millisecond or above 30 days", async () => {
  const seconds = async (...cells: string[]) =>
    (
      await preview("ideal_cycles", `machine,product,seconds\n${cells.map((cell, i) => `berlin/hall/l1/m1,${i === 0 ? "" : "B"},"${cell}"`).join("\n")}\n`)
    ).faults.map(({ row, sentence }) => `${row} ${sentence}`);
  expect(await seconds("1,234")).toEqual(['2 "1,234" may be 1234 or 1.234. Write 1234 without the comma, or 1.234 with a point.']);
  expect(await seconds("1,234", "2.5")).toEqual([]);
  expect(await seconds("1,234", "2,5")).toEqual([]);
  expect(await seconds("1e-9")).toEqual(["2 Must be at least 0.001: no piece takes less than a millisecond."]);
  expect(await seconds("2592001")).toEqual(["2 Must be 2592000 at most: no piece takes longer than 30 days."]);
  expect(await seconds("0")).toEqual(["2 Must be above 0: it is the ideal time of one piece."]);
});

it("takes thousands of rows", async () => {
  const rows = Array.from({ length: 3_000 }, (_, i) => `berlin/hall/l1/m${1 + (i % 3)},s${i},measurement,Cel,hall/${i}/t,v`);
  const file = `machine,key,role,unit,topic,path\n${rows.join("\n")}\n`;
  // m3 is a Sparkplug publisher: topics do not come from it.
  const seen = await preview("signals", file);
  expect({ wrong: seen.wrong, told: seen.faults.length }).toEqual({ wrong: 1_000, told: 1_000 });
  await apply("signals", file.replaceAll("l1/m3", "l1/m2"));
  expect(await column("select count(*)::int as x from signal where key like 's%' and key <> 'state' and key <> 's'")).toEqual([3_000]);
});
