// The connection for JSON, plain and mapped topics: persistent session, QoS 1, and PUBACK only after COMMIT.
import { connect, type IClientOptions, type IPublishPacket, type MqttClient, type Packet } from "mqtt";
import type { Env } from "./env.ts";
import { uptimeTopic } from "./watch.ts";

export type BrokerOptions = { url: string; username?: string; password?: string; ca?: Buffer; cert?: Buffer; key?: Buffer; version: 4 | 5 };

export const brokerOf = (env: Env): BrokerOptions => ({
  url: env.MQTT_URL,
  username: env.MQTT_USERNAME,
  password: env.MQTT_PASSWORD,
  ca: env.MQTT_CA_FILE,
  cert: env.MQTT_CERT_FILE,
  key: env.MQTT_KEY_FILE,
  version: env.MQTT_VERSION,
});

/** Unacknowledged messages the broker may have under way to us (MQTT 5; with 3.1.1 the broker's own limit holds). At 40,000/s and 100 ms a batch 4,000 are. */
const receiveMaximum = 16_384;
const pingRequest = Buffer.from([0xc0, 0]);
const sessionExpiryS = 7 * 24 * 3600;

export type Delivery = { topic: string; payload: Buffer; retained: boolean /** Acknowledged with it; null: QoS 0. */; messageId: number | null };

export type MqttLink = {
  /** Sends the PUBACKs of messages of this connection; those of an earlier one the broker delivers again. */
  acknowledge(epoch: number, messageIds: readonly number[]): void;
  epoch(): number;
  connected(): boolean;
  /** Subscribes to these and ends all others that the session at the broker has, also from before this process. */
  subscribe(filters: readonly string[]): void;
  /** Lets a held message pump go on. */
  release(): void;
  /** To be called each few seconds: while the pump is held nothing is read, so neither side may take the silence for death. What was refused is asked for again. */
  keepAwake(): void;
  end(): Promise<void>;
};

export function brokerOptions(broker: BrokerOptions): IClientOptions {
  return {
    protocolVersion: broker.version,
    username: broker.username,
    password: broker.password,
    ca: broker.ca,
    cert: broker.cert,
    key: broker.key,
    rejectUnauthorized: true,
    connectTimeout: 10_000,
    keepalive: 30,
  };
}

/** Waits 0.5 to 15 s between tries, a random share of it so that many clients do not come back at once. */
export const reconnectMs = (tries: number) => Math.min(15_000, 500 * 2 ** Math.min(tries, 5)) * (0.5 + Math.random() / 2);

export type BrokerWatch = {
  /** After `onChange(true)`. isKnown: the broker has a session of ours. */
  connected(isKnown: boolean, now: number): void;
  /** After each connection. heardAt (ms): when the broker was heard last. */
  lost(heardAt: number, now: number): void;
  wentDown(): void;
  uptime(payload: Buffer, retained: boolean, now: number): void;
  silent(now: number): void;
};

type Hooks = {
  /** One message; false: hold the pump until release(). Must not throw. */
  onMessage(delivery: Delivery, epoch: number): boolean;
  onChange(connected: boolean, why: string): void;
  /** Told of all that says until when the broker was watched, and whether it is the same. */
  watch: BrokerWatch;
  /** The broker has answered for what is subscribed to: "" it grants all of it, else what it refuses, in words. */
  onSubscribed(refused: string): void;
  /** The session at the broker is subscribed to nothing but these any more. */
  onSession(filters: readonly string[]): void;
  /** Whether the session at the broker is certainly still ours; while it may not be, it is not taken from whoever has it now. */
  isOurs(): boolean;
};

/** A connection that ends sooner proves nothing: two of one client id that take turns do not come ever faster. */
const provenMs = 10_000;
/** A broker that says for how long it has run says so at once. */
const uptimeWaitMs = 3_000;
/** Some brokers end the connection of who asks for what is not allowed: after so many ends before an answer nothing is asked any more. */
const unansweredAtMost = 2;
/** Reason code of DISCONNECT, MQTT 5 section 3.14.2.1. */
const shuttingDown = 0x8b;
/** How often it is looked after whether the session is ours again. */
const notOursMs = 500;

