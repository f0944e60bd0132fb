import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { LinkEvent, PresenceInput, PresenceMinute } from "./presence.ts";
import { deadWindows, deadWithAny } from "./presence.ts";

const s = 1000;
/** Values at these seconds, as the minutes that the database keeps. */
function minutesOf(seconds: readonly number[]): PresenceMinute[] {
  const byMinute = new Map<number, PresenceMinute>();
  for (const second of [...seconds].sort((a, b) => a - b)) {
    const minute = byMinute.get(Math.floor(second / 60));
    if (minute) minute.lastAt = second * s;
    else byMinute.set(Math.floor(second / 60), { firstAt: second * s, lastAt: second * s });
  }
  return [...byMinute.values()];
}
const dies = (second: number): LinkEvent => ({ at: second * s, kind: "death", alive: false });
const isBorn = (second: number): LinkEvent => ({ at: second * s, kind: "birth", alive: true });
const history = (second: number): LinkEvent => ({ at: second * s, kind: "history", alive: null });

/** Dead seconds as [from, to] pairs. */
function dead(input: {
  values: number[];
  events?: LinkEvent[];
  from?: number;
  to?: number;
  now: number;
  form?: PresenceInput["form"];
  timeoutS?: number;
  vouchedTo?: number;
}) {
  const { values, events = [], from = 0, to = input.now, now, form = "json", timeoutS = 60, vouchedTo } = input;
  const found = deadWindows({
    window: { from: from * s, to: to * s },
    now: now * s,
    form,
    noDataTimeoutS: timeoutS,
    vouchedTo: vouchedTo === undefined ? undefined : vouchedTo * s,
    minutes: minutesOf(values),
    linkEvents: events,
  });
  return found.map((w) => [w.from / s, w.to / s]);
}

describe("silence", () => {
  it("neighbours exactly the time-out apart vouch for the time between, further apart it is dead from the first to the second", () => {
    // 0 to 60 is 60 s: alive. 60 to 121 is 61 s: dead. 121 to now 150 is 29 s: alive.
    expect(dead({ values: [0, 60, 121], now: 150 })).toEqual([[60, 121]]);
  });
  it("after the last value counts as alive until it is longer than the time-out, then as dead from that value", () => {
    expect(dead({ values: [0, 30], now: 90 })).toEqual([]);
    expect(dead({ values: [0, 30], now: 91 })).toEqual([[30, 91]]);
  });
  it("before the first value, and where there never was one, nothing vouches", () => {
    expect(dead({ values: [100], now: 130 })).toEqual([[0, 100]]);
    expect(dead({ values: [], now: 130 })).toEqual([[0, 130]]);
  });
  it("is judged by the neighbours outside the window too, and cut to it", () => {
    // Window 100 to 200 s, values at 50 and 260 s: dead for all of it. Value at 50 and 105: vouched to 105.
    expect(dead({ values: [50, 260], from: 100, to: 200, now: 300 })).toEqual([[100, 200]]);
    expect(dead({ values: [50, 105, 160, 220], from: 100, to: 200, now: 300 })).toEqual([]);
  });
  it("takes the time-out of a slow source", () => {
    expect(dead({ values: [0, 300, 600], now: 700, timeoutS: 400 })).toEqual([]);
  });
});

describe("announcements", () => {
  it("between a birth and a death silence is alive", () => {
    expect(dead({ values: [0], events: [isBorn(0), dies(1000), isBorn(1500)], now: 3000, form: "sparkplug" })).toEqual([[1000, 1500]]);
  });
  it("a death however short is dead until the next birth", () => {
    expect(dead({ values: [0, 30], events: [isBorn(0), dies(10), isBorn(20)], now: 40 })).toEqual([[10, 20]]);
  });
  it("after a death nothing counts as alive until a birth: the last value vouches for no silence", () => {
    expect(dead({ values: [0, 30], events: [isBorn(0), dies(35)], now: 50 })).toEqual([[35, 50]]);
  });
  it("before the first announcement silence is judged by the time-out", () => {
    // Values at 0 and 50 s, then silence; first birth at 200 s: dead from 50 to 200, silent and alive afterwards.
    expect(dead({ values: [0, 50], events: [isBorn(200)], now: 1000 })).toEqual([[50, 200]]);
  });
  it("a death and a birth of the same instant leave the link alive, in any order of arrival", () => {
    expect(dead({ values: [0], events: [isBorn(100), dies(100), isBorn(0)], now: 200 })).toEqual([]);
  });
  it("a birth vouches only while someone listens: beyond that silence is judged by the time-out", () => {
    const events = [isBorn(0)];
    expect(dead({ values: [0], events, now: 1000 })).toEqual([]);
    expect(dead({ values: [0], events, now: 1000, vouchedTo: 600 })).toEqual([[600, 1000]]);
    expect(dead({ values: [0, 590], events, now: 640, vouchedTo: 600 })).toEqual([]); // 50 s of silence
    expect(dead({ values: [0], events: [isBorn(0), dies(700), isBorn(800)], now: 1000, vouchedTo: 600 })).toEqual([[700, 1000]]);
  });
  it("a remark changes nothing", () => {
    const remark: LinkEvent = { at: 100 * s, kind: "rebirth_requested", alive: null };
    expect(dead({ values: [0], events: [isBorn(0), remark], now: 200 })).toEqual([]);
  });
});

