import { describe, expect, it } from "vitest";
import { placedMachines } from "#/simulator/model/definition.ts";
import { demoPlant } from "#/simulator/model/demo-plant.ts";
import type { Reading } from "#/simulator/model/readings.ts";
import { messagesOf } from "#/simulator/publish/json.ts";

const machine = (key: string) => {
  const found = placedMachines(demoPlant).find((one) => one.machine.key === key);
  if (!found) throw new Error(key);
  return found;
};
const reading = (key: string, signalKey: string, at: number, value: Reading["value"]): Reading => {
  const signal = machine(key).machine.signals.find((one) => one.key === signalKey);
  if (!signal) throw new Error(signalKey);
  return { signal, at, value };
};
const said = (key: string, readings: Reading[], form: "single" | "batched", most?: number) =>
  messagesOf(machine(key), readings, form, most).map(({ topic, payload }) => [topic, JSON.parse(String(payload))]);

describe("JSON messages", () => {
  it("are one value a message in the single form", () => {
    expect(said("filler", [reading("filler", "state", 1000, "EXECUTE"), reading("filler", "good", 2000, 7)], "single")).toEqual([
      ["takt/v1/berlin/filling/filling-1/filler/state", { ts: 1000, value: "EXECUTE" }],
      ["takt/v1/berlin/filling/filling-1/filler/good", { ts: 2000, value: 7 }],
    ]);
  });

  it("are an object for one instant and a list for several in the batched form", () => {
    const readings = [reading("press-01", "state", 1000, "AUTO"), reading("press-01", "good", 1000, 7), reading("press-01", "good", 2000, 8)];
    expect(said("press-01", readings.slice(0, 2), "batched")).toEqual([
      ["takt/v1/berlin/press-shop/stamping-1/press-01", { ts: 1000, state: "AUTO", good: 7 }],
    ]);
    expect(said("press-01", readings, "batched")).toEqual([
      [
        "takt/v1/berlin/press-shop/stamping-1/press-01",
        [
          { ts: 1000, state: "AUTO", good: 7 },
          { ts: 2000, good: 8 },
        ],
      ],
    ]);
    expect(said("press-01", readings, "batched", 2)).toHaveLength(2);
  });

  it("are the gateway's own for a scale, with value and time inside", () => {
    expect(said("capper", [reading("capper", "cap_bin", 1000, 42.5)], "single")).toEqual([
      ["factory/scales/s-17", { device: "s-17", reading: { net: { value: 42.5 } }, time: "1970-01-01T00:00:01.000Z" }],
    ]);
  });

  it("carry every reading once, in order", () => {
    const readings = Array.from({ length: 1000 }, (_, n) => reading("press-01", "good", n, n));
    expect(messagesOf(machine("press-01"), readings, "batched", 100).flatMap((message) => message.readings)).toEqual(readings);
  });
});
