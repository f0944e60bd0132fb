// Any plant after any other, with values coming in between: each file can be applied, leaves nothing to change, and no value is lost.
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { stringify } from "yaml";
import type { Db } from "#/server/db.ts";
import { aDatabase, type TestDatabase } from "#/server/testing.ts";
import { planEdits } from "./edit.ts";
import { exportPlant } from "./export.ts";
import type { PlantFile } from "./file.ts";
import { kinds } from "./items.ts";
import { listItems } from "./read.ts";
import { readPlantFile } from "./read-file.ts";
import { applyPlan, planPlant } from "./service.ts";

let db: TestDatabase;
let tx: Db;
beforeAll(async () => {
  db = await aDatabase();
  const client = await db.connect();
  tx = { rows: async (sql, parameters = []) => (await client.query(sql, [...parameters])).rows };
});
afterAll(() => db.drop());

const start = new Date("2026-05-20T10:00:00Z");
const hoursLater = (hours: number) => new Date(start.getTime() + hours * 3_600_000);

const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const roles: Record<string, string> = { state: "state", good: "good_count", temp: "measurement", product: "product", fault: "fault_code" };
const signal = (key: string) =>
  fc.record({
    key: fc.constant(key),
    role: fc.constant(roles[key]),
    unit: fc.constantFrom("", "Cel", "bar"),
    period: maybe(fc.constantFrom("5s", "1m")),
    ...(key === "temp" ? { dead_band: maybe(fc.constantFrom(0.5, 1e-7)) } : {}),
  });
/** Money or targets that may stand together. */
const since = (...values: Record<string, unknown>[]) =>
  fc.constantFrom([], ...values.map((value) => [value]), [
    { ...values[0], until: "2026-05-20T18:00" },
    { ...values.at(-1), from: "2026-06-01" },
  ]);
const targets = since({ oee: 80 }, { oee: 85.5, quality: 99, pieces_per_hour: 1200 });
/** Rates of one machine that may stand together: none, one without a time, or several in order. */
const rates = (product: string | undefined) =>
  fc.constantFrom(
    [],
    [{ product, seconds: 4 }],
    [{ product, seconds: 2.5 }],
    [{ product, seconds: 1, from: "2026-05-01" }],
    [
      { product, seconds: 4 },
      { product, seconds: 1, from: "2026-05-20T14:00" },
    ],
    [
      { product, seconds: 4, until: "2026-05-10" },
      { product, seconds: 2.5, from: "2026-05-15", until: "2026-06-01" },
      { product, seconds: 4, from: "2026-06-03" },
    ],
  );
const machine = (key: string, line: string) =>
  fc.record({
    key: fc.constant(key),
    kind: fc.constantFrom("press", "cnc"),
    upstream: key === "m2" ? maybe(fc.constant("m1")) : fc.constant(undefined),
    source: fc.constantFrom(undefined, { no_data_timeout: "5m" }, ...["sparkplug", "mapped"].map((form) => ({ form, address: `G/${line}/${key}` })), "gateway"),
    hourly_costs: since({ cost: 80 }, { cost: 0.1 }),
    targets,
    ideal_cycles: fc.tuple(rates(undefined), rates("P1")).map((lists) => lists.flat()),
    signals: fc.subarray(Object.keys(roles)).chain((keys) => fc.tuple(...keys.map(signal))),
  });
const line = (key: string, site: string) =>
  fc.record({
    key: fc.constant(key),
    name: maybe(fc.constantFrom("Line", "Other line")),
    shift_pattern: fc.constantFrom(
      undefined,
      "day",
      "long",
      [{ pattern: "day" }, { pattern: "long", from: "2026-05-25" }],
      [{ pattern: "long", from: "2026-05-11", until: "2026-06-01" }],
    ),
    targets,
    machines: fc.subarray(["m1", "m2", "m3"], { minLength: 1 }).chain((keys) => fc.tuple(...keys.map((one) => machine(one, `${site}-${key}`)))),
  });
const site = (key: string) =>
  fc.record({
    key: fc.constant(key),
    zone: fc.constantFrom("Europe/Berlin", "America/Chicago"),
    shift_patterns: fc
      .tuple(fc.constantFrom(["06:00", "14:00", "09:00"], ["06:00", "15:00", "09:00"], ["22:00", "06:00", "23:50"]), fc.boolean())
      .map(([[start, end, pause], swapped]) => [
        { key: "day", shifts: [{ key: "d", days: "mon-fri", start, end, breaks: [{ start: pause, end: pause === "09:00" ? "09:15" : "00:20" }] }] },
        {
          key: "long",
          shifts: [
            { key: swapped ? "n" : "d", days: "daily", start: "06:00", end: "18:00" },
            { key: swapped ? "d" : "n", days: "mon", start: "22:00", end: "06:00" },
          ],
        },
      ]),
    reasons: fc.constantFrom(
      [],
      [{ key: "a", loss: "other" }],
      [{ key: "b", loss: "breakdown", reasons: [{ key: "a" }] }],
      [{ key: "a", loss: "planned", reasons: [{ key: "b", fault_code: "1" }, { key: "c" }] }],
    ),
    teams: fc.subarray([{ key: "t1" }, { key: "t2" }]),
    currency: fc.constantFrom("EUR", "USD"),
    product_costs: since({ product: "P1", value: 10 }, { product: "P1", value: 12.25, scrap: 3 }),
    energy_prices: since({ price: 0.2 }, { price: 0.19 }),
    targets,
    calendar: fc.subarray([
      { key: "xmas", name: "Christmas", kind: "holiday", date: "2026-12-24", last_date: "2026-12-26" },
      { key: "may", kind: "holiday", date: "2026-05-22" },
      { key: "sat", kind: "extra_shift", date: "2026-05-23", start: "07:00", end: "12:00", breaks: [{ start: "09:00", end: "09:30" }] },
      { key: "mon", kind: "cancelled_shift", date: "2026-05-25", shift: "long/n" },
    ]),
    devices: fc.subarray([
      { key: "gw", identity: `${key}-gw`, topics: ["a/#", "b/+/c"] },
      { key: "plc", identity: `${key}-plc`, fingerprint: key === "berlin" ? "ab".repeat(32) : "cd".repeat(32), expires: "2027-03-01", firmware: "2.1" },
    ]),
    sources: fc.constant([{ form: "mapped", address: "gateway" }]),
    areas: fc.subarray(["1", "2"], { minLength: 1 }).chain((keys) => fc.tuple(...keys.map((one) => line(one, key))).map((lines) => [{ key: "hall", lines }])),
  });
