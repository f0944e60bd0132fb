/** SQL about the ingest workers. */
import type { Db } from "#/server/db.ts";

export type WorkerRow = { name: string; silentS: number; runningS: number; stats: unknown; filters: string[] | null };

/** Ages by the database's clock, which the workers write with too. */
export const workerRows = (db: Db) =>
  db.rows<WorkerRow>(`-- workers.workerRows
    select w.name,
           greatest(extract(epoch from clock_timestamp() - w.at), 0)::float8 as "silentS",
           extract(epoch from clock_timestamp() - w.started_at)::float8 as "runningS",
           w.stats,
           l.filters
    from ingest_worker w
    left join ingest_lease l on l.name = w.name
    order by w.name`);
