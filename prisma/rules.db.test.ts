// What the database holds by itself, whoever writes: the plant's rules between tables, what a sample may be, and that history keeps what it is of.
import { readFileSync } from "node:fs";
import type pg from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { aDatabase, aLine, aMachine, aSignal, type TestDatabase, type TestLine, type TestMachine } from "#/server/testing.ts";
import { check, foreignKey, refusedBy, restricted, type Statement } from "./testing.ts";

let db: TestDatabase;
let client: pg.Client;
let line: TestLine;
let machine: TestMachine;
beforeAll(async () => {
  db = await aDatabase();
  client = await db.connect();
});
afterAll(() => db.drop());
beforeEach(async () => {
  await db.asOwner.rows("truncate enterprise, dead_letter, ledger_sample, sample, sample_hour, count_minute, source_minute cascade");
  line = await aLine(db);
  machine = await aMachine(db, { line });
});

const refused = (...statements: Statement[]) => refusedBy(client, statements);
const id = async (sql: string, ...parameters: unknown[]) => (await db.rows<{ id: number }>(`${sql} returning id`, parameters))[0]?.id ?? 0;

describe("machines and lines", () => {
  it("a line's constraint and last machine are its own, and a parallel line names none", async () => {
    const other = await aMachine(db);
    const names = (column: string, machineId: number, topology = "constraint") =>
      refused([`update line set topology = $3, ${column} = $2 where id = $1`, line.lineId, machineId, topology]);
    for (const column of ["constraint_machine_id", "last_machine_id"]) {
      expect(await names(column, machine.machineId)).toBeNull();
      expect(await names(column, other.machineId)).toBe(foreignKey);
      expect(await names(column, machine.machineId, "parallel")).toBe(check);
    }
    expect(
      await refused(
        ["update line set topology = 'constraint', constraint_machine_id = $2 where id = $1", line.lineId, machine.machineId],
        ["update machine set line_id = $2 where id = $1", machine.machineId, other.lineId],
      ),
    ).toBe(foreignKey);
  });

  it("a neighbour is of the same site", async () => {
    const beside = await aMachine(db, { line });
    const nextLine = { ...line, lineId: await id("insert into line (area_id, key, name) values ($1, 'next', 'Next')", line.areaId) };
    const next = await aMachine(db, { line: nextLine });
    const elsewhere = await aMachine(db);
    for (const side of ["upstream_id", "downstream_id"]) {
      const stands = (other: number) => refused([`update machine set ${side} = $2 where id = $1`, machine.machineId, other]);
      expect(await stands(beside.machineId)).toBeNull();
      expect(await stands(next.machineId)).toBeNull();
      expect(await stands(elsewhere.machineId)).toBe(foreignKey);
      expect(await stands(machine.machineId)).toBe(check);
    }
  });

  it("a machine's publisher is of its site, until it is retired", async () => {
    const elsewhere = await aMachine(db);
    const takes = (sourceId: number): Statement => ["update machine set source_id = $2 where id = $1", machine.machineId, sourceId];
    expect(await refused(takes(machine.sourceId))).toBeNull();
    expect(await refused(takes(elsewhere.sourceId))).toBe(foreignKey);
    const gone: Statement = ["update source set site_id = $2 where id = $1", machine.sourceId, elsewhere.siteId];
    expect(await refused(takes(machine.sourceId), gone)).toBe(foreignKey);
    expect(await refused(takes(machine.sourceId), gone, ["update machine set retired_at = now() where id = $1", machine.machineId])).toBeNull();
  });

  it("what is repeated of a parent follows it, whatever a writer says", async () => {
    const other = await aLine(db);
    const { signalId } = await aSignal(db, { machine });
    const sites = async () => (await client.query("select site_id, mapping_form from signal where id = $1", [signalId])).rows;
    expect(await sites()).toEqual([{ site_id: line.siteId, mapping_form: "json" }]);
    expect(await refused(["update machine set site_id = $2 where id = $1", machine.machineId, other.siteId])).toBe(foreignKey);
    // An area goes to another site with all that is in it; the source must go, too.
    const moved = ["update area set site_id = $2 where id = $1", line.areaId, other.siteId] as Statement;
    expect(await refused(moved)).toBe(foreignKey);
    expect(await refused(moved, ["update source set site_id = $2 where id = $1", machine.sourceId, other.siteId])).toBeNull();
    await db.rows("update source set form = 'sparkplug' where id = $1", [machine.sourceId]);
    expect(await sites()).toEqual([{ site_id: line.siteId, mapping_form: "sparkplug" }]);
  });
});

