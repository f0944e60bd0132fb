import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { cellValue, readMapping } from "#/simulator/replay/mapping.ts";
import { readRows, weeksToNow } from "#/simulator/replay/replay.ts";

const week = 7 * 86_400_000;
const example = join(import.meta.dirname, "sme.map.yaml");
const head = "ts,asset,items,status,status_time,power_avg,cycle_time,alarm,product";

describe("a replay", () => {
  let dir = "";
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "takt-replay-"));
  });
  afterEach(() => rmSync(dir, { recursive: true }));
  const csv = (...rows: string[]) => {
    const path = join(dir, "data.csv");
    writeFileSync(path, `${[head, ...rows].join("\n")}\n`);
    return path;
  };

  it("turns rows into the readings of their machines, in order of time", async () => {
    const rows = await readRows(
      csv("2022-08-31 22:05:00+00:00,1,9.0,2.0,38.0,1.0,0.0,1,11", "2022-08-31 22:00:00+00:00,0,4.0,2.0,43.0,,0.0,0,4"),
      readMapping(example),
    );
    expect(rows.map(({ machinePath, at }) => [machinePath, new Date(at).toISOString()])).toEqual([
      ["sme/shop/line-1/asset-0", "2022-08-31T22:00:00.000Z"],
      ["sme/shop/line-1/asset-1", "2022-08-31T22:05:00.000Z"],
    ]);
    expect(Object.fromEntries(rows[1]?.readings.map(({ signal, value }) => [signal.key, value]) ?? [])).toEqual({
      items: 9,
      status: 2,
      alarm: "1",
      product: "11",
      status_time: 38,
      power_avg: 1,
      cycle_time: 0,
    });
    expect(rows[0]?.readings.map(({ signal }) => signal.key)).not.toContain("power_avg"); // an empty cell says nothing
    expect(rows[0]?.readings.find(({ signal }) => signal.key === "items")?.pieces).toBe(4);
  });

  it("refuses two rows of a machine for one instant, with the row", async () => {
    const twice = csv("2022-08-31 22:00:00+00:00,0,4.0,2.0,43.0,2.0,0.0,0,4", "2022-08-31 22:00:00+00:00,0,5.0,2.0,43.0,2.0,0.0,0,4");
    await expect(readRows(twice, readMapping(example))).rejects.toThrow(/row 3: .*asset-0 has a second row/);
  });

  it("says which cell cannot be read", async () => {
    await expect(readRows(csv("2022-08-31 22:00:00+00:00,7,4.0,2.0,43.0,2.0,0.0,0,4"), readMapping(example))).rejects.toThrow(/names no machine for asset 7/);
    await expect(readRows(csv("2022-08-31 22:00:00,0,4.0,2.0,43.0,2.0,0.0,0,4"), readMapping(example))).rejects.toThrow(/no instant with a zone/);
    await expect(readRows(csv("2022-08-31 22:00:00+00:00,0,many,2.0,43.0,2.0,0.0,0,4"), readMapping(example))).rejects.toThrow(/"many" is no number/);
    await expect(readRows(join(dir, "none.csv"), readMapping(example))).rejects.toThrow(/none\.csv/);
  });

  it("moves times by whole weeks into the last seven days", () => {
    const now = Date.parse("2026-11-21T12:00:00Z");
    const last = Date.parse("2022-09-20T18:15:00Z");
    const shift = weeksToNow(last, now);
    expect(shift % week).toBe(0);
    expect(now - (last + shift)).toBeLessThan(week);
    expect(last + shift).toBeLessThanOrEqual(now);
    expect(weeksToNow(now, now)).toBe(0);
  });

  it("maps a cell's text to a value, numbers however they are written", () => {
    const column = { signal: "s", as: "number" as const, values: { "2": "EXECUTE", idle: 4 }, class: "ledger" as const };
    expect([cellValue("2.0", column), cellValue("idle", column), cellValue("7", column), cellValue(" ", column)]).toEqual(["EXECUTE", 4, 7, null]);
    expect(cellValue("4.0", { ...column, as: "text", values: {} })).toBe("4");
    expect(cellValue("yes", { ...column, as: "boolean" })).toBe(true);
  });

  it("says what does not fit in a mapping file", () => {
    const path = join(dir, "map.yaml");
    writeFileSync(path, "time: { column: ts }\nmachine: { column: asset, paths: { a: too/short } }\ncolumns: {}\n");
    expect(() => readMapping(path)).toThrow(/machine\.paths\.a: must be site\/area\/line\/machine/);
  });
});
