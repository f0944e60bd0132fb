// From topic and value to a sample of a signal, or a letter with the reason. Unknown ones are set aside for review, never lost.

import {
  decodeMachine,
  decodeSignal,
  type Entry,
  instant,
  itemsOf,
  parsePayload,
  type Refusal,
  type RefusedItem,
  valuesIn,
  whyNotScalar,
} from "#/server/domain/payload.ts";
import { convert, future, mappedReading, maxFutureMs, nothingAt, whyTooOld } from "#/server/domain/reading.ts";
import { topicMatches } from "#/server/domain/topic-filter.ts";
import { type LinkMemory, Links } from "./online.ts";
import type { Machine, Mapping, Plant } from "./plant.ts";
import { Flag, handedOver, type Incoming, namespace, payloadOf, type RawValue, type Signal, type Sink, valueLetter } from "./sample.ts";

type Came = Omit<Incoming, "payload">;
/** What outlives a copy of the plant. */
export type Memory = LinkMemory & {
  /** The newest instant that was given to a value without a time, ms. */
  lastStamp: number;
};
export const newMemory = (): Memory => ({ said: new Map(), absence: null, lastStamp: 0 });

/** Topics come from outside: what they can make us remember is bounded. */
const maxRemembered = 200_000;
/** Items of one message and reason that are a letter each. */
const mostLettersAlike = 100;
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
  readonly plant: Plant;
  private readonly retainTrendMs: number;
  private readonly memory: Memory;
  private readonly isOurs: (topic: string) => boolean;
  /** What machines say of their own links. */
  readonly links: Links;

  /** isOurs: the topics of this worker's share. What comes on others, of subscriptions that its session at the broker had before, is handed over. */
  constructor(plant: Plant, retainTrendMs: number, memory = newMemory(), isOurs: (topic: string) => boolean = () => true) {
    this.plant = plant;
    this.retainTrendMs = retainTrendMs;
    this.memory = memory;
    this.isOurs = isOurs;
    this.links = new Links(plant, memory, isOurs);
  }

  /** One JSON, plain or mapped message. */
  message(incoming: Incoming, sink: Sink): void {
    const { topic } = incoming;
    let route = this.routes.get(topic);
    if (!route) {
      const found = this.routeOf(topic);
      route = found.to === "own" || found.to === "nowhere" || this.isOurs(topic) ? found : { to: "elsewhere", reading: found };
      if (this.routes.size >= maxRemembered) this.routes.clear();
      this.routes.set(topic, route);
    }
    switch (route.to) {
      case "own":
        return;
      case "nowhere":
        return this.setAside({ ...route.refusal, values: valuesIn(incoming.payload) }, incoming, sink);
      case "elsewhere":
        return incoming.again ? this.read(route.reading, incoming, sink) : this.handOver(incoming, sink);
      default:
        return this.read(route, incoming, sink);
    }
  }

  /** Whether a letter's topic and metric lead to a signal or a machine of this plant. */
  knows(topic: string, metric: string | null): boolean {
    if (metric !== null) return this.plant.sparkplugMappings.get(topic.replace(/^spBv1\.0\//, ""))?.has(metric) ?? false;
    return this.routeOf(topic).to !== "nowhere";
  }

  // What the broker has kept its reader is told when it subscribes. All else it gets as a letter, with an instant of receipt that no other has.
  private handOver({ topic, payload, retained, receivedAt }: Incoming, sink: Sink): void {
    if (retained) return sink.repeat();
    const reason = "It came to a worker that does not read this topic any more, and waits for the one that does.";
    sink.letter({
      form: "message",
      topic,
      metric: null,
      payload,
      valueCount: 1,
      code: handedOver,
      reason,
      receivedAt: this.stamp(receivedAt, itemsOf(payload)),
      untimed: true,
    });
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
        return this.links.message(reading.address, incoming, sink);
    }
  }

  private signalMessage(signal: Signal, incoming: Incoming, sink: Sink) {
    const decoded = decodeSignal(incoming.payload);
    if ("code" in decoded) return this.setAside(decoded, incoming, sink);
    decoded.entries.forEach((entry, i) => {
      this.value(signal, incoming.topic, null, entry.at, entry.values[0]![1], came(incoming, entry, i), 0, sink);
    });
    if (decoded.refused) this.setItemsAside(decoded.refused, incoming, sink);
  }

  private machineMessage(machine: Machine, incoming: Incoming, sink: Sink) {
    const decoded = decodeMachine(incoming.payload);
    if ("code" in decoded) return this.setAside(decoded, incoming, sink);
    decoded.entries.forEach((entry, i) => {
      const from = came(incoming, entry, i);
      for (const [key, value] of entry.values) {
        const signal = machine.signals.get(key) ?? this.mappedKey(`${incoming.topic}/${key}`);
        if (signal) this.value(signal, null, null, entry.at, value, from, 0, sink);
        else if (!/^_[^_]/.test(key)) {
          const reason = `The machine ${machine.path} has no signal "${key.slice(0, 80)}". Map it to one on the Data health page, or add it to the plant.`;
          this.setValueAside(`${incoming.topic}/${key}`, null, entry.at, value, { code: "unknown_signal", reason }, from, sink);
        } else sink.repeat();
      }
    });
    if (decoded.refused) this.setItemsAside(decoded.refused, incoming, sink);
  }

  // A key under which a machine sends what the plant calls otherwise: mapped on its own topic, as if it had come there.
  private mappedKey(topic: string): Signal | undefined {
    return this.plant.jsonMappings.find((mapping) => mapping.path === "" && topicMatches(mapping.pattern, topic))?.signal;
  }

  // A message need not hold all that is mapped of it. What it holds goes its way mapping by mapping, each of which can be tried again without the message.
  private mappedMessage(mappings: Mapping[], incoming: Incoming, sink: Sink) {
    const parsed = parsePayload(incoming.payload);
    if ("code" in parsed) return this.setAside(parsed, incoming, sink);
    let isHeld = false;
    for (const mapping of mappings) {
      const read = mappedReading(parsed.json, mapping);
      if (read === null) continue;
      isHeld = true;
      const { value, sent, at } = read;
      if (at !== null && typeof at === "object") this.setValueAside(topicOf(mapping.signal), null, sent, value, at, incoming, sink);
      else this.value(mapping.signal, null, null, at, value, incoming, 0, sink);
    }
    const [first] = mappings;
    if (!isHeld && first) this.setAside(nothingAt(first.path, first.signal.path), incoming, sink);
  }

  /** One metric of a Sparkplug node or device. ts: as it was sent; null or undefined: it was not. retriedAt: the present, for a letter that is tried once more. */
  metric(address: string, metric: string, ts: unknown, value: RawValue, flags: number, receivedAt: number, sink: Sink, retriedAt?: number): void {
    const from: Came = { topic: address, retained: false, receivedAt, again: retriedAt !== undefined, now: retriedAt };
    const signal = this.plant.sparkplugMappings.get(address)?.get(metric);
    const at = signal ? instant(ts) : null;
    if (signal && (at === null || typeof at === "number")) return this.value(signal, address, metric, at, value, from, flags, sink);
    const reason = `No signal is mapped to the metric "${metric.slice(0, 80)}" of ${address}. Map it to one on the Data health page.`;
    this.setValueAside(`spBv1.0/${address}`, metric, ts, value, at !== null && typeof at === "object" ? at : { code: "unknown_signal", reason }, from, sink);
  }

  // topic null: a key of a machine message, whose own topic is the signal's
  private value(signal: Signal, topic: string | null, metric: string | null, sentAt: number | null, raw: unknown, from: Came, flags: number, sink: Sink) {
    const { receivedAt } = from;
    if (sentAt === null && from.retained) return sink.repeat(); // a retained copy without a time of its own says nothing new
    const refused =
      whyNotScalar(raw) ??
      (signal.retired
        ? { code: "retired_signal", reason: `${signal.path} is retired.` }
        : sentAt === null
          ? null
          : this.whyNotNow(signal, sentAt, receivedAt, from.now ?? receivedAt));
    const out = refused ?? convert(signal, raw as RawValue);
    if ("code" in out) return this.setValueAside(metric !== null ? `spBv1.0/${topic}` : (topic ?? topicOf(signal)), metric, sentAt, raw, out, from, sink);
    if (sentAt === null) flags |= Flag.stampedOnReceipt;
    if (out.value === null && out.text === null) flags |= Flag.noValue;
    const at = sentAt ?? this.stampOf(from);
    if (at > signal.source.newestAt) signal.source.newestAt = at;
    sink.sample({ signal, at, value: out.value, text: out.text, flags, receivedAt });
  }

  // A message, or an item of one, that went nowhere. An unreadable one is no value: it stays unreadable, and what is like it is the same again.
  private setAside({ code, reason, values = 1 }: Refusal, { topic, payload, retained, receivedAt, again }: Incoming, sink: Sink) {
    const untimed = !retained && !/^payload_(empty|too|not)/.test(code) && !payload.includes('"ts"');
    const at = untimed && !again ? this.stamp(receivedAt, itemsOf(payload)) : receivedAt;
    sink.letter({ form: "message", topic, metric: null, payload, valueCount: values, code, reason, receivedAt: at, untimed });
  }

  // Each by itself, so that each can be put right and tried again by itself; a great many that are alike are one letter, a list again.
  private setItemsAside(refused: readonly RefusedItem[], incoming: Incoming, sink: Sink) {
    for (const alike of Map.groupBy(refused, ({ code }) => code).values()) {
      const [first] = alike;
      if (!first) continue;
      if (alike.length <= mostLettersAlike) for (const one of alike) this.setAside(one, { ...incoming, payload: payloadOf(one.item) }, sink);
      else {
        const values = alike.reduce((n, one) => n + (one.values ?? 1), 0);
        const reason = `${alike.length} items of one message; the first: ${first.reason}`;
        this.setAside({ code: first.code, reason, values }, { ...incoming, payload: payloadOf(alike.map(({ item }) => item)) }, sink);
      }
    }
  }

  private setValueAside(topic: string, metric: string | null, ts: unknown, value: unknown, { code, reason }: Refusal, from: Came, sink: Sink) {
    const isMore = (ts === null || ts === undefined) && !from.retained; // what the broker has kept is the same each time
    const letter = valueLetter(topic, metric, ts, value, code, reason, isMore ? this.stampOf(from) : from.receivedAt);
    sink.letter(isMore ? letter : { ...letter, untimed: false });
  }

  private stampOf({ again, receivedAt }: Came): number {
    return again ? receivedAt : this.stamp(receivedAt);
  }

  // Two values without a time may come in one millisecond: a microsecond apart they stay two. Returns the first of as many instants.
  private stamp(receivedAt: number, instants = 1): number {
    const first = Math.max(receivedAt, micros(this.memory.lastStamp, 1));
    this.memory.lastStamp = instants === 1 ? first : micros(first, instants - 1);
    return first;
  }

  private whyNotNow(signal: Signal, at: number, receivedAt: number, now: number): Refusal | null {
    if (at > now + maxFutureMs) return future(at, now);
    return whyTooOld(at, receivedAt, {
      maxBackfillMs: signal.source.maxBackfillMs,
      by: signal.source.address,
      retainMs: signal.ledger ? null : this.retainTrendMs,
    });
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

const topicOf = (signal: Signal) => `${namespace}/${signal.path}`;
const micros = (at: number, more: number) => Math.round(at * 1000 + more) / 1000;

/** When an item of a message came: tried again, those without a time of their own have the instants that were set aside for them. */
const came = (incoming: Incoming, { at }: Entry, i: number): Came =>
  incoming.again && at === null && i > 0 ? { ...incoming, receivedAt: micros(incoming.receivedAt, i) } : incoming;
