// What machines say of their own links: .../<machine>/_online, retained true or false, the latter by their will. Of two words the one that was heard last
// holds; its instant is put so that the instants say the same, for who reads them later sees nothing else.
import { instant, parsePayload, type Refusal, valueAt } from "#/server/domain/payload.ts";
import { future, maxFutureMs, whyTooOld } from "#/server/domain/reading.ts";
import type { Plant } from "./plant.ts";
import { type Incoming, namespace, type Sink, type Source } from "./sample.ts";

/** Why it is taken for offline though nobody said so: the broker has forgotten our session, or was restarted itself. */
type Guess = "session" | "restart";
type Said = {
  alive: boolean;
  /** ms; instant of its event. -Infinity: not known. */
  at: number;
  /** ms; from here on the same was said. */
  since: number;
  /** ms; the newest instant of which something was said, heartbeats included. */
  heardTo: number;
  /** ms; receipt of the last word that was no copy of an older one; -Infinity: not in this process. */
  freshAt: number;
  /** Its machine was known. */
  inPlant: boolean;
  guess: Guess | null;
};

/** Time in which nobody watched. to: until when a topic was watched before it (ms; 0: never). until: what is heard before may have waited for us. */
export type Absence = { to(topic: string): number; until: number };

export type LinkMemory = {
  /** What each link last said of itself, committed or not; by address. */
  said: Map<string, Said>;
  /** The last one. */
  absence: Absence | null;
};

/** Topics come from outside: what they can make us remember is bounded. */
const maxRemembered = 200_000;
/** As for a source, where the plant does not know it. */
const defaultBackfillMs = 90 * 86_400_000;
/** Kind of the event by which a restart of the broker is remembered. */
const byRestart = "broker_restart";
const never = Number.NEGATIVE_INFINITY;

export class Links {
  private readonly plant: Plant;
  private readonly memory: LinkMemory;
  private readonly isOurs: (topic: string) => boolean;

  constructor(plant: Plant, memory: LinkMemory, isOurs: (topic: string) => boolean) {
    this.plant = plant;
    this.memory = memory;
    this.isOurs = isOurs;
  }

  /** One word of a link. */
  message(address: string, incoming: Incoming, sink: Sink): void {
    const word = wordOf(incoming.payload);
    if ("code" in word) return refuse(sink, incoming, word);
    const { alive, sentAt } = word;
    const { receivedAt, retained } = incoming;
    const now = incoming.now ?? receivedAt;
    if (sentAt !== null && sentAt > now + maxFutureMs) return refuse(sink, incoming, future(sentAt, now));
    const source = this.plant.sources.get(address);
    const last = this.lastSaid(address, source);
    const own = sentAt === null ? null : Math.min(sentAt, now); // a clock that is ahead does not reach beyond the present
    const emit = (at: number, isLast: boolean) =>
      sink.link({ address, at, kind: alive ? "online" : "offline", alive, detail: "", receivedAt, ...(isLast ? { isLast } : {}) });
    const limit = { maxBackfillMs: source?.maxBackfillMs ?? defaultBackfillMs, by: address, retainMs: null };
    const old = sentAt === null ? null : whyTooOld(sentAt, receivedAt, limit);
    if (incoming.again) {
      // One that is tried again is of the past: what was last said stays.
      if (last) this.remember(address, last);
      return old ? refuse(sink, incoming, old) : emit(own ?? receivedAt, false);
    }
    const watchedTo = this.waitedSince(incoming.topic, receivedAt);
    const floor = last ? Math.max(last.at, last.heardTo) : never;
    const isFresh = !retained || (own !== null && own > floor && own > (this.memory.absence?.to(incoming.topic) ?? never));
    const freshAt = isFresh ? receivedAt : (last?.freshAt ?? never);

    if (last?.alive === alive) {
      // A heartbeat, or what the broker has kept and tells again at each connect. An earlier "false" says nothing new either: it is the same will.
      const heardTo = alive ? Math.max(last.heardTo, own ?? (retained || watchedTo !== null ? never : receivedAt)) : last.heardTo;
      const isNew = alive && own !== null && own < last.since;
      if (isNew && old) return refuse(sink, incoming, old);
      if (isNew) emit(own, false); // fills the past
      this.remember(address, { ...last, heardTo, freshAt, since: isNew ? own : last.since, guess: isFresh ? null : last.guess });
      return;
    }
    // Every machine that lives connects to a restarted broker anew and says so: what the broker has kept from before is not believed.
    if (last?.guess === "restart" && !isFresh) return;
    const newestAt = Math.min(source?.newestAt ?? never, receivedAt);
    const at = instantOf(alive, own, incoming, { last, floor, watchedTo, newestAt, isOld: old !== null });
    if (at === "past") return alive && last && own !== null && own < last.at ? emit(own, false) : undefined;
    if (at === "old") return refuse(sink, incoming, old!);
    const after = Math.max(Math.min(at, receivedAt), last ? last.at + 1 : never);
    this.remember(address, { alive, at: after, since: after, heardTo: after, freshAt, inPlant: source !== undefined, guess: null });
    emit(after, true);
  }

  /**
   * The broker has kept nothing for us since `watchedTo` (ms): of each machine of ours that last said that it is online nothing is known since then,
   * until it says so again.
   */
  forgotten(watchedTo: (topic: string) => number, receivedAt: number, sink: Sink): void {
    for (const { source, topic, last } of this.ours()) {
      if (!last.alive) continue;
      const at = Math.max(Math.min(receivedAt, watchedTo(topic)), last.at + 1);
      this.remember(source.address, { ...last, alive: false, at, since: at, inPlant: true, guess: "session" });
      const detail = "The broker kept nothing for Takt.";
      sink.link({ address: source.address, at, kind: "offline", alive: false, detail, receivedAt, isLast: true });
    }
  }

