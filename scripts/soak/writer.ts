/** The worker's way from topic and payload to the database, without broker and process: for database tests of single steps. */

import type pg from "pg";
import pino from "pino";
import { type Batch, emptyBatch, Filling } from "#/ingest-worker/batch.ts";
import { Bytes } from "#/ingest-worker/binary.ts";
import { acquireLease, type Lease } from "#/ingest-worker/lease.ts";
import { loadPlant, type Plant } from "#/ingest-worker/plant.ts";
import { Resolver } from "#/ingest-worker/resolve.ts";
import type { Sample } from "#/ingest-worker/sample.ts";
import type { Outcome } from "#/ingest-worker/write.ts";
import { type SafeContext, writeSafely } from "#/ingest-worker/write-safely.ts";

export class Writer {
  readonly db: pg.Client;
  readonly lease: Lease;
  plant: Plant;
  resolver: Resolver;
  filling = new Filling();
  private readonly copy = new Bytes();
  private readonly announcedAt = new Map<number, number>();

  constructor(db: pg.Client, lease: Lease, plant: Plant) {
    this.db = db;
    this.lease = lease;
    this.plant = plant;
    this.resolver = new Resolver(plant, 7 * 86_400_000);
  }

  static async on(db: pg.Client, name = "test"): Promise<Writer> {
    await db.query("set timezone = 'UTC'");
    const lease = await acquireLease(db, name, [`takt/v1/${name}/#`], `elsewhere 1 ${name}`);
    if ("heldBy" in lease) throw new Error(lease.heldBy);
    return new Writer(db, lease, await loadPlant(db, null));
  }

  async reload(): Promise<Resolver> {
    this.plant = await loadPlant(this.db, this.plant);
    this.resolver = new Resolver(this.plant, 7 * 86_400_000);
    return this.resolver;
  }

  send(topic: string, payload: unknown, receivedAt = Date.now()): void {
    const bytes = Buffer.from(typeof payload === "string" ? payload : JSON.stringify(payload));
    this.resolver.message({ topic, payload: bytes, retained: false, receivedAt }, this.filling);
  }

  /** Writes what was sent since the last time. */
  commit(): Promise<Outcome> {
    return writeSafely(this.context(), this.filling.take());
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
