import { describe, expect, it } from "vitest";
import { passing, type Reader, type Way, wayOf } from "./readers.ts";
import { troubleOf, vouchedTo } from "./upstream.ts";

const now = Date.parse("2026-03-04T10:30:20Z");
const hour = 3_600_000;
const worker = (name: string, filters: string[], rest: Partial<Reader> = {}): Reader => ({
  name,
  filters,
  seenAt: now - 1_000,
  leased: true,
  mqttConnected: true,
  subscribed: true,
  sparkplugConnected: null,
  writtenTo: null,
  ...rest,
});
const gone = { seenAt: now - hour, writtenTo: now - hour - 500 };
const json = (sourceId: number, address: string, pattern: string | null = null) =>
  wayOf({ lineId: 0, sourceId, form: pattern ? "mapped" : "json", address, pattern, shown: true }) as Way;
const sparkplug = (sourceId: number, address: string) => wayOf({ lineId: 0, sourceId, form: "sparkplug", address, pattern: null, shown: true }) as Way;

/** Line 1 and what is behind it; `forMs`: what may pass has been so for so long. */
function known(workers: Reader[], ways: Way[], forMs = 20_000) {
  const before = passing(workers, ways, new Map(), now - forMs);
  return { databaseAwaySince: null, workers, ways: new Map([[1, ways]]), since: passing(workers, ways, before, now) };
}
const told = (workers: Reader[], ways: Way[], forMs?: number) => troubleOf(known(workers, ways, forMs), 1, now);
const workerGone = { part: "worker", sinceAt: now - hour };

describe("the trouble of a line", () => {
  const berlin = json(1, "berlin/a/l/m");

  it("is its own reader's death, however many others live", () => {
    const [b, c] = [["takt/v1/berlin/#"], ["takt/v1/chicago/#"]] as const;
    expect(told([worker("berlin", [...b]), worker("chicago", [...c], gone)], [berlin])).toBeNull();
    expect(told([worker("berlin", [...b], gone), worker("chicago", [...c])], [berlin])).toEqual(workerGone);
    const both = known([worker("berlin", [...b], gone), worker("chicago", [...c])], [berlin]);
    expect(troubleOf(both, null, now)).toEqual(workerGone); // all lines that there are lack it
    expect(troubleOf({ ...both, ways: new Map([...both.ways, [2, [json(2, "chicago/a/l/m")]]]) }, null, now)).toBeNull();
  });

  it("is none where another has taken the topics over", () => {
    expect(told([worker("old", ["takt/v1/#"], gone), worker("berlin", ["takt/v1/berlin/#"])], [berlin])).toBeNull();
    expect(told([worker("old", ["takt/v1/#"], gone), worker("all", ["#"])], [berlin])).toBeNull();
  });

  it("knows what is mapped, where two read parts of one pattern too", () => {
    const mapped = json(1, "shed", "shed/+/temp");
    expect(told([worker("a", ["takt/v1/#", "shed/+/temp"], gone), worker("b", ["other/#"])], [mapped])).toEqual(workerGone);
    expect(told([worker("a", ["shed/1/temp"], gone), worker("b", ["shed/2/temp"])], [mapped])).toEqual(workerGone);
    expect(told([worker("a", ["shed/1/temp"]), worker("b", ["shed/2/temp"])], [mapped])).toBeNull();
    expect(told([worker("a", ["shed/1/temp"], gone), worker("b", ["shed/2/temp"]), worker("c", ["shed/1/#"])], [mapped])).toBeNull();
  });

  it("knows Sparkplug groups, and the connection that reads them", () => {
    const node = sparkplug(1, "Berlin/N1/D1");
    expect(told([worker("a", ["spBv1.0/Berlin/#"], gone), worker("b", ["takt/v1/#", "spBv1.0/Chicago/#"])], [node])).toEqual(workerGone);
    expect(told([worker("a", ["takt/v1/#", "spBv1.0/+/#"], { sparkplugConnected: true })], [node])).toBeNull();
    const offline = [worker("a", ["takt/v1/#", "spBv1.0/+/#"], { sparkplugConnected: false })];
    expect(told(offline, [node])).toEqual({ part: "broker", sinceAt: now - 20_000 });
    expect(told(offline, [node], 10_000)).toBeNull();
    expect(told(offline, [berlin])).toBeNull();
  });

  it("is the broker where its own reader has lost it, or is refused its topics", () => {
    const chicago = worker("chicago", ["takt/v1/chicago/#"]);
    expect(told([worker("berlin", ["takt/v1/berlin/#"], { mqttConnected: false }), chicago], [berlin])).toEqual({ part: "broker", sinceAt: now - 20_000 });
    expect(told([worker("berlin", ["takt/v1/berlin/#"], { subscribed: false }), chicago], [berlin])).toEqual({ part: "subscriptions", sinceAt: now - 20_000 });
  });

  it("is that nobody reads it, once that has lasted; one that stands by reads nothing", () => {
    const chicago = worker("chicago", ["takt/v1/chicago/#"]);
    expect(told([chicago], [berlin])).toEqual({ part: "reader", sinceAt: null });
    expect(told([chicago], [berlin], 10_000)).toBeNull();
    expect(told([chicago], [{ ...berlin, shown: false }])).toBeNull();
    expect(told([chicago, worker("berlin", ["takt/v1/berlin/#"], { leased: false })], [berlin])).toEqual({ part: "reader", sinceAt: null });
  });

  it("is that no worker lives, where the line has no topics; the newest sign of life counts", () => {
    expect(told([worker("a", ["x"], gone), worker("b", ["y"], { seenAt: now - 60_000 })], [])).toEqual({ part: "worker", sinceAt: now - 60_000 });
    expect(told([], [berlin])).toEqual({ part: "worker", sinceAt: null });
  });

  it("ends what its sources said of themselves where the reader had written all, of the sources that it read", () => {
    const other = json(2, "chicago/a/l/m");
    const state = known([worker("berlin", ["takt/v1/berlin/#"], gone), worker("chicago", ["takt/v1/chicago/#"])], [berlin, other]);
    expect([...vouchedTo(state, 1, now)]).toEqual([[1, gone.writtenTo]]);
    expect([...vouchedTo(known([worker("chicago", ["takt/v1/chicago/#"])], [berlin, other]), 1, now)]).toEqual([[1, null]]);
  });
});
