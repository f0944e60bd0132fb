import { expect, it } from "vitest";
import { NowAndThen } from "./now-and-then.ts";

it("says the first, and then one in ten seconds with the number of those left out", () => {
  let now = 0;
  const said: string[] = [];
  const log = new NowAndThen(
    (sentence) => said.push(sentence),
    () => now,
  );
  for (; now <= 20_000; now += 1) log.say("bad");
  expect(said).toEqual(["bad", "bad (9999 more such lines since the last one)", "bad (9999 more such lines since the last one)"]);
});
