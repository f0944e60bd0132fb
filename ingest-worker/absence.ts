// What nobody watched: a worker that ended without a word left links behind that had been alive. Without a birth since, nothing vouches for them.
import type pg from "pg";
import type { LinkEvent } from "./sample.ts";

/** Sparkplug links of these groups that were alive at the worker's last sign of life, as no longer known from then on. */
export async function linksUnwatched(db: pg.ClientBase, worker: string, groups: readonly string[], receivedAt: number): Promise<LinkEvent[]> {
  const { rows } = await db.query<{ address: string; at: Date }>(
    `-- ingest.linksUnwatched
     select s.address, greatest(w.at, t.announced_at) as at
     from source s join source_status t on t.source_id = s.id join ingest_worker w on w.name = $1
     where s.form = 'sparkplug' and t.announced and ('+' = any($2) or split_part(s.address, '/', 1) = any($2))`,
    [worker, groups],
  );
  return rows.map(({ address, at }) => ({ address, at: at.getTime(), kind: "offline", alive: false, detail: "Takt was not running.", receivedAt }));
}
