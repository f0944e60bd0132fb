// Sparkplug B 3.0, host application: from the messages of edge nodes to values, and to what is known of each link.
// Pure: no broker, no clock; times are arguments, what is to be published is given out. docs/sparkplug.md names the rules and their tests.
import { createHash } from "node:crypto";
import { type EdgeNode, type Held, isOfBirth, type Message, type Phase } from "./sparkplug/edge-node.ts";
import type { Said } from "./sparkplug/liveness.ts";
import { MetricReader } from "./sparkplug/metrics.ts";
import { Nodes } from "./sparkplug/nodes.ts";
import { RebirthDesk } from "./sparkplug/rebirth.ts";
import { checkState, refuse, refuseFailed } from "./sparkplug/refuse.ts";
import { type EdgeTopic, edgeOf, parseTopic, type StateTopic } from "./sparkplug/topic.ts";
import { birthDetail, Turn } from "./sparkplug/turn.ts";
import { defaults, emptyOutput, type HostOptions, type HostOutput } from "./sparkplug/types.ts";

export { offlinePayload, onlinePayload } from "./sparkplug/state.ts";
export { stateTopic } from "./sparkplug/topic.ts";
export type { Command, HostOptions, HostOutput, LinkChange, Refused, SparkplugValue } from "./sparkplug/types.ts";

const maxFutureMs = 5 * 60_000; // as for values: a clock that is further ahead is not believed
const maxPastMs = 7 * 86_400_000;
const maxTopics = 50_000;
const leastDeviceWaitMs = 1_000;

export class SparkplugHost {
  private readonly options: Required<HostOptions>;
  private readonly nodes: Nodes;
  private readonly desk: RebirthDesk;
  private readonly turn: Turn;
  private readonly reader = new MetricReader();
  private readonly topics = new Map<string, EdgeTopic | StateTopic | string>();

  constructor(options: HostOptions) {
    this.options = { ...defaults, ...Object.fromEntries(Object.entries(options).filter(([, v]) => v !== undefined)), hostId: options.hostId };
    this.nodes = new Nodes(this.options);
    this.desk = new RebirthDesk(this.options.rebirthThrottleMs, this.options.rebirthsPerS);
    this.turn = new Turn({ nodes: this.nodes, reader: this.reader, desk: this.desk });
  }

  /** One message as it came. Never throws: what cannot be read is refused with its reason. */
  onMessage(topic: string, payload: Buffer, receivedAt: number, { retained = false }: { retained?: boolean } = {}): HostOutput {
    const out = emptyOutput();
    try {
      const to = this.parse(topic);
      if (typeof to === "string") refuse(out, { topic, payload }, "sparkplug_malformed", to, 1);
      else if (to.type === "STATE") checkState(out, to, { topic, payload });
      else if (to.type !== "NCMD" && to.type !== "DCMD") this.onEdge(to, topic, payload, receivedAt, retained, out);
    } catch (error) {
      refuseFailed(out, { topic, payload }, error);
    }
    return out;
  }

  private parse(topic: string) {
    let to = this.topics.get(topic);
    if (to === undefined) {
      to = parseTopic(topic);
      if (this.topics.size >= maxTopics) this.topics.clear();
      this.topics.set(topic, to);
    }
    return to;
  }

