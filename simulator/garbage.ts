/**
 * What no one should send and everyone sooner or later does: a catalogue, with what must become of each. For `--garbage`, and for tests that hold Takt's
 * answer against `expect`.
 */
import type { PlacedMachine } from "#/simulator/model/definition.ts";
import { topicOf } from "#/simulator/publish/json.ts";
import { encode } from "#/simulator/publish/sparkplug-payload.ts";

export type GarbageMessage = {
  name: string;
  topic: string;
  payload: Buffer;
  /** Reason code of the dead letter, or what else becomes of it. */
  expect: string;
  /** Not through a broker: it would cut the connection (MQTT 3.1.1 and 5, section 1.5.4) or take longer than a look. */
  direct?: true;
};

const dayMs = 86_400_000;
const text = (value: string) => Buffer.from(value, "utf8");
const json = (value: unknown) => text(JSON.stringify(value));

/** Garbage at the address of one machine. `now` in ms since 1970 UTC; instants are chosen so that they hit no reading. */
export function garbageFor(machine: PlacedMachine, now: number): GarbageMessage[] {
  const own = topicOf(machine);
  const measurement = machine.machine.signals.find(({ role, mapped }) => role === "measurement" && !mapped)?.key ?? "temperature";
  const counter = machine.machine.signals.find(({ role }) => role === "good_count" || role === "total_count")?.key ?? "good";
  const high = machine.machine.signals.find(({ key }) => key === measurement)?.high ?? 1000;
  const at = now + 0.5; // between two ms, where no reading lies
  const one = (name: string, payload: Buffer, expect: string, signal = measurement): GarbageMessage => ({ name, topic: `${own}/${signal}`, payload, expect });
  const stamped = (name: string, ts: unknown, expect: string) => one(name, json({ ts, value: 21.5 }), expect);
  return [
    { name: "topic too deep", topic: `${own}/${measurement}/raw/left/1`, payload: json({ ts: at, value: 1 }), expect: "topic_malformed" },
    { name: "topic with an empty level", topic: "takt/v1//machine/temperature", payload: json({ ts: at, value: 1 }), expect: "topic_malformed" },
    { name: "topic that ends at the namespace", topic: "takt/v1/", payload: json({ ts: at, value: 1 }), expect: "topic_malformed" },
    { name: "topic with a control character", topic: `${own}/tempe\u0007rature`, payload: json({ ts: at, value: 1 }), expect: "topic_malformed", direct: true },
    { name: "unknown machine", topic: `takt/v1/${machine.path}/nobody-9/${measurement}`, payload: json({ ts: at, value: 1 }), expect: "unknown_machine" },
    { name: "unknown signal", topic: `${own}/humour`, payload: json({ ts: at, value: 1 }), expect: "unknown_signal" },
    one("empty payload", Buffer.alloc(0), "payload_empty"),
    one("empty list", text("[]"), "payload_empty"),
    one("not UTF-8", Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x80, 0x22, 0x7d]), "payload_not_utf8"),
    { ...one("five megabytes", Buffer.alloc(5 * 1024 * 1024, 0x20), "payload_too_large"), direct: true },
    one("deeply nested", text("[".repeat(5000) + "]".repeat(5000)), "payload_too_deep"),
    one("truncated JSON", text('{"ts": 1790000000000, "val'), "payload_not_json"),
    one("__proto__ as the value's key", text(`{"ts": ${at}, "__proto__": {"value": 1}}`), "payload_shape"),
    { name: "__proto__ among the signals", topic: own, payload: text(`{"ts": ${at}, "__proto__": 4711}`), expect: "unknown_signal" },
    { name: "constructor among the signals", topic: own, payload: text(`{"ts": ${at}, "constructor": 4711}`), expect: "unknown_signal" },
    one("an object as value", json({ ts: at, value: { deep: 1 } }), "payload_shape"),
    one("NaN, bare", text("NaN"), "value_not_finite"),
    one("NaN in JSON", text(`{"ts": ${at}, "value": NaN}`), "payload_not_json"),
    one("Infinity, bare", text("-Infinity"), "value_not_finite"),
    one("NaN as text", json({ ts: at, value: "NaN" }), "value_not_finite"),
    one("1e400", text(`{"ts": ${at}, "value": 1e400}`), "value_not_finite"),
    one("a number as text", json({ ts: at, value: "21.5" }), "value_type"),
    one("a word for a number", json({ ts: at, value: "hot" }), "value_type"),
    one("a boolean for a counter", json({ ts: at, value: true }), "value_type", counter),
    one("a negative count", json({ ts: at, value: -5 }), "counter_negative", counter),
    one("a count beyond 2^53", text(`{"ts": ${at}, "value": 1e300}`), "value_not_finite", counter),
    one("outside the physical limits", json({ ts: at, value: high * 1000 + 1e6 }), "value_out_of_limits"),
    stamped("time stamp 0", 0, "ts_invalid"),
    stamped("time stamp in seconds", Math.round(now / 1000), "ts_invalid"),
    stamped("time stamp in microseconds", Math.round(now * 1000), "ts_invalid"),
    stamped("time stamp in the year 2100", Date.UTC(2100, 0, 1), "ts_future"),
    stamped("time stamp ten minutes ahead", now + 600_000, "ts_future"),
    stamped("negative time stamp", -1, "ts_invalid"),
    one("time stamp 1e400", text('{"ts": 1e400, "value": 21.5}'), "ts_invalid"),
    stamped("a measurement 40 days old", now - 40 * dayMs, "ts_too_old"),
    one("a count 100 days old", json({ ts: now - 100 * dayMs, value: 1 }), "ts_too_old", counter),
    stamped("time stamp in words", "yesterday", "ts_invalid"),
    stamped("time stamp without a zone", "2026-11-21T12:00:00", "ts_invalid"),
    stamped("time stamp that is an object", { at }, "ts_invalid"),
    ...sparkplugGarbage(now),
  ];
}

