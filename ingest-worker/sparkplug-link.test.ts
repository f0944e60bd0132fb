// From what the host gives out to the batch.
import { describe, expect, it } from "vitest";
import { Filling } from "./batch.ts";
import { Resolver } from "./resolve.ts";
import { emptyOutput, type SparkplugValue } from "./sparkplug/types.ts";
import { pour } from "./sparkplug-link.ts";
import { plantOf, signalAt } from "./testing.ts";

const now = Date.UTC(2026, 8, 21, 14, 13, 20);
const press = "berlin/stamping/line-1/press-1";

function aPlant() {
  const plant = plantOf({ [press]: { temperature: { role: "measurement" }, power: { role: "measurement" } } });
  const metrics = new Map(["temperature", "power"].map((key) => [key, signalAt(plant, `${press}/${key}`)]));
  plant.sparkplugMappings.set("Berlin/Edge1", metrics);
  return plant;
}
const value = (metric: string, of: number): SparkplugValue => ({
  address: "Berlin/Edge1",
  metric,
  at: now + of,
  value: of,
  historical: false,
  good: true,
  transient: false,
  receivedAt: now,
});

describe("pour", () => {
  it("sets a value aside alone at which the worker itself fails, and says so; its neighbours are taken", () => {
    const plant = aPlant();
    const broken = new Map<string, unknown>();
    broken.get = () => {
      throw new TypeError("cannot go on");
    };
    signalAt(plant, `${press}/power`).valueMap = broken;
    const filling = new Filling();
    const problems: string[] = [];
    const values = [value("temperature", 1), value("power", 2), value("power", 3), value("temperature", 4)];
    pour({ ...emptyOutput(), values }, now, new Resolver(plant, 86_400_000), filling, (sentence) => problems.push(sentence));
    expect(filling.batch.samples.map((s) => s.value)).toEqual([1, 4]);
    expect(filling.batch.letters.map(({ topic, metric, payload, code, reason }) => ({ topic, metric, payload: payload.toString(), code, reason }))).toEqual(
      [2, 3].map((n) => ({
        topic: "spBv1.0/Berlin/Edge1",
        metric: "power",
        payload: `{"ts":${now + n},"value":${n}}`,
        code: "sparkplug_malformed",
        reason: "The value could not be taken: cannot go on",
      })),
    );
    expect([filling.received, problems]).toEqual([4, ["Berlin/Edge1 power: The value could not be taken: cannot go on"]]);
  });

  it("counts what cannot be kept each time that it comes, not only with the one letter since its birth", () => {
    const filling = new Filling();
    pour({ ...emptyOutput(), repeats: 5, duplicates: 2 }, now, new Resolver(aPlant(), 86_400_000), filling, () => undefined);
    expect([filling.received, filling.batch.values, filling.batch.repeats, filling.batch.setAside]).toEqual([7, 7, 2, new Map([["sparkplug_type", 5]])]);
  });
});
