/** Who finds what in the trail, page by page; histories of single objects; the trail as a file. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Action, Actor, Role } from "#/server/domain/permission.ts";
import { grant, permitted, personWith } from "#/server/identity/testing.ts";
import { aDatabase, aMachine, aSignal, type TestDatabase, type TestMachine } from "#/server/testing.ts";
import { change } from "./change.ts";
import { exportEntries } from "./export.ts";
import { allParts } from "./kinds.ts";
import { askedOf, entryFilter } from "./router.ts";
import { historyOf, searchEntries } from "./service.ts";

let db: TestDatabase;
let left: TestMachine;
let right: TestMachine;
const ann = personWith(grant("plant_manager"));
beforeAll(async () => {
  db = await aDatabase();
  process.env.DATABASE_URL = db.url; // changes go through the process's own pool
  left = await aMachine(db);
  right = await aMachine(db);
  const renamed = (machine: TestMachine, name: string, why: string | null) =>
    change({ actor: ann, from: { address: "192.0.2.7", userAgent: null }, now: () => new Date() }, { action: "machine.renamed", why }, (tx) =>
      tx.rows("update machine set name = $2 where id = $1", [machine.machineId, name]),
    );
  await renamed(left, "Press 100%", "as_labelled");
  await renamed(right, "Oven", "Moved");
  for (const machine of [left, right]) {
    await db.rows("insert into machine_cost (machine_id, from_at, cost_per_hour) values ($1, now(), 87654)", [machine.machineId]);
    await db.rows("insert into ideal_cycle (machine_id, from_at, ideal_cycle_s) values ($1, now(), 2.5)", [machine.machineId]);
  }
  await db.rows("insert into person (name, username) values ('Ben', 'ben')");
});
afterAll(() => db.drop());

const everything = personWith(grant("administrator"));
const at = (role: Role, machine: TestMachine) => personWith(grant(role, machine.siteId));
const search = (actor: Actor, asked: Partial<Record<keyof typeof entryFilter.shape, string>> = {}, cursor: string | null = null) =>
  searchEntries(permitted(db, actor, "audit.read"), askedOf(entryFilter.parse(asked)), cursor);
const faces = async (...args: Parameters<typeof search>) =>
  (await search(...args)).entries.map(({ action, subjectName }) => `${action} ${subjectName ?? ""}`.trim());
const keyOfSite = async (machine: TestMachine) => (await db.rows<{ key: string }>("select key from site where id = $1", [machine.siteId]))[0]?.key ?? "";

describe("the trail", () => {
  it("is everybody's own sites, and that of all sites for who looks after all", async () => {
    const chains = async (actor: Actor) => [...new Set((await search(actor)).entries.map(({ chain }) => chain))].sort((a, b) => a - b);
    expect(await chains(everything)).toEqual([0, left.siteId, right.siteId]);
    expect(await chains(at("quality", left))).toEqual([left.siteId]);
    expect(() => search(at("supervisor", left))).toThrow(/may not do this/);
    await expect(search(at("quality", left), { site: await keyOfSite(right) })).rejects.toMatchObject({ code: "NOT_FOUND" });
    await expect(search(at("quality", left), { site: "all" })).rejects.toMatchObject({ code: "NOT_FOUND" });
    expect(await faces(everything, { site: "all", kind: "person" })).toEqual(["person.added Ben"]);
    expect(await faces(everything, { site: await keyOfSite(right), action: "renamed" })).toEqual(["machine.renamed Oven"]);
  });

  it("is searched by person, action, object, text and time; signs of LIKE are text", async () => {
    expect(await faces(everything, { who: ann.name.toUpperCase() })).toEqual(["machine.renamed Oven", "machine.renamed Press 100%"]);
    expect(await faces(everything, { who: ann.id })).toHaveLength(2);
    expect(await faces(everything, { text: "100%" })).toEqual(["machine.renamed Press 100%"]);
    expect(await faces(everything, { text: "s_l" })).toEqual(["machine.renamed Press 100%"]);
    expect(await faces(everything, { text: "%" })).toEqual(["machine.renamed Press 100%"]);
    expect(await faces(everything, { text: "192.0.2.7", action: "renamed" })).toHaveLength(2);
    expect(await faces(everything, { text: '"ideal_cycle_s": 2.5' })).toEqual(["ideal_cycle.added", "ideal_cycle.added"]);
    expect(await faces(everything, { kind: "machine", id: String(left.machineId) })).toEqual([
      "machine.renamed Press 100%",
      expect.stringMatching(/^machine\.added machine-/),
    ]);
    expect(await faces(everything, { to: "2020-01-01T00:00:00Z" })).toEqual([]);
    expect((await search(everything, { from: "2020-01-01T00:00:00Z" })).entries.length).toBeGreaterThan(10);
    expect(await faces(everything, { text: "'; drop table audit_entry; --" })).toEqual([]);
  });

  it("says what ids stand for", async () => {
    const { entries, names } = await search(everything, { kind: "ideal_cycle" });
    expect(entries.map(({ after }) => names[`machine_id ${after?.machine_id}`])).toEqual(["Oven", "Press 100%"]);
  });

  it("comes page by page, each entry once, newest first, also while more is written", async () => {
    const all: string[] = [];
    let cursor: string | null = null;
    await db.rows("insert into team (site_id, key, name) select $1, 't' || i, 'Team ' || i from generate_series(1, 120) i", [left.siteId]);
    do {
      const page = await search(everything, {}, cursor);
      all.push(...page.entries.map(({ chain, seq, at: time }) => `${time} ${chain} ${seq}`));
      cursor = page.next;
      await db.rows("update team set name = name || 'x' where key = 't1'");
    } while (cursor !== null);
    expect(new Set(all).size).toBe(all.length);
    const [count] = await db.rows<{ n: number }>("select count(*)::int as n from audit_entry where action <> 'team.changed'");
    expect(all.length).toBe(count?.n);
    const times = all.map((key) => key.split(" ")[0] ?? "");
    expect(times).toEqual([...times].sort().reverse());
  });

  it("a rare text is looked for slice by slice", async () => {
    await db.rows("select audit_append(null, 'needle.lost', 'needle', '1', 'Needle', null, null, null)");
    await db.rows("select audit_append(null, 'hay.added', 'hay', i::text, 'Hay', null, null, null) from generate_series(1, 12000) i");
    const page = await search(everything, { text: "needle" });
    expect(page.entries.map(({ action }) => action)).toEqual(["needle.lost"]);
    expect(page.next === null || page.lookedBackTo !== null).toBe(true);
  });

  it("shows money to who may see it, and does not let others look for it", async () => {
    const [seen] = (await search(everything, { kind: "machine_cost" })).entries;
    expect([seen?.isVeiled, seen?.after?.cost_per_hour]).toEqual([false, 87654]);
    const [veiled, ...more] = (await search(at("quality", left), { kind: "machine_cost" })).entries;
    expect([veiled?.isVeiled, veiled?.before, veiled?.after, more.length]).toEqual([true, null, null, 0]);
    expect(await faces(everything, { text: "87654" })).toHaveLength(2);
    expect(await faces(at("plant_manager", left), { text: "87654" })).toHaveLength(1);
    expect(await faces(at("quality", left), { text: "87654" })).toEqual([]);
  });
});

describe("the history of one object", () => {
  const history = (actor: Actor, kind: string, id: unknown) => historyOf(permitted(db, actor, "history.read"), { kind, id: String(id) }, null);
  const actions = async (...args: Parameters<typeof history>) => (await history(...args)).entries.map(({ action }) => action);

  it("is its own and that of its parts, as far as the reader may see them", async () => {
    expect(await actions(everything, "machine", left.machineId)).toEqual(["ideal_cycle.added", "machine_cost.added", "machine.renamed", "machine.added"]);
    expect(await actions(at("supervisor", left), "machine", left.machineId)).toEqual(["ideal_cycle.added", "machine.renamed", "machine.added"]);
    expect(await actions(at("supervisor", right), "machine", left.machineId)).toEqual([]);
    const [ben] = await db.rows<{ id: string }>("select id from person where username = 'ben'");
    expect(await actions(everything, "person", ben?.id)).toEqual(["person.added"]);
    for (const actor of [personWith(grant("supervisor")), at("administrator", left)]) expect(await actions(actor, "person", ben?.id)).toEqual([]);
    const [enterprise] = await db.rows<{ id: number }>("select min(id) as id from enterprise");
    expect(await actions(at("technician", left), "enterprise", enterprise?.id)).toEqual(["enterprise.added"]);
  });

  it("stays whole over pages, however much is not to be seen", async () => {
    const { machineId } = await aSignal(db, { machine: left });
    for (let n = 0; n < 40; n++) await db.rows("update machine_cost set cost_per_hour = $2 where machine_id = $1", [machineId, n]);
    await db.rows("update machine set name = 'After it all' where id = $1", [machineId]);
    const supervisor = at("supervisor", left);
    expect(await actions(supervisor, "machine", machineId)).toEqual(["machine.changed", "ideal_cycle.added", "machine.renamed", "machine.added"]);
    const first = await history(everything, "machine", machineId);
    expect(first.entries).toHaveLength(30);
    const rest = await historyOf(permitted(db, everything, "history.read"), { kind: "machine", id: String(machineId) }, first.next);
    expect(first.entries.length + rest.entries.length).toBe(45);
  });

  it("names columns that there are", async () => {
    for (const { table, column } of allParts) {
      const found = await db.rows("select from information_schema.columns where table_schema = 'public' and table_name = $1 and column_name = $2", [
        table,
        column,
      ]);
      expect(found, `${table}.${column}`).toHaveLength(1);
    }
  });
});

describe("an export", () => {
  const permittedAs = (actor: Actor, action: Action = "audit.read") => permitted(db, actor, action);
  it("is what was searched for, as CSV, and stands in the trail itself", async () => {
    const quality = at("quality", left);
    const response = await exportEntries(permittedAs(quality), askedOf(entryFilter.parse({ kind: "machine_cost" })), "csv");
    expect(response.headers.get("content-disposition")).toMatch(/^attachment; filename="takt-audit-\d{4}-\d\d-\d\d\.csv"$/);
    const lines = (await response.text()).trim().split("\r\n");
    expect(lines[0]).toMatch(/Time \(UTC\),Site,Chain,Entry,/);
    expect(lines[1]).toContain("(not yours to see)");
    expect(lines.join()).not.toMatch(/(?<![\w.-])87654(?![\w.-])/);
    const [entry] = (await search(quality, { action: "exported" })).entries;
    expect(entry).toMatchObject({ chain: left.siteId, actorId: quality.id, action: "audit.exported", after: { format: "csv", kind: "machine_cost" } });
    const whole = (await (await exportEntries(permittedAs(everything), askedOf(entryFilter.parse({})), "csv")).text()).trim().split("\r\n");
    const [count] = await db.rows<{ n: number }>("select count(*)::int as n from audit_entry");
    expect(whole.length - 1).toBe((count?.n ?? 0) - 1); // all but the entry of this export itself
    await expect(exportEntries(permittedAs(quality), askedOf(entryFilter.parse({ site: await keyOfSite(right) })), "csv")).rejects.toMatchObject({
      code: "NOT_FOUND",
    });
  });

  it("is a workbook, too", async () => {
    const response = await exportEntries(permittedAs(everything), askedOf(entryFilter.parse({ kind: "machine" })), "xlsx");
    expect(response.headers.get("content-type")).toBe("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet");
    expect(Buffer.from(await response.arrayBuffer()).subarray(0, 4)).toEqual(Buffer.from("PK\u0003\u0004"));
  });
});
