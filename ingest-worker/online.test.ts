// What machines say of themselves: .../<machine>/_online.
import { beforeEach, describe, expect, it } from "vitest";
import { Filling } from "./batch.ts";
import type { Plant } from "./plant.ts";
import { Resolver } from "./resolve.ts";
import { plantOf } from "./testing.ts";

const now = Date.UTC(2026, 8, 21, 14, 13, 20);
const press = "berlin/stamping/line-1/press-1";
const saw = "berlin/stamping/line-1/saw";
const root = `takt/v1/${press}`;

let plant: Plant;
let resolver: Resolver;
let filling: Filling;
beforeEach(() => {
  plant = plantOf({ [press]: { state: { role: "state" } }, [saw]: { state: { role: "state" } } });
  resolver = new Resolver(plant, 7 * 86_400_000);
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
const outcomes = () => [...filling.batch.samples.map(() => "written"), ...filling.batch.letters.map((l) => l.code)];
const links = () => filling.batch.links.map(({ address, at, kind, alive }) => ({ address, at, kind, alive }));

describe("_online", () => {
  it.each([
    ["true", true],
    ["1", true],
    ["online", true],
    ['"true"', true],
    ['{"ts":1790000000000,"value":true}', true],
    ["false", false],
    ["0", false],
    ["offline", false],
    ['{"online":false,"timestamp":1790000000000}', false],
  ])("%s", (payload, alive) => {
    send(`${root}/_online`, payload);
    expect(links()).toEqual([{ address: press, at: payload.includes("1790") ? 1_790_000_000_000 : now, kind: alive ? "online" : "offline", alive }]);
    expect(filling.received).toBe(0);
  });

  it("the same again is told at each connect and is no event", () => {
    send(`${root}/_online`, "true", { retained: true });
    send(`${root}/_online`, "true", { retained: true });
    expect(links().length).toBe(1);
  });

  it("a heartbeat with a time says nothing new, also of a machine that the plant does not know; what fills the past does", () => {
    for (const topic of [`${root}/_online`, "takt/v1/a/b/c/d/_online"]) for (const ts of [now, now + 1, now + 1, now - 9]) send(topic, { ts, value: true });
    expect(links().map((l) => l.at)).toEqual([now, now - 9, now, now - 9]);
  });

  it("what was said before this start is known too", () => {
    plant.sources.get(press)!.announced = true;
    send(`${root}/_online`, "true", { retained: true });
    expect(links()).toEqual([]);
  });

  it("gone and back before anything is committed are two events", () => {
    plant.sources.get(press)!.announced = true;
    send(`${root}/_online`, "false");
    send(`${root}/_online`, "true");
    expect(links().map((l) => l.alive)).toEqual([false, true]);
  });

  it("is heard of machines that the plant does not know yet", () => {
    send("takt/v1/berlin/stamping/line-1/press-9/_online", "false");
    expect(links()).toEqual([{ address: "berlin/stamping/line-1/press-9", at: now, kind: "offline", alive: false }]);
  });

  it.each([
    ["maybe", "value_type"],
    ["{}", "value_type"],
    ["", "payload_empty"],
    ['{"ts":5,"value":true}', "ts_invalid"],
    [`{"ts":${now + 600_000},"value":true}`, "ts_future"],
  ])("%s is set aside", (payload, code) => {
    send(`${root}/_online`, payload);
    expect([outcomes(), links()]).toEqual([[code], []]);
  });
});

describe("a session that the broker has forgotten", () => {
  const minute = 60_000;
  const forget = (to: number) => resolver.forgotten(() => to, now, filling);
  const alive = () => links().map((l) => [l.at - now, l.alive]);

  it("ends what was online where nobody watched any more, and leaves the others as they are", () => {
    send(`${root}/_online`, { ts: now - 9 * minute, value: true });
    send(`takt/v1/${saw}/_online`, { ts: now - 9 * minute, value: false });
    forget(now - 5 * minute);
    forget(now - minute); // not a second time
    expect(links().slice(2)).toEqual([{ address: press, at: now - 5 * minute, kind: "offline", alive: false }]);
  });

  it("also what was said before this start, and not before it was said", () => {
    Object.assign(plant.sources.get(press)!, { announced: true, announcedAt: now - minute });
    forget(now - 5 * minute);
    expect(alive()).toEqual([[-minute + 1, false]]);
  });

  it("is over with the next word, from when it came", () => {
    send(`${root}/_online`, { ts: now - 9 * minute, value: true });
    forget(now - 5 * minute);
    send(`${root}/_online`, "true", { retained: true });
    expect(alive().slice(1)).toEqual([
      [-5 * minute, false],
      [0, true],
    ]);
  });

  it("a retained word of before holds from where nobody watched; one of the meantime from its own time", () => {
    for (const key of [press, saw]) send(`takt/v1/${key}/_online`, { ts: now - 9 * minute, value: true });
    forget(now - 5 * minute);
    send(`${root}/_online`, { ts: now - 9 * minute, value: true }, { retained: true });
    send(`takt/v1/${saw}/_online`, { ts: now - 2 * minute, value: true }, { retained: true });
    expect(alive().slice(4)).toEqual([
      [-5 * minute + 1, true],
      [-2 * minute, true],
    ]);
  });

  it("is not looked after on topics that another worker reads", () => {
    resolver = new Resolver(plant, 0, undefined, (topic) => topic.startsWith(`takt/v1/${saw}/`));
    for (const key of [press, saw]) Object.assign(plant.sources.get(key)!, { announced: true, announcedAt: now - minute });
    forget(now - 5_000);
    expect(links().map((l) => l.address)).toEqual([saw]);
  });
});
