import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { aDatabase } from "#/server/testing.ts";
import { exportPlant } from "./export.ts";
import { readPlantFile } from "./read-file.ts";
import { applyPlan, planPlant } from "./service.ts";
import { example, later, PlantStage } from "./testing.ts";

let stage: PlantStage;
const apply = (text: string, now?: Date) => stage.apply(text, now);
beforeEach(async () => {
  stage = await PlantStage.open();
});
afterEach(() => stage.close());

describe("export", () => {
  it("applies to an empty database and exports the same bytes again", async () => {
    await apply(`${example}  - key: chicago
    zone: America/Chicago
    shift_patterns: [{ key: all, shifts: [{ key: s, days: [mon, tue, thu, sun], start: 06:00, end: "30:00", breaks: [{ start: "23:45", end: 00:15 }] }] }]
    reasons: [{ key: a, loss: planned, reasons: [{ key: b, loss: other, reasons: [{ key: c }] }] }, { key: "007", loss: external, fault_code: "0017" }]
    sources: [{ form: mapped, address: hall gateway, no_data_timeout: 10m, max_backfill: 1d }, { form: sparkplug, address: G/N }]
    areas:
      - key: hall
        lines:
          - key: "1"
            shift_pattern: [{ pattern: all, until: 2026-03-01 }, { pattern: all, from: 2026-04-01 }]
            machines:
              - { key: oven, source: hall gateway, signals: [{ key: t, role: measurement, offset: -273.15, mapping: [{ topic: hall/oven/t }, { topic: hall/+/t2, path: a.0 }] }, { key: kwh, role: energy, source: G/N, metric: Oven/kWh }] }
              - { key: belt, source: G/N, upstream: oven, downstream: hall/2/x, signals: [{ key: v, role: measurement, period: 500ms }, { key: s, role: state, mapping: { descriptor: G/Other/D, metric: S } }] }
              - { key: own, source: { max_backfill: 12h }, ideal_cycles: [{ seconds: 0.1 }, { seconds: 0.2, from: 2026-01-01, until: 2026-02-01T12:00 }, { product: H-100, seconds: 3, from: 2026-03-29T01:30:00.500Z }] }
          - { key: "2", machines: [{ key: x, name: "X: # of \\"all\\"" }] }
      - { key: empty }
`);
    const first = await exportPlant(stage.db);
    expect(first).toMatchSnapshot();
    expect((await apply(first ?? "", later(1))).lines).toEqual([]);
    const empty = await aDatabase();
    try {
      const { plant } = readPlantFile(first ?? "");
      if (!plant) throw new Error("the export is no plant file");
      await applyPlan(empty, await planPlant(empty, plant, later(2)), later(2));
      expect(await exportPlant(empty)).toBe(first);
    } finally {
      await empty.drop();
    }
  });
  it("says that there is nothing", async () => {
    expect(await exportPlant(stage.db)).toBeNull();
  });
});
