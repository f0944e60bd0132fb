/** A Sparkplug edge node with one device that counts and measures at a steady rate, at QoS 0 as edges do; and the truth of what it measured. */
import { connect, type MqttClient } from "mqtt";
import type { UMetric } from "sparkplug-payload/lib/sparkplugbpayload.js";
import { decode, encode } from "#/simulator/publish/sparkplug-payload.ts";
import type { Chance } from "./random.ts";

export type EdgeOptions = {
  mqttUrl: string;
  group: string;
  node: string;
  /** Stores while this host application, or the broker, is away, and delivers it as history afterwards. null: what cannot be sent is gone. */
  primaryHost: string | null;
  /** Its clock is so much ahead, ms. */
  clockMs: number;
  perSecond: number;
  chance: Chance;
};
export type Reading = { key: string; at: number; value: number };
/** sentAt: by performance.now(). */
type Sent = { reading: Reading; sentAt: number };

/** Key of the signal, name of the metric, and its type. Aliases are places in this list. */
export const metrics = [
  ["good", "Counts/Good", "Int64"],
  ["state", "State", "Int32"],
  ["temperature", "Temperature", "Double"],
] as const;
export const device = "Press";

const tickMs = 20;
const reopenMs = 200;
/** What was sent so shortly before the host went may not have been stored there: it is sent once more. */
const overlapMs = 10_000;
const inMessage = 100;

export class Edge {
  /** By signal key and device time (ms): all that was measured. */
  readonly truth = new Map<string, number>();
  readonly address: string;
  readonly nodeAddress: string;
  /** Messages that were counted and not sent, on purpose. */
  skipped = 0;
  births = 0;
  /** Rebirths that were asked of it. */
  asked = 0;
  readonly options: EdgeOptions;
  private readonly latest = new Map<string, Reading>();
  private stored: Reading[] = [];
  private recent: Sent[] = [];
  private client: MqttClient | null = null;
  private born = false;
  private hostSaidAt = 0;
  private bdSeq = 0;
  private seq = 0;
  private lastAt = 0;
  private good = 0;
  private skipNext = false;
  private due = 0;
  private tickedAt = performance.now();
  private timer: NodeJS.Timeout | null;
  private closed = false;

  constructor(options: EdgeOptions) {
    this.options = options;
    this.nodeAddress = `${options.group}/${options.node}`;
    this.address = `${this.nodeAddress}/${device}`;
    this.open();
    this.timer = setInterval(() => this.tick(), tickMs);
  }

  get isDelivered(): boolean {
    return this.born && this.stored.length === 0;
  }

  /** Counts the next message of data and does not send it: what a broker that is too busy does. */
  skip(): void {
    this.skipNext = true;
  }

  /** Measures no more; the connection stays. */
  rest(): void {
    if (this.timer) clearInterval(this.timer);
    this.timer = null;
  }

  async close(): Promise<void> {
    this.rest();
    this.closed = true;
    await this.client?.endAsync(true);
  }

  private now(): number {
    return Date.now() + this.options.clockMs;
  }

  private topic(type: string, name?: string): string {
    return [`spBv1.0/${this.options.group}/${type}/${this.options.node}`, ...(name ? [name] : [])].join("/");
  }

  private bdSeqMetric(): UMetric {
    return { name: "bdSeq", type: "Int64", value: this.bdSeq, timestamp: this.now() };
  }

  private open(): void {
    if (this.closed) return;
    const { mqttUrl, group, node, primaryHost } = this.options;
    this.bdSeq = (this.bdSeq + 1) % 256;
    const will = { topic: this.topic("NDEATH"), payload: encode({ timestamp: this.now(), metrics: [this.bdSeqMetric()] }), qos: 1 as const, retain: false };
    const client = connect(mqttUrl, { protocolVersion: 4, clean: true, reconnectPeriod: 0, queueQoSZero: false, connectTimeout: 5_000, will });
    this.client = client;
    client.on("error", () => undefined); // "close" follows
    client.on("connect", () => {
      client.subscribe([`spBv1.0/${group}/NCMD/${node}`, ...(primaryHost ? [`spBv1.0/STATE/${primaryHost}`] : [])], { qos: 1 }, (error) => {
        if (!error && primaryHost === null) this.birth();
      });
    });
    client.on("message", (topic, payload) => (topic.startsWith("spBv1.0/STATE/") ? this.onState(payload) : this.onCommand(payload)));
    client.once("close", () => {
      this.fallSilent();
      setTimeout(() => this.open(), reopenMs);
    });
  }

