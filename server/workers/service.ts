/** How the ingest workers fare, in numbers that a screen can show. */
import { z } from "zod";
import type { Db } from "#/server/db.ts";
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
  brokerUrl: z.string().nullable().catch(null),
});

export type WorkerHealth = z.infer<typeof statsSchema> & {
  name: string;
  alive: boolean;
  seenAt: number; // ms since 1970, by this process's clock
  startedAt: number;
  filters: string[];
  setAsideTotal: number;
  /** received - written - duplicate - set aside - held: 0, or values are unaccounted for */
  unaccounted: number;
};

/** A worker gives a sign of life about once a second. */
export const aliveWithinS = 15;

export async function workerHealth(db: Db, now: Date): Promise<WorkerHealth[]> {
  const rows = await workerRows(db);
  return rows.map((row) => {
    const stats = statsSchema.parse(row.stats ?? {});
    const setAsideTotal = Object.values(stats.setAside).reduce((sum, n) => sum + n, 0);
    return {
      ...stats,
      name: row.name,
      alive: row.silentS <= aliveWithinS,
      seenAt: now.getTime() - row.silentS * 1000,
      startedAt: now.getTime() - row.runningS * 1000,
      filters: row.filters ?? [],
      setAsideTotal,
      unaccounted: stats.received - stats.written - stats.duplicate - setAsideTotal - stats.held,
    };
  });
}