/** session: what the broker's session of this client id may be subscribed to from earlier connections. */
export function connectMqtt(broker: BrokerOptions, clientId: string, session: readonly string[], hooks: Hooks): MqttLink {
  let epoch = 0;
  let tries = 0;
  let wanted: readonly string[] = [];
  /** What the session may hold: never less than it does. Outlives connections. */
  const atBroker = new Set(session);
  /** Subscribed to by this connection, or asked for. */
  const asked = new Set<string>();
  const leaving = new Set<string>();
  const refused = new Map<string, string>();
  let held: (() => void) | null = null;
  let ended = false;
  let why = "";
  const client: MqttClient = connect(broker.url.replace(/^tcp:/, "mqtt:").replace(/^ssl:/, "mqtts:"), {
    ...brokerOptions(broker),
    clientId,
    clean: false,
    resubscribe: false,
    reconnectPeriod: 0,
    properties: broker.version === 5 ? { sessionExpiryInterval: sessionExpiryS, receiveMaximum } : undefined,
  });

  // MQTT.js sends the PUBACK when this calls back without an error. With one it sends none and goes on: the error is its way to say "not now".
  // Private ground of 5.16: mqtt.process.test.ts fails when the library changes.
  const notNow = new Error("acknowledged after commit");
  client.handleMessage = (packet: IPublishPacket, callback: (error?: Error) => void) => {
    if (packet.topic === uptimeTopic && packet.qos === 0) {
      hooks.watch.uptime(packet.payload as Buffer, packet.retain, Date.now());
      return callback();
    }
    const messageId = packet.qos > 0 ? (packet.messageId ?? null) : null;
    const goOn = hooks.onMessage({ topic: packet.topic, payload: packet.payload as Buffer, retained: packet.retain, messageId }, epoch);
    const next = () => (messageId === null ? callback() : callback(notNow));
    if (goOn) next();
    else held = next;
  };

  // New ones first: where they overlap with those that end, nothing is missed in between.
  const subscribeNow = () => {
    const added = wanted.filter((f) => !asked.has(f));
    const gone = [...atBroker].filter((f) => !wanted.includes(f) && !leaving.has(f));
    const noLonger = [...refused.keys()].filter((f) => !wanted.includes(f));
    for (const f of noLonger) refused.delete(f);
    if (noLonger.length > 0) tell();
    const of = epoch;
    if (added.length > 0) {
      for (const f of added) {
        asked.add(f);
        atBroker.add(f);
      }
      client.subscribe([...added], { qos: 1 }, (error, _granted, packet) => {
        if (of === epoch) answered(added, error, packet?.granted);
      });
    }
    if (gone.length > 0) {
      for (const f of gone) {
        asked.delete(f);
        leaving.add(f);
      }
      client.unsubscribe(gone, (error?: Error, packet?: Packet) => {
        if (of === epoch) unsubscribed(gone, error, packet?.cmd === "unsuback" ? packet.granted : undefined);
      });
    }
  };
  const answered = (added: readonly string[], error: Error | null, codes: readonly unknown[] | undefined) => {
    added.forEach((f, i) => {
      const code = codes?.[i];
      if (typeof code === "number" ? code < 128 : error === null) refused.delete(f);
      else {
        asked.delete(f);
        refused.set(f, error?.message ?? "not allowed by its access list");
      }
    });
    tell();
  };
  const tell = () => {
    const why = [...new Set(refused.values())].join(", ");
    hooks.onSubscribed(refused.size === 0 ? "" : `the broker refuses the subscription to ${[...refused.keys()].join(", ")}: ${why}`);
  };
  const unsubscribed = (gone: readonly string[], error: Error | undefined, codes: readonly number[] | undefined) => {
    gone.forEach((f, i) => {
      leaving.delete(f);
      const isEnded = !error && (codes?.[i] ?? 0) < 128;
      if (isEnded && !asked.has(f)) atBroker.delete(f); // wanted again meanwhile, it is subscribed to again
    });
    hooks.onSession([...atBroker]);
  };
  let heardAt = 0;
  let isAnswered = true;
  let unanswered = 0;
  // First of all, so that the answer is here before what the broker has kept.
  const askUptime = () => {
    if (unanswered >= unansweredAtMost) return hooks.watch.silent(Date.now());
    isAnswered = false;
    const of = epoch;
    const silent = () => of === epoch && hooks.watch.silent(Date.now());
    client.subscribe(uptimeTopic, { qos: 0 }, (error) => {
      if (of !== epoch) return;
      isAnswered = true;
      unanswered = 0;
      if (error) silent();
      else setTimeout(silent, uptimeWaitMs).unref();
    });
  };
  let connectedAt = Number.POSITIVE_INFINITY;
  const comeBack = () => {
    const come = () => {
      if (ended) return;
      if (hooks.isOurs()) client.reconnect();
      else comeBack();
    };
    setTimeout(come, hooks.isOurs() ? reconnectMs(tries++) : notOursMs).unref();
  };
  client.on("connect", ({ sessionPresent }) => {
    connectedAt = performance.now();
    epoch++;
    asked.clear(); // again at each connect: retained _online messages tell what changed meanwhile
    leaving.clear();
    refused.clear();
    hooks.onChange(true, "");
    hooks.watch.connected(sessionPresent, Date.now());
    askUptime();
    subscribeNow();
  });
  client.on("packetreceive", () => {
    heardAt = Date.now();
  });
  client.on("disconnect", ({ reasonCode }) => {
    if (reasonCode === shuttingDown) hooks.watch.wentDown();
  });
  client.on("error", (error: Error & { code?: string | number }) => {
    if (error.code === "ECONNREFUSED") hooks.watch.wentDown();
    why = explain(error, broker.url);
    if (!client.connected) hooks.onChange(false, why);
  });
  client.on("close", () => {
    epoch++; // ids of this connection mean nothing on the next
    held = null;
    if (ended) return;
    if (connectedAt !== Number.POSITIVE_INFINITY) hooks.watch.lost(heardAt, Date.now());
    if (!isAnswered) unanswered++;
    isAnswered = true;
    hooks.onChange(false, why);
    if (performance.now() - connectedAt >= provenMs) tries = 0;
    connectedAt = Number.POSITIVE_INFINITY;
    comeBack();
  });

  return {
    acknowledge(of, messageIds) {
      if (of !== epoch || !client.connected || messageIds.length === 0) return;
      // PUBACK: 0x40, remaining length 2, message id; the same in 3.1.1 and 5 (reason 0 left out). One write for the whole batch.
      const bytes = Buffer.allocUnsafe(messageIds.length * 4);
      messageIds.forEach((id, i) => {
        bytes.writeUInt16BE(0x4002, i * 4);
        bytes.writeUInt16BE(id, i * 4 + 2);
      });
      client.stream.write(bytes);
    },
    epoch: () => epoch,
    connected: () => client.connected,
    subscribe(filters) {
      wanted = [...new Set(filters)];
      if (client.connected) subscribeNow();
    },
    release() {
      const next = held;
      held = null;
      next?.();
    },
    keepAwake() {
      if (!client.connected) return;
      if (held !== null) {
        client.reschedulePing(true);
        client.stream.write(pingRequest);
      } else if (refused.size > 0) subscribeNow();
    },
    end: () => {
      ended = true;
      const force = held !== null || !client.connected; // a held pump would never see the end
      held = null;
      return client.endAsync(force);
    },
  };
}

function explain(error: Error & { code?: string | number }, url: string): string {
  const where = new URL(url).host;
  if (/^ERR_SSL_.*ALERT.*(CERT|_CA$)/.test(String(error.code)))
    return `the broker ${where} refuses the client certificate: check MQTT_CERT_FILE and MQTT_KEY_FILE`;
  switch (error.code) {
    case 4:
    case 5:
    case 134:
    case 135:
      return `the broker ${where} refuses the sign-in: check MQTT_USERNAME, MQTT_PASSWORD or the client certificate`;
    case "ECONNREFUSED":
      return `no broker answers at ${where}: is it running, is the port right?`;
    case "ENOTFOUND":
      return `the broker's name ${where} is not known`;
    case "DEPTH_ZERO_SELF_SIGNED_CERT":
    case "SELF_SIGNED_CERT_IN_CHAIN":
    case "UNABLE_TO_VERIFY_LEAF_SIGNATURE":
    case "UNABLE_TO_GET_ISSUER_CERT_LOCALLY":
      return `the broker's certificate is not signed by an authority known here: set MQTT_CA_FILE`;
    default:
      return `${error.message || error.code || "connection lost"} (${where})`;
  }
}
