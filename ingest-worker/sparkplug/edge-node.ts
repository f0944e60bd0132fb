// What the host knows of one edge node and its devices. The rules are in sparkplug.ts.
import { Liveness } from "./liveness.ts";
import type { MetricTable } from "./metrics.ts";
import { Sequence } from "./sequence.ts";
import type { EdgeTopic } from "./topic.ts";

/** A message with its place in time and order. */
export type Message = {
  topic: string;
  to: EdgeTopic;
  payload: Buffer;
  receivedAt: number;
  /** 0 to 255; -1: none, or none that can be used. */
  seq: number;
  /** Device time of sending, ms; null: none, or none that can be believed. */
  sentAt: number | null;
};
export type Held = Message & {
  /** The session that it came in has ended since. */
  sessionEnded: boolean;
};

/** A message at QoS 0 that did not come within this time does not come any more. As long as the reorder time-out, which stands for the same. */
export const inFlightMs = 2_000;

/** unborn: no birth in the present session. */
export type Phase = "unborn" | "online" | "dead";

export class Device {
  readonly liveness: Liveness;
  phase: Phase = "unborn";
  /** Of its last birth, also when that is over. */
  table: MetricTable | null = null;
  bornSentAt: number | null = null;
  /** Alive before its node was born anew, and not yet born again since: instant of that birth, ms. */
  missedSince: number | null = null;

  constructor(address: string) {
    this.liveness = new Liveness(address);
  }
}

export class EdgeNode {
  readonly address: string;
  readonly group: string;
  readonly name: string;
  readonly liveness: Liveness;
  readonly devices = new Map<string, Device>();
  readonly sequence = new Sequence();
  phase: Phase = "unborn";
  table: MetricTable | null = null;
  bdSeq: number | null = null;
  /** The NBIRTH as it came, to know it again. */
  birthPrint: string | null = null;
  bornSentAt: number | null = null;
  /** Receipt of the last birth, ms. */
  bornAt = 0;
  /** Its birth offered "Node Control/Rebirth". */
  takesRebirth = true;
  /** Said once for each birth: messages without a usable seq. */
  unorderedSaid = false;
  /** Device time of the last message in order, ms. */
  lastAt = 0;
  /** How much later than sent (by its own clock) the last message in order was read, ms: its clock's error and the way together. */
  lagMs = 0;

  /** Messages whose forerunners are missing, and until when those are waited for. */
  ahead: Message[] = [];
  gapUntil = Number.POSITIVE_INFINITY;

  /** Messages that wait for a birth, oldest first. */
  held: Held[] = [];
  /** Until when devices that were there before may be born again, ms. */
  devicesUntil = Number.POSITIVE_INFINITY;

  /** A birth is wanted, and why. */
  wanted: string | null = null;
  askAt = Number.POSITIVE_INFINITY;
  /** Its turn among all nodes is taken: ask at askAt without a further wait. */
  hasTurn = false;
  askedAt = Number.NEGATIVE_INFINITY;
  unanswered = 0;
  /** Names and aliases for whose sake a birth was asked for in this session: not asked twice. */
  readonly askedFor = new Set<string>();

  constructor(group: string, name: string) {
    this.group = group;
    this.name = name;
    this.address = `${group}/${name}`;
    this.liveness = new Liveness(this.address);
  }

  *publishers(): Iterable<Liveness> {
    yield this.liveness;
    for (const device of this.devices.values()) yield device.liveness;
  }

  /**
   * Since when nothing is certain of a node whose connection was known to work up to `aliveUntil`: what it sent just before may have been
   * under way still. Device time, ms.
   */
  certainUntil(aliveUntil: number): number {
    return Math.min(aliveUntil, Math.max(this.lastAt, aliveUntil - inFlightMs - Math.max(0, this.lagMs)));
  }

  /** When something is to be done about this node, ms; infinite: nothing. */
  dueAt(birthWaitMs: number): number {
    const heldUntil = this.held.length > 0 ? this.held[0]!.receivedAt + birthWaitMs : Number.POSITIVE_INFINITY;
    return Math.min(this.gapUntil, heldUntil, this.devicesUntil, this.askAt);
  }
}

/**
 * A message that came before the birth it follows, as clustered brokers may deliver it: it was sent later. Sent in the same millisecond it may
 * as well be the last of the session before; then only a low number, or a device's birth, speaks for the new one.
 */
export function isOfBirth(message: Message, birth: Message): boolean {
  if (message.seq <= 0 || message.sentAt === null || birth.sentAt === null || message.sentAt < birth.sentAt) return false;
  return message.sentAt > birth.sentAt || message.to.type === "DBIRTH" || message.seq <= 16;
}