describe("backlog", () => {
  it("of a JSON source fills an announced death as far as its values vouch", () => {
    // Death 100 to 400 s; backlog at 140, 190, 240 s: 90..140 (50 s) vouches from the death on, up to 240; 240 to birth at 400 is silent.
    const values = [0, 45, 90, 140, 190, 240, 405];
    expect(dead({ values, events: [isBorn(0), dies(100), isBorn(400)], now: 420 })).toEqual([[240, 400]]);
  });
  it("of a Sparkplug edge counts only if it is marked as history, and then for all of the window", () => {
    const values = [0, 45, 90, 140, 190, 240, 405];
    const events = [isBorn(0), dies(100), isBorn(400)];
    expect(dead({ values, events, now: 420, form: "sparkplug" })).toEqual([[100, 400]]);
    expect(dead({ values, events: [...events, history(240)], now: 420, form: "sparkplug" })).toEqual([]);
  });
  it("history makes the one window alive that it lies in, also when only a part of that was asked for", () => {
    const events = [isBorn(0), dies(100), isBorn(400), dies(500), isBorn(600), history(120)];
    expect(dead({ values: [0], events, from: 300, to: 550, now: 700, form: "sparkplug" })).toEqual([[500, 550]]);
  });
  it("history of before anything was said makes the time alive from its first value to the first birth, however silent, and nothing before it", () => {
    const events = [{ at: 100 * s, kind: "history", alive: true }, isBorn(400), dies(500)];
    expect(dead({ values: [100, 300], events, now: 600, form: "sparkplug" })).toEqual([
      [0, 100],
      [500, 600],
    ]);
  });
});

describe("for any values and announcements", () => {
  const second = fc.integer({ min: 0, max: 2000 });
  const events = fc
    .array(fc.tuple(second, fc.constantFrom("birth", "death", "history")), { maxLength: 8 })
    .map((list) => list.map(([at, kind]): LinkEvent => ({ at: at * s, kind, alive: kind === "history" ? null : kind === "birth" })));
  const form = fc.constantFrom<PresenceInput["form"]>("json", "sparkplug", "mapped");
  const input = fc.record({ values: fc.array(second, { maxLength: 40 }), events, now: fc.integer({ min: 1, max: 2500 }), form });

  it("order and repetition of what comes in do not matter", () => {
    fc.assert(
      fc.property(input, fc.infiniteStream(fc.nat()), ({ values, events: es, now, form: f }, random) => {
        const shuffle = <T>(list: T[]) =>
          list
            .map((x) => [random.next().value ?? 0, x] as const)
            .sort((a, b) => a[0] - b[0])
            .map(([, x]) => x);
        const minutes = minutesOf(values);
        const plain = { window: { from: 0, to: now * s }, now: now * s, form: f, noDataTimeoutS: 60 };
        expect(deadWindows({ ...plain, minutes: shuffle([...minutes, ...minutes]), linkEvents: shuffle([...es, ...es]) })).toEqual(
          deadWindows({ ...plain, minutes, linkEvents: es }),
        );
      }),
    );
  });

  it("first and last value of each minute say as much as all values", () => {
    fc.assert(
      fc.property(input, fc.integer({ min: 60, max: 200 }), ({ values, events: es, now, form: f }, noDataTimeoutS) => {
        const plain = { window: { from: 0, to: now * s }, now: now * s, form: f, noDataTimeoutS, linkEvents: es };
        const every = values.map((v) => ({ firstAt: v * s, lastAt: v * s }));
        // A lone minute in which only inner values lie inside an announced death says less: the death must not be shorter than a minute.
        fc.pre(f === "sparkplug" || es.every((e) => e.alive !== false));
        expect(deadWindows({ ...plain, minutes: minutesOf(values) })).toEqual(deadWindows({ ...plain, minutes: every }));
      }),
    );
  });

  it("a window split in two gives the dead time of the whole", () => {
    fc.assert(
      fc.property(input, second, ({ values, events: es, now, form: f }, cut) => {
        fc.pre(cut < now);
        const plain = { now: now * s, form: f, noDataTimeoutS: 60, minutes: minutesOf(values), linkEvents: es };
        const parts = [deadWindows({ ...plain, window: { from: 0, to: cut * s } }), deadWindows({ ...plain, window: { from: cut * s, to: now * s } })];
        expect(deadWithAny(parts)).toEqual(deadWindows({ ...plain, window: { from: 0, to: now * s } }));
      }),
    );
  });
});
