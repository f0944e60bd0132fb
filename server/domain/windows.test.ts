import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Window } from "./windows.ts";
import { clip, complement, minus, overlay, union } from "./windows.ts";

const window = fc.tuple(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 40 })).map(([from, to]): Window => ({ from, to }));
const windows = fc.array(window, { maxLength: 12 });
/** The seconds that windows hold, one by one: what the set operations are judged by. */
const held = (ws: readonly Window[]) => Array.from({ length: 41 }, (_, s) => ws.some((w) => w.from <= s && s < w.to));
const isTidy = (ws: readonly Window[]) => ws.every((w, i) => w.from < w.to && (i === 0 || (ws[i - 1]?.to ?? Infinity) < w.from));

describe("windows", () => {
  it("union, clip, complement and minus hold exactly the seconds that they should, tidily", () => {
    fc.assert(
      fc.property(windows, windows, window, (a, b, within) => {
        const inA = held(a);
        const inB = held(b);
        const inW = held([within]);
        expect(held(union(a))).toEqual(inA);
        expect(held(clip(a, within))).toEqual(inA.map((x, i) => x && inW[i]));
        expect(held(complement(a, within))).toEqual(inA.map((x, i) => !x && inW[i]));
        expect(held(minus(a, b))).toEqual(inA.map((x, i) => x && !inB[i]));
        for (const result of [union(a), clip(a, within), complement(a, within), minus(a, b)]) expect(isTidy(result)).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  it("overlay paints what lies inside and leaves the rest, without gap or overlap", () => {
    const cuts = fc.uniqueArray(fc.integer({ min: 1, max: 39 }), { maxLength: 8 }).map((at) => [0, ...at.sort((a, b) => a - b), 40]);
    fc.assert(
      fc.property(cuts, windows, (at, ws) => {
        const spans = at.slice(1).map((to, i) => ({ from: at[i] ?? 0, to, paint: "plain" }));
        const result = overlay(spans, union(ws), (piece) => ({ ...piece, paint: "painted" }));
        expect(result[0]?.from).toBe(0);
        expect(result.at(-1)?.to).toBe(40);
        for (let i = 1; i < result.length; i += 1) expect(result[i]?.from).toBe(result[i - 1]?.to);
        expect(held(result.filter((r) => r.paint === "painted"))).toEqual(held(clip(ws, { from: 0, to: 40 })));
      }),
      { numRuns: 2000 },
    );
  });
});
