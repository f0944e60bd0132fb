// What a message does in its turn: its values, device births and deaths; and messages that wait for a birth.
// The reader has the message's payload open.
import type { EdgeNode, Held, Message } from "./edge-node.ts";
import type { Key, MetricReader, MetricTable, Target } from "./metrics.ts";
import type { Nodes } from "./nodes.ts";
import type { RebirthDesk } from "./rebirth.ts";
import { refuseFailed } from "./refuse.ts";
import type { HostOutput } from "./types.ts";

const maxAskedFor = 1_000;

type Parts = { nodes: Nodes; reader: MetricReader; desk: RebirthDesk };

export class Turn {
  private readonly nodes: Nodes;
  private readonly reader: MetricReader;
  private readonly desk: RebirthDesk;

  constructor({ nodes, reader, desk }: Parts) {
    this.nodes = nodes;
    this.reader = reader;
    this.desk = desk;
  }

  /** NDATA, DDATA, DBIRTH or DDEATH of a node that is online. Never throws: those behind it have their turn. */
  apply(node: EdgeNode, message: Message, out: HostOutput): void {
    try {
      this.applyOne(node, message, out);
    } catch (error) {
      refuseFailed(out, message, error);
    }
  }

  private applyOne(node: EdgeNode, message: Message, out: HostOutput): void {
    const { to } = message;
    if (to.type === "NDATA") return this.give(node, node.table, null, node.liveness, message, out);
    if (to.device === null) return;
    const device = node.devices.get(to.device);
    if (to.type === "DDATA") {
      if (device?.phase !== "online") return this.hold(node, message, "DDATA came before DBIRTH", out);
      return this.give(node, device.table, null, device.liveness, message, out);
    }
    // Given up as lost, and come after all: it must not undo what its successors did.
    const outdated = device?.phase === "online" && device.bornSentAt !== null && message.sentAt !== null && message.sentAt < device.bornSentAt;
    if (to.type === "DBIRTH") {
      if (outdated) this.give(node, null, null, device.liveness, message, out);
      else this.onDeviceBirth(node, message, out);
    } else if (outdated) out.own += this.reader.wire.metricCount;
    else this.onDeviceDeath(node, message, out);
  }

  /** The values of the opened message by a table of metrics; null: by its own names alone. All of them, or the message is refused. */
  give(node: EdgeNode, table: MetricTable | null, prior: MetricTable | null, liveness: Target["liveness"], message: Message, out: HostOutput): void {
    const target: Target = { topic: message.topic, address: message.to.address, liveness, table, prior, receivedAt: message.receivedAt };
    const [values, refused] = [out.values.length, out.refused.length];
    let undeclared: Key[] = [];
    try {
      undeclared = this.reader.values(target, out);
    } catch (error) {
      out.values.length = values;
      out.refused.length = refused;
      refuseFailed(out, message, error);
    }
    if (undeclared.length > 0 && table !== null && node.phase === "online") this.askFor(node, message, undeclared, out);
  }

  // A birth that leaves the metric out again is not asked for a second time in the same session.
  private askFor(node: EdgeNode, message: Message, undeclared: readonly Key[], out: HostOutput) {
    const fresh = undeclared.map((key) => `${message.to.address} ${typeof key} ${key}`).filter((key) => !node.askedFor.has(key));
    if (fresh.length === 0 || node.askedFor.size >= maxAskedFor) return;
    for (const key of fresh) node.askedFor.add(key);
    this.want(node, `${message.to.address} sent a metric that its birth does not name`, message.receivedAt, out);
  }

  want(node: EdgeNode, why: string, now: number, out: HostOutput): boolean {
    const wanted = this.desk.want(node, why, now, out);
    this.nodes.schedule(node);
    return wanted;
  }

  private onDeviceBirth(node: EdgeNode, message: Message, out: HostOutput) {
    const { to } = message;
    const device = this.nodes.deviceOf(node, to);
    if (!device) return this.give(node, null, null, null, message, out);
    const before = device.table;
    const birth = this.reader.define(this.nodes.roomFor(before));
    this.nodes.replaceTable(before, birth.table);
    device.table = birth.table;
    device.phase = "online";
    device.bornSentAt = message.sentAt;
    device.missedSince = null;
    device.liveness.birth(message.sentAt ?? message.receivedAt, birthDetail(message, null, birth.left), out.links);
    for (const held of this.unhold(node, (m) => m.to.device === to.device && m.to.type === "DDATA"))
      this.release(node, held, device.table, before, device.liveness, out);
    this.reader.wire.open(message.payload);
    this.give(node, birth.left > 0 ? null : device.table, null, device.liveness, message, out);
  }

  private onDeviceDeath(node: EdgeNode, message: Message, out: HostOutput) {
    const device = this.nodes.deviceOf(node, message.to);
    out.own += this.reader.wire.metricCount;
    if (!device || device.phase === "dead") return;
    device.phase = "dead";
    device.missedSince = null;
    device.liveness.death("death", message.sentAt ?? message.receivedAt, "DDEATH", out.links);
  }

  // ---- messages that wait for a birth

  hold(node: EdgeNode, message: Message, why: string, out: HostOutput): void {
    node.held.push(this.nodes.copyOf({ ...message, sessionEnded: false }));
    while (this.nodes.isTooMuch(node.held)) this.expireOldest(node, out);
    this.want(node, why, message.receivedAt, out);
  }

  unhold(node: EdgeNode, which: (held: Held) => boolean): Held[] {
    if (node.held.length === 0) return [];
    const taken: Held[] = [];
    const kept: Held[] = [];
    for (const held of node.held) (which(held) ? taken : kept).push(held);
    node.held = kept;
    for (const held of taken) this.nodes.letGo(held);
    return taken;
  }

  /** Its birth did not come in time: what has a name of its own is given out, the rest is refused. */
  expireOldest(node: EdgeNode, out: HostOutput): void {
    const oldest = node.held.shift();
    if (!oldest) return;
    this.nodes.letGo(oldest);
    this.release(node, oldest, null, null, null, out);
  }

  /** A held message by the birth that it waited for. Births and named metrics speak for themselves, aliases only within their session. */
  release(node: EdgeNode, held: Held, table: MetricTable | null, prior: MetricTable | null, liveness: Target["liveness"], out: HostOutput): void {
    this.reader.wire.open(held.payload);
    if (held.to.type === "DDEATH") {
      out.own += this.reader.wire.metricCount;
      return;
    }
    const known = held.to.type === "DBIRTH" || (held.sessionEnded && prior === null) ? null : table;
    this.give(node, known, prior, liveness, held, out);
  }
}

export function birthDetail({ to, seq }: Message, bdSeq: number | null, left: number): string {
  const parts: string[] = [to.type];
  if (bdSeq !== null) parts.push(`bdSeq ${bdSeq}`);
  if (to.type === "NBIRTH" && seq !== 0) parts.push(seq < 0 ? "without a sequence number" : `its sequence number is ${seq} instead of 0`);
  if (left > 0) parts.push(`${left} metrics too many, which are not known by alias`);
  return parts.join(", ");
}
