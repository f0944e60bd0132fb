// What machines say of themselves: .../<machine>/_online.
import { beforeEach, describe, expect, it } from "vitest";
import { Filling } from "./batch.ts";
import type { Plant } from "./plant.ts";
import { type Memory, newMemory, Resolver } from "./resolve.ts";
import { plantOf } from "./testing.ts";

const now = Date.UTC(2026, 8, 21, 14, 13, 20);
const press = "berlin/stamping/line-1/press-1";
const saw = "berlin/stamping/line-1/saw";
const root = `takt/v1/${press}`;

let plant: Plant;
let memory: Memory;
let resolver: Resolver;
let filling: Filling;
beforeEach(() => {
  plant = plantOf({ [press]: { state: { role: "state" } }, [saw]: { state: { role: "state" } } });
  memory = newMemory();
  resolver = new Resolver(plant, 7 * 86_400_000, memory);
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
const letters = () => filling.batch.letters.map((l) => l.code);

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
    ['{"ts":850000000000,"value":true}', "ts_too_old"],
    ['{"ts":850000000000,"value":false}', "ts_too_old"],
  ])("%s is set aside", (payload, code) => {
    send(`${root}/_online`, payload);
    expect([outcomes(), links()]).toEqual([[code], []]);
  });
});

const minute = 60_000;
const word = (value: boolean, ts?: number) => (ts === undefined ? String(value) : { ts, value });
/** Instant from now on, and word, of all events. */
const alive = () => links().map((l) => [l.at - now, l.alive]);

describe("of two words the one heard last holds", () => {
  const press1 = () => plant.sources.get(press)!;

  it.each([
    ["earlier, as of a will that was fixed before the connection", -50],
    ["equal", 0],
  ])("a false whose time is %s counts from after the true", (_case, ms) => {
    send(`${root}/_online`, word(true, now - minute), { receivedAt: now - minute });
    send(`${root}/_online`, word(false, now - minute + ms));
    expect(alive()).toEqual([
      [-minute, true],
      [-minute + 1, false],
    ]);
  });

  it("from the last heartbeat and the newest value on, though not after it came", () => {
    send(`${root}/_online`, word(true, now - 9 * minute));
    send(`${root}/_online`, word(true, now - 5 * minute)); // another connection
    send(`${root}/_online`, word(false, now - 5 * minute - 50));
    expect(alive()[1]).toEqual([-5 * minute + 1, false]);
    send(`${root}/_online`, word(true, now - 4 * minute));
    send(`${root}/state`, { ts: now - 2 * minute, value: 6 });
    send(`${root}/_online`, word(false, now - 4 * minute));
    expect(alive()[3]).toEqual([-2 * minute, false]);
    send(`${root}/_online`, word(true, now - minute));
    send(`${root}/state`, { ts: now + minute, value: 6 });
    send(`${root}/_online`, word(false, now - minute));
    expect(alive()[5]).toEqual([0, false]);
  });

  it("a later one has its own time", () => {
    send(`${root}/_online`, word(true, now - 9 * minute));
    send(`${root}/state`, { ts: now - 2 * minute, value: 6 });
    send(`${root}/_online`, word(false, now - 5 * minute));
    expect(alive()[1]).toEqual([-5 * minute, false]);
  });

  it("a will once more, delivered again or kept by the broker, changes nothing", () => {
    send(`${root}/_online`, word(true, now - 9 * minute));
    for (const over of [{}, {}, { retained: true }]) send(`${root}/_online`, word(false, now - 9 * minute - 50), over);
    expect(alive()).toEqual([
      [-9 * minute, true],
      [-9 * minute + 1, false],
    ]);
  });

  it("a will is believed however long ago its machine connected", () => {
    Object.assign(press1(), { announced: true, announcedAt: now - 100 * 86_400_000 });
    send(`${root}/_online`, word(false, now - 99 * 86_400_000));
    expect([alive(), letters()]).toEqual([[[-100 * 86_400_000 + 1, false]], []]);
  });

  it("a clock that is ahead does not reach beyond the present", () => {
    send(`${root}/_online`, word(true, now + 290_000));
    send(`${root}/_online`, "false", { receivedAt: now + 5_000 });
    send(`${root}/_online`, word(true, now + 290_000), { receivedAt: now + 6_000 });
    send(`${root}/_online`, word(false, now + 290_000), { receivedAt: now + 7_000 });
    expect(alive()).toEqual([0, 5_000, 6_000, 7_000].map((ms, i) => [ms, i % 2 === 0]));
    expect(filling.batch.links.every((link) => link.isLast)).toBe(true);
  });

  it("nor does what was taken for the future before: the false comes after it", () => {
    Object.assign(press1(), { announced: true, announcedAt: now + 290_000 });
    send(`${root}/_online`, "false");
    expect(alive()).toEqual([[290_001, false]]);
  });

  it("a clock that is behind: back from when it is heard", () => {
    send(`${root}/_online`, "true");
    send(`${root}/_online`, "false", { receivedAt: now + 1_000 });
    send(`${root}/_online`, word(true, now - minute), { receivedAt: now + 3_000 });
    expect(alive()[2]).toEqual([3_000, true]);
  });

  it("what the broker has kept is no newer than what was heard since: true and false", () => {
    send(`${root}/_online`, word(true, now - 9 * minute));
    send(`${root}/_online`, "false");
    send(`${root}/_online`, word(true, now - 9 * minute), { retained: true });
    send(`takt/v1/${saw}/_online`, "true");
    send(`takt/v1/${saw}/_online`, word(false, now - minute), { retained: true });
    expect(filling.batch.links.filter((link) => link.isLast).map((link) => link.alive)).toEqual([true, false, true]);
  });

  it("what is older than its source delivers is set aside, unless it is what is known", () => {
    press1().maxBackfillMs = 60 * minute;
    send(`${root}/_online`, word(true, now - 61 * minute));
    expect([outcomes(), links()]).toEqual([["ts_too_old"], []]);
    send(`${root}/_online`, "true");
    send(`${root}/_online`, word(true, now - 61 * minute));
    expect([outcomes().length, links().length]).toEqual([2, 1]);
    Object.assign(plant.sources.get(saw)!, { announced: true, announcedAt: now - 61 * minute, maxBackfillMs: 60 * minute });
    send(`takt/v1/${saw}/_online`, word(true, now - 61 * minute), { retained: true });
    expect(outcomes().length).toBe(2);
  });
});

