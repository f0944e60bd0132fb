/** How the ingest workers fare, in numbers that a screen can show. */
import { z } from "zod";
import type { Db } from "#/server/db.ts";
import { filtersOverlap } from "#/server/domain/topic-filter.ts";
import { workerRows } from "./queries.ts";

const count = z.number().nonnegative().catch(0);
/** A worker writes its stats itself; a field that another version lacks must not take the whole card away. */
const statsSchema = z.object({
  received: count,
  written: count,
  duplicate: count,
  setAside: z.record(z.string(), z.number()).catch({}),
  held: count,
  messages: count,
  valuesPerS: count,
  batchMs: z.object({ p50: z.number().nullable().catch(null), p99: z.number().nullable().catch(null) }).catch({ p50: null, p99: null }),
  mqttConnected: z.boolean().catch(false),
  sparkplugConnected: z.boolean().nullable().catch(null),
  databaseOk: z.boolean().catch(false),
  /** false: it stands by, and reads nothing */
  leased: z.boolean().catch(true),
  /** The broker has granted all it asked for. */
  subscribed: z.boolean().catch(true),
  plantRevision: z.number().nullable().catch(null),
  /** What stands in its way, in its own words; "" nothing. */
  trouble: z.string().catch(""),
  /** ms: all that was sent to it before is in the database */
  writtenTo: z.number().nullable().catch(null),
  brokerUrl: z.string().nullable().catch(null),
});

export type WorkerHealth = z.infer<typeof statsSchema> & {
  name: string;
  alive: boolean;
  seenAt: number; // ms since 1970, by this process's clock
  startedAt: number;
  filters: string[];
  /** Away, and workers that live read its topics: it is not missed. */
  replaced: boolean;
  setAsideTotal: number;
  /** received - written - duplicate - set aside - held: 0, or values are unaccounted for */
  unaccounted: number;
};

/** A worker gives a sign of life about once a second. */
export const aliveWithinS = 15;

export async function workerHealth(db: Db, now: Date): Promise<WorkerHealth[]> {
  const rows = await workerRows(db);
  const workers = rows.map((row) => {
    const stats = statsSchema.parse(row.stats ?? {});
    const setAsideTotal = Object.values(stats.setAside).reduce((sum, n) => sum + n, 0);
    return {
      ...stats,
      name: row.name,
      alive: row.silentS <= aliveWithinS,
      seenAt: now.getTime() - row.silentS * 1000,
      startedAt: now.getTime() - row.runningS * 1000,
      filters: row.filters ?? [],
      replaced: false,
      setAsideTotal,
      unaccounted: stats.received - stats.written - stats.duplicate - setAsideTotal - stats.held,
    };
  });
  const read = new Set(workers.filter(({ alive, leased }) => alive && leased).flatMap(({ filters }) => filters));
  return workers.map((worker) => ({
    ...worker,
    replaced: !worker.alive && worker.filters.length > 0 && worker.filters.every((filter) => isRead(filter, read)),
  }));
}

/** Wild filters alone are looked at one by one: a worker may read thousands of topics by name. */
const isRead = (filter: string, read: ReadonlySet<string>) =>
  read.has(filter) || [...read].some((by) => /[+#]/.test(by + filter) && filtersOverlap(by, filter));
