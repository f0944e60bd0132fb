// Rebirth requests: asked of a node not more often than it can answer, and of all nodes not more than the broker can carry.
import { get } from "sparkplug-payload";
import type { EdgeNode } from "./edge-node.ts";
import type { Command, HostOutput } from "./types.ts";

const maxWaitMs = 5 * 60_000;
const maxUnanswered = 10; // then only a further message of the node makes the host ask again

const sparkplugB = get("spBv1.0");

/** NCMD with Node Control/Rebirth = true, by name and without a sequence number (specification 5.13, 6.4.22). */
export function rebirthCommand(group: string, node: string, now: number): Command {
  if (!sparkplugB) throw new Error("The Sparkplug library does not know the namespace spBv1.0.");
  const payload = sparkplugB.encodePayload({ timestamp: now, metrics: [{ name: "Node Control/Rebirth", timestamp: now, type: "Boolean", value: true }] });
  return { topic: `spBv1.0/${group}/NCMD/${node}`, payload: Buffer.from(payload), qos: 0, retain: false };
}

export class RebirthDesk {
  private readonly throttleMs: number;
  private readonly stepMs: number;
  private freeAt = Number.NEGATIVE_INFINITY;

  constructor(throttleMs: number, perS: number) {
    this.throttleMs = throttleMs;
    this.stepMs = 1000 / perS;
  }

  /** A birth is wanted of the node: asked for now, or at node.askAt. Says whether it can be. */
  want(node: EdgeNode, why: string, now: number, out: HostOutput): boolean {
    // A command names a metric that the node's birth offered.
    if (node.phase === "online" && !node.takesRebirth) return false;
    node.wanted ??= why;
    if (node.askAt !== Number.POSITIVE_INFINITY) return true;
    node.askAt = Math.max(now, node.askedAt + this.waitMs(node));
    if (node.askAt <= now) this.ask(node, now, out);
    return true;
  }

  /** At node.askAt: asks, or takes the node's turn a little later. */
  ask(node: EdgeNode, now: number, out: HostOutput): void {
    if (!node.hasTurn && this.freeAt > now) {
      node.askAt = this.freeAt;
      node.hasTurn = true;
      this.freeAt += this.stepMs;
      return;
    }
    if (!node.hasTurn) this.freeAt = now + this.stepMs;
    node.hasTurn = false;
    node.askedAt = now;
    node.unanswered++;
    node.askAt = node.unanswered < maxUnanswered ? now + this.waitMs(node) : Number.POSITIVE_INFINITY;
    out.commands.push(rebirthCommand(node.group, node.name, now));
    out.links.push({ address: node.address, at: now, kind: "rebirth_requested", alive: null, detail: node.wanted ?? "" });
  }

  /** The birth came, or is not to be had. */
  settle(node: EdgeNode): void {
    node.wanted = null;
    node.askAt = Number.POSITIVE_INFINITY;
    node.hasTurn = false;
    node.unanswered = 0;
  }

  private waitMs(node: EdgeNode): number {
    return Math.min(this.throttleMs * 2 ** Math.max(0, node.unanswered - 1), Math.max(maxWaitMs, this.throttleMs));
  }
}
