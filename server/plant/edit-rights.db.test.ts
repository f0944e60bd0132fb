import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { closePool } from "#/server/db.ts";
import { grant, personWith } from "#/server/identity/testing.ts";
import { aDatabase, type TestDatabase } from "#/server/testing.ts";
import { applyText, editing, refusal, smallPlant } from "./edit-testing.ts";
import type { Kind } from "./edit-types.ts";

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
  await db.asOwner.rows("truncate enterprise, ledger_sample, sample, signal_latest cascade");
});
const { as, plant, column, make, siteId } = editing({ rows: (...query) => db.rows(...query) } as TestDatabase);
const small = () => applyText(db, smallPlant);

describe("remove", () => {
  beforeEach(small);
  const remove = (kind: Kind, address: string) => plant().remove({ kind, address, version: null });

  it("deletes what has no history and retires what has; foretold in the same words", async () => {
    await db.rows("insert into signal_latest (signal_id, at, value, flags, received_at) select id, now(), 1, 0, now() from signal where key = 'V'");
    const foretold = await plant().removal({ kind: "machine", address: "berlin/hall/l1/m3" });
    expect(foretold).toEqual({
      why: null,
      lines: [
        "- source G/N: retired, its history stays",
        "- machine berlin/hall/l1/m3: retired, its history stays",
        "- signal berlin/hall/l1/m3/V: retired, its history stays",
      ],
    });
    expect(await remove("machine", "berlin/hall/l1/m3")).toEqual({ outcome: "retired", lines: foretold.lines });
    expect((await make("machine", "berlin/hall/l1", { key: "m3" })).lines).toEqual([
      "~ machine berlin/hall/l1/m3: back, with its history, source G/N -> none, upstream berlin/hall/l1/m2 -> none",
    ]);
    expect((await remove("site", "chicago")).outcome).toBe("deleted");
    expect(await column("select count(*)::int as x from machine")).toEqual([3]);
  });

  it("refuses what others need, and says who", async () => {
    expect((await refusal(remove("machine", "berlin/hall/l1/m1"))).sentence).toBe("It paces the line berlin/hall/l1. Choose another machine there first.");
    expect((await refusal(remove("shift_pattern", "berlin/day"))).sentence).toBe("berlin/hall/l1 works by it. Choose another pattern there first.");
    expect((await refusal(remove("source", "gateway"))).sentence).toBe("berlin/hall/l1/m2/good takes values from it. Choose another source there first.");
    expect((await plant().removal({ kind: "source", address: "gateway" })).why).toMatch(/takes values from it/);
    expect((await remove("shift_pattern", "berlin/long")).outcome).toBe("deleted");
  });

  it("takes along what only hangs on it", async () => {
    await make("calendar_entry", "berlin", { key: "c", kind: "holiday", line: "hall/l1", date: "2026-12-24" });
    expect((await remove("product", "A")).lines).toEqual([
      expect.stringMatching(/^~ ideal cycle of machine berlin\/hall\/l1\/m1 for product A: 3 s -> 3 s until /),
      expect.stringMatching(/^~ product cost of site berlin for product A: value 10, scrap 4 -> value 10, scrap 4 until /),
      "- product A: retired, its history stays",
    ]);
    expect((await remove("line", "berlin/hall/l1")).outcome).toBe("deleted");
    expect(await column("select count(*)::int as x from calendar_entry")).toEqual([0]);
    expect((await remove("reason", "berlin/mech")).lines).toHaveLength(3);
  });
});

