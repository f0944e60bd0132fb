// From topic and value to a sample of a signal, or a letter with the reason. Unknown ones are set aside for review, never lost.

import { topicMatches } from "#/server/domain/topic-filter.ts";
import { decodeMachine, decodeSignal, instant, parsePayload, type Refusal, valueAt, whyNotScalar } from "./decode.ts";
import type { Machine, Mapping, Plant } from "./plant.ts";
import { Flag, handedOver, type Letter, type LinkEvent, namespace, type RawValue, type Sample, type Signal, valueLetter } from "./sample.ts";

/** again: a letter that is tried once more; without a time of its own it keeps the instant at which it first came. */
export type Incoming = {
  topic: string;
  payload: Buffer;
  retained: boolean;
  receivedAt: number;
  again?: boolean /** The present, where it is not the time of receipt. */;
  now?: number;
};
/** Where resolved things go; batch.ts is one. setAside: values that are counted with the letter of one that came before. */
export type Sink = {
  sample(sample: Sample): void;
  letter(letter: Letter): void;
  link(event: LinkEvent): void;
  repeat(): void;
  setAside(code: string, values: number): void;
};

export const maxFutureMs = 5 * 60_000;
/** Longer ones no index takes; a plant's own topics have at most 332. */
const maxTopicBytes = 1_000;

type Reading =
  | { to: "signal"; signal: Signal }
  | { to: "machine"; machine: Machine }
  | { to: "mapped"; mappings: Mapping[] }
  | { to: "online"; address: string };
type Route = Reading | { to: "elsewhere"; reading: Reading } | { to: "own" } | { to: "nowhere"; refusal: Refusal; key: string | null };

export class Resolver {
  private readonly routes = new Map<string, Route>();
  private lastStamp = 0;
  readonly plant: Plant;
  private readonly retainTrendMs: number;
  private readonly said: Map<string, boolean>;
  private readonly isOurs: (topic: string) => boolean;

  /**
   * said: what each source last said of itself, committed or not; it outlives the plant's copy.
   * isOurs: the topics of this worker's share. What comes on others, of subscriptions that its session at the broker had before, is handed over.
   */
  constructor(plant: Plant, retainTrendMs: number, said = new Map<string, boolean>(), isOurs: (topic: string) => boolean = () => true) {
    this.plant = plant;
    this.retainTrendMs = retainTrendMs;
    this.said = said;
    this.isOurs = isOurs;
  }

  /** One JSON, plain or mapped message. */
  message(incoming: Incoming, sink: Sink): void {
    const { topic } = incoming;
    let route = this.routes.get(topic);
    if (!route) {
      const found = this.routeOf(topic);
      route = found.to === "own" || found.to === "nowhere" || this.isOurs(topic) ? found : { to: "elsewhere", reading: found };
      if (this.routes.size >= 200_000) this.routes.clear(); // topics come from outside: bound what they can make us remember
      this.routes.set(topic, route);
    }
    switch (route.to) {
      case "own":
        return;
      case "nowhere":
        return refuse(sink, incoming, route.refusal);
      case "elsewhere":
        return incoming.again ? this.read(route.reading, incoming, sink) : this.handOver(incoming, sink);
      default:
        return this.read(route, incoming, sink);
    }
  }

  // What the broker has kept its reader is told when it subscribes. All else it gets as a letter, with an instant of receipt that no other has.
  private handOver({ topic, payload, retained, receivedAt }: Incoming, sink: Sink): void {
    if (retained) return sink.repeat();
    const reason = "It came to a worker that does not read this topic any more, and waits for the one that does.";
    sink.letter({ form: "message", topic, metric: null, payload, valueCount: 1, code: handedOver, reason, receivedAt: this.stamp(receivedAt) });
  }

  private read(reading: Reading, incoming: Incoming, sink: Sink): void {
    switch (reading.to) {
      case "signal":
        return this.signalMessage(reading.signal, incoming, sink);
      case "machine":
        return this.machineMessage(reading.machine, incoming, sink);
      case "mapped":
        return this.mappedMessage(reading.mappings, incoming, sink);
      case "online":
        return this.onlineMessage(reading.address, incoming, sink);
    }
  }

