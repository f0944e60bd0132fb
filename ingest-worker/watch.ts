// What this worker has seen of the broker's topics, and what it has not: connections that were lost, a process that stood still, a pump that was held,
// and whether the broker itself was restarted meanwhile, so that wills may have died with it.
import type { LinkMemory, Links } from "./online.ts";
import type { Sink } from "./sample.ts";
import { inFlightMs } from "./sparkplug/edge-node.ts";

/** Where Mosquitto says for how long it has run: "123 seconds", each few seconds and retained. */
export const uptimeTopic = "$SYS/broker/uptime";

type Hooks = {
  /** All that was sent before this instant (ms) is committed, as far as it was read. */
  writtenTo(now: number): number;
  links(): Links;
  sink: Sink;
  /** After something went into the sink. */
  filled(): void;
};

const lookMs = 1_000;
/** Who does not look for so long stood still: stopped, or starved. */
const frozenMs = 3_000;
/** What waited for us is here within so long of our return, and as long again as we were away. */
const settleMs = 5_000;
const longestSettleMs = 60_000;
/** The broker says its uptime in whole seconds of two clocks that are cut off. */
const uptimeErrorMs = 1_000;

export class Watch {
  private readonly memory: LinkMemory;
  private readonly hooks: Hooks;
  /** Until when a topic was watched before the last absence, ms. */
  private to: (topic: string) => number = () => 0;
  /** The same, of the topic that was left first. */
  private oldest = 0;
  private seenAt: number | null = null;
  private returnedAt = Number.NEGATIVE_INFINITY;
  private connectedAt: number | null = null;
  /** Of this connection it is known whether the broker was restarted before it, or that nobody will say. */
  private isDecided = true;
  /** Something that a restart looks like: nobody answered, or the broker said that it goes down. */
  private looksRestarted = false;
  /** The earliest start that the broker's uptime leaves possible, ms. */
  private startedAt = Number.POSITIVE_INFINITY;
  /** As the broker said it last, s. */
  private uptimeS = 0;

  constructor(memory: LinkMemory, hooks: Hooks) {
    this.memory = memory;
    this.hooks = hooks;
  }

  /** Looks each second whether the process still runs. */
  start(): { stop(): void } {
    const timer = setInterval(() => this.look(Date.now()), lookMs);
    return { stop: () => clearInterval(timer) };
  }

  /** Before the first connection: until when whoever was here before has watched each topic. */
  follows(to: (topic: string) => number, topics: readonly string[], now: number): void {
    this.to = to;
    this.oldest = topics.reduce((oldest, topic) => Math.min(oldest, to(topic) || oldest), now);
    this.connectedAt = null;
    this.isDecided = true;
  }

  /** To be called with all that comes: whether the process stood still since it looked last. */
  look(now: number): void {
    const { seenAt } = this;
    this.seenAt = now;
    if (seenAt !== null && now - seenAt > frozenMs) this.wasAway(seenAt, now);
  }

  /** Since `from` (ms) nothing was read, on a connection that stood. */
  wasAway(from: number, now: number): void {
    if (this.connectedAt === null || now - from <= frozenMs) return;
    this.leave(from - inFlightMs, now);
    this.settle(from, now);
  }

  /** The connection ended; heardAt (ms): when the broker was heard last. */
  lost(heardAt: number, now: number): void {
    this.look(now);
    this.connectedAt = null;
    this.leave(Math.min(this.hooks.writtenTo(now), heardAt) - inFlightMs, now);
    this.isDecided = true;
  }

  /** isKnown: the broker has a session of ours; where not, it has kept nothing for us meanwhile, neither values nor wills. */
  connected(isKnown: boolean, now: number): void {
    this.look(now);
    this.connectedAt = now;
    this.isDecided = false;
    this.startedAt = Number.POSITIVE_INFINITY;
    this.settle(this.oldest, now);
    if (isKnown) return;
    this.hooks.links().forgotten(this.to, now, this.hooks.sink);
    this.hooks.filled();
  }

  /** No broker answered, or it said that it goes down. */
  wentDown(): void {
    this.looksRestarted = true;
  }

  /** The broker says for how long it has run. A retained word may be as old as the broker speaks seldom: it proves that there was no restart, but none. */
  uptime(payload: Buffer, retained: boolean, now: number): void {
    const s = Number(/^(\d{1,12})( seconds)?$/.exec(payload.toString("latin1"))?.[1] ?? Number.NaN);
    if (Number.isNaN(s) || this.connectedAt === null) return;
    this.startedAt = Math.min(this.startedAt, now - s * 1000 - uptimeErrorMs);
    const wentBack = s < this.uptimeS;
    this.uptimeS = s;
    if (!retained || wentBack || this.looksRestarted || this.startedAt <= this.oldest) this.decide(this.startedAt, now);
  }

  /** The broker does not say for how long it has run. */
  silent(now: number): void {
    if (this.startedAt === Number.POSITIVE_INFINITY) this.decide(this.looksRestarted ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY, now);
  }

  /** What came before this instant (ms) was read; where that is not sure, what was known of it before. */
  readTo(now: number): number {
    return this.connectedAt === null || !this.isDecided || now - this.returnedAt < settleMs ? Math.min(now, this.oldest + inFlightMs) : now;
  }

  private decide(startedAt: number, now: number): void {
    if (this.isDecided || this.connectedAt === null) return;
    this.isDecided = true;
    this.looksRestarted = false;
    this.hooks.links().restarted(startedAt, this.connectedAt, this.to, now, this.hooks.sink);
    this.hooks.filled();
  }

  // One absence goes on where the next begins before its end was seen.
  private leave(to: number, now: number): void {
    if (!this.isDecided || now - this.returnedAt < settleMs) return;
    this.to = () => to;
    this.oldest = to;
  }

  private settle(from: number, now: number): void {
    this.returnedAt = now;
    this.memory.absence = { to: this.to, until: now + settleMs + Math.min(Math.max(0, now - from), longestSettleMs) };
  }
}
