// The edge nodes that this host follows, what is held for them, and when something is to be done about one. All of it bounded.
import { Device, EdgeNode, inFlightMs, type Message } from "./edge-node.ts";
import type { MetricTable } from "./metrics.ts";
import type { EdgeTopic } from "./topic.ts";
import type { HostOptions } from "./types.ts";

const retryFullMs = 1_000;
/** A message that seems to have been under way for longer speaks of a clock that was set. */
const maxBehindMs = 60_000;

export class Nodes {
  readonly all = new Map<string, EdgeNode>();
  readonly waiting = new Set<EdgeNode>();
  /** Of all births that are known. */
  metrics = 0;
  heldMessages = 0;
  heldBytes = 0;
  /** No node has anything due before, ms. */
  earliest = Number.POSITIVE_INFINITY;
  private readonly options: Required<HostOptions>;
  /** Of the message that was taken last: when, and how much longer it was under way than its node's birth, ms. */
  private readAt = Number.NEGATIVE_INFINITY;
  private behindMs = 0;
  private fullUntil = Number.NEGATIVE_INFINITY;

  constructor(options: Required<HostOptions>) {
    this.options = options;
  }

  /** The node, made if need be; null: there are too many. */
  of(to: Pick<EdgeTopic, "nodeAddress" | "group" | "node">, now: number): EdgeNode | null {
    let node = this.all.get(to.nodeAddress);
    if (node) return node;
    if (this.all.size >= this.options.maxNodes && !this.forgetOne(now)) return null;
    node = new EdgeNode(to.group, to.node);
    this.all.set(to.nodeAddress, node);
    return node;
  }

  /** Makes room by the oldest node that is not online and for which nothing is held. */
  private forgetOne(now: number): boolean {
    if (now < this.fullUntil) return false;
    for (const node of this.all.values()) {
      if (node.phase === "online" || node.held.length > 0) continue;
      this.all.delete(node.address);
      this.waiting.delete(node);
      this.replaceTable(node.table, null);
      for (const device of node.devices.values()) this.replaceTable(device.table, null);
      return true;
    }
    this.fullUntil = now + retryFullMs;
    return false;
  }

  /** The device, made if need be; null: the node has too many. */
  deviceOf(node: EdgeNode, to: EdgeTopic): Device | null {
    if (to.device === null) return null;
    let device = node.devices.get(to.device);
    if (!device && node.devices.size < this.options.maxDevicesPerNode) {
      device = new Device(to.address);
      node.devices.set(to.device, device);
    }
    return device ?? null;
  }

  /** How many metrics a birth may bring that takes the place of this one. */
  roomFor(replaced: MetricTable | null): number {
    return Math.max(0, this.options.maxMetrics - this.metrics + (replaced?.byName.size ?? 0));
  }

  replaceTable(before: MetricTable | null, now: MetricTable | null): void {
    this.metrics += (now?.byName.size ?? 0) - (before?.byName.size ?? 0);
  }

  /** A message is kept: its bytes are copied, because what the broker's connection reads into is larger. */
  copyOf<M extends Message>(message: M): M {
    this.heldMessages++;
    this.heldBytes += message.payload.length;
    return { ...message, payload: Buffer.from(message.payload) };
  }

  letGo({ payload }: Message): void {
    this.heldMessages--;
    this.heldBytes -= payload.length;
  }

  /** More is kept in this list, or in all, than may be. */
  isTooMuch(list: readonly Message[]): boolean {
    if (list.length === 0) return false;
    if (list.length > this.options.maxHeldMessages || this.heldBytes > this.options.maxHeldBytesTotal) return true;
    let bytes = 0;
    for (const { payload } of list) bytes += payload.length;
    return bytes > this.options.maxHeldBytes;
  }

  /** Sees to it that the node is looked at when something is due. */
  schedule(node: EdgeNode): void {
    const dueAt = node.dueAt(this.options.birthWaitMs);
    if (dueAt === Number.POSITIVE_INFINITY) return;
    this.waiting.add(node);
    if (dueAt < this.earliest) this.earliest = dueAt;
  }

  /** A birth, or a message in its order. */
  heard(node: EdgeNode, { sentAt, receivedAt }: Message): void {
    node.lastAt = sentAt ?? receivedAt;
    node.lagMs = sentAt === null ? 0 : receivedAt - sentAt;
    this.readAt = receivedAt;
    this.behindMs = node.bornSentAt === null || sentAt === null ? 0 : Math.max(0, Math.min(maxBehindMs, node.lagMs - (node.bornAt - node.bornSentAt)));
  }

  /** Before this instant nothing is held for its order, awaited, or still to be read from a connection that is behind. */
  settledTo(now: number, reorderTimeoutMs: number): number {
    let to = now - this.readAt <= inFlightMs ? now - this.behindMs : now;
    for (const { gapUntil, devicesUntil } of this.waiting) to = Math.min(to, gapUntil - reorderTimeoutMs, devicesUntil - Math.max(reorderTimeoutMs, 1_000));
    return to;
  }

  /** After all that was due is done. */
  reschedule(): void {
    this.earliest = Number.POSITIVE_INFINITY;
    for (const node of this.waiting) {
      const dueAt = node.dueAt(this.options.birthWaitMs);
      if (dueAt === Number.POSITIVE_INFINITY) this.waiting.delete(node);
      else this.earliest = Math.min(this.earliest, dueAt);
    }
  }
}
