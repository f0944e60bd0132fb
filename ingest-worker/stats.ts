// What the worker counts: received = written + duplicate + set aside + held, always; and after a lease was lost, + what was given back with it.
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { Outcome } from "./write.ts";

/** In the order in which they come to be: without one of the first two, what follows is not even tried. */
const parts = ["database", "lease", "broker", "subscriptions", "sparkplug"] as const;
export type Part = (typeof parts)[number];
const notYet: Record<Part, string> = {
  database: "Database: not connected yet.",
  lease: "The lease on its topics is not taken yet.",
  broker: "Broker: not connected yet.",
  subscriptions: "Broker: the subscriptions are not confirmed yet.",
  sparkplug: "Sparkplug: not online as host application yet.",
};

export class Stats {
  readonly registry = new Registry();
  readonly startedAt: Date;
  readonly brokerUrl: string;
  received = 0;
  /** Values that were held when the lease was lost: not acknowledged, so whoever has it now gets them. */
  givenBack = 0;
  messages = 0;
  written = 0;
  duplicate = 0;
  readonly setAside = new Map<string, number>();
  mqttConnected = false;
  /** The broker has granted all subscriptions. */
  subscribed = false;
  /** null: switched off. */
  sparkplugConnected: boolean | null;
  databaseOk = false;
  leased = false;
  /** Of the plant by which messages are read now. */
  plantRevision: number | null = null;
  /** What stands in the way, in words, by part; "" nothing. */
  readonly troubles: Record<Part, string> = { database: "", lease: "", broker: "", subscriptions: "", sparkplug: "" };
  private held: () => number = () => 0;
  private readonly batchMs: number[] = [];
  private readonly lag: Histogram;
  private readonly batch: Histogram;
  private rateFrom = { at: 0, written: 0 };
  private valuesPerS = 0;

  constructor(startedAt: Date, brokerUrl: string, hasSparkplug: boolean) {
    this.startedAt = startedAt;
    this.sparkplugConnected = hasSparkplug ? false : null;
    const url = new URL(brokerUrl);
    url.password = "";
    url.username = "";
    this.brokerUrl = url.href;
    const self = this;
    const registers = [this.registry];
    new Counter({
      name: "takt_ingest_messages_total",
      help: "MQTT messages received",
      registers,
      collect() {
        set(this, self.messages);
      },
    });
    new Counter({
      name: "takt_ingest_values_received_total",
      help: "Values received; equals written + duplicate + set aside + held + given back",
      registers,
      collect() {
        set(this, self.received);
      },
    });
    new Counter({
      name: "takt_ingest_values_given_back_total",
      help: "Values held when the lease was lost: not acknowledged, so the next reader gets them",
      registers,
      collect() {
        set(this, self.givenBack);
      },
    });
    new Counter({
      name: "takt_ingest_values_written_total",
      help: "Values written as samples",
      registers,
      collect() {
        set(this, self.written);
      },
    });
    new Counter({
      name: "takt_ingest_values_duplicate_total",
      help: "Values that were there already",
      registers,
      collect() {
        set(this, self.duplicate);
      },
    });
    new Counter({
      name: "takt_ingest_values_set_aside_total",
      help: "Values set aside, by reason",
      labelNames: ["reason"],
      registers,
      collect() {
        this.reset();
        for (const [reason, n] of self.setAside) this.inc({ reason }, n);
      },
    });
    new Gauge({
      name: "takt_ingest_values_held",
      help: "Values received and not yet committed",
      registers,
      collect() {
        this.set(self.held());
      },
    });
    new Gauge({
      name: "takt_ingest_mqtt_connected",
      help: "1: connected to the broker",
      registers,
      collect() {
        this.set(Number(self.mqttConnected));
      },
    });
    new Gauge({
      name: "takt_ingest_subscribed",
      help: "1: the broker has granted all subscriptions",
      registers,
      collect() {
        this.set(Number(self.subscribed));
      },
    });
    new Gauge({
      name: "takt_ingest_sparkplug_connected",
      help: "1: online as Sparkplug host application",
      registers,
      collect() {
        this.set(Number(self.sparkplugConnected));
      },
    });
    new Gauge({
      name: "takt_ingest_database_ok",
      help: "1: the last transaction went through",
      registers,
      collect() {
        this.set(Number(self.databaseOk));
      },
    });
    this.lag = new Histogram({
      name: "takt_ingest_lag_seconds",
      help: "Receipt to commit, oldest value of each batch",
      buckets: [0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2, 5, 10, 60],
      registers,
    });
    this.batch = new Histogram({
      name: "takt_ingest_batch_seconds",
      help: "Time to write one batch",
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10],
      registers,
    });
    collectDefaultMetrics({ register: this.registry });
  }

  /** Why it does not store all that comes, the first thing first; empty: it does. */
  whyNotReady(): string[] {
    const isOk: Record<Part, boolean> = {
      database: this.databaseOk,
      lease: this.leased,
      broker: this.mqttConnected,
      subscriptions: !this.mqttConnected || this.subscribed,
      sparkplug: this.sparkplugConnected !== false,
    };
    const open = parts.filter((part) => !isOk[part]).map((part) => this.troubles[part] || notYet[part]);
    return this.databaseOk && this.leased ? open : open.slice(0, 1);
  }

  /** The host application came or went; where Sparkplug is switched off there is none. */
  sparkplugIs(connected: boolean, why = ""): void {
    if (this.sparkplugConnected === null) return;
    this.sparkplugConnected = connected;
    this.troubles.sparkplug = why && `Sparkplug: ${why}`;
  }

  heldBy(count: () => number): void {
    this.held = count;
  }

  committed(outcome: Outcome, tookMs: number, lagMs: number): void {
    this.written += outcome.written;
    this.duplicate += outcome.duplicate;
    for (const [code, n] of outcome.setAside) this.setAside.set(code, (this.setAside.get(code) ?? 0) + n);
    this.batch.observe(tookMs / 1000);
    this.lag.observe(lagMs / 1000);
    this.batchMs.push(tookMs);
    if (this.batchMs.length > 500) this.batchMs.shift();
  }

  /** For the Data health page; at: ms. */
  picture(at: number) {
    if (at - this.rateFrom.at >= 1000) {
      if (this.rateFrom.at > 0) this.valuesPerS = Math.round((this.written - this.rateFrom.written) / ((at - this.rateFrom.at) / 1000));
      this.rateFrom = { at, written: this.written };
    }
    const sorted = [...this.batchMs].sort((a, b) => a - b);
    const rank = (share: number) => Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0);
    return {
      received: this.received - this.givenBack,
      written: this.written,
      duplicate: this.duplicate,
      setAside: Object.fromEntries(this.setAside),
      held: this.held(),
      messages: this.messages,
      batchMs: { p50: rank(0.5), p99: rank(0.99) },
      valuesPerS: this.valuesPerS,
      mqttConnected: this.mqttConnected,
      subscribed: this.subscribed,
      sparkplugConnected: this.sparkplugConnected,
      databaseOk: this.databaseOk,
      leased: this.leased,
      plantRevision: this.plantRevision,
      trouble: this.whyNotReady().join(" "),
      brokerUrl: this.brokerUrl,
      rssBytes: process.memoryUsage.rss(),
    };
  }
}

function set(counter: Counter, value: number) {
  counter.reset();
  counter.inc(value);
}