  private onEdge(to: EdgeTopic, topic: string, payload: Buffer, receivedAt: number, retained: boolean, out: HostOutput) {
    const { wire } = this.reader;
    const wrong = payload.length === 0 ? "The message has no content." : wire.open(payload);
    if (wrong !== null) return refuse(out, { topic, payload }, "sparkplug_malformed", wrong, 1);
    if (retained) {
      const reason = `The broker had kept this ${to.type} from an earlier time. Sparkplug forbids that for all but STATE: switch "retain" off at the edge node.`;
      return refuse(out, { topic, payload }, "sparkplug_malformed", reason, wire.metricCount);
    }
    const node = this.nodes.of(to, receivedAt);
    if (!node) {
      const reason = `This host application follows ${this.options.maxNodes} edge nodes already, which is its limit.`;
      return refuse(out, { topic, payload }, "sparkplug_before_birth", reason, wire.metricCount);
    }
    const message: Message = { topic, to, payload, receivedAt, seq: wire.seq >= 0 ? wire.seq : -1, sentAt: believable(wire.timestamp, receivedAt) };
    if (to.type === "NBIRTH") this.onNodeBirth(node, message, out);
    else if (to.type === "NDEATH") this.onNodeDeath(node, message, out);
    else if (node.phase !== "online") this.turn.hold(node, message, `${to.type} came before NBIRTH`, out);
    else this.inOrder(node, message, out);
  }

  // ---- order

  private inOrder(node: EdgeNode, message: Message, out: HostOutput) {
    const { sequence } = node;
    const { seq, payload } = message;
    if (seq < 0) {
      sayUnordered(node, message, out);
      return this.turn.apply(node, message, out);
    }
    const place = sequence.place(seq, payload);
    if (place === "duplicate") {
      out.duplicates += this.reader.wire.metricCount;
      return;
    }
    sequence.remember(seq, payload);
    if (place === "next") {
      this.take(node, message, out);
      if (node.ahead.length > 0) this.drain(node, out);
    } else if (place === "ahead" && this.isOfSessionBefore(node, message)) {
      this.turn.release(node, { ...message, sessionEnded: true }, null, null, null, out);
    } else if (place === "late") {
      this.turn.apply(node, message, out);
    } else {
      this.keepAhead(node, message);
      if (this.options.reorderTimeoutMs === 0 || this.nodes.isTooMuch(node.ahead)) this.closeGap(node, message.receivedAt, out, true);
      else this.nodes.schedule(node);
    }
  }

  /** Sent before the last birth and overtaken by it: outside of the count that the birth began. */
  private isOfSessionBefore({ bornSentAt, bornAt }: EdgeNode, { sentAt, receivedAt }: Message): boolean {
    return sentAt !== null && bornSentAt !== null && sentAt < bornSentAt && receivedAt - bornAt <= this.options.reorderTimeoutMs;
  }

  private take(node: EdgeNode, message: Message, out: HostOutput) {
    node.sequence.take(message.seq);
    this.nodes.heard(node, message);
    this.turn.apply(node, message, out);
    // Asked in vain so often that only a sign of life makes the host ask again.
    if (node.wanted !== null && node.askAt === Number.POSITIVE_INFINITY) this.turn.want(node, node.wanted, message.receivedAt, out);
  }

  private keepAhead(node: EdgeNode, message: Message) {
    node.ahead.push(this.nodes.copyOf(message));
    if (node.gapUntil === Number.POSITIVE_INFINITY) node.gapUntil = message.receivedAt + this.options.reorderTimeoutMs;
  }

  /** Takes what has its turn now of the messages that were ahead. */
  private drain(node: EdgeNode, out: HostOutput) {
    for (;;) {
      const i = node.ahead.findIndex((m) => m.seq === node.sequence.expected);
      const message = node.ahead[i];
      if (!message) break;
      node.ahead.splice(i, 1);
      this.nodes.letGo(message);
      this.reader.wire.open(message.payload);
      this.take(node, message, out);
    }
    node.gapUntil = node.ahead.reduce((at, m) => Math.min(at, m.receivedAt + this.options.reorderTimeoutMs), Number.POSITIVE_INFINITY);
    this.nodes.schedule(node);
  }

