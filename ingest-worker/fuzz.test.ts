// The short one; a million is npm run soak -- fuzz.
import { expect, it } from "vitest";
import { fuzzPure } from "#/scripts/soak/fuzz.ts";

it("garbage becomes a sample or a letter with a sentence, and nothing throws", () => {
  const seed = Math.floor(Math.random() * 2 ** 32);
  const { samples, letters, troubles } = fuzzPure(30_000, seed);
  expect({ seed, troubles }).toEqual({ seed, troubles: [] });
  expect(samples).toBeGreaterThan(1_000);
  expect(Object.keys(letters).sort()).toEqual(
    [
      "counter_negative",
      "payload_empty",
      "payload_not_json",
      "payload_not_utf8",
      "payload_shape",
      "payload_too_deep",
      "topic_malformed",
      "ts_future",
      "ts_invalid",
      "ts_too_old",
      "unknown_machine",
      "unknown_signal",
      "value_not_finite",
      "value_out_of_limits",
      "value_type",
    ].sort(),
  );
});
