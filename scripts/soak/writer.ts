/** The worker's way from topic and payload to the database, without broker and process: for database tests of single steps. */

import type pg from "pg";
import pino from "pino";
import { type Batch, emptyBatch, Filling } from "#/ingest-worker/batch.ts";
import { Bytes } from "#/ingest-worker/binary.ts";
import { acquireLease, type Lease } from "#/ingest-worker/lease.ts";
import { loadPlant, type Plant } from "#/ingest-worker/plant.ts";
import { Resolver } from "#/ingest-worker/resolve.ts";
import { feedRetries } from "#/ingest-worker/retry.ts";
import type { Sample } from "#/ingest-worker/sample.ts";
import { Share } from "#/ingest-worker/share.ts";
import type { Outcome } from "#/ingest-worker/write.ts";
import { type SafeContext, writeSafely } from "#/ingest-worker/write-safely.ts";

export class Writer {
  readonly db: pg.Client;
  readonly lease: Lease;
  readonly share: Share;
  plant: Plant;
  resolver: Resolver;
  filling = new Filling();
  private readonly copy = new Bytes();
  private readonly announcedAt = new Map<number, number>();

  constructor(db: pg.Client, lease: Lease, share: Share, plant: Plant) {
    this.db = db;
    this.lease = lease;
    this.share = share;
    this.plant = plant;
    this.resolver = new Resolver(plant, 7 * 86_400_000, undefined, share.isOurs);
  }

  /** topics: as INGEST_TOPICS; undefined: what follows the plant. */
  static async on(db: pg.Client, name: string, topics: readonly string[] | undefined): Promise<Writer> {
    await db.query("set timezone = 'UTC'");
    const share = new Share(topics, []);
    const lease = await acquireLease(db, name, share.configured, `elsewhere 1 ${name}`);
    if ("heldBy" in lease) throw new Error(lease.heldBy);
    share.begin(lease, false);
    const writer = new Writer(db, lease, share, await loadPlant(db, null));
    await writer.reload();
    return writer;
  }

  async reload(): Promise<Resolver> {
    this.plant = await loadPlant(this.db, this.plant);
    await this.share.follow(this.db, this.plant);
    this.resolver = new Resolver(this.plant, 7 * 86_400_000, undefined, this.share.isOurs);
    return this.resolver;
  }

  send(topic: string, payload: unknown, receivedAt = Date.now(), retained = false): void {
    const bytes = Buffer.from(typeof payload === "string" ? payload : JSON.stringify(payload));
    this.resolver.message({ topic, payload: bytes, retained, receivedAt }, this.filling);
  }

  /** Writes what was sent since the last time. */
  async commit(): Promise<Outcome> {
    const batch = this.filling.take();
    const outcome = await writeSafely(this.context(), batch);
    if (batch.retried.length > 0) await this.share.giveBack(this.db);
    return outcome;
  }

  /** Takes letters that are to be tried again, as `commit` then writes them. */
  retry(newest: () => Promise<Resolver> = () => this.reload()): Promise<boolean> {
    return feedRetries(this.db, newest, this.filling, null, this.share);
  }

  batchOf(samples: Sample[]): Batch {
    return { ...emptyBatch(), values: samples.length, samples };
  }

  context(): SafeContext {
    return {
      db: this.db,
      plant: this.plant,
      lease: this.lease,
      copy: this.copy,
      lineAnnouncedAt: this.announcedAt,
      log: pino({ level: "silent" }),
      reload: () => this.reload(),
    };
  }
}
