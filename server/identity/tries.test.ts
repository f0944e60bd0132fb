import { describe, expect, it } from "vitest";
import { afterTry, inCrowd, type Limit, limits } from "./tries.ts";

/** Tries that are looked at in a day, by who knows the limit and is never a moment late; `lastS`: in the last hour of it. */
function guessesADay(limit: Limit): { day: number; lastHour: number } {
  let state = { failures: 0, lastAt: new Date(0) };
  let [day, lastHour] = [0, 0];
  for (let now = new Date(0); now.getTime() < 86_400_000; ) {
    const { failures, blockedUntil } = afterTry(state, limit, now);
    state = { failures, lastAt: now };
    day++;
    if (now.getTime() >= 82_800_000) lastHour++;
    now = blockedUntil ?? now;
  }
  return { day, lastHour };
}

// docs/security.md, the odds of guessing.
describe("what is guessed in a day, at most", () => {
  it.each([
    ["a password, alone", limits.pair, 5_990, 240],
    ["a password, in a crowd", inCrowd, 1_560, 60],
    ["a password, with a browser of theirs", limits.device, 5_775, 240],
    ["a PIN in one name at one terminal", limits.pin, 301, 12],
    ["PINs at one terminal", limits.terminal, 740, 30],
    ["a code", limits.codePair, 105, 4],
  ])("%s", (_, limit, day, lastHour) => {
    const guessed = guessesADay(limit);
    expect(guessed.day).toBeLessThanOrEqual(day);
    expect(guessed.day).toBeGreaterThan(day * 0.95); // the number that is said is the number
    expect(guessed.lastHour).toBe(lastHour);
  });
});