/** From an edge node of its own that no plant knows, so that no real session is disturbed. */
export function sparkplugGarbage(now: number): GarbageMessage[] {
  const node = "spBv1.0/garbage";
  const data = encode({ timestamp: now, seq: 77, metrics: [{ alias: 999, type: "Double", value: 1, timestamp: now }] });
  return [
    { name: "Sparkplug, truncated protobuf", topic: `${node}/DDATA/nobody/machine`, payload: data.subarray(0, data.length - 3), expect: "sparkplug_malformed" },
    { name: "Sparkplug, no protobuf at all", topic: `${node}/NDATA/nobody`, payload: text("hello"), expect: "sparkplug_malformed" },
    { name: "Sparkplug, data before birth", topic: `${node}/NDATA/nobody`, payload: data, expect: "sparkplug_before_birth" },
    { name: "Sparkplug, unknown message type", topic: `${node}/XDATA/nobody`, payload: data, expect: "sparkplug_malformed" },
    { name: "Sparkplug, topic too short", topic: `${node}/NDATA`, payload: data, expect: "sparkplug_malformed" },
  ];
}

/** Data of a living session that break its rules: an alias that was never born, and a seq that jumped. */
export function brokenSession(group: string, node: string, now: number): GarbageMessage[] {
  const birth = encode({
    timestamp: now,
    seq: 0,
    metrics: [
      { name: "bdSeq", type: "Int64", value: 0, timestamp: now },
      { name: "Node Control/Rebirth", type: "Boolean", value: false, timestamp: now },
      { name: "temperature", alias: 1, type: "Double", value: 20, timestamp: now },
    ],
  });
  const topic = (type: string) => `spBv1.0/${group}/${type}/${node}`;
  return [
    { name: "Sparkplug, birth", topic: topic("NBIRTH"), payload: birth, expect: "birth" },
    {
      name: "Sparkplug, unknown alias",
      topic: topic("NDATA"),
      payload: encode({ timestamp: now, seq: 1, metrics: [{ alias: 99, type: "Double", value: 1, timestamp: now }] }),
      expect: "sparkplug_unknown_alias",
    },
    {
      name: "Sparkplug, seq jumps",
      topic: topic("NDATA"),
      payload: encode({ timestamp: now, seq: 9, metrics: [{ alias: 1, type: "Double", value: 21, timestamp: now + 1 }] }),
      expect: "sequence_gap",
    },
  ];
}

/** Those that a broker lets through. */
export const sendable = (all: readonly GarbageMessage[]): GarbageMessage[] => all.filter(({ direct }) => !direct);
