import { beforeEach, describe, expect, it } from "vitest";
import { Filling } from "./batch.ts";
import type { LinkMemory, Links } from "./online.ts";
import { newMemory, Resolver } from "./resolve.ts";
import { plantOf } from "./testing.ts";
import { Watch } from "./watch.ts";

const t0 = Date.UTC(2026, 8, 21, 14);
const press = "berlin/stamping/line-1/press-1";
const topic = `takt/v1/${press}/_online`;
const s = 1_000;
/** What may have been under way. */
const inFlight = 2 * s;

let memory: LinkMemory;
let links: Links;
let filling: Filling;
let watch: Watch;
beforeEach(() => {
  const plant = plantOf({ [press]: { state: { role: "state" } } });
  Object.assign(plant.sources.get(press)!, { announced: true, announcedAt: t0 - 3_600 * s });
  const all = newMemory();
  memory = all;
  const resolver = new Resolver(plant, 0, all);
  links = resolver.links;
  filling = new Filling();
  watch = new Watch(memory, { writtenTo: (now) => now, links: () => links, sink: filling, filled: () => undefined });
});

/** Says its uptime (s), `at` after t0. */
const says = (uptimeS: number, at: number, retained = false) => watch.uptime(Buffer.from(`${uptimeS} seconds`), retained, t0 + at);
const events = () => filling.batch.links.map((link) => [link.kind, link.at - t0]);
const to = () => memory.absence!.to(topic) - t0;
const until = () => memory.absence!.until - t0;

/** The process runs from and to these instants after t0. */
const runs = (from: number, to: number) => {
  for (let at = from; at <= to; at += s) watch.look(t0 + at);
};

/** Watched up to t0, back 20 s later with the session. */
function away(): void {
  watch.follows(() => t0 - 60 * s, [topic], t0 - 10 * s);
  watch.connected(true, t0 - 10 * s);
  says(500, -9 * s);
  runs(-9 * s, 0);
  watch.lost(t0, t0);
  runs(s, 20 * s);
  watch.connected(true, t0 + 20 * s);
}

describe("absence", () => {
  it("after a start: since whoever was here before", () => {
    watch.follows(() => t0 - 60 * s, [topic], t0);
    watch.connected(true, t0);
    expect([to(), until()]).toEqual([-60 * s, 65 * s]);
  });

  it("of a lost connection: since the broker was heard last, less what may have been under way", () => {
    away();
    expect([to(), until()]).toEqual([-inFlight, 20 * s + 5 * s + 20 * s + inFlight]);
  });

  it("of a process that stood still, found out by what comes or by the loss of the connection that follows", () => {
    watch.follows(() => t0, [topic], t0);
    watch.connected(true, t0);
    says(500, 1 * s);
    runs(s, 19 * s);
    watch.look(t0 + 22 * s); // a little late is not away
    expect(to()).toBe(0);
    watch.look(t0 + 52 * s);
    expect([to(), until()]).toEqual([22 * s - inFlight, 52 * s + 5 * s + 30 * s]);
    watch.lost(t0 + 53 * s, t0 + 53 * s);
    watch.connected(true, t0 + 54 * s);
    expect(to()).toBe(22 * s - inFlight);
  });

  it("the loss of the connection found out first", () => {
    watch.follows(() => t0, [topic], t0);
    watch.connected(true, t0);
    says(500, 1 * s);
    runs(s, 22 * s);
    watch.lost(t0 + 52 * s, t0 + 52 * s);
    watch.connected(true, t0 + 53 * s);
    expect(to()).toBe(22 * s - inFlight);
  });

  it("without a session of ours what was online is not known any more", () => {
    watch.follows(() => t0 - 60 * s, [topic], t0);
    watch.connected(false, t0);
    expect(events()).toEqual([["offline", -60 * s]]);
  });

  it("what was read is not said to reach further than is sure", () => {
    watch.follows(() => t0 - 60 * s, [topic], t0);
    expect(watch.readTo(t0)).toBe(t0 - 60 * s + inFlight);
    watch.connected(true, t0);
    says(500, 1 * s);
    expect(watch.readTo(t0 + 4 * s)).toBe(t0 - 60 * s + inFlight);
    runs(s, 6 * s);
    expect(watch.readTo(t0 + 6 * s)).toBe(t0 + 6 * s);
    watch.lost(t0 + 7 * s, t0 + 8 * s);
    expect(watch.readTo(t0 + 3_600 * s)).toBe(t0 + 7 * s);
  });
});

describe("a restart of the broker", () => {
  beforeEach(away);
  const restarted = [["broker_restart", -inFlight]];

  it("is told by an uptime that went back, also a retained one", () => {
    says(3, 20 * s, true);
    expect(events()).toEqual(restarted);
  });

  it("is not: up since before", () => {
    says(525, 20 * s, true);
    says(530, 30 * s);
    expect(events()).toEqual([]);
  });

  it("is told by a refused connection and an uptime that allows it, not against what the uptime says", () => {
    watch.wentDown();
    says(520, 20 * s, true);
    expect(events()).toEqual([]);
  });

  it("is told by a refused connection alone where the broker does not say; without one nothing is", () => {
    watch.silent(t0 + 23 * s);
    expect(events()).toEqual([]);
    runs(21 * s, 30 * s);
    watch.lost(t0 + 30 * s, t0 + 30 * s);
    runs(31 * s, 40 * s);
    watch.wentDown();
    watch.connected(true, t0 + 40 * s);
    watch.silent(t0 + 43 * s);
    expect(events()).toEqual([["broker_restart", 30 * s - inFlight]]);
  });

  it("is not told by silence after it has spoken", () => {
    says(525, 20 * s, true);
    watch.wentDown();
    watch.silent(t0 + 23 * s);
    expect(events()).toEqual([]);
  });

  it("is found out also where the connection is lost before the answer", () => {
    watch.lost(t0 + 21 * s, t0 + 21 * s);
    watch.connected(true, t0 + 22 * s);
    says(10, 22 * s, true);
    expect(events()).toEqual(restarted);
  });

  it("rubbish is no uptime", () => {
    for (const text of ["", "soon", "-5 seconds", "NaN", `${"9".repeat(400)} seconds`]) watch.uptime(Buffer.from(text), false, t0 + 21 * s);
    expect(events()).toEqual([]);
  });
});

describe("a restart of the broker before the first connection", () => {
  it("a retained uptime may be old, the next one decides", () => {
    watch.follows(() => t0, [topic], t0 + 30 * s);
    watch.connected(true, t0 + 30 * s);
    says(20, 30 * s, true); // said up to 10 s ago, or started after we left
    expect(events()).toEqual([]);
    says(24, 31 * s);
    expect(events()).toEqual([["broker_restart", 0]]);
  });

  it("up all the time", () => {
    watch.follows(() => t0, [topic], t0 + 30 * s);
    watch.connected(true, t0 + 30 * s);
    says(600, 30 * s, true);
    says(610, 31 * s);
    says(0, 32 * s); // of this connection nothing more is found out
    expect(events()).toEqual([]);
  });
});
