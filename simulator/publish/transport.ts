/**
 * From readings to the broker, each machine by its form: a shared connection for JSON, an own one for each machine that says with `_online` whether its
 * link lives, and an edge node for each Sparkplug line.
 */
import type { GarbageMessage } from "#/simulator/garbage.ts";
import type { Litter, Wire } from "#/simulator/mischief.ts";
import type { MachineForm, PlacedMachine } from "#/simulator/model/definition.ts";
import type { Reading } from "#/simulator/model/readings.ts";
import { type BrokerAddress, Outbox, open } from "#/simulator/publish/broker.ts";
import { messagesOf, type Outgoing, onlineTopic } from "#/simulator/publish/json.ts";
import { SparkplugEdge } from "#/simulator/publish/sparkplug-edge.ts";
import { messageOf } from "#/simulator/trouble.ts";
import type { Truth } from "#/simulator/truth.ts";

export type TransportOptions = {
  broker: BrokerAddress;
  clientId: string;
  inFlight: number;
  format: MachineForm | null;
  primaryHost: string | null;
  /**
   * False for history alone: another process may be what the machines say now, so no link is announced and no edge node is born (two of one name would
   * throw each other out). All history then goes as JSON lists, which Takt takes for the signals of any machine.
   */
  speaksForNow: boolean;
  /** The plant's time, ms. */
  now: () => number;
  wire: Wire<Outgoing>;
  litter: Litter;
  truth: Truth;
  log: (sentence: string) => void;
};

/** A machine that speaks for its own link. */
export const saysOnline = (machine: PlacedMachine): boolean => machine.machine.form === "single" && machine.machine.stateEveryS === undefined;

export class Transport {
  private readonly options: TransportOptions;
  private readonly machines: readonly PlacedMachine[];
  private readonly shared: Outbox;
  private readonly links = new Map<string, Outbox>();
  private readonly edges = new Map<string, SparkplugEdge>();
  private readonly held = new Map<string, Reading[]>();
  private readonly lost = new Set<string>();

  private constructor(options: TransportOptions, machines: readonly PlacedMachine[], shared: Outbox) {
    this.options = options;
    this.machines = machines;
    this.shared = shared;
  }

  static async open(options: TransportOptions, machines: readonly PlacedMachine[]): Promise<Transport> {
    const shared = new Outbox(await open(options.broker, { clientId: options.clientId, clean: true }), options.inFlight);
    const transport = new Transport(options, machines, shared);
    if (options.speaksForNow)
      for (const machine of machines.filter((one) => transport.formOf(one) !== "sparkplug" && saysOnline(one))) await transport.openLink(machine);
    for (const machine of machines.filter((one) => transport.formOf(one) === "sparkplug")) {
      const { edge } = machine.line;
      if (!edge || transport.edges.has(machine.path)) continue;
      const devices = machines.filter(({ path }) => path === machine.path);
      transport.edges.set(
        machine.path,
        new SparkplugEdge({
          broker: options.broker,
          ...edge,
          machines: devices,
          ...(options.primaryHost ? { primaryHost: options.primaryHost } : {}),
          now: options.now,
          onSent: (from, readings) => options.truth.acknowledged(from, readings),
          log: options.log,
        }),
      );
    }
    return transport;
  }

  /** A form that is asked for wins, except that Sparkplug needs an edge node and an edge node speaks nothing else. */
  private formOf(machine: PlacedMachine): MachineForm {
    if (!this.options.speaksForNow) return "batched";
    return machine.line.edge ? "sparkplug" : (this.options.format ?? machine.machine.form);
  }

  private async openLink(machine: PlacedMachine): Promise<void> {
    const { broker, clientId, inFlight, now } = this.options;
    const will = { topic: onlineTopic(machine), payload: Buffer.from("false"), qos: 1 as const, retain: true };
    const client = await open(broker, { clientId: `${clientId}-${machine.machinePath.replaceAll("/", "-")}`, clean: true, will });
    const outbox = new Outbox(client, inFlight);
    const greet = () =>
      void outbox.send({ topic: onlineTopic(machine), payload: JSON.stringify({ ts: now(), value: true }), qos: 1, retain: true }, () => undefined);
    greet();
    client.on("connect", greet);
    this.links.set(machine.machinePath, outbox);
  }

  /** What a machine last said before now: told again, so that those who listen know where it stands. */
  async introduce(machine: PlacedMachine, latest: readonly Reading[]): Promise<void> {
    const edge = this.edges.get(machine.path);
    if (edge) edge.know(machine, latest);
    else
      await this.publish(
        machine,
        [...latest].sort((a, b) => a.at - b.at),
      );
  }

