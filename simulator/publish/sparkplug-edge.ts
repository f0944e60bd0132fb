/**
 * A Sparkplug B 3.0 edge node with a device for each machine: birth and death certificates, aliases, bdSeq and seq, rebirth on request, and a store that
 * forwards as history what was recorded while the broker, the primary host or a device's link was away.
 */
import type { MqttClient } from "mqtt";
import { connect } from "mqtt";
import type { UMetric } from "sparkplug-payload/lib/sparkplugbpayload.js";
import type { PlacedMachine } from "#/simulator/model/definition.ts";
import type { Reading } from "#/simulator/model/readings.ts";
import { type BrokerAddress, clientOptions } from "#/simulator/publish/broker.ts";
import { type Birth, birthsOf, bornMetric, dataMetric, decode, encode } from "#/simulator/publish/sparkplug-payload.ts";
import { messageOf } from "#/simulator/trouble.ts";

export type EdgeOptions = {
  broker: BrokerAddress;
  group: string;
  node: string;
  machines: readonly PlacedMachine[];
  /** Publish only while this host application says that it is online. */
  primaryHost?: string;
  now: () => number;
  /** Called when readings were handed to the broker: written for QoS 0, acknowledged for history. */
  onSent: (machine: PlacedMachine, readings: readonly Reading[]) => void;
  log: (sentence: string) => void;
};

type Device = { machine: PlacedMachine; births: Birth[]; bySignal: Map<string, Birth>; latest: Map<string, Reading>; alive: boolean; stored: Reading[] };

/** Readings that the edge keeps for one device while it cannot deliver; the oldest go first. */
const storeLimit = 200_000;
const metricsInMessage = 200;

export class SparkplugEdge {
  private readonly options: EdgeOptions;
  private readonly devices = new Map<string, Device>();
  private readonly client: MqttClient;
  private bdSeq = 0;
  private seq = 0;
  private born = false;
  private hostOnline: boolean;
  private hostSince = 0;

  constructor(options: EdgeOptions) {
    this.options = options;
    this.hostOnline = options.primaryHost === undefined;
    let alias = 10;
    for (const machine of options.machines) {
      const births = birthsOf(machine, alias);
      alias += births.length;
      const bySignal = new Map(births.map((birth) => [birth.signal.key, birth]));
      this.devices.set(machine.machinePath, { machine, births, bySignal, latest: new Map(), alive: true, stored: [] });
    }
    this.client = connect(
      options.broker.url,
      clientOptions(options.broker, { clientId: `${options.group}-${options.node}-edge`, clean: true, queueQoSZero: false, will: this.will() }),
    );
    this.client.on("error", (error) => options.log(`Edge node ${options.group}/${options.node}: ${messageOf(error)}`));
    this.client.on("connect", () => this.onConnect());
    this.client.on("close", () => this.onClose());
    this.client.on("message", (topic, payload) => this.onMessage(topic, payload));
  }

  /** True while births are out and data can flow. */
  get online(): boolean {
    return this.born;
  }

  private will() {
    return { topic: this.topic("NDEATH"), payload: encode({ timestamp: this.options.now(), metrics: [this.bdSeqMetric()] }), qos: 1 as const, retain: false };
  }

  private bdSeqMetric(): UMetric {
    return { name: "bdSeq", type: "Int64", value: this.bdSeq, timestamp: this.options.now() };
  }

  private topic(type: string, device?: string): string {
    return `spBv1.0/${this.options.group}/${type}/${this.options.node}${device ? `/${device}` : ""}`;
  }

  private onConnect(): void {
    const { group, node, primaryHost } = this.options;
    const filters = [`spBv1.0/${group}/NCMD/${node}`, `spBv1.0/${group}/DCMD/${node}/#`, ...(primaryHost ? [`spBv1.0/STATE/${primaryHost}`] : [])];
    this.client.subscribe(filters, { qos: 1 }, (error) => {
      if (error) this.options.log(`Edge node ${group}/${node} cannot subscribe: ${messageOf(error)}`);
      else if (this.hostOnline && !this.born) this.birth(); // the host's word may have come before this answer
    });
  }