  /** The missing messages are given up: nothing is certain since the last one in order, until the next birth. What did come is taken. */
  private closeGap(node: EdgeNode, now: number, out: HostOutput, ask: boolean) {
    const { sequence } = node;
    const messages = node.ahead.sort((a, b) => sequence.distance(a.seq) - sequence.distance(b.seq) || a.receivedAt - b.receivedAt);
    node.ahead = [];
    node.gapUntil = Number.POSITIVE_INFINITY;
    const first = messages[0];
    if (!first) return;
    const lost = sequence.distance(first.seq);
    const what = lost > 128 ? "messages lost, or counted anew without a birth" : `${lost} message${lost === 1 ? "" : "s"} lost`;
    const detail = `Sequence number ${sequence.expected} was expected, ${first.seq} came: ${what}.`;
    const before = [...node.publishers()].filter((publisher) => publisher.alive === true);
    for (const publisher of before) publisher.death("sequence_gap", node.lastAt, detail, out.links);
    for (const message of messages) {
      this.nodes.letGo(message);
      this.reader.wire.open(message.payload);
      this.take(node, message, out);
    }
    if (ask && !this.turn.want(node, "Messages were lost", now, out)) {
      // No birth is to be had: the links count from the first message after the gap.
      for (const publisher of before) publisher.birth(first.sentAt ?? first.receivedAt, "Goes on after the gap. The edge node offers no rebirth.", out.links);
    }
  }

  // ---- births and deaths of edge nodes

  private onNodeBirth(node: EdgeNode, message: Message, out: HostOutput) {
    const { wire } = this.reader;
    const birthPrint = createHash("sha1").update(message.payload).digest("base64");
    if (node.phase === "online" && node.birthPrint === birthPrint) {
      out.duplicates += wire.metricCount;
      return;
    }
    const early = node.ahead.filter((m) => isOfBirth(m, message));
    for (const m of early) this.nodes.letGo(m);
    node.ahead = node.ahead.filter((m) => !early.includes(m));
    this.closeGap(node, message.receivedAt, out, false);
    wire.open(message.payload);

    const before = { table: node.table, bdSeq: node.bdSeq };
    const birth = this.reader.define(this.nodes.roomFor(node.table));
    const at = message.sentAt ?? message.receivedAt;
    if (birth.bdSeq === null || birth.bdSeq !== before.bdSeq) {
      node.askedFor.clear();
      if (node.phase === "online" && before.bdSeq !== null) this.endUnseen(node, before.bdSeq, out);
    }
    this.nodes.replaceTable(before.table, birth.table);
    node.table = birth.table;
    node.bdSeq = birth.bdSeq;
    node.birthPrint = birthPrint;
    node.bornSentAt = message.sentAt;
    node.bornAt = message.receivedAt;
    node.takesRebirth = birth.takesRebirth;
    node.unorderedSaid = false;
    node.phase = "online";
    this.desk.settle(node);
    node.sequence.start(Math.max(0, message.seq), message.payload);
    this.nodes.heard(node, message);
    node.liveness.birth(at, birthDetail(message, birth.bdSeq, birth.left), out.links);
    this.awaitDevices(node, at, message.receivedAt);

    const since = message.receivedAt - this.options.reorderTimeoutMs;
    const isEarly = (held: Held) => !held.sessionEnded && held.receivedAt >= since && isOfBirth(held, message);
    for (const held of this.turn.unhold(node, (m) => m.to.type !== "DDATA" || isEarly(m))) {
      if (isEarly(held)) early.push(held);
      else this.turn.release(node, held, node.table, before.table, node.liveness, out);
    }
    wire.open(message.payload);
    this.turn.give(node, birth.left > 0 ? null : node.table, null, node.liveness, message, out);
    for (const m of early) {
      node.sequence.remember(m.seq, m.payload);
      this.keepAhead(node, m);
    }
    if (early.length > 0) this.drain(node, out);
  }

  /** A new session began and nobody said that the one before was over: nothing vouches for the time since its last message. */
  private endUnseen(node: EdgeNode, bdSeq: number, out: HostOutput) {
    for (const publisher of node.publishers()) {
      if (publisher.alive === true) publisher.death("death", node.lastAt, `The session with bdSeq ${bdSeq} ended without NDEATH.`, out.links);
    }
  }