  private onCommand(payload: Buffer): void {
    if (!decode(payload).metrics?.some(({ name, value }) => name === "Node Control/Rebirth" && value === true)) return;
    this.asked++;
    if (this.born) this.birth();
  }

  private onState(payload: Buffer): void {
    const { online, timestamp } = JSON.parse(payload.toString("utf8")) as { online: boolean; timestamp: number };
    if (timestamp < this.hostSaidAt) return; // overtaken by a newer word
    this.hostSaidAt = timestamp;
    if (online && !this.born) this.birth();
    if (online || !this.born) return;
    this.client?.publish(this.topic("NDEATH"), encode({ timestamp: this.now(), metrics: [this.bdSeqMetric()] }), { qos: 0 });
    this.fallSilent();
    this.client?.end();
  }

  private fallSilent(): void {
    this.born = false;
    if (this.options.primaryHost === null) return;
    const since = performance.now() - overlapMs;
    this.stored.unshift(...this.recent.filter(({ sentAt }) => sentAt >= since).map(({ reading }) => reading));
    this.recent = [];
  }

  private birth(): void {
    this.seq = 0;
    if (this.births++ === 0) this.measure(); // it begins with its first birth
    const timestamp = this.now();
    this.publish("NBIRTH", [this.bdSeqMetric(), { name: "Node Control/Rebirth", type: "Boolean", value: false, timestamp }]);
    this.publish(
      "DBIRTH",
      metrics.map(([key, name, type], alias) => ({
        name,
        alias,
        type,
        value: this.latest.get(key)?.value ?? null,
        timestamp: this.latest.get(key)?.at ?? timestamp,
      })),
    );
    this.born = true;
    this.forward();
  }

  private publish(type: string, list: UMetric[]): void {
    const payload = encode({ timestamp: this.now(), seq: this.seq, metrics: list });
    this.seq = (this.seq + 1) % 256;
    if (type === "DDATA" && this.skipNext) {
      this.skipNext = false;
      this.skipped++;
      return;
    }
    this.client?.publish(this.topic(type, type.startsWith("D") ? device : undefined), payload, { qos: 0 });
  }

  private forward(): void {
    const readings = this.stored.sort((a, b) => a.at - b.at);
    this.stored = [];
    for (let n = 0; n < readings.length; n += inMessage) this.send(readings.slice(n, n + inMessage), true);
  }

  private send(readings: readonly Reading[], isHistorical: boolean): void {
    const list = readings.map(({ key, at, value }): UMetric => {
      const alias = metrics.findIndex(([own]) => own === key);
      return { alias, type: metrics[alias]?.[2] ?? "Double", value, timestamp: at, ...(isHistorical ? { isHistorical } : {}) };
    });
    this.publish("DDATA", list);
    if (this.options.primaryHost === null) return;
    const sentAt = performance.now();
    this.recent.push(...readings.map((reading) => ({ reading, sentAt })));
    const first = this.recent.findIndex((sent) => sent.sentAt >= sentAt - overlapMs);
    if (first > 1_000) this.recent.splice(0, first);
  }

  private tick(): void {
    const now = performance.now();
    this.due += ((now - this.tickedAt) / 1000) * this.options.perSecond;
    this.tickedAt = now;
    if (this.births === 0) this.due = 0;
    for (; this.due >= 1; this.due--) {
      const readings = this.measure();
      if (this.born) this.send(readings, false);
      else if (this.options.primaryHost !== null) this.stored.push(...readings);
    }
  }

  /** One or more readings at one instant, each later than the one before. */
  private measure(): Reading[] {
    const { chance } = this.options;
    this.lastAt = Math.max(this.now(), this.lastAt + 1);
    const keys = this.truth.size === 0 ? metrics.map(([key]) => key) : chance.shuffle(metrics.map(([key]) => key)).slice(0, 1 + chance.below(3));
    return keys.map((key) => {
      if (key === "good") this.good += chance.below(4);
      const value = key === "good" ? this.good : key === "state" ? chance.below(18) : Math.round(chance.next() * 30_000) / 100;
      const reading = { key, at: this.lastAt, value };
      this.latest.set(key, reading);
      this.truth.set(`${key} ${this.lastAt}`, value);
      return reading;
    });
  }
}
