import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { keyOf, likeness, SignalsByMachine, scalarPaths, suggestRole, suggestSignal, valueName } from "./signal-suggestion.ts";

const known = [
  { id: 1, key: "temperature", machineId: 1, machinePath: "hamburg/filling/line2/filler-1" },
  { id: 2, key: "temperature", machineId: 2, machinePath: "hamburg/filling/line2/capper" },
  { id: 3, key: "good", machineId: 2, machinePath: "hamburg/filling/line2/capper" },
];

describe("in a large plant", () => {
  it("only machines that the topic names are compared, however long the names that come", () => {
    const many = Array.from({ length: 50_000 }, (_, i) => ({
      id: i + 10,
      key: `signal-${i % 25}`,
      machineId: i,
      machinePath: `berlin/hall/line-${i % 40}/press-${Math.floor(i / 25)}`,
    }));
    const signals = new SignalsByMachine([...known, ...many]);
    expect(signals.of(["press17"]).length).toBe(25);
    const long = "signal-3".padEnd(60_000, "x");
    for (let i = 0; i < 2_000; i++) suggestSignal(long, `plc/press-${i}/${long}`, signals);
    expect(suggestSignal("signal-3", "plc/press-17", signals)?.id).toBe(10 + 17 * 25 + 3);
  });
});

describe("suggestSignal", () => {
  it("finds the same or a similar key on the machine that the topic names", () => {
    expect(suggestSignal("temp", "takt/v1/hamburg/filling/line2/capper/temp", new SignalsByMachine(known))?.id).toBe(2);
    expect(suggestSignal("Temperature", "plc/line2/filler-1", new SignalsByMachine(known))?.id).toBe(1);
    expect(suggestSignal("goodCount", "spBv1.0/Hamburg/gw1/capper", new SignalsByMachine(known))?.id).toBe(3);
  });
  it("guesses nothing from a name without a place, or from a place without a name", () => {
    expect(suggestSignal("torque", "hamburg/filling/line2/capper", new SignalsByMachine(known))).toBeNull();
    expect(suggestSignal("good", "plc7/station4/data", new SignalsByMachine(known))).toBeNull();
    expect(suggestSignal("temper", "somewhere/else", new SignalsByMachine(known))).toBeNull();
    expect(suggestSignal("good", "takt/v1/hamburg/filling/line2/capper-9/good", new SignalsByMachine(known))).toBeNull(); // another machine of the same line
  });
});

describe("likeness", () => {
  it("is 1 for equal names, symmetrical, and between 0 and 1", () => {
    expect(likeness("Good_Count", "goodcount")).toBe(1);
    fc.assert(
      fc.property(fc.string(), fc.string(), (a, b) => {
        expect(likeness(a, b)).toBeCloseTo(likeness(b, a), 12);
        expect(likeness(a, b)).toBeGreaterThanOrEqual(0);
        expect(likeness(a, b)).toBeLessThanOrEqual(1);
      }),
    );
  });
});

describe("suggestRole", () => {
  it("reads the name and minds the value", () => {
    expect(suggestRole("ScrapCount", 3)).toEqual({ role: "reject_count", unit: "1" });
    expect(suggestRole("oil_temp", 71.2)).toEqual({ role: "measurement", unit: "Cel" });
    expect(suggestRole("MachineStatus", "RUN")).toEqual({ role: "state", unit: "" });
    expect(suggestRole("count", "many")).toEqual({ role: "state", unit: "" });
    expect(suggestRole("x", 1)).toEqual({ role: "measurement", unit: "" });
  });
});

describe("keyOf", () => {
  it("makes a key that the plant takes of any name", () => {
    fc.assert(
      fc.property(fc.string(), (name) => {
        expect(keyOf(name)).toMatch(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/);
      }),
    );
    expect(keyOf("Node Control/Oil temp. (°C)")).toBe("Node_Control_Oil_temp._C");
  });
});

describe("scalarPaths", () => {
  it("lists what a mapping can name", () => {
    expect(scalarPaths({ ts: 1, data: { temp: 71, on: true, list: [1, "x"] }, "a.b": 2 })).toEqual([
      { path: "data.temp", value: 71 },
      { path: "data.on", value: true },
      { path: "data.list.0", value: 1 },
      { path: "data.list.1", value: "x" },
    ]);
    expect(scalarPaths({ ts: 1, a: { time: 2 } }, { withTimes: true })).toEqual([
      { path: "ts", value: 1 },
      { path: "a.time", value: 2 },
    ]);
    expect(scalarPaths(7)).toEqual([{ path: "", value: 7 }]);
    expect(scalarPaths({ a: Array.from({ length: 500 }, (_, i) => i) }).length).toBe(100);
  });
});

describe("valueName", () => {
  it("is what says most of a value", () => {
    expect(valueName("hall/oven/temp", null, "data.scrapCount")).toBe("scrapCount");
    expect(valueName("hall/oven/temp", null, "axes.0")).toBe("axes");
    for (const path of ["", "value", "v", "0", "value.0"]) expect(valueName("hall/oven/temp", null, path)).toBe("temp");
    expect(valueName("G/N", "Oil/Temp", "")).toBe("Oil/Temp");
  });
});
