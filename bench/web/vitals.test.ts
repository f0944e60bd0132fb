import { describe, expect, it } from "vitest";
import { largestPaint, layoutShift, slowestAnswer } from "./vitals.ts";

const shifts = (...all: [atMs: number, share: number][]) => ({ shifts: all.map(([atMs, share]) => ({ atMs, share, what: `at ${atMs}` })) });

describe("layout shift", () => {
  it("is nothing where nothing moved", () => {
    expect(layoutShift(shifts())).toEqual({ share: 0, what: null });
  });

  it("adds what follows within a second, and takes the worst of these sums", () => {
    expect(layoutShift(shifts([0, 1], [900, 2], [1_900, 4], [2_800, 0.5]))).toEqual({ share: 4.5, what: "at 2800" });
    expect(layoutShift(shifts([0, 4], [1_000, 1], [1_500, 1])).share).toBe(4);
  });

  it("begins anew after five seconds, however close they follow", () => {
    const drip = Array.from({ length: 12 }, (_, n): [number, number] => [n * 500, 1]);
    expect(layoutShift(shifts(...drip)).share).toBe(10);
  });
});

it("takes the slowest of all events, and the last of the largest paints", () => {
  const answer = (id: number, lastsMs: number) => ({ id, event: "click", atMs: 0, lastsMs });
  expect(slowestAnswer({ answers: [answer(1, 24), answer(2, 200), answer(2, 32)] })?.lastsMs).toBe(200);
  expect(slowestAnswer({ answers: [] })).toBeNull();
  const paints = [
    { atMs: 10, what: "p" },
    { atMs: 30, what: "h1" },
  ];
  expect(largestPaint({ paints, shifts: [], answers: [] })?.what).toBe("h1");
});
