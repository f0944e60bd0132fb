import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { piecesByMinute } from "#/server/domain/counter.ts";
import { demoPlant } from "#/simulator/model/demo-plant.ts";
import { PlantModel } from "#/simulator/model/readings.ts";
import { Truth } from "#/simulator/truth.ts";

const from = Date.parse("2026-11-18T08:00:00Z");

describe("the truth", () => {
  let dir = "";
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "takt-truth-"));
  });
  afterEach(() => rmSync(dir, { recursive: true }));
  const lines = (name: string) => readFileSync(join(dir, name), "utf8").trim().split("\n");

  it("has the pieces of each minute as Takt counts them, whatever came twice or late", async () => {
    const model = new PlantModel(demoPlant, "takt");
    const truth = new Truth({ path: join(dir, "truth"), valuesPath: join(dir, "values"), run: {} });
    const machines = model.machines.filter(({ machine: { key } }) => ["press-01", "press-04", "imm-03", "cnc-01", "filler"].includes(key));
    const counts = new Map<string, number>();
    let sent = 0;
    for (const machine of machines) {
      const readings = model.readings(machine, from, from + 8 * 3_600_000, { measurements: false });
      const shuffled = [...readings.filter((_, n) => n % 3 > 0), ...readings.filter((_, n) => n % 3 === 0), ...readings.slice(0, 50)];
      for (const reading of shuffled) truth.acknowledged(machine, [reading]);
      sent += shuffled.length;
      for (const signal of machine.machine.signals.filter(({ counter }) => counter)) {
        const own = readings.filter((reading) => reading.signal === signal).map(({ at, value }) => ({ at, value: Number(value) }));
        const rule = { mode: signal.counter ?? ("cumulative" as const), modulus: signal.modulus ?? null };
        for (const { minute, pieces } of piecesByMinute(rule, null, own, [])) {
          if (pieces > 0) counts.set(`${machine.machinePath} ${signal.key} ${new Date(minute).toISOString()}`, pieces);
        }
      }
    }
    await truth.close();
    const written = lines("truth").map((line) => JSON.parse(line));
    const told = new Map(
      written.filter(({ kind }) => kind === "pieces").map(({ machine, signal, minute, pieces }) => [`${machine} ${signal} ${minute}`, pieces]),
    );
    expect(told).toEqual(counts);
    for (const { machine, signal, pieces } of written.filter((line) => line.kind === "total" && line.pieces !== undefined)) {
      const sum = written
        .filter((line) => line.kind === "pieces" && line.machine === machine && line.signal === signal)
        .reduce((all, line) => all + line.pieces, 0);
      expect(pieces).toBe(sum);
    }
    const published = written.at(-1);
    expect(published).toMatchObject({ kind: "published", values: sent, messages: sent });
    expect(published.distinct).toBe(sent - 50 * machines.length);
    expect(lines("values")).toHaveLength(sent);
    expect(lines("values")[0]).toMatch(/^takt\/v1\/berlin\/[a-z0-9/-]+\t\d{13}\t/);
  });

  it("tells states and the stops between them", async () => {
    const truth = new Truth({ path: join(dir, "truth"), run: {} });
    const machine = { machinePath: "a/b/c/d" };
    truth.condition(machine, 1000, "run", "");
    truth.condition(machine, 2000, "run", "");
    truth.condition(machine, 3000, "breakdown", "E1");
    truth.condition(machine, 9000, "run", "");
    await truth.close();
    const written = lines("truth").map((line) => JSON.parse(line));
    expect(written.filter(({ kind }) => kind === "state").map(({ at, condition }) => [at, condition])).toEqual([
      [1000, "run"],
      [3000, "breakdown"],
      [9000, "run"],
    ]);
    expect(written.filter(({ kind }) => kind === "stop")).toEqual([
      { kind: "stop", machine: "a/b/c/d", from: 3000, to: 9000, condition: "breakdown", fault: "E1" },
    ]);
  });
});