  private signalMessage(signal: Signal, incoming: Incoming, sink: Sink) {
    const decoded = decodeSignal(incoming.payload);
    if ("code" in decoded) return refuse(sink, incoming, decoded);
    for (const entry of decoded.entries) this.value(signal, incoming.topic, null, entry.at, entry.values[0]![1], incoming, 0, sink);
  }

  private machineMessage(machine: Machine, incoming: Incoming, sink: Sink) {
    const decoded = decodeMachine(incoming.payload);
    if ("code" in decoded) return refuse(sink, incoming, decoded);
    for (const entry of decoded.entries) {
      for (const [key, value] of entry.values) {
        const signal = machine.signals.get(key) ?? this.mappedKey(`${incoming.topic}/${key}`);
        if (signal) this.value(signal, null, null, entry.at, value, incoming, 0, sink);
        else if (!/^_[^_]/.test(key)) {
          const reason = `The machine ${machine.path} has no signal "${key.slice(0, 80)}". Map it to one on the Data health page, or add it to the plant.`;
          sink.letter(valueLetter(`${incoming.topic}/${key}`, null, entry.at, value, "unknown_signal", reason, incoming.receivedAt));
        } else sink.repeat();
      }
    }
  }

  // A key under which a machine sends what the plant calls otherwise: mapped on its own topic, as if it had come there.
  private mappedKey(topic: string): Signal | undefined {
    return this.plant.jsonMappings.find((mapping) => mapping.path === "" && topicMatches(mapping.pattern, topic))?.signal;
  }

  private mappedMessage(mappings: Mapping[], incoming: Incoming, sink: Sink) {
    const parsed = parsePayload(incoming.payload);
    if ("code" in parsed) return refuse(sink, incoming, parsed);
    for (const mapping of mappings) {
      const found = valueAt(parsed.json, mapping.path);
      const value =
        mapping.path === "" && found !== null && typeof found === "object" && Object.hasOwn(found, "value") ? (found as { value: unknown }).value : found;
      if (value === undefined) {
        refuse(sink, incoming, { code: "payload_shape", reason: `The message has nothing at "${mapping.path}", which is mapped to ${mapping.signal.path}.` });
        continue;
      }
      const parent = mapping.path.includes(".") ? valueAt(parsed.json, mapping.path.slice(0, mapping.path.lastIndexOf("."))) : parsed.json;
      const sent = mapping.tsPath !== null ? valueAt(parsed.json, mapping.tsPath) : (valueAt(parent, "ts") ?? valueAt(parsed.json, "ts"));
      const at = instant(sent);
      if (at !== null && typeof at === "object") refuse(sink, incoming, at);
      else this.value(mapping.signal, null, null, at, value, incoming, 0, sink); // a letter is of the signal: it can be tried again without its message
    }
  }

  // .../<machine>/_online, retained, true or false; its will says false.
  private onlineMessage(address: string, incoming: Incoming, sink: Sink) {
    const parsed = parsePayload(incoming.payload);
    if ("code" in parsed) return refuse(sink, incoming, parsed);
    const wrapped = parsed.json !== null && typeof parsed.json === "object" && !Array.isArray(parsed.json);
    const value = wrapped ? (valueAt(parsed.json, "value") ?? valueAt(parsed.json, "online")) : parsed.json;
    const at = wrapped ? instant(valueAt(parsed.json, "ts") ?? valueAt(parsed.json, "timestamp")) : null;
    if (at !== null && typeof at === "object") return refuse(sink, incoming, at);
    const alive =
      value === true || value === 1 || value === "true" || value === "online"
        ? true
        : value === false || value === 0 || value === "false" || value === "offline"
          ? false
          : null;
    if (alive === null) return refuse(sink, incoming, { code: "value_type", reason: "_online takes true or false." });
    if (at !== null && at > incoming.receivedAt + maxFutureMs) return refuse(sink, incoming, future(at, incoming.receivedAt));
    const source = this.plant.sources.get(address);
    const before = source && (this.said.get(address) ?? source.announced);
    if (at === null && before === alive && !incoming.again) return; // retained, told again at each connect
    // One that is tried again is of the past: what was last said stays.
    if (source && !incoming.again) this.said.set(address, alive);
    else if (before === true || before === false) this.said.set(address, before);
    sink.link({ address, at: at ?? incoming.receivedAt, kind: alive ? "online" : "offline", alive, detail: "", receivedAt: incoming.receivedAt });
  }