describe("rights", () => {
  beforeEach(small);

  it("another site does not exist, a right that is missing is told", async () => {
    const manager = personWith(grant("plant_manager", await siteId("berlin")));
    const viewer = personWith(grant("viewer", await siteId("berlin")));
    expect((await as(manager).tree()).sites.map(({ key }) => key)).toEqual(["berlin"]);
    expect((await as(manager).list({ kind: "machine" })).rows.map(({ address }) => address)).toEqual([
      "berlin/hall/l1/m1",
      "berlin/hall/l1/m2",
      "berlin/hall/l1/m3",
    ]);
    for (const [kind, address] of [
      ["machine", "chicago/a/l/x"],
      ["site", "chicago"],
      ["source", "chicago/a/l/x"],
      ["signal", "chicago/a/l/x/s"],
    ] as const) {
      expect((await refusal(as(manager).item({ kind, address }))).code).toBe("NOT_FOUND");
      expect((await refusal(as(manager).put({ kind, address, parent: null, fields: {}, version: null }))).code).toBe("NOT_FOUND");
      expect((await refusal(as(manager).remove({ kind, address, version: null }))).code).toBe("NOT_FOUND");
    }
    expect((await refusal(as(manager).list({ kind: "machine", under: "chicago/a" }))).code).toBe("NOT_FOUND");
    expect((await refusal(make("product", "pl", { key: "C" }, manager))).code).toBe("FORBIDDEN");
    expect((await refusal(make("site", "acme", { key: "new", zone: "UTC" }, manager))).code).toBe("FORBIDDEN");
    expect((await refusal(make("machine", "berlin/hall/l1", { key: "c" }, viewer))).code).toBe("FORBIDDEN");
    expect((await refusal(as(manager).exportYaml())).code).toBe("FORBIDDEN");
    expect((await as(viewer).item({ kind: "machine", address: "berlin/hall/l1/m1" })).mayChange).toBe(false);
  });

  it("money is for those who may read it, and stays when others save", async () => {
    const viewer = personWith(grant("viewer"));
    for (const [kind, address, field] of [
      ["machine", "berlin/hall/l1/m1", "hourly_costs"],
      ["site", "berlin", "product_costs"],
    ] as const) {
      expect((await as(viewer).item({ kind, address })).fields).not.toHaveProperty(field);
      for (const row of (await as(viewer).list({ kind })).rows) expect(row.fields).not.toHaveProperty(field);
      expect((await plant().item({ kind, address })).fields).toHaveProperty(field);
    }
    const { fields, version } = await as(viewer).item({ kind: "machine", address: "berlin/hall/l1/m1" });
    await plant().put({ kind: "machine", address: "berlin/hall/l1/m1", parent: null, fields: { ...fields, kind: "cnc" }, version });
    expect(await column("select cost_per_hour::float8 as x from machine_cost order by id")).toEqual([80, 50]);
  });

  it("money cannot be brought in by any way round", async () => {
    const atBerlin = await siteId("berlin");
    // May change the plant there, but not its money: a token narrowed to that.
    const token = { kind: "token", id: "t", name: "T", grants: [grant("administrator", atBerlin)], only: ["plant.read", "plant.change"] } as const;
    const put = (fields: Record<string, unknown>) => as(token).put({ kind: "machine", address: "berlin/hall/l1/m1", parent: null, fields, version: null });
    expect((await refusal(put({ hourly_costs: [{ cost: 1 }] }))).code).toBe("FORBIDDEN");
    expect((await refusal(put({ hourly_costs: null }))).code).toBe("FORBIDDEN");
    await put(JSON.parse('{ "__proto__": { "hourly_costs": [{ "cost": 1 }] }, "kind": "press" }'));
    expect(await column("select cost_per_hour::float8 as x from machine_cost order by id")).toEqual([80, 50]);
    const { version } = await as(token).item({ kind: "machine", address: "berlin/hall/l1/m1" });
    await plant().put({ kind: "machine", address: "berlin/hall/l1/m1", parent: null, fields: { kind: "cnc" }, version });
    const { present } = await refusal(as(token).put({ kind: "machine", address: "berlin/hall/l1/m1", parent: null, fields: { kind: "mill" }, version }));
    expect(present).toMatchObject({ values: { kind: "cnc" } });
    expect(present).not.toHaveProperty("values.hourly_costs");
  });
});
