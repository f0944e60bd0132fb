// STATE: whether a host application is there. Edge nodes that wait for their primary host keep their data until it says online.
import { type StateTopic, stateTopic } from "./topic.ts";
import type { Command } from "./types.ts";

/** Birth certificate. timestamp (ms): that of the will in the CONNECT before it. */
export const onlinePayload = (timestamp: number): Buffer => Buffer.from(JSON.stringify({ online: true, timestamp }));

/** Death certificate: the will (time of the CONNECT), or said on leaving (time of the leaving). */
export const offlinePayload = (timestamp: number): Buffer => Buffer.from(JSON.stringify({ online: false, timestamp }));

export type HostState = { online: boolean; timestamp: number | null };

/** What a STATE message says; a sentence if it says nothing. The older form, ONLINE or OFFLINE as a word, has no time. */
export function parseState(payload: Buffer): HostState | string {
  if (payload.length > 10_000) return "A STATE message is longer than 10 kB.";
  const text = payload.toString("utf8").trim();
  if (/^(online|offline)$/i.test(text)) return { online: text.toLowerCase() === "online", timestamp: null };
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return 'A STATE message is neither {"online":true,"timestamp":...} nor ONLINE or OFFLINE.';
  }
  const { online, timestamp } = (json ?? {}) as { online?: unknown; timestamp?: unknown };
  if (typeof online !== "boolean") return 'A STATE message has no "online" of true or false.';
  if (typeof timestamp !== "number" || !Number.isFinite(timestamp)) return 'A STATE message has no "timestamp" in milliseconds.';
  return { online, timestamp };
}

/**
 * What this host application says of itself on one broker. Each connection has its own, with its own time:
 * the same time stands in the will, in the birth, and in each repetition of the birth.
 */
export class OwnState {
  readonly hostId: string;
  private connectedAt: number | null = null;
  private saidOnline = false;

  constructor(hostId: string) {
    this.hostId = hostId;
  }

  /** Before each CONNECT. Gives the will. The time never goes back, so that edge nodes take the newer one for newer. */
  will(now: number): Command {
    this.connectedAt = Math.max(now, this.connectedAt ?? now);
    this.saidOnline = false;
    return this.certificate(offlinePayload(this.connectedAt));
  }

  /** After the subscriptions are acknowledged: the first message of the session. */
  birth(): Command {
    if (this.connectedAt === null) throw new Error("A host application says that it is online only after it has connected with a will.");
    this.saidOnline = true;
    return this.certificate(onlinePayload(this.connectedAt));
  }

  /** Before an intended DISCONNECT. */
  death(now: number): Command {
    this.connectedAt = Math.max(now, this.connectedAt ?? now);
    this.saidOnline = false;
    return this.certificate(offlinePayload(this.connectedAt));
  }

  /**
   * Someone wrote on this host's own topic what is not its birth (an old will that came late, another program of the same name, rubbish), or says in the
   * older form that it is offline: the birth again, with the time of its own will. Edge nodes read nothing else there. null: nothing to contradict.
   */
  contradict(topic: StateTopic, payload: Buffer): Command | null {
    if (!this.saidOnline || topic.hostId !== this.hostId) return null;
    if (!topic.legacy) return this.connectedAt !== null && payload.equals(onlinePayload(this.connectedAt)) ? null : this.birth();
    const state = parseState(payload);
    return typeof state !== "string" && !state.online ? this.birth() : null;
  }

  private certificate(payload: Buffer): Command {
    return { topic: stateTopic(this.hostId), payload, qos: 1, retain: true };
  }
}
