// Messages on topics outside of a worker's share.
import { beforeEach, describe, expect, it } from "vitest";
import { Filling } from "./batch.ts";
import type { Plant } from "./plant.ts";
import { Resolver } from "./resolve.ts";
import { plantOf } from "./testing.ts";

const now = Date.UTC(2026, 8, 21, 14, 13, 20);
const press = "berlin/stamping/line-1/press-1";
const root = `takt/v1/${press}`;

let plant: Plant;
let resolver: Resolver;
let filling: Filling;
beforeEach(() => {
  plant = plantOf({ [press]: { good: { role: "good_count" }, temperature: { role: "measurement" } } });
  resolver = new Resolver(plant, 7 * 86_400_000, undefined, (topic) => topic.startsWith("takt/v1/chicago/"));
  filling = new Filling();
});
const send = (topic: string, payload: unknown, over: { retained?: boolean; receivedAt?: number; again?: boolean } = {}) =>
  resolver.message(
    { topic, payload: Buffer.from(typeof payload === "string" ? payload : JSON.stringify(payload)), retained: false, receivedAt: now, ...over },
    filling,
  );

describe("topics of another worker's share", () => {
  it("become letters for it, whole and with their own instants of receipt, whatever could be read of them", () => {
    for (const [topic, payload] of [
      [`${root}/temperature`, { value: 1 }],
      [`${root}/temperature`, { value: 1 }],
      [root, { temperature: 5, good: "x" }],
      [`${root}/_online`, "true"],
    ] as const)
      send(topic, payload);
    expect(filling.batch.letters.map((l) => [l.topic.slice(root.length), l.payload.toString(), l.code, Math.round((l.receivedAt - now) * 1_000)])).toEqual([
      ["/temperature", '{"value":1}', "other_worker", 0], // microseconds
      ["/temperature", '{"value":1}', "other_worker", 1],
      ["", '{"temperature":5,"good":"x"}', "other_worker", 2],
      ["/_online", "true", "other_worker", 3],
    ]);
    expect([filling.batch.samples, filling.batch.links, filling.received]).toEqual([[], [], 4]);
  });

  it("but Takt's own names, what no worker can read, and what the broker had kept", () => {
    send(`${root}/_mine`, "1");
    send(`${root}/humour`, "1");
    send(`${root}/temperature`, { ts: now, value: 1 }, { retained: true });
    expect([filling.batch.letters.map((l) => l.code), filling.batch.repeats, filling.batch.samples]).toEqual([["unknown_signal"], 1, []]);
  });

  it("are read when they are tried again", () => {
    send(`${root}/temperature`, { ts: now, value: 1 }, { again: true });
    expect([filling.batch.samples.length, filling.batch.letters]).toEqual([1, []]);
  });

  it("a word on a link that is tried again is of the past: what was said last stays", () => {
    resolver = new Resolver(plant, 7 * 86_400_000);
    plant.sources.get(press)!.announced = true;
    send(`${root}/_online`, "false", { again: true, receivedAt: now - 60_000 });
    plant.sources.get(press)!.announced = false; // as the writer notes it
    send(`${root}/_online`, "true");
    expect(filling.batch.links.map((l) => [l.alive, l.at - now])).toEqual([[false, -60_000]]);
    send(`${root}/_online`, "false");
    expect(filling.batch.links.map((l) => l.alive)).toEqual([false, false]);
  });
});
