// The short kill test; the long one is npm run soak -- kill.
import { expect, it } from "vitest";
import { killTest } from "#/scripts/soak/kill.ts";

it("kill -9 of worker and database, a restart of the broker, under load: nothing lost, nothing twice, pieces true", async () => {
  const report = await killTest({
    kills: { worker: 4, postgres: 1, broker: 1 },
    perSecond: 2_000,
    gapMs: [1_000, 3_000],
    seed: Math.floor(Math.random() * 2 ** 32),
    log: console.log,
  });
  expect(report.differences.slice(0, 10)).toEqual([]);
  expect(report.stored + report.setAside).toBe(report.distinct);
  expect(report.kills).toEqual({ worker: 4, postgres: 1, broker: 1 });
  expect(report.messages).toBeGreaterThan(10_000);
});
