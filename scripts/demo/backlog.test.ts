import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { countBacklog } from "./backlog.ts";

describe("countBacklog", () => {
  it("is what was published and is not yet stored", () => {
    const backlog = countBacklog();
    expect(backlog(0, 1000, 0)).toBe(0);
    expect(backlog(30_000, 1000, 100)).toBe(30_000);
    expect(backlog(60_000, 21_000, 200)).toBe(40_000);
    expect(backlog(60_000, 61_000, 300)).toBe(0);
  });

  it("goes on when the worker begins to count from 0 again", () => {
    const backlog = countBacklog();
    backlog(0, 5000, 0);
    expect(backlog(10_000, 8000, 100)).toBe(7000);
    expect(backlog(10_000, 500, 200)).toBe(6500);
  });

  it("forgets values that never arrive once the worker stores nothing more", () => {
    const backlog = countBacklog();
    backlog(0, 0, 0);
    expect(backlog(1000, 900, 100)).toBe(100);
    expect(backlog(1000, 900, 2000)).toBe(100);
    expect(backlog(1000, 900, 2101)).toBe(0);
  });

  it("is never negative, however much else the worker stores", () => {
    const steps = fc.array(fc.tuple(fc.nat(50_000), fc.nat(50_000)), { maxLength: 50 });
    fc.assert(
      fc.property(steps, (all) => {
        const backlog = countBacklog();
        let [published, stored] = [0, 0];
        for (const [index, [more, done]] of all.entries()) {
          published += more;
          stored += done;
          expect(backlog(published, stored, index * 100)).toBeGreaterThanOrEqual(0);
        }
      }),
    );
  });
});
