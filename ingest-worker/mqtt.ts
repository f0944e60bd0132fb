// The connection for JSON, plain and mapped topics: persistent session, QoS 1, and PUBACK only after COMMIT.
import { connect, type IClientOptions, type IPublishPacket, type MqttClient } from "mqtt";

export type BrokerOptions = { url: string; username?: string; password?: string; ca?: Buffer; cert?: Buffer; key?: Buffer; version: 4 | 5 };

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
  /** Subscribes to these and no others. */
  subscribe(filters: readonly string[]): void;
  /** Lets a held message pump go on. */
  release(): void;
  /** To be called each few seconds: while the pump is held nothing is read, so neither side may take the silence for death. */
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

type Hooks = {
  /** One message; false: hold the pump until release(). Must not throw. */
  onMessage(delivery: Delivery, epoch: number): boolean;
  onChange(connected: boolean, why: string): void;
};

export function connectMqtt(broker: BrokerOptions, clientId: string, hooks: Hooks): MqttLink {
  let epoch = 0;
  let tries = 0;
  let wanted: readonly string[] = [];
  let subscribed: readonly string[] = [];
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
    const messageId = packet.qos > 0 ? (packet.messageId ?? null) : null;
    const goOn = hooks.onMessage({ topic: packet.topic, payload: packet.payload as Buffer, retained: packet.retain, messageId }, epoch);
    const next = () => (messageId === null ? callback() : callback(notNow));
    if (goOn) next();
    else held = next;
  };

  const subscribeNow = () => {
    const added = wanted.filter((f) => !subscribed.includes(f));
    const gone = subscribed.filter((f) => !wanted.includes(f));
    subscribed = wanted;
    if (gone.length > 0) client.unsubscribe([...gone]);
    if (added.length > 0)
      client.subscribe([...added], { qos: 1 }, (error, granted) => {
        const refused = granted?.filter((g) => g.qos >= 128).map((g) => g.topic) ?? [];
        if (error || refused.length > 0) {
          subscribed = subscribed.filter((f) => !added.includes(f));
          if (client.connected)
            hooks.onChange(
              true,
              `the broker refuses the subscription to ${refused.join(", ") || added.join(", ")}: ${error?.message ?? "not allowed by its access list"}`,
            );
        }
      });
  };
  client.on("connect", () => {
    tries = 0;
    epoch++;
    subscribed = []; // again at each connect: retained _online messages tell what changed meanwhile
    subscribeNow();
    hooks.onChange(true, "");
  });
  client.on("error", (error) => {
    why = explain(error, broker.url);
    if (!client.connected) hooks.onChange(false, why);
  });
  client.on("close", () => {
    epoch++; // ids of this connection mean nothing on the next
    held = null;
    if (ended) return;
    hooks.onChange(false, why);
    const wait = reconnectMs(tries++);
    setTimeout(() => {
      if (!ended) client.reconnect();
    }, wait).unref();
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
      if (held === null || !client.connected) return;
      client.reschedulePing(true);
      client.stream.write(pingRequest);
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
