import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Marker, merge, missing, type Span } from "#/simulator/backfill.ts";

const spans = fc.array(
  fc.tuple(fc.integer({ min: 0, max: 100 }), fc.integer({ min: 0, max: 100 })).map(([a, b]): Span => [Math.min(a, b), Math.max(a, b)]),
  { maxLength: 8 },
);
const holds = (among: readonly Span[], at: number) => among.some(([from, to]) => at >= from && at < to);

describe("what is missing", () => {
  it("and what is done are the whole, and have nothing in common", () => {
    fc.assert(
      fc.property(spans, (done) => {
        const rest = missing(10, 90, done);
        const merged = merge(done);
        for (let at = 10; at < 90; at++) expect(holds(rest, at)).toBe(!holds(merged, at));
        expect(rest.every(([from, to]) => from >= 10 && to <= 90 && from < to)).toBe(true);
        expect(merged.every(([from], n) => n === 0 || from > (merged[n - 1]?.[1] ?? 0))).toBe(true);
      }),
    );
  });
});

describe("the marker file", () => {
  let dir = "";
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "takt-marker-"));
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  it("remembers over a restart, for the same plant alone", () => {
    const path = join(dir, "deeper", "marker.json");
    const marker = new Marker(path, "a");
    marker.add(10, 20);
    marker.add(20, 30);
    marker.save();
    expect(new Marker(path, "a").done).toEqual([[10, 30]]);
    expect(new Marker(path, "b").done).toEqual([]);
    expect(JSON.parse(readFileSync(path, "utf8"))).toEqual({ plant: "a", done: [[10, 30]] });
  });

  it("says so when it is damaged", () => {
    const path = join(dir, "marker.json");
    writeFileSync(path, "{");
    expect(() => new Marker(path, "a")).toThrow(/Remove it/);
  });
});