describe("what waited while nobody watched", () => {
  const away = (to: number) => {
    memory.absence = { to: () => to, until: now + 5_000 };
  };

  it("a false without a time is from until when it was watched; a true from when it is read", () => {
    Object.assign(plant.sources.get(press)!, { announced: true, announcedAt: now - 9 * minute });
    away(now - 2 * minute);
    send(`${root}/_online`, "false");
    send(`${root}/_online`, "true");
    expect(alive()).toEqual([
      [-2 * minute, false],
      [0, true],
    ]);
  });

  it("not before the newest value that was heard before it, nor after it came", () => {
    send(`${root}/_online`, word(true, now - 9 * minute));
    away(now - 2 * minute);
    send(`${root}/state`, { ts: now - minute, value: 6 });
    send(`${root}/_online`, "false");
    expect(alive()[1]).toEqual([-minute, false]);
  });

  it("a heartbeat that waited too says nothing of the present", () => {
    send(`${root}/_online`, word(true, now - 9 * minute));
    away(now - 2 * minute);
    for (const value of ["true", "true", "false"]) send(`${root}/_online`, value);
    expect(alive()[1]).toEqual([-2 * minute, false]);
  });

  it.each([{ retained: true }, { retained: false }])("also a will with the time of its connecting, %o", ({ retained }) => {
    Object.assign(plant.sources.get(press)!, { announced: true, announcedAt: now - 9 * minute, newestAt: now - 3 * minute });
    away(now - 2 * minute);
    send(`${root}/_online`, word(false, now - 8 * minute), { retained });
    expect(alive()).toEqual([[-3 * minute, false]]);
  });

  it("later all is as it comes; so it is where nobody has ever watched", () => {
    send(`${root}/_online`, word(true, now - 9 * minute));
    away(now - 2 * minute);
    send(`${root}/_online`, "false", { receivedAt: now + 5_000 });
    expect(alive()[1]).toEqual([5_000, false]);
    away(0);
    send(`takt/v1/${saw}/_online`, "false");
    expect(alive()[2]).toEqual([0, false]);
  });
});

describe("a broker that was restarted", () => {
  const restart = (to: number, startedAt = to + 1, connectedAt = now) => resolver.links.restarted(startedAt, connectedAt, () => to, now, filling);
  const before = now - 5 * minute;
  beforeEach(() => {
    for (const key of [press, saw]) Object.assign(plant.sources.get(key)!, { announced: true, announcedAt: now - 9 * minute });
  });

  it("ends what was online, once, in words; where it was watched all the time nothing", () => {
    restart(before, before);
    expect(links()).toEqual([]);
    restart(before);
    restart(before);
    expect(alive()).toEqual([
      [-5 * minute, false],
      [-5 * minute, false],
    ]);
    expect(filling.batch.links[0]).toMatchObject({ kind: "broker_restart", isLast: true, detail: expect.stringMatching(/restarted.*\.$/) });
  });

  it.each([
    ["retained without a time", word(true), true, []],
    ["retained with a time of before", word(true, now - 9 * minute), true, []],
    ["retained with a time of since then", word(true, now - 4 * minute), true, [[-4 * minute, true]]],
    ["live without a time", word(true), false, [[0, true]]],
    ["live with a time of before", word(true, now - 9 * minute), false, [[0, true]]],
  ])("a true that is %s", (_case, payload, retained, then) => {
    memory.absence = { to: () => before, until: now + 5_000 };
    restart(before);
    send(`${root}/_online`, payload, { retained });
    expect(alive().slice(2)).toEqual(then);
  });

  it("is remembered across a start of ours: the retained word is still not believed", () => {
    Object.assign(plant.sources.get(press)!, { announced: false, announcedAt: before, announcedBy: "broker_restart" });
    send(`${root}/_online`, "true", { retained: true });
    expect(links()).toEqual([]);
    send(`${root}/_online`, "true");
    expect(alive()).toEqual([[0, true]]);
  });

  it("found out late it does not end what was heard since the connecting, but what the broker had kept", () => {
    resolver.links.forgotten(() => before, now, filling);
    for (const [key, retained] of [
      [press, false],
      [saw, true],
    ] as const)
      send(`takt/v1/${key}/_online`, "true", { retained });
    restart(before);
    expect(filling.batch.links.slice(4).map((l) => [l.address, l.at - now, l.alive])).toEqual([[saw, 1, false]]);
  });

  it("turns the guess of a lost session into this one", () => {
    resolver.links.forgotten(() => before, now, filling);
    restart(before);
    send(`${root}/_online`, "true", { retained: true });
    expect(
      links()
        .slice(2)
        .map((l) => [l.kind, l.at - now]),
    ).toEqual([
      ["broker_restart", -5 * minute],
      ["broker_restart", -5 * minute],
    ]);
  });
});

describe("a session that the broker has forgotten", () => {
  const forget = (to: number) => resolver.links.forgotten(() => to, now, filling);

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