  /**
   * The broker itself was started at `startedAt` (ms, the earliest that is possible; Infinity: after all else): where nobody had watched up to then, wills may
   * have died with it. Offline since `watchedTo`, until a fresh word comes; those that have said one since `connectedAt` are there.
   */
  restarted(startedAt: number, connectedAt: number, watchedTo: (topic: string) => number, receivedAt: number, sink: Sink): void {
    for (const { source, topic, last } of this.ours()) {
      const to = watchedTo(topic);
      if (startedAt <= (to > 0 ? to : last.at) || last.freshAt >= connectedAt || (!last.alive && last.guess !== "session")) continue;
      const at = last.alive ? Math.max(Math.min(receivedAt, to), last.at + 1) : last.at;
      this.remember(source.address, { ...last, alive: false, at, since: at, inPlant: true, guess: "restart" });
      const detail = "The broker was restarted, and the machine has not said since then that it is online.";
      sink.link({ address: source.address, at, kind: byRestart, alive: false, detail, receivedAt, isLast: true });
    }
  }

  /** Of the machines of ours of which something was said. */
  topics(): string[] {
    return [...this.ours()].map(({ topic }) => topic);
  }

  private *ours(): Generator<{ source: Source; topic: string; last: Said }> {
    for (const source of this.plant.sources.values()) {
      const topic = `${namespace}/${source.address}/_online`;
      const last = source.form === "json" && this.isOurs(topic) ? this.lastSaid(source.address, source) : null;
      if (last) yield { source, topic, last };
    }
  }

  /** Until when the topic was watched, if what comes now may have waited for us; null: it comes as it is said. */
  private waitedSince(topic: string, now: number): number | null {
    const { absence } = this.memory;
    if (absence === null || now >= absence.until) return null;
    const to = absence.to(topic);
    return to > 0 ? to : null;
  }

  private remember(address: string, said: Said): void {
    const { said: all } = this.memory;
    if (all.size >= maxRemembered && !all.has(address)) all.clear();
    all.set(address, said);
  }

  private lastSaid(address: string, source: Source | undefined): Said | null {
    const said = this.memory.said.get(address);
    if (said && said.inPlant === (source !== undefined)) return said;
    if (!source || source.announced === null) return null;
    const at = source.announcedAt === null ? never : Math.round(source.announcedAt * 1000) / 1000;
    const guess = source.announcedBy === byRestart ? "restart" : null;
    return { alive: source.announced, at, since: at, heardTo: never, freshAt: never, inPlant: true, guess };
  }
}

type About = { last: Said | null; floor: number; watchedTo: number | null; newestAt: number; isOld: boolean };

/**
 * From when on (ms) a word counts that is not what was said last. own: its own time. "past": it says nothing of the present; "old": its time is too long
 * ago to be believed.
 */
function instantOf(
  alive: boolean,
  own: number | null,
  { retained, receivedAt }: Incoming,
  { last, floor, watchedTo, newestAt, isOld }: About,
): number | "past" | "old" {
  if (alive) {
    if (own === null) return receivedAt;
    // What the broker has kept since before we lost sight holds all the time since then.
    if (retained && last?.guess === "session" && own <= floor) return last.at + 1;
    if (isOld) return "old";
    if (own > floor) return own;
    return retained ? "past" : receivedAt; // by a clock that is behind: back, but no one can say since when
  }
  if (own === null && watchedTo === null) return receivedAt;
  if (own !== null) {
    const isOverheard = watchedTo !== null && own < newestAt;
    if (isOld && !last) return "old";
    if (!isOld && own > floor && !isOverheard) return own;
    if (retained && watchedTo === null) return "past"; // what was heard since then is newer
  }
  // The time of a will was fixed before its machine connected, and a word without one that waited for us has only that of its reading. For as long as
  // something was heard of it, the machine was there.
  const from = Math.max(floor + 1, newestAt, own === null ? (watchedTo ?? never) : never);
  return from === never ? receivedAt : from;
}

function wordOf(payload: Buffer): { alive: boolean; sentAt: number | null } | Refusal {
  const parsed = parsePayload(payload);
  if ("code" in parsed) return parsed;
  const wrapped = parsed.json !== null && typeof parsed.json === "object" && !Array.isArray(parsed.json);
  const value = wrapped ? (valueAt(parsed.json, "value") ?? valueAt(parsed.json, "online")) : parsed.json;
  const sentAt = wrapped ? instant(valueAt(parsed.json, "ts") ?? valueAt(parsed.json, "timestamp")) : null;
  if (sentAt !== null && typeof sentAt === "object") return sentAt;
  if (value === true || value === 1 || value === "true" || value === "online") return { alive: true, sentAt };
  if (value === false || value === 0 || value === "false" || value === "offline") return { alive: false, sentAt };
  return { code: "value_type", reason: "_online takes true or false." };
}

/** A message that is no value: what is like it is the same again. */
function refuse(sink: Sink, { topic, payload, receivedAt }: Incoming, { code, reason }: Refusal): void {
  sink.letter({ form: "message", topic, metric: null, payload, valueCount: 1, code, reason, receivedAt });
}
