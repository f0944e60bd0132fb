import { describe, expect, it } from "vitest";
import { filterLike, pathChoices } from "./message-paths.ts";

describe("pathChoices", () => {
  it("are the single values of the messages, and those that can be a time", () => {
    const { values, times } = pathChoices([
      '{"ts":1790000000000,"data":{"t":71.5,"at":"2026-09-21T14:13:20Z","on":true}}',
      '{"ts":1790000001000,"data":{"t":72,"mode":"AUTO"}}',
    ]);
    expect(values).toEqual([
      { path: "data.t", sample: "71.5" },
      { path: "data.at", sample: "2026-09-21T14:13:20Z" },
      { path: "data.on", sample: "true" },
      { path: "data.mode", sample: "AUTO" },
    ]);
    expect(times).toEqual([
      { path: "ts", sample: "1790000000000" },
      { path: "data.at", sample: "2026-09-21T14:13:20Z" },
    ]);
  });

  it("are none in what is no JSON, is cut off, or is the value itself", () => {
    expect(pathChoices([null, "RUN", '{"a":1,"b', "71.5"])).toEqual({ values: [], times: [] });
  });
});

describe("filterLike", () => {
  it.each([
    ["hall/oven/temp", "berlin/hall/l1/oven", "hall/+/temp"],
    ["takt/v1/berlin/hall/l1/press/temp", "berlin/hall/l1/press", "takt/v1/berlin/hall/l1/+/temp"],
    ["plc7/Press/press", "berlin/hall/l1/press", "plc7/Press/+"],
    ["plc7/station4/temp", null, "plc7/+/temp"],
    ["plc7/temp", "berlin/hall/l1/press", "+/temp"],
    ["temp", null, "temp"],
  ])("of %s on %s is %s", (topic, machine, filter) => expect(filterLike(topic, machine)).toBe(filter));
});
