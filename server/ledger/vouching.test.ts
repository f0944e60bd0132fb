import { describe, expect, it } from "vitest";
import { earliest, vouchingOf } from "./vouching.ts";

const now = 1_000_000;
const listener = (filters: string[], watchedTo: number, heardTo = watchedTo) => ({ filters, watchedTo, heardTo, now });
const json = { sourceId: 1, form: "json", address: "berlin/hall/line/press", pattern: null, announcedAt: 500_000 } as const;
const edge = { sourceId: 2, form: "sparkplug", address: "Berlin/Edge1/Press", pattern: null, announcedAt: 500_000 } as const;

describe("how far a source's own word holds", () => {
  it("is not limited while somebody listens", () => {
    expect(vouchingOf([json, edge], [listener(["takt/v1/berlin/#", "spBv1.0/Berlin/#"], now - 15_000)])).toEqual(new Map());
  });
  it("ends where the last who listened had written all", () => {
    const gone = listener(["takt/v1/#"], now - 60_000);
    expect(vouchingOf([json], [gone, listener(["takt/v1/berlin/#"], now - 20_000)])).toEqual(new Map([[1, now - 20_000]]));
    expect(vouchingOf([json], [gone, listener(["takt/v1/chicago/#"], now)])).toEqual(new Map([[1, now - 60_000]]));
  });
  it("is kept apart by the way on which it came", () => {
    expect(vouchingOf([json, edge], [listener(["takt/v1/#", "spBv1.0/+/#"], now - 60_000, now)])).toEqual(new Map([[1, now - 60_000]]));
  });
  it("is no more than the word itself where nobody is known to have listened", () => {
    expect(vouchingOf([json], [])).toEqual(new Map([[1, 500_000]]));
    expect(vouchingOf([json], [listener(["other/#"], now)])).toEqual(new Map([[1, 500_000]]));
  });
  it("of a machine is that of its source that was left first", () => {
    const ends = new Map([
      [1, 30],
      [2, 20],
    ]);
    expect([earliest([1, 2, 3], ends), earliest([3], ends)]).toEqual([20, null]);
  });
});
