import { describe, expect, it } from "vitest";
import {
  atFields,
  initialValues,
  itemsOf,
  type MapValues,
  matters,
  missingFields,
  previewInput,
  readingFields,
  rowsOf,
  signalFields,
} from "./mapping-values.ts";
import type { UnknownData, UnknownValue } from "./unknown-section.tsx";

const place = { siteId: 1, lineId: 1 };
const press = { id: 1, path: "berlin/hall/l1/press", name: "Press", zone: "Europe/Berlin", ...place };
const oven = { ...press, id: 2, path: "berlin/hall/l1/oven", name: "Oven" };
const temperature = { id: 7, key: "temperature", name: "Temperature", role: "measurement", unit: "Cel", mappingForm: "json" as const, ...place };
const data: UnknownData = {
  at: 0,
  more: 0,
  unknown: [],
  machines: [press, oven],
  signals: [{ ...temperature, machineId: 1, machinePath: press.path, machineName: "Press" }],
};
const value = (of: { metric?: string | null; path?: Partial<UnknownValue["path"]>; machineId?: number | null } = {}): UnknownValue => ({
  topic: "hall/press/temp",
  metric: of.metric ?? null,
  siteId: 1,
  letters: 3,
  lastAt: 0,
  reason: "Because.",
  machineId: of.machineId === undefined ? 1 : of.machineId,
  path: { path: "data.t", value: 71, name: "t", suggestedSignalId: null, role: "measurement", unit: "Cel", key: "t", ...of.path },
});
const valuesOf = (change: Partial<MapValues> = {}, of: UnknownValue = value()): MapValues => ({ ...initialValues(of, data), ...change }) as MapValues;

describe("the form of a mapping", () => {
  it("begins with what the value probably is", () => {
    expect(valuesOf()).toMatchObject({ way: "new", machine: press.path, key: "t", role: "measurement", unit: "Cel", path: "data.t", topic: "hall/+/temp" });
    expect(valuesOf({}, value({ path: { suggestedSignalId: 7 } }))).toMatchObject({ way: "known", signal: "7" });
    expect(valuesOf({}, value({ metric: "Oil/Temp" }))).toMatchObject({ topic: "hall/press/temp" });
  });

  it("asks for what matters for the role, and sends nothing else", () => {
    const asked = (role: string) => readingFields.filter((field) => matters(field, valuesOf({ role }))).join(" ");
    expect(asked("measurement")).toBe("scale offset low high dead_band period keep_raw values");
    expect(asked("energy")).toBe("scale offset low high period keep_raw");
    expect(asked("good_count")).toBe("scale offset low high counter modulus period");
    expect(asked("state")).toBe("values");
    expect(asked("job")).toBe("values");
    const typed = { role: "measurement", scale: 0.1, high: 200, dead_band: 0.5, keep_raw: true };
    expect(signalFields(valuesOf(typed))).toMatchObject({ name: "t", role: "measurement", unit: "Cel", scale: 0.1, high: 200, dead_band: 0.5, keep_raw: true });
    expect(signalFields(valuesOf({ ...typed, role: "state", values: [{ rowKey: "1", raw: "1", value: "EXECUTE" }] }))).toEqual({
      name: "t",
      role: "state",
      values: { 1: "EXECUTE" },
    });
    expect(Object.keys(signalFields(valuesOf({ ...typed, role: "good_count", counter: "increment", modulus: 100 })))).not.toContain("modulus");
  });

  it("says where the value lies, to a new signal or one that there is", () => {
    const place = { topic: "hall/press/temp", metric: null, path: "data.t", tsPath: "at" };
    const ts = { ts_path: " at " };
    expect(itemsOf(valuesOf(ts), value(), data)).toEqual({
      items: [{ ...place, machine: press.path, key: "t", isNew: true, fields: expect.objectContaining({ name: "t" }) }],
      rowAt: [null],
    });
    const known = valuesOf({ ...ts, way: "known", signal: "7" });
    expect(itemsOf(known, value(), data).items).toEqual([{ ...place, machine: press.path, key: "temperature", isNew: false, fields: {} }]);
    expect(previewInput(known, value(), data)).toEqual({ ...place, signal: null, known: [{ topic: "hall/press/temp", signalId: 7 }] });
    const metric = value({ metric: "Oil/Temp" });
    expect(itemsOf(valuesOf(ts, metric), metric, data).items[0]).toMatchObject({ metric: "Oil/Temp", path: "", tsPath: null });
  });
});