  /** One metric of a Sparkplug node or device. */
  metric(address: string, metric: string, at: number | null, value: RawValue, flags: number, receivedAt: number, sink: Sink, now = receivedAt): void {
    const signal = this.plant.sparkplugMappings.get(address)?.get(metric);
    if (signal) return this.value(signal, address, metric, at, value, { topic: address, retained: false, receivedAt, now }, flags, sink);
    const reason = `No signal is mapped to the metric "${metric.slice(0, 80)}" of ${address}. Map it to one on the Data health page.`;
    sink.letter(valueLetter(`spBv1.0/${address}`, metric, at, value, "unknown_signal", reason, receivedAt));
  }

  // topic null: a key of a machine message, whose own topic is the signal's
  private value(
    signal: Signal,
    topic: string | null,
    metric: string | null,
    sentAt: number | null,
    raw: unknown,
    incoming: Omit<Incoming, "payload">,
    flags: number,
    sink: Sink,
  ) {
    const { receivedAt } = incoming;
    if (sentAt === null && incoming.retained) return sink.repeat(); // a retained copy without a time of its own says nothing new
    const refused =
      whyNotScalar(raw) ??
      (signal.retired
        ? { code: "retired_signal", reason: `${signal.path} is retired.` }
        : sentAt === null
          ? null
          : this.whyNotNow(signal, sentAt, receivedAt, incoming.now ?? receivedAt));
    const out = refused ?? convert(signal, raw as RawValue);
    if ("code" in out) {
      const where = metric !== null ? `spBv1.0/${topic}` : (topic ?? `${namespace}/${signal.path}`);
      const kept = typeof raw === "number" && !Number.isFinite(raw) ? String(raw) : raw;
      return sink.letter(valueLetter(where, metric, sentAt, kept, out.code, out.reason, receivedAt));
    }
    let at = sentAt;
    if (at === null) {
      at = incoming.again ? receivedAt : this.stamp(receivedAt);
      flags |= Flag.stampedOnReceipt;
    }
    if (out.value === null && out.text === null) flags |= Flag.noValue;
    sink.sample({ signal, at, value: out.value, text: out.text, flags, receivedAt });
  }

  // Two values without a time may come in one millisecond: a microsecond apart they stay two.
  private stamp(receivedAt: number): number {
    this.lastStamp = Math.max(receivedAt, Math.round(this.lastStamp * 1000 + 1) / 1000);
    return this.lastStamp;
  }

  private whyNotNow(signal: Signal, at: number, receivedAt: number, now: number): Refusal | null {
    if (at > now + maxFutureMs) return future(at, now);
    const age = receivedAt - at;
    if (age > signal.source.maxBackfillMs)
      return {
        code: "ts_too_old",
        reason: `The value is from ${day(at)}, ${days(age)} days old; ${signal.source.address} delivers at most ${days(signal.source.maxBackfillMs)} days back (max_backfill).`,
      };
    if (!signal.ledger && age > this.retainTrendMs)
      return { code: "ts_too_old", reason: `The value is from ${day(at)}, ${days(age)} days old; measurements are kept ${days(this.retainTrendMs)} days.` };
    return null;
  }