describe("signals, their sources and mappings", () => {
  it("a signal's source is of its machine's site, until it is retired", async () => {
    const elsewhere = await aMachine(db);
    const { signalId } = await aSignal(db, { machine });
    expect(await refused(["update signal set source_id = $2 where id = $1", signalId, elsewhere.sourceId])).toBe(foreignKey);
    const gone: Statement = ["update source set site_id = $2 where id = $1", machine.sourceId, elsewhere.siteId];
    expect(await refused(gone)).toBe(foreignKey);
    expect(await refused(gone, ["update signal set retired_at = now() where id = $1", signalId])).toBeNull();
  });

  it("metrics lead to signals of Sparkplug sources, topics to all others'", async () => {
    const { signalId } = await aSignal(db, { machine });
    const mapped = (sourceForm: string, form: string) =>
      refused(
        ["update source set form = $2 where id = $1", machine.sourceId, sourceForm],
        ["insert into topic_mapping (signal_id, form, pattern, path) values ($1, $2, 'a/b', 'c')", signalId, form],
      );
    expect([await mapped("json", "json"), await mapped("mapped", "json"), await mapped("sparkplug", "sparkplug")]).toEqual([null, null, null]);
    expect([await mapped("json", "sparkplug"), await mapped("mapped", "sparkplug"), await mapped("sparkplug", "json")]).toEqual(Array(3).fill(foreignKey));
    await db.rows("insert into topic_mapping (signal_id, form, pattern, path) values ($1, 'json', 'a/b', 'c')", [signalId]);
    const toSparkplug: Statement = ["update source set form = 'sparkplug' where id = $1", machine.sourceId];
    expect(await refused(toSparkplug)).toBe(foreignKey);
    expect(await refused(toSparkplug, ["delete from topic_mapping"])).toBeNull();
  });
});

describe("products", () => {
  it("have a value at the sites of their enterprise", async () => {
    const other = await aLine(db);
    const enterpriseOf = async (siteId: number) => (await db.rows<{ id: number }>("select enterprise_id as id from site where id = $1", [siteId]))[0]?.id ?? 0;
    const [ours, theirs] = [await enterpriseOf(line.siteId), await enterpriseOf(other.siteId)];
    const [ourLine, theirLine] = [
      await id("insert into product_line (enterprise_id, key, name) values ($1, 'l', 'L')", ours),
      await id("insert into product_line (enterprise_id, key, name) values ($1, 'l', 'L')", theirs),
    ];
    const product = await id("insert into product (product_line_id, key, name) values ($1, 'p', 'P')", ourLine);
    const costs = (siteId: number): Statement => [
      "insert into product_cost (site_id, product_id, from_at, value_per_piece) values ($1, $2, now(), 1)",
      siteId,
      product,
    ];
    const moved: Statement = ["update product set product_line_id = $2 where id = $1", product, theirLine];
    expect([await refused(costs(line.siteId)), await refused(costs(other.siteId)), await refused(costs(other.siteId), moved)]).toEqual([
      null,
      foreignKey,
      null,
    ]);
    expect([await refused(moved), await refused(costs(line.siteId), moved)]).toEqual([null, foreignKey]);
  });
});