  /** Devices of before the birth are not known to be there until their own births. Those that come in time leave no gap. */
  private awaitDevices(node: EdgeNode, at: number, now: number) {
    for (const device of node.devices.values()) {
      if (device.phase === "online") device.phase = "unborn";
      if (device.liveness.alive !== true) continue;
      device.missedSince ??= at;
      node.devicesUntil = now + Math.max(this.options.reorderTimeoutMs, leastDeviceWaitMs);
    }
    this.nodes.schedule(node);
  }

  private giveUpDevices(node: EdgeNode, out: HostOutput) {
    node.devicesUntil = Number.POSITIVE_INFINITY;
    for (const device of node.devices.values()) {
      if (device.missedSince !== null) device.liveness.death("death", device.missedSince, "Not born again after the birth of its edge node.", out.links);
      device.missedSince = null;
    }
  }

  private onNodeDeath(node: EdgeNode, message: Message, out: HostOutput) {
    const bdSeq = this.reader.bdSeq();
    out.own += this.reader.wire.metricCount;
    // The will of an earlier session may come after the birth of the next one.
    const isOld = node.phase === "online" && bdSeq !== null && node.bdSeq !== null && bdSeq !== node.bdSeq;
    if (isOld || node.phase === "dead") return;
    this.closeGap(node, message.receivedAt, out, false);
    this.endSession(node, "dead");
    // The broker speaks for the edge, and knows nothing of what it did not get.
    const from = node.certainUntil(message.receivedAt);
    const before = new Set([...node.publishers()].filter(({ alive }) => alive !== false));
    for (const publisher of node.publishers()) {
      if (publisher.alive === true && from < message.receivedAt)
        publisher.death("offline", from, "What was under way when the edge node's connection ended may be lost.", out.links);
    }
    const detail = bdSeq === null ? "NDEATH" : `NDEATH, bdSeq ${bdSeq}`;
    for (const publisher of node.publishers()) {
      if (publisher === node.liveness || before.has(publisher)) publisher.death("death", message.receivedAt, detail, out.links);
    }
  }

  private endSession(node: EdgeNode, phase: Phase) {
    node.phase = phase;
    for (const device of node.devices.values()) {
      device.phase = phase;
      device.missedSince = null;
    }
    for (const held of node.held) held.sessionEnded = true;
    node.devicesUntil = Number.POSITIVE_INFINITY;
    this.desk.settle(node);
  }

  // ---- time and connection

  /** What has become due: missing messages that are given up, births that did not come, requests. */
  onTick(now: number): HostOutput {
    const out = emptyOutput();
    if (now < this.nodes.earliest) return out;
    for (const node of this.nodes.waiting) {
      if (now >= node.gapUntil) this.closeGap(node, now, out, true);
      if (now >= node.devicesUntil) this.giveUpDevices(node, out);
      while (node.held.length > 0 && now >= node.held[0]!.receivedAt + this.options.birthWaitMs) this.turn.expireOldest(node, out);
      if (now >= node.askAt) this.desk.ask(node, now, out);
    }
    this.nodes.reschedule();
    return out;
  }

  /** When onTick is to be called, ms; null: not before the next message. */
  nextTickAt(): number | null {
    return this.nodes.earliest === Number.POSITIVE_INFINITY ? null : this.nodes.earliest;
  }

  /**
   * The connection to the broker is lost, or is about to be closed. No link is known to be alive since its last message; one that was silent,
   * since a little before `aliveUntil`, the last instant at which the connection was known to work. Every node must be born again.
   */
  onDisconnected(now: number, aliveUntil = now): HostOutput {
    const out = emptyOutput();
    for (const node of this.nodes.all.values()) {
      this.closeGap(node, now, out, false);
      this.endSession(node, "unborn");
      for (const publisher of node.publishers()) {
        if (publisher.alive === true) publisher.death("offline", node.certainUntil(aliveUntil), "Takt had no connection to the broker.", out.links);
      }
    }
    return out;
  }