  async publish(machine: PlacedMachine, readings: readonly Reading[]): Promise<void> {
    if (readings.length === 0) return;
    const edge = this.edges.get(machine.path);
    if (edge) {
      edge.publish(
        machine,
        readings.filter(({ signal }) => !signal.mapped),
      );
      return this.send(
        messagesOf(
          machine,
          readings.filter(({ signal }) => signal.mapped),
          "single",
        ),
      );
    }
    if (this.lost.has(machine.machinePath)) {
      const held = this.held.get(machine.machinePath) ?? [];
      for (const reading of readings) held.push(reading);
      this.held.set(machine.machinePath, held);
      return;
    }
    await this.send(messagesOf(machine, readings, this.formOf(machine)));
  }

  /** History, many values a message, whatever the machine's form; settles when the broker has room for more. */
  async history(machine: PlacedMachine, readings: readonly Reading[]): Promise<void> {
    const edge = this.edges.get(machine.path);
    const mapped = readings.filter(({ signal }) => signal.mapped);
    const own = mapped.length === 0 ? readings : readings.filter(({ signal }) => !signal.mapped);
    if (edge) await edge.history(machine, own);
    for (const message of messagesOf(machine, edge ? mapped : readings, "batched")) await this.deliver(message);
  }

  /** The machine's link lived from `at` on: said about the past, so not retained. */
  async wasOnline(machine: PlacedMachine, at: number): Promise<void> {
    if (!saysOnline(machine) || this.edges.has(machine.path)) return;
    await this.shared.send({ topic: onlineTopic(machine), payload: JSON.stringify({ ts: at, value: true }), qos: 1 }, () => undefined);
  }

  private async send(messages: readonly Outgoing[]): Promise<void> {
    for (const message of messages) {
      for (const one of this.options.wire.pass(message, Date.now())) await this.deliver(one);
      const garbage = this.options.litter.next(message.machine, Date.now());
      if (garbage) await this.deliverGarbage(garbage);
    }
  }

  /** What the wire held back and is due now; all of it when `now` is Infinity. */
  async deliverDue(now: number): Promise<void> {
    for (const message of this.options.wire.due(now)) await this.deliver(message);
  }

  private async deliver(message: Outgoing): Promise<void> {
    const outbox = this.links.get(message.machine.machinePath) ?? this.shared;
    await outbox.send(message, () => this.options.truth.acknowledged(message.machine, message.readings));
  }

  private async deliverGarbage({ topic, payload }: GarbageMessage): Promise<void> {
    await this.shared.send({ topic, payload, qos: 1 }, () => this.options.truth.sentGarbage());
  }

  /** Cuts or mends the link of one machine; what it said meanwhile comes as a backlog. */
  async setLost(machine: PlacedMachine, lost: boolean): Promise<void> {
    const key = machine.machinePath;
    if (this.lost.has(key) === lost) return;
    this.options.log(lost ? `${key} has lost its link.` : `${key} is back, with its backlog.`);
    if (lost) this.lost.add(key);
    else this.lost.delete(key);
    const edge = this.edges.get(machine.path);
    if (edge) {
      edge.setAlive(machine, !lost);
      return;
    }
    const link = this.links.get(key);
    if (lost && link) {
      await link.drained();
      link.client.options.reconnectPeriod = 0;
      link.client.stream.destroy(); // without a word: the broker sends the will
    } else if (link) {
      this.links.delete(key);
      await link.client.endAsync(true);
      await this.openLink(machine);
    }
    if (lost) return;
    const backlog = this.held.get(key) ?? [];
    this.held.delete(key);
    for (const message of messagesOf(machine, backlog, this.formOf(machine))) await this.deliver(message);
  }

  /** False when a Sparkplug edge has not been born within `waitMs` (no broker, or its primary host is away). */
  async ready(waitMs: number): Promise<boolean> {
    const ready = await Promise.all([...this.edges.values()].map((edge) => edge.ready(waitMs)));
    return ready.every(Boolean);
  }

  /** Delivers what is held back, says goodbye on every link, disconnects. */
  async close(): Promise<void> {
    for (const machine of this.machines) if (this.lost.has(machine.machinePath)) await this.setLost(machine, false);
    await this.deliverDue(Infinity);
    const { now, log } = this.options;
    for (const machine of this.machines) {
      const link = this.links.get(machine.machinePath);
      await link?.send({ topic: onlineTopic(machine), payload: JSON.stringify({ ts: now(), value: false }), qos: 1, retain: true }, () => undefined);
    }
    const closed = await Promise.all([
      ...[this.shared, ...this.links.values()].map((outbox) => outbox.close()),
      ...[...this.edges.values()].map((edge) => edge.close()),
    ]);
    if (closed.includes(false)) log("The broker was away: some messages were not acknowledged.");
  }
}

/** Closes, and reports instead of throwing: it is the last thing a run does. */
export async function closeQuietly(transport: Transport, log: (sentence: string) => void): Promise<void> {
  try {
    await transport.close();
  } catch (error) {
    log(`The connection could not be closed properly: ${messageOf(error)}`);
  }
}
