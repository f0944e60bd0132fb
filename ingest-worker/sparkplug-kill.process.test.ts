// The short Sparkplug marathon; the long one is npm run soak -- sparkplug.
import { expect, it } from "vitest";
import { neverBorn, sparkplugTest } from "#/scripts/soak/sparkplug.ts";

it("whatever ends or restarts: no value is lost outside of time that is shown as not alive; an edge that stores loses nothing", async () => {
  const { edges, differences } = await sparkplugTest({
    blows: { killed: 1, stopped: 1, broker: 1, database: 1, skipped: 1 },
    perSecond: 25,
    gapMs: [200, 1_500],
    seed: Math.floor(Math.random() * 2 ** 32),
    log: console.log,
  });
  expect(differences.slice(0, 10)).toEqual([]);
  expect(edges.plain?.lost).toBeGreaterThan(0);
  expect(edges.plain?.gaps).toBeGreaterThan(1);
  for (const edge of [edges.storing, edges["storing-early"]]) {
    expect(edge).toMatchObject({ lost: 0, gaps: 0 });
    expect(edge?.historyMarks).toBeGreaterThan(0);
  }
});

it("data of a node that never says its birth is set aside, also when the worker stops before the wait for it ends", async () => {
  expect(await neverBorn({ waitMs: 0, log: console.log })).toEqual({ waited: 0, stopped: 5 });
});
