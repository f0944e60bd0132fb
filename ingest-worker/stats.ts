// What the worker counts: received = written + duplicate + set aside + held, always.
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { Outcome } from "./write.ts";

export class Stats {
  readonly registry = new Registry();
  readonly startedAt: Date;
  readonly brokerUrl: string;
  received = 0;
  messages = 0;
  written = 0;
  duplicate = 0;
  readonly setAside = new Map<string, number>();
  mqttConnected = false;
  sparkplugConnected = false;
  databaseOk = false;
  leased = false;
  /** What stands in the way, for people; "" nothing. */
  trouble = "";
  private held: () => number = () => 0;
  private readonly batchMs: number[] = [];
  private readonly lag: Histogram;
  private readonly batch: Histogram;
  private rateFrom = { at: 0, written: 0 };
  private valuesPerS = 0;

  constructor(startedAt: Date, brokerUrl: string) {
    this.startedAt = startedAt;
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
      help: "Values received; equals written + duplicate + set aside + held",
      registers,
      collect() {
        set(this, self.received);
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
      received: this.received,
      written: this.written,
      duplicate: this.duplicate,
      setAside: Object.fromEntries(this.setAside),
      held: this.held(),
      messages: this.messages,
      batchMs: { p50: rank(0.5), p99: rank(0.99) },
      valuesPerS: this.valuesPerS,
      mqttConnected: this.mqttConnected,
      sparkplugConnected: this.sparkplugConnected,
      databaseOk: this.databaseOk,
      leased: this.leased,
      trouble: this.trouble,
      brokerUrl: this.brokerUrl,
      rssBytes: process.memoryUsage.rss(),
    };
  }
}

function set(counter: Counter, value: number) {
  counter.reset();
  counter.inc(value);
}
