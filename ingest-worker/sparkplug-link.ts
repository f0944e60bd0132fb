// Sparkplug: the host application's connection and rules, joined to the filling batch.
import type { BrokerOptions } from "./mqtt.ts";
import type { Resolver } from "./resolve.ts";
import { Flag, type Sink, valueLetter } from "./sample.ts";
import type { Said } from "./sparkplug/liveness.ts";
import { type HostOutput, SparkplugHost } from "./sparkplug.ts";
import { SparkplugConnection } from "./sparkplug-connection.ts";

export type SparkplugLink = {
  /** Wanted: connects and stays. */
  online(): void;
  /** Says that this host is offline, and leaves: edge nodes then store and forward. */
  offline(): Promise<void>;
  /** Leaves for good. */
  end(): Promise<void>;
  /** Lets a held message pump go on. */
  release(): void;
  /** All that edges sent before this instant (ms) has gone into the sink. */
  settledTo(now: number): number;
  /** A letter once more. */
  retry(topic: string, payload: Buffer, receivedAt: number): void;
};

type Hooks = {
  resolver(): Resolver;
  sink: Sink;
  onMessage(): void;
  /** After something came in; false: hold the pump until release(). */
  filled(): boolean;
  onChange(connected: boolean, why: string): void;
  /** Something went wrong on a connection that stands. */
  onProblem(sentence: string): void;
  /** Edge nodes and devices of the plant: asked for their births after each connecting, also the quiet ones. */
  addresses(): Iterable<string>;
  /** What was said of links before this worker started. */
  said: Map<string, Said[]>;
};

/** How often the host looks after what is due: the reorder time-out is 2 s. */
const tickMs = 250;
const graceMs = 2_000;

/** All that the host gave out, into the sink; commands excepted. A value at which the resolver fails is set aside alone. */
export function pour(
  { values, refused, links, duplicates, repeats }: HostOutput,
  receivedAt: number,
  resolver: Resolver,
  sink: Sink,
  onProblem: (sentence: string) => void,
): void {
  let failed = 0;
  for (let next = 0; next < values.length; ) {
    try {
      for (; next < values.length; next++) {
        const v = values[next]!;
        resolver.metric(v.address, v.metric, v.at, v.value, (v.historical ? Flag.historical : 0) | (v.good ? 0 : Flag.badQuality), v.receivedAt, sink);
      }
    } catch (error) {
      const v = values[next++]!;
      const reason = `The value could not be taken: ${(error as Error).message}`;
      if (failed++ === 0) onProblem(`${v.address} ${v.metric}: ${reason}`); // the letters say it of each
      sink.letter(valueLetter(`spBv1.0/${v.address}`, v.metric, v.at, v.value, "sparkplug_malformed", reason, v.receivedAt));
    }
  }
  for (const letter of refused) sink.letter({ ...letter, receivedAt });
  for (const change of links) sink.link({ ...change, receivedAt });
  if (repeats > 0) sink.setAside("sparkplug_type", repeats);
  for (let n = duplicates; n > 0; n--) sink.repeat();
}

export function openSparkplug(broker: BrokerOptions, hostId: string, groups: readonly string[], hooks: Hooks): SparkplugLink {
  const host = new SparkplugHost({ hostId });
  host.recall(hooks.said, Date.now());
  const waiting: (() => void)[] = [];
  let why = "";
  let releasedAt = 0;
  let heldAt: number | null = null;

  const take = (output: HostOutput, receivedAt: number): void | Promise<void> => {
    pour(output, receivedAt, hooks.resolver(), hooks.sink, hooks.onProblem);
    for (const command of output.commands) connection.publish(command);
    if (hooks.filled()) return;
    heldAt ??= Date.now();
    return new Promise((resolve) => {
      waiting.push(resolve);
    });
  };

  const connection = new SparkplugConnection({
    ...broker,
    protocolVersion: broker.version,
    hostId,
    groups,
    onMessage: (topic, payload, receivedAt, about) => {
      hooks.onMessage();
      return take(host.onMessage(topic, payload, receivedAt, about), receivedAt);
    },
    onConnected: (now) => {
      why = "";
      host.onConnected(now, hooks.addresses());
      hooks.onChange(true, "");
    },
    onDisconnected: (now, aliveUntil) => {
      void take(host.onDisconnected(now, aliveUntil), now);
      hooks.onChange(false, why);
    },
    onProblem: (sentence) => {
      why = sentence;
      if (connection.connected) hooks.onProblem(sentence);
      else hooks.onChange(false, sentence);
    },
  });
  const timer = setInterval(() => {
    const now = Date.now();
    const due = host.nextTickAt();
    // While the pump is held, messages that seem to be missing lie unread in the socket: they get their time from the release on.
    if (waiting.length > 0 || now < releasedAt + graceMs) return;
    if (due !== null && due <= now) void take(host.onTick(now), now);
  }, tickMs);
  timer.unref();

  return {
    online: () => connection.online(),
    offline: () => connection.offline(),
    async end() {
      clearInterval(timer);
      await connection.offline();
      void take(host.onEnd(), Date.now());
    },
    release() {
      if (waiting.length > 0) releasedAt = Date.now();
      heldAt = null;
      for (const go of waiting.splice(0)) go();
    },
    settledTo: (now) => Math.min(heldAt ?? now, host.settledTo(now)),
    retry: (topic, payload, receivedAt) => void take(host.onRetry(topic, payload, receivedAt), receivedAt),
  };
}
