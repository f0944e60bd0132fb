/** Sends presses' messages at a steady rate, out of order and some of them twice, until the broker has acknowledged each; over restarts of the broker, too. */
import { connect, type MqttClient } from "mqtt";
import type { Chance } from "./random.ts";
import type { Message } from "./truth.ts";
import { until } from "./until.ts";

export type PublisherOptions = {
  mqttUrl: string;
  perSecond: number;
  /** Share of messages that are sent twice. */
  repeated: number;
  chance: Chance;
  next: () => Message;
};

const tickMs = 10;
/** So many wait to be sent, in no order. */
const mixed = 300;
/** Unacknowledged at once at most, as an edge would have. */
const inFlight = 2_000;

export class Publisher {
  /** Messages that the broker has acknowledged, repeats included. */
  acknowledged = 0;
  sentTwice = 0;
  /** Sent again because the broker went away before its word. */
  sentAgain = 0;
  private readonly options: PublisherOptions;
  private readonly waiting: Message[] = [];
  private readonly late: { message: Message; dueAt: number }[] = [];
  private readonly unacknowledged = new Map<number, Message>();
  private serial = 0;
  private client: MqttClient | null = null;
  private generating = true;
  private due = 0;
  private lastAt = performance.now();
  private readonly timer: NodeJS.Timeout;

  constructor(options: PublisherOptions) {
    this.options = options;
    this.open();
    this.timer = setInterval(() => this.tick(), tickMs);
  }

  private open(): void {
    const client = connect(this.options.mqttUrl, { protocolVersion: 5, reconnectPeriod: 0, connectTimeout: 5_000 });
    client.on("error", () => undefined); // "close" follows
    client.on("connect", () => {
      this.client = client;
    });
    client.once("close", () => {
      if (this.client === client) this.client = null;
      // What it did not acknowledge it may have or not have: sent again.
      this.sentAgain += this.unacknowledged.size;
      this.waiting.push(...this.unacknowledged.values());
      this.unacknowledged.clear();
      client.end(true);
      if (this.generating || this.waiting.length > 0) setTimeout(() => this.open(), 200);
    });
  }

  private tick(): void {
    const { chance, perSecond, repeated, next } = this.options;
    const now = performance.now();
    if (this.generating) {
      this.due += ((now - this.lastAt) / 1000) * perSecond;
      for (; this.due >= 1; this.due--) {
        const message = next();
        if (chance.is(0.005)) this.late.push({ message, dueAt: now + chance.below(10_000) });
        else this.waiting.push(message);
        if (chance.is(repeated)) {
          this.sentTwice++;
          this.due--;
          if (chance.is(0.5)) this.waiting.push(message);
          else this.late.push({ message, dueAt: now + chance.below(5_000) });
        }
      }
    }
    this.lastAt = now;
    for (let i = this.late.length - 1; i >= 0; i--)
      if (!this.generating || this.late[i]!.dueAt <= now) this.waiting.push(...this.late.splice(i, 1).map((l) => l.message));
    const keep = this.generating ? mixed : 0;
    while (this.client?.connected && this.waiting.length > keep && this.unacknowledged.size < inFlight) this.send(this.client);
  }

  private send(client: MqttClient): void {
    const { waiting } = this;
    const at = this.options.chance.below(waiting.length);
    const message = waiting[at]!;
    waiting[at] = waiting.at(-1)!;
    waiting.pop();
    const id = ++this.serial;
    this.unacknowledged.set(id, message);
    client.publish(message.topic, message.payload, { qos: 1 }, (error) => {
      if (!error && this.unacknowledged.delete(id)) this.acknowledged++;
    });
  }

  /** Makes no more; resolves when the broker has acknowledged everything. */
  async finish(): Promise<void> {
    this.generating = false;
    await until("the broker has acknowledged everything", () => this.late.length + this.waiting.length + this.unacknowledged.size === 0, 120_000);
    clearInterval(this.timer);
    this.client?.end(true);
  }
}
