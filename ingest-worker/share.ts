// This worker's share of the topics: what it reads, what its lease claims for that, and whose a letter is that is to be tried again.
import type pg from "pg";
import { filtersOverlap, topicMatches } from "#/server/domain/topic-filter.ts";
import { claim, type Lease, otherFilters } from "./lease.ts";
import type { Plant } from "./plant.ts";
import { namespace } from "./sample.ts";

const all = "#";

export class Share {
  /** Claimed with the lease itself. */
  readonly configured: readonly string[];
  /** What it reads by its connection for JSON, plain and mapped topics. */
  filters: readonly string[];
  /** Of the plant's mappings, what another worker reads. */
  taken: readonly string[] = [];
  private readonly topics: readonly string[];
  private readonly groups: readonly string[];
  private readonly followsPlant: boolean;
  private mapped: readonly string[] = [];
  private session: readonly string[] = [];
  /** While letters are under way that nobody reads: everything is claimed, so that nobody can begin to write the same signals. */
  private isBorrowing = false;
  private lease: Lease | null = null;
  private claimed = "";

  /** topics: INGEST_TOPICS; without it, what follows the plant and what the plant maps. groups: of Sparkplug. */
  constructor(topics: readonly string[] | undefined, groups: readonly string[]) {
    this.followsPlant = topics === undefined;
    this.topics = topics ?? [`${namespace}/#`];
    this.groups = groups.map((group) => `spBv1.0/${group}/#`);
    this.configured = [...this.topics, ...this.groups];
    this.filters = this.topics;
  }

  readonly isOurs = (topic: string): boolean => matches(this.filters, topic);

  /** The lease was taken. Without a link to the broker, what its session there may be subscribed to is what the lease still names of earlier starts. */
  begin(lease: Lease, isLinked: boolean): void {
    this.lease = lease;
    this.claimed = "";
    if (!isLinked) this.session = lease.filters.filter((filter) => !this.groups.includes(filter));
  }

  /** What the session at the broker is subscribed to, or may be. */
  get atBroker(): readonly string[] {
    return this.session;
  }

  /** The plant was read: claims what it maps elsewhere than where machines have their topics, before anybody subscribes to it. Throws LeaseLost. */
  async follow(db: pg.ClientBase, plant: Plant): Promise<void> {
    const patterns = this.followsPlant ? plant.jsonMappings.map(({ pattern }) => pattern) : [];
    this.mapped = [...new Set(patterns.filter((pattern) => !pattern.startsWith(`${namespace}/`)))];
    await this.claim(db);
  }

  /** What the broker's session is subscribed to has changed: to be followed by `claim`. */
  sessionIs(filters: readonly string[]): void {
    this.session = [...new Set([...filters, ...this.filters])];
  }

  /** Brings the lease up to date, where it is not. Throws LeaseLost. */
  async claim(db: pg.ClientBase): Promise<void> {
    const sure = [...this.configured, ...this.session, ...(this.isBorrowing ? [all] : [])];
    const wanted = JSON.stringify([sure, this.mapped]);
    if (!this.lease || (wanted === this.claimed && this.taken.length === 0)) return;
    this.taken = await claim(db, this.lease, sure, this.mapped);
    this.claimed = wanted;
    this.filters = [...this.topics, ...this.mapped.filter((pattern) => !this.taken.includes(pattern))];
    this.session = [...new Set([...this.session, ...this.filters])]; // from here on it may be
  }

  /** What other workers read, or read a short while ago. */
  others(db: pg.ClientBase): Promise<string[][]> {
    return this.lease ? otherFilters(db, this.lease) : Promise.resolve([]);
  }

  /** Claims everything until `giveBack`, if no other worker lives. */
  async borrow(db: pg.ClientBase): Promise<boolean> {
    if (!this.lease) return false;
    if (!this.isBorrowing) this.isBorrowing = (await claim(db, this.lease, [...this.lease.filters], [all])).length === 0;
    this.claimed = "";
    return this.isBorrowing;
  }

  async giveBack(db: pg.ClientBase): Promise<void> {
    if (!this.isBorrowing) return;
    this.isBorrowing = false;
    await this.claim(db);
  }
}

export const matches = (filters: readonly string[], topic: string): boolean => filters.some((filter) => topicMatches(filter, topic));

/**
 * By whose filters a letter is read: those of the topic on which its values come. The letter of one value has its signal's own topic, even where
 * the signal is mapped to another one or to a metric; what reads those, then, writes the signal.
 */
export function readersOf(plant: Plant): (filters: readonly string[], topic: string) => boolean {
  const ways = new Map<string, string[]>();
  const add = (path: string, way: string) => ways.set(path, [...(ways.get(path) ?? []), way]);
  for (const { pattern, signal } of plant.jsonMappings) add(signal.path, pattern);
  for (const [address, metrics] of plant.sparkplugMappings) for (const signal of metrics.values()) add(signal.path, `spBv1.0/${address}`);
  return (filters, topic) => {
    const mapped = topic.startsWith(`${namespace}/`) ? ways.get(topic.slice(namespace.length + 1)) : undefined;
    return mapped ? mapped.some((way) => filters.some((filter) => filtersOverlap(filter, way))) : matches(filters, topic);
  };
}