describe("many topics", () => {
  const rows = rowsOf(
    [{ topic: "hall/oven/temp", isOn: false, isOwn: true, machine: oven.path, key: "heat" }],
    [
      { topic: "hall/mixer/temp", machine: null, signal: null },
      { topic: "hall/oven/temp", machine: oven.path, signal: null },
      { topic: "hall/press/temp", machine: press.path, signal: "temperature" },
    ],
    "v",
  );
  const many = (change: Partial<MapValues> = {}) => valuesOf({ reach: "many", path: "v", rows, ...change });

  it("keep what someone changed; whose machine is known are chosen", () => {
    expect(rows.map(({ topic, isOn, key }) => [topic, isOn, key])).toEqual([
      ["hall/mixer/temp", false, "temp"],
      ["hall/oven/temp", false, "heat"],
      ["hall/press/temp", true, "temperature"],
    ]);
  });

  it("are mapped each to its signal: what there is stays as it is, what two share is made once", () => {
    const both = rows.map((row) => ({ ...row, isOn: true, machine: row.machine || oven.path, key: row.key === "temp" ? "heat" : row.key }));
    const { items, rowAt } = itemsOf(many({ rows: both }), value(), data);
    expect(items.map(({ topic, machine, key, isNew, fields }) => [topic, machine.split("/").at(-1), key, isNew, Object.keys(fields).length > 0])).toEqual([
      ["hall/mixer/temp", "oven", "heat", true, true],
      ["hall/oven/temp", "oven", "heat", true, false],
      ["hall/press/temp", "press", "temperature", false, false],
    ]);
    expect(items[0]?.fields).not.toHaveProperty("name");
    expect(rowAt).toEqual([0, 1, 2]);
    expect(itemsOf(many(), value(), data).rowAt).toEqual([2]);
    expect(previewInput(many(), value(), data)).toMatchObject({ topic: "hall/+/temp", known: [{ topic: "hall/press/temp", signalId: 7 }] });
  });
});

describe("what is wrong", () => {
  it("and missing is said before the server is asked", () => {
    expect(missingFields(valuesOf({ machine: "", key: " " }))).toEqual(["machine", "key"]);
    expect(missingFields(valuesOf({ way: "known" }))).toEqual(["signal"]);
    const rows = [
      { topic: "a", isOn: true, isOwn: true, machine: "", key: "x" },
      { topic: "b", isOn: false, isOwn: true, machine: "", key: "" },
    ];
    expect(missingFields(valuesOf({ reach: "many", rows }))).toEqual(["rows.0.machine"]);
  });

  it("stands at the fields of the form", () => {
    const at = (path: string, values = valuesOf(), rowAt: (number | null)[] = [null]) => atFields([{ path, sentence: "No." }], values, rowAt)[0]?.path;
    expect(at("items.0.scale")).toBe("scale");
    expect(at("items.0.key")).toBe("key");
    expect(at("items.0.key", valuesOf({ way: "known" }))).toBe("signal");
    expect(at("items.0.mapping.2.path")).toBe("path");
    expect(at("items.0.mapping.2.ts_path")).toBe("ts_path");
    expect(at("items.0.mapping.0.topic")).toBe(""); // above the buttons
    const values = [
      { rowKey: "1", raw: "1", value: "EXECUTE" },
      { rowKey: "2", raw: "1.5", value: "hot" },
    ];
    expect(at("items.0.values.1.5", valuesOf({ values }))).toBe("values.1.value");
    const many = valuesOf({ reach: "many" });
    expect([at("items.1.key", many, [0, 4]), at("items.1.mapping.0.topic", many, [0, 4]), at("items.1.scale", many, [0, 4])]).toEqual([
      "rows.4.key",
      "rows.4.topic",
      "scale",
    ]);
  });
});