  private onClose(): void {
    this.born = false;
    if (this.options.primaryHost) this.hostOnline = false;
    // each session has its own death certificate: the next connect carries the next bdSeq
    this.bdSeq = (this.bdSeq + 1) % 256;
    this.client.options.will = this.will();
  }

  private onMessage(topic: string, payload: Buffer): void {
    if (topic.startsWith("spBv1.0/STATE/")) {
      this.onHostState(payload);
      return;
    }
    try {
      const asked = decode(payload).metrics?.some(({ name, value }) => name === "Node Control/Rebirth" && value === true) ?? false;
      if (asked && topic === this.topic("NCMD")) this.birth();
    } catch (error) {
      this.options.log(`A command on ${topic} is no Sparkplug payload: ${messageOf(error)}`);
    }
  }

  private onHostState(payload: Buffer): void {
    let said: unknown;
    try {
      said = JSON.parse(payload.toString("utf8"));
    } catch (error) {
      this.options.log(`The host's STATE is no JSON: ${messageOf(error)}`);
      return;
    }
    if (typeof said !== "object" || said === null || !("online" in said) || !("timestamp" in said) || typeof said.timestamp !== "number") return;
    if (said.timestamp < this.hostSince) return; // an older word, overtaken
    this.hostSince = said.timestamp;
    const online = said.online === true;
    if (online && !this.hostOnline) {
      this.hostOnline = true;
      this.birth();
    } else if (!online && this.hostOnline) {
      this.hostOnline = false;
      if (this.born) this.client.publish(this.topic("NDEATH"), encode({ timestamp: this.options.now(), metrics: [this.bdSeqMetric()] }), { qos: 0 });
      this.born = false;
      this.client.reconnect(); // a new session with the next bdSeq, which waits for the host
    }
  }

  /** NBIRTH and a DBIRTH for each live device, then what was stored, as history. */
  private birth(): void {
    const at = this.options.now();
    this.seq = 0;
    this.client.publish(
      this.topic("NBIRTH"),
      encode({
        timestamp: at,
        seq: this.nextSeq(),
        metrics: [this.bdSeqMetric(), { name: "Node Control/Rebirth", type: "Boolean", value: false, timestamp: at }],
      }),
      { qos: 0 },
    );
    for (const device of this.devices.values()) if (device.alive) this.deviceBirth(device);
    this.born = true;
    for (const device of this.devices.values()) this.forward(device);
  }

  private deviceBirth(device: Device): void {
    const at = this.options.now();
    const metrics = device.births.map((birth) => bornMetric(birth, device.latest.get(birth.signal.key), at));
    this.client.publish(this.topic("DBIRTH", device.machine.machine.key), encode({ timestamp: at, seq: this.nextSeq(), metrics }), { qos: 0 }, (error) => {
      if (!error) this.options.onSent(device.machine, [...device.latest.values()]);
    });
  }

  private nextSeq(): number {
    const seq = this.seq;
    this.seq = (this.seq + 1) % 256;
    return seq;
  }

  private deviceOf(machine: PlacedMachine): Device {
    const device = this.devices.get(machine.machinePath);
    if (!device) throw new Error(`${machine.machinePath} is no device of ${this.options.group}/${this.options.node}.`);
    return device;
  }

  /** What the machines last said before the edge came up: the births carry it. */
  know(machine: PlacedMachine, latest: readonly Reading[]): void {
    const device = this.deviceOf(machine);
    for (const reading of latest) if (device.bySignal.has(reading.signal.key)) device.latest.set(reading.signal.key, reading);
  }