const plant = fc
  .record({
    enterprise: fc.constant({ key: "acme", currency: "CHF" }),
    currency_rates: fc.subarray([
      { currency: "EUR", month: "2026-04", rate: 0.93 },
      { currency: "EUR", month: "2026-05", rate: 0.94 },
      { currency: "USD", month: "2026-04", rate: 0.9 },
    ]),
    product_lines: fc.subarray([{ key: "P2" }, { key: "P3" }]).map((products) => [{ key: "pl", products: [{ key: "P1" }, ...products] }]),
    // One source address cannot stand in two sites: the gateway belongs to whichever there is.
    sites: fc.constantFrom("berlin", "berlin", "chicago").chain((key) => fc.tuple(site(key))),
  })
  .map((raw): PlantFile => {
    // m2's neighbour m1 may not be there.
    for (const { areas } of raw.sites)
      for (const { lines } of areas.flat())
        for (const { machines } of lines.flat()) if (!machines.some(({ key }) => key === "m1")) for (const one of machines) delete one.upstream;
    const { plant, complaints } = readPlantFile(stringify(JSON.parse(JSON.stringify(raw))));
    if (!plant) throw new Error(complaints.map(({ where, sentence }) => `${where}: ${sentence}`).join("\n"));
    return plant;
  });

async function apply(file: PlantFile, now: Date): Promise<void> {
  const plan = await planPlant(db, file, now);
  expect(plan.troubles).toEqual([]);
  await tx.rows("begin");
  await applyPlan(tx, plan, now);
  await tx.rows("commit");
  const again = await planPlant(db, file, new Date(now.getTime() + 60_000));
  expect(again.lines).toEqual([]);
}

it("follows any other, and what it had is kept", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(plant, { minLength: 2, maxLength: 4 }), fc.infiniteStream(fc.boolean()), async (files, speaks) => {
      await db.asOwner.rows("truncate enterprise, ledger_sample, sample, signal_latest cascade");
      const given = new Set<number>();
      for (const [round, file] of files.entries()) {
        await apply(file, hoursLater(round * 30));
        const live = await db.rows<{ id: number; trend: boolean }>(
          "select id, retention_class = 'trend' as trend from signal where retired_at is null order by id",
        );
        for (const one of live) {
          if (!speaks.next().value || given.has(one.id)) continue;
          given.add(one.id);
          await db.rows(
            one.trend
              ? "insert into sample (signal_id, at, value) values ($1, $2, 1)"
              : "insert into ledger_sample (signal_id, at, value, received_at) values ($1, $2, 1, $2)",
            [one.id, hoursLater(round * 30 + 1)],
          );
          await db.rows("insert into signal_latest (signal_id, at, value, flags, received_at) values ($1, $2, 1, 0, $2)", [one.id, hoursLater(round * 30 + 1)]);
        }
        const kept = await db.rows<{ id: number }>("select id from signal where id = any($1)", [[...given]]);
        expect(kept.length).toBe(given.size);
        const text = await exportPlant(db);
        const read = readPlantFile(text ?? "");
        expect(read.complaints, text ?? "").toEqual([]);
        if (read.plant) expect((await planPlant(db, read.plant, hoursLater(round * 30 + 2))).lines, text ?? "").toEqual([]);
      }
    }),
    { numRuns: 12 },
  );
});

it("is made again byte by byte from its file, and every item of it can be put as it is read", async () => {
  await fc.assert(
    fc.asyncProperty(plant, async (file) => {
      await db.asOwner.rows("truncate enterprise, ledger_sample, sample, signal_latest cascade");
      await apply(file, start);
      const text = await exportPlant(db);
      const sites = (await db.rows<{ id: number }>("select id from site")).map(({ id }) => id);
      for (const kind of kinds) {
        for (const { address, fields, version } of await listItems(db, kind, sites, null)) {
          const { lines } = await planEdits(db, [{ do: "put", kind, address, parent: null, fields, version }], { now: hoursLater(1) });
          expect(lines, `${kind} ${address}`).toEqual([]);
        }
      }
      await db.asOwner.rows("truncate enterprise cascade");
      const { plant: read } = readPlantFile(text ?? "");
      if (read) await apply(read, hoursLater(2));
      expect(await exportPlant(db)).toBe(text);
    }),
    { numRuns: 4 },
  );
});
