// The short one; 100,000 is npm run soak -- fuzz.
import { expect, it } from "vitest";
import { fuzzWorker } from "#/scripts/soak/fuzz.ts";

it("a worker accounts for every value of the garbage that it gets, and lives", async () => {
  const seed = Math.floor(Math.random() * 2 ** 32);
  const { samples, troubles } = await fuzzWorker(10_000, seed);
  expect({ seed, troubles }).toEqual({ seed, troubles: [] });
  expect(samples).toBeGreaterThan(300);
});