describe("samples", () => {
  it("of class ledger are a number or a text, or said to be none", async () => {
    const { signalId } = await aSignal(db, { machine, role: "state" });
    const write = (value: number | null, text: string | null, flags: number) =>
      refused([
        "insert into ledger_sample (signal_id, at, value, text_value, flags, received_at) values ($1, now(), $2, $3, $4, now())",
        signalId,
        value,
        text,
        flags,
      ]);
    expect([await write(1, null, 0), await write(null, "EXECUTE", 2), await write(null, null, 4), await write(null, null, 4 | 8)]).toEqual(Array(4).fill(null));
    expect([await write(1, "a", 0), await write(null, null, 0), await write(1, null, 4), await write(null, "a", 4), await write(1, "a", 4)]).toEqual(
      Array(5).fill(check),
    );
  });

  it("of class trend are a number, or said to be none; so are the hours made of them", async () => {
    const { signalId } = await aSignal(db, { machine });
    const write = (value: number | null, flags: number) =>
      refused(["insert into sample (signal_id, at, value, flags) values ($1, now(), $2, $3)", signalId, value, flags]);
    expect([await write(1, 8), await write(null, 4 | 1), await write(null, 0), await write(1, 4)]).toEqual([null, null, check, check]);
    const hour = (min: number, mean: number | null, max: number, last: number) =>
      refused([
        "insert into sample_hour (signal_id, hour, n, mean, min, max, last, last_at) values ($1, '2026-01-01', 2, $3, $2, $4, $5, '2026-01-01')",
        signalId,
        min,
        mean,
        max,
        last,
      ]);
    expect([await hour(1, 2, 3, 3), await hour(0.1, 0.1, 0.1, 0.1), await hour(1, null, 3, 1)]).toEqual([null, null, null]);
    expect([await hour(1, 3.1, 3, 3), await hour(1, 0.9, 3, 3), await hour(1, 2, 3, 4)]).toEqual(Array(3).fill(check));
  });

  it("keep what they are of: signal, machine and source cannot be deleted", async () => {
    const { signalId } = await aSignal(db, { machine, role: "good_count" });
    const [sourceId, machineId] = [machine.sourceId, machine.machineId];
    const gone: Statement = ["delete from signal where id = $1", signalId];
    const source: Statement = ["delete from source where id = $1", sourceId];
    const all = [gone, source, ["delete from machine where id = $1", machineId] as Statement];
    expect(await refused(...all)).toBeNull();
    expect(await refused(["insert into ledger_sample (signal_id, at, value, received_at) values ($1, now(), 1, now())", signalId], gone)).toBe(restricted);
    expect(await refused(["insert into trend_claim (signal_id, hour) values ($1, now())", signalId], gone)).toBe(foreignKey);
    expect(await refused(["insert into trend_claim (signal_id, hour) values (0, now())"])).toBe(foreignKey);
    expect(await refused(["insert into source_minute values ($1, now(), now(), now(), 1, 0)", sourceId], gone, source)).toBe(restricted);
    expect(await refused(["insert into count_minute values (0, now(), '', $1, 1, now(), now())", machineId], ...all)).toBe(restricted);
  });
});

describe("dead_letter", () => {
  it("has a reason that is named on screen, each of them", async () => {
    const [row] = await db.rows<{ source: string }>(
      "select pg_get_constraintdef(oid) as source from pg_constraint where conrelid = 'dead_letter'::regclass and conname = 'dead_letter_reason_code_check'",
    );
    const codes = [...(row?.source ?? "").matchAll(/'(\w+)'::text/g)].map(([, code]) => code).sort();
    const named = JSON.parse(readFileSync("messages/en.json", "utf8")) as { reasons: Record<string, string> };
    expect(codes).toEqual(Object.keys(named.reasons).sort());
    const letter = (code: string) =>
      refused([
        "insert into dead_letter (fingerprint, received_at, last_received_at, form, topic, payload, payload_size, reason_code, reason) values ('a', now(), now(), 'value', 't', '', 0, $1, 'r')",
        code,
      ]);
    expect([await letter("value_type"), await letter("something_else")]).toEqual([null, check]);
  });
});
