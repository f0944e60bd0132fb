import { expect, it } from "vitest";
import { Held } from "./batch.ts";

it("link events count in what is held: a flood of them fills it, and is cut into batches that the database takes", () => {
  const held = new Held();
  const link = { address: "a/b/c/d", at: 0, kind: "online", alive: true, detail: "", receivedAt: 0 };
  const cut: number[] = [];
  for (let i = 0; i < 60_000 && !held.isFull; i++) {
    held.filling.link({ ...link, at: i });
    held.cutIfLarge();
  }
  expect([held.isFull, held.hasRoom, held.values]).toEqual([true, false, 0]);
  for (let queued = held.first(); queued; queued = held.first()) {
    cut.push(queued.batch.links.length);
    held.shift();
  }
  expect([cut, held.isFull, held.hasRoom]).toEqual([[20_000, 20_000], false, true]);
  held.filling.link(link);
  held.cut();
  held.forget();
  expect([held.isQueued, held.hasRoom, held.givenBack]).toEqual([false, true, 0]);
});
