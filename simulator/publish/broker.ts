// The way to the broker: connections by the environment's rules, and a bounded outbox that knows what the broker acknowledged.
import { readFileSync } from "node:fs";
import { connect, type IClientOptions, type MqttClient } from "mqtt";
import { messageOf, Trouble } from "#/simulator/trouble.ts";

export type BrokerAddress = {
  url: string;
  username?: string;
  password?: string;
  caFile?: string;
  certFile?: string;
  keyFile?: string;
  /** 5, or 4 for MQTT 3.1.1. */
  version: 4 | 5;
};

export type Message = { topic: string; payload: string | Buffer; qos: 0 | 1; retain?: boolean };

const file = (path: string | undefined): Buffer | undefined => {
  if (!path) return undefined;
  try {
    return readFileSync(path);
  } catch (error) {
    throw new Trouble(`The file ${path} for the broker's connection cannot be read: ${messageOf(error)}`);
  }
};

export function clientOptions(broker: BrokerAddress, more: IClientOptions): IClientOptions {
  const ca = file(broker.caFile);
  const cert = file(broker.certFile);
  const key = file(broker.keyFile);
  return {
    protocolVersion: broker.version,
    ...(broker.username ? { username: broker.username } : {}),
    ...(broker.password ? { password: broker.password } : {}),
    ...(ca ? { ca } : {}),
    ...(cert ? { cert } : {}),
    ...(key ? { key } : {}),
    keepalive: 30,
    connectTimeout: 10_000,
    reconnectPeriod: 500 + Math.floor(Math.random() * 500), // so that a plant's many links do not come back in one instant
    resubscribe: false,
    ...more,
  };
}

/** Opens a connection and waits for it; refuses with a sentence when the broker does not answer within `waitMs`. */
export async function open(broker: BrokerAddress, more: IClientOptions, waitMs = 8000): Promise<MqttClient> {
  const client = connect(broker.url, clientOptions(broker, more));
  let lastError = "it does not answer";
  // without a listener an error would end the process; the client itself tries again
  client.on("error", (error) => {
    lastError = messageOf(error);
  });
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => {
      client.end(true);
      reject(new Trouble(`The broker at ${withoutPassword(broker.url)} cannot be reached: ${lastError}. Start it, or set MQTT_URL.`));
    }, waitMs);
    client.once("connect", () => {
      clearTimeout(timer);
      resolve();
    });
  });
  return client;
}

export function withoutPassword(url: string): string {
  try {
    const parsed = new URL(url);
    if (!/^(mqtts?|ssl|tcp):$/.test(parsed.protocol)) throw new TypeError(`it begins with ${parsed.protocol}//`);
    if (parsed.password) parsed.password = "***";
    return parsed.toString();
  } catch (error) {
    throw new Trouble(`"${url}" is no broker's address (${messageOf(error)}). Write mqtt://host:1883 or mqtts://host:8883.`);
  }
}

/** Publishes over one connection with at most `limit` messages that the broker has not acknowledged: that is its back-pressure. */
export class Outbox {
  readonly client: MqttClient;
  private readonly limit: number;
  private readonly waiting: (() => void)[] = [];
  private idle: (() => void)[] = [];
  private inFlight = 0;
  /** Messages that the broker acknowledged (QoS 1) or that were written to it (QoS 0). */
  sent = 0;

  constructor(client: MqttClient, limit: number) {
    this.client = client;
    this.limit = limit;
  }

  /** Settles when there is room for the next message. `onAck` is called when the broker has taken it over. */
  async send(message: Message, onAck: () => void): Promise<void> {
    while (this.inFlight >= this.limit) await new Promise<void>((resolve) => this.waiting.push(resolve));
    this.inFlight++;
    this.client.publish(message.topic, message.payload, { qos: message.qos, retain: message.retain ?? false }, (error) => {
      this.inFlight--;
      if (!error) {
        this.sent++;
        onAck();
      }
      this.waiting.shift()?.();
      if (this.inFlight === 0) for (const settle of this.idle.splice(0)) settle();
    });
  }

  /** Settles when everything sent so far is acknowledged. */
  async drained(): Promise<void> {
    if (this.inFlight > 0) await new Promise<void>((resolve) => this.idle.push(resolve));
  }

  /** Waits for what is on its way, at most `waitMs`, and disconnects. False: the broker was away and something is unacknowledged. */
  async close(waitMs = 5000): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<boolean>((resolve) => {
      timer = setTimeout(() => resolve(false), waitMs);
    });
    const complete = await Promise.race([this.drained().then(() => true), late]);
    clearTimeout(timer);
    await this.client.endAsync(!complete);
    return complete;
  }
}