  private routeOf(topic: string): Exclude<Route, { to: "elsewhere" }> {
    const nowhere = (code: string, reason: string) => ({ to: "nowhere" as const, refusal: { code, reason }, key: null });
    const bytes = Buffer.byteLength(topic);
    if (bytes > maxTopicBytes) return nowhere("topic_malformed", `The topic has ${bytes} bytes; at most ${maxTopicBytes} are read.`);
    const mappings = this.plant.jsonMappings.filter((m) => topicMatches(m.pattern, topic));
    if (mappings.length > 0) return { to: "mapped", mappings };
    if (/\p{Cc}/u.test(topic)) return nowhere("topic_malformed", "The topic has control characters in it.");
    if (!topic.startsWith(`${namespace}/`)) return nowhere("unknown_signal", "Nothing is mapped to this topic. Map it to a signal on the Data health page.");
    const levels = topic.slice(namespace.length + 1).split("/");
    if (levels.some((level) => level === "")) return nowhere("topic_malformed", "The topic has an empty level.");
    if (levels.some((level, i) => level.startsWith("_") && !(level === "_online" && i === 4))) return { to: "own" };
    if (levels.length < 4 || levels.length > 5)
      return nowhere(
        "topic_malformed",
        `The topic has ${levels.length} levels below ${namespace}; site/area/line/machine and signal are 5, a message for a machine has 4.`,
      );
    const path = levels.slice(0, 4).join("/");
    const machine = this.plant.machinePaths.get(path);
    if (levels[4] === "_online") return { to: "online", address: machine?.source?.address ?? path };
    if (!machine) return nowhere("unknown_machine", `The plant has no machine ${path.slice(0, 200)}. Add it to the plant, or map the topic to a signal.`);
    const key = levels[4];
    if (key === undefined) return { to: "machine", machine };
    const signal = machine.signals.get(key);
    if (signal) return { to: "signal", signal };
    return nowhere("unknown_signal", `The machine ${path} has no signal "${key.slice(0, 80)}". Map it to one on the Data health page, or add it to the plant.`);
  }
}

const future = (at: number, receivedAt: number): Refusal => ({
  code: "ts_future",
  reason: `The time stamp ${day(at)} is ${Math.round((at - receivedAt) / 1000)} s ahead of this server; at most ${maxFutureMs / 60_000} min are taken. Check the device's clock.`,
});
const day = (at: number) => new Date(at).toISOString().replace(/\.\d+Z$/, "Z");
const days = (ms: number) => Math.round(ms / 8_640_000) / 10;

function refuse(sink: Sink, incoming: Incoming, refusal: Refusal) {
  sink.letter({
    form: "message",
    topic: incoming.topic,
    metric: null,
    payload: incoming.payload,
    valueCount: 1,
    code: refusal.code,
    reason: refusal.reason,
    receivedAt: incoming.receivedAt,
  });
}

type Converted = { value: number | null; text: string | null };

/** A raw value in the signal's terms: number in its unit, or text. States stay as read: what they mean is looked up when they are read. */
export function convert(signal: Signal, raw: RawValue): Converted | Refusal {
  if (raw === null) return { value: null, text: null };
  switch (signal.role) {
    case "state":
      return typeof raw === "number" ? { value: raw, text: null } : { value: null, text: String(raw).toWellFormed() };
    case "job":
    case "product":
    case "fault_code":
      return { value: null, text: String(signal.valueMap?.get(String(raw)) ?? raw).toWellFormed() }; // as the database gives it back
  }
  const mapped = signal.valueMap?.get(String(raw)) ?? raw;
  const number = typeof mapped === "boolean" && signal.counter === null ? Number(mapped) : mapped;
  if (typeof number !== "number")
    return /^[-+]?(nan|inf(inity)?)$/i.test(String(number))
      ? { code: "value_not_finite", reason: "The value is not a finite number (NaN or infinite)." }
      : {
          code: "value_type",
          reason: `${signal.path} takes numbers, but ${describe(raw)} was sent.${typeof raw === "string" && Number.isFinite(Number(raw)) && raw.trim() !== "" ? " Send it without quotes." : ""}`,
        };
  const value = number * signal.scale + signal.offset;
  if (!Number.isFinite(value)) return { code: "value_not_finite", reason: "The value is not a finite number after scaling." };
  if (signal.counter && value < 0)
    return { code: "counter_negative", reason: `The count ${value} is negative. Check the type of the counter in the PLC (signed, rolled over?).` };
  if (signal.counter && Math.abs(value) > Number.MAX_SAFE_INTEGER)
    return { code: "value_not_finite", reason: `The count ${value} is too large to be counted exactly (more than 2^53).` };
  if ((signal.lowLimit !== null && value < signal.lowLimit) || (signal.highLimit !== null && value > signal.highLimit))
    return {
      code: "value_out_of_limits",
      reason: `${value} ${signal.unit} is outside the physical limits of ${signal.path} (${signal.lowLimit ?? "-∞"} to ${signal.highLimit ?? "∞"}). A broken wire?`,
    };
  return { value, text: null };
}

const describe = (raw: RawValue) => (typeof raw === "string" ? `the text "${raw.slice(0, 60)}"` : `${raw}`);
