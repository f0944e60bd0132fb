// What of a message is set aside, and how it is told apart from what is like it.
import { beforeEach, describe, expect, it } from "vitest";
import { Filling } from "./batch.ts";
import type { Plant } from "./plant.ts";
import { newMemory, Resolver } from "./resolve.ts";
import { plantOf } from "./testing.ts";

const now = Date.UTC(2026, 8, 21, 14, 13, 20);
const dayMs = 86_400_000;
const press = "berlin/stamping/line-1/press-1";
const root = `takt/v1/${press}`;

let plant: Plant;
let resolver: Resolver;
let filling: Filling;
beforeEach(() => {
  plant = plantOf({
    [press]: {
      good: { role: "good_count" },
      scrap: { role: "reject_count", counter: { mode: "increment", modulus: null } },
      temperature: { role: "measurement" },
    },
  });
  resolver = new Resolver(plant, 7 * dayMs);
  filling = new Filling();
});

const send = (topic: string, payload: unknown, over: { retained?: boolean; receivedAt?: number; again?: boolean } = {}) =>
  resolver.message(
    {
      topic,
      payload: Buffer.isBuffer(payload) ? payload : Buffer.from(typeof payload === "string" ? payload : JSON.stringify(payload)),
      retained: false,
      receivedAt: now,
      ...over,
    },
    filling,
  );

describe("one spoilt row of a hundred", () => {
  const rows = (spoilt: unknown) => Array.from({ length: 100 }, (_, i) => (i === 57 ? spoilt : { ts: now - 1000 + i, value: i, good: i, scrap: 1 }));

  it.each([
    ["seconds", { ts: 1_700_000_000, value: 57 }],
    ["a word for a time", { ts: "x", value: 57 }],
    ["no value", { ts: now }],
    ["1e400 for a time", JSON.parse('{"ts":1e400,"value":57}')],
  ])("for a signal: %s", (_name, row) => {
    send(`${root}/good`, JSON.stringify(rows(row)).replace('"ts":null', '"ts":1e400'));
    expect([filling.batch.samples.length, filling.batch.letters.length, filling.received]).toEqual([99, 1, 100]);
    const [letter] = filling.batch.letters;
    send(letter!.topic, letter!.payload, { again: true }); // alone it is a message that is just as bad
    expect([filling.batch.samples.length, filling.batch.letters[1]!.code]).toEqual([99, letter!.code]);
  });

  it.each([
    ["null", null, 1],
    ["seconds", { ts: 1_700_000_000, good: 57, scrap: 1 }, 2],
  ])("for a machine: %s", (_name, row, values) => {
    send(
      root,
      rows(row).map((r) => (r === row ? r : { ...(r as object), value: undefined })),
    );
    expect([filling.batch.samples.length, filling.batch.letters.map((l) => [l.topic, l.payload.toString(), l.valueCount])]).toEqual([
      198,
      [[root, JSON.stringify(row), values]],
    ]);
    expect(filling.received).toBe(198 + values);
  });
});

describe("values without a time that are set aside", () => {
  const instants = () => filling.batch.letters.map((l) => [l.untimed, Math.round((l.receivedAt - now) * 1000)]);

  it("each is one more, however alike: of a topic that nobody knows, of a known signal, of a key, of a metric", () => {
    for (const [topic, payload] of [
      ["plc/7", 1],
      [`${root}/temperature`, "hot"],
      [root, { humour: 1, mood: 2 }],
    ] as const)
      for (let i = 0; i < 2; i++) send(topic, payload);
    for (let i = 0; i < 2; i++) resolver.metric("G/N", "m", null, 1, 0, now, filling);
    expect(instants()).toEqual(Array.from({ length: 10 }, (_, i) => [true, i]));
  });

  it("tried again in vain it is the same letter", () => {
    send("plc/7", 1);
    send(`${root}/temperature`, { value: "hot" });
    resolver.metric("G/N", "m", undefined, 1, 0, now, filling);
    const before = [...filling.batch.letters];
    for (const { topic, payload, receivedAt, metric } of before)
      if (metric === null) send(topic, payload, { receivedAt, again: true });
      else resolver.metric("G/N", metric, null, 1, 0, receivedAt, filling, now + 5000);
    expect(filling.batch.letters.slice(3)).toEqual(before);
  });

  it("a list has an instant for each of its items, and each gets the same one again", () => {
    send("takt/v1/berlin/stamping/line-1/press-9/scrap", [1, 1, 1]);
    send("takt/v1/berlin/stamping/line-1/press-9/scrap", "1");
    expect(instants()).toEqual([
      [true, 0],
      [true, 3],
    ]);
    for (const { payload, receivedAt } of [...filling.batch.letters]) send(`${root}/scrap`, payload, { receivedAt, again: true });
    expect(filling.batch.samples.map((s) => Math.round((s.at - now) * 1000))).toEqual([0, 1, 2, 3]);
  });

  it("what is the same each time stays one: with its time, kept by the broker, or not to be read at all", () => {
    send("plc/7", { ts: now, value: 1 });
    send("plc/7", 1, { retained: true });
    send(root, { humour: 1 }, { retained: true });
    send(`${root}/temperature`, '{"x');
    send(`${root}/_online`, "maybe");
    expect(filling.batch.letters.map((l) => [Boolean(l.untimed), l.receivedAt])).toEqual(Array(5).fill([false, now]));
  });

  it("a copy of the plant that is read anew gives no instant twice", () => {
    const memory = newMemory();
    for (let i = 0; i < 2; i++) {
      resolver = new Resolver(plant, 7 * dayMs, memory);
      send(`${root}/scrap`, "1");
    }
    expect(filling.batch.samples.map((s) => Math.round((s.at - now) * 1000))).toEqual([0, 1]);
  });
});

it("is bounded in what topics can make it remember", () => {
  for (let i = 0; i < 250_000; i++) send(`x/${i}`, "1");
  expect((resolver as unknown as { routes: Map<string, unknown> }).routes.size).toBeLessThanOrEqual(200_000);
});
