import { describe, expect, it } from "vitest";
import { Meter } from "./meter.ts";

const rate = { burst: 10, perS: 2 };

describe("Meter", () => {
  it("lets a burst through, then so many a second, and says how long to wait", () => {
    const meter = new Meter(rate);
    const at = (ms: number) => meter.take("a", 1, ms);
    expect(Array.from({ length: 10 }, () => at(0))).toEqual(Array(10).fill(0));
    expect(at(0)).toBe(1);
    expect([at(499), at(500), at(500), at(1_000)]).toEqual([1, 0, 1, 0]);
  });

  it("counts each for itself, and never more than a burst after a long rest", () => {
    const meter = new Meter(rate);
    for (let n = 0; n < 10; n += 1) meter.take("a", 1, 0);
    expect(meter.take("b", 1, 0)).toBe(0);
    const later = Array.from({ length: 12 }, () => meter.take("a", 1, 3_600_000));
    expect(later.filter((wait) => wait === 0)).toHaveLength(10);
  });

  it("takes a batch as that many, and one that is larger than the bucket as a full one", () => {
    const meter = new Meter(rate);
    expect([meter.take("a", 8, 0), meter.take("a", 8, 0), meter.take("a", 8, 3_000), meter.take("c", 50, 0), meter.take("c", 1, 0)]).toEqual([0, 3, 0, 0, 1]);
  });

  it("is not helped by a clock that is set back, and does not grow without end", () => {
    const meter = new Meter(rate);
    for (let n = 0; n < 10; n += 1) meter.take("a", 1, 10_000);
    expect(meter.take("a", 1, 0)).toBe(1);
    for (let n = 0; n < 50_000; n += 1) meter.take(`key ${n}`, 1, 20_000);
    expect((meter as unknown as { buckets: Map<string, unknown> }).buckets.size).toBeLessThanOrEqual(10_000);
  });
});