  /** Publishes readings in device-time order, or stores them while it cannot. */
  publish(machine: PlacedMachine, readings: readonly Reading[]): void {
    const device = this.deviceOf(machine);
    const own = readings.filter(({ signal }) => device.bySignal.has(signal.key));
    if (!this.born || !device.alive || !this.client.connected) {
      for (const reading of own) device.stored.push(reading);
      if (device.stored.length > storeLimit) device.stored.splice(0, device.stored.length - storeLimit);
      return;
    }
    this.know(machine, own);
    this.data(device, own, false, 0);
  }

  private data(device: Device, readings: readonly Reading[], historical: boolean, qos: 0 | 1, onTaken?: () => void): void {
    const metrics = readings.flatMap(({ signal, at, value }) => {
      const birth = device.bySignal.get(signal.key);
      return birth ? [dataMetric(birth.alias, birth.type, at, value, historical)] : [];
    });
    if (metrics.length === 0) return;
    const payload = encode({ timestamp: this.options.now(), seq: this.nextSeq(), metrics });
    this.client.publish(this.topic("DDATA", device.machine.machine.key), payload, { qos }, (error) => {
      // a message that the broken link swallowed is stored again; what arrives twice is the same twice
      if (error) device.stored.push(...readings);
      else this.options.onSent(device.machine, readings);
      onTaken?.();
    });
  }

  private forward(device: Device): void {
    if (!device.alive || device.stored.length === 0) return;
    const stored = device.stored.splice(0).sort((a, b) => a.at - b.at);
    for (let n = 0; n < stored.length; n += metricsInMessage) this.data(device, stored.slice(n, n + metricsInMessage), true, 0);
    this.know(device.machine, stored);
  }

  /**
   * History that the edge never sent. At QoS 1, unlike live data (for which the specification asks QoS 0), because the broker's acknowledgement is what
   * bounds the flow; settles when the broker has it.
   */
  async history(machine: PlacedMachine, readings: readonly Reading[]): Promise<void> {
    const device = this.deviceOf(machine);
    const taken: Promise<void>[] = [];
    for (let n = 0; n < readings.length; n += metricsInMessage) {
      while (!this.born || !device.alive) await new Promise((resolve) => setTimeout(resolve, 100)); // comes back with the broker or the host
      const part = readings.slice(n, n + metricsInMessage).filter(({ signal }) => device.bySignal.has(signal.key));
      if (part.length > 0) taken.push(new Promise((resolve) => this.data(device, part, true, 1, resolve)));
      if (taken.length >= 8) await taken.shift();
    }
    await Promise.all(taken);
  }

  /** The link between the edge and one machine breaks (DDEATH) or comes back (DBIRTH, then what it recorded). */
  setAlive(machine: PlacedMachine, alive: boolean): void {
    const device = this.deviceOf(machine);
    if (device.alive === alive) return;
    device.alive = alive;
    if (!this.born) return;
    if (!alive) {
      this.client.publish(this.topic("DDEATH", machine.machine.key), encode({ timestamp: this.options.now(), seq: this.nextSeq() }), { qos: 0 });
      return;
    }
    this.deviceBirth(device);
    this.forward(device);
  }

  /** Waits until births are out; false when that took longer. */
  async ready(waitMs: number): Promise<boolean> {
    const until = Date.now() + waitMs;
    while (!this.born && Date.now() < until) await new Promise((resolve) => setTimeout(resolve, 50));
    return this.born;
  }

  /** Breaks the connection without a word, as a cut cable does: the broker sends the will. */
  cut(): void {
    this.client.stream.destroy();
  }

  /** A death certificate of its own hand, then a clean disconnect. */
  async close(): Promise<void> {
    if (this.born) await this.client.publishAsync(this.topic("NDEATH"), encode({ timestamp: this.options.now(), metrics: [this.bdSeqMetric()] }), { qos: 0 });
    this.born = false;
    await this.client.endAsync(!this.client.connected);
  }
}