  /** This host stops: what is still held for a birth is given out, as if that had not come in time. */
  onEnd(): HostOutput {
    const out = emptyOutput();
    for (const node of this.nodes.all.values()) while (node.held.length > 0) this.turn.expireOldest(node, out);
    return out;
  }

  /** What a host before this one said of links, by address, in order of time. */
  recall(said: Iterable<readonly [string, readonly Said[]]>, now: number): void {
    for (const [address, changes] of said) {
      const to = edgeOf(address);
      const node = to && this.nodes.of(to, now);
      if (node) (to.device === null ? node.liveness : this.nodes.deviceOf(node, to)?.liveness)?.recall(changes);
    }
  }

  /** All that edges sent before this instant, as the broker's clock is ours, has been given out. */
  settledTo(now: number): number {
    return this.nodes.settledTo(now, this.options.reorderTimeoutMs);
  }

  /**
   * The connection is there and subscribed. Nodes that do not report by themselves within the reorder time are asked to:
   * those known here, and those of `addresses` (group/node or group/node/device).
   */
  onConnected(now: number, addresses: Iterable<string> = []): void {
    for (const address of addresses) {
      const to = edgeOf(address);
      if (to) this.nodes.of(to, now);
    }
    for (const node of this.nodes.all.values()) {
      if (node.phase === "online") continue;
      node.wanted = "Takt has connected to the broker";
      node.askAt = Math.max(now + this.options.reorderTimeoutMs, node.askedAt + this.options.rebirthThrottleMs);
      this.nodes.schedule(node);
    }
  }

  /** A letter of form "message" once more: its values by the births of today, without any effect on order or links. */
  onRetry(topic: string, payload: Buffer, receivedAt: number): HostOutput {
    const out = emptyOutput();
    const to = this.parse(topic);
    if (typeof to === "string") refuse(out, { topic, payload }, "sparkplug_malformed", to, 1);
    else if (to.type === "STATE") checkState(out, to, { topic, payload });
    else {
      const wrong = this.reader.wire.open(payload);
      if (wrong !== null) refuse(out, { topic, payload }, "sparkplug_malformed", wrong, 1);
      const node = this.nodes.all.get(to.nodeAddress);
      const publisher = to.device === null ? node : node?.devices.get(to.device);
      const isBirth = to.type === "NBIRTH" || to.type === "DBIRTH";
      if (wrong === null)
        this.reader.values(
          { topic, address: to.address, liveness: publisher?.liveness ?? null, table: isBirth ? null : (publisher?.table ?? null), prior: null, receivedAt },
          out,
        );
    }
    return out;
  }

  stats(): { nodes: number; nodesOnline: number; metrics: number; heldMessages: number; heldBytes: number } {
    let nodesOnline = 0;
    for (const node of this.nodes.all.values()) if (node.phase === "online") nodesOnline++;
    const { metrics, heldMessages, heldBytes } = this.nodes;
    return { nodes: this.nodes.all.size, nodesOnline, metrics, heldMessages, heldBytes };
  }
}

function sayUnordered(node: EdgeNode, message: Message, out: HostOutput) {
  if (node.unorderedSaid) return;
  node.unorderedSaid = true;
  const detail = `${message.to.type} has no sequence number from 0 to 255: lost messages cannot be noticed.`;
  out.links.push({ address: node.address, at: message.sentAt ?? message.receivedAt, kind: "sequence_gap", alive: null, detail });
}

/** Time of sending as the edge has it, ms, where its clock can be right. */
function believable(sentAt: number, receivedAt: number): number | null {
  return sentAt <= receivedAt + maxFutureMs && sentAt >= receivedAt - maxPastMs ? sentAt : null;
}
