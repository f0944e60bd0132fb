// What nobody watched: a worker that ended without a word left links behind that had been alive. Without a word since, nothing vouches for them.
import type pg from "pg";
import { topicMatches } from "#/server/domain/topic-filter.ts";
import type { LinkEvent, Source } from "./sample.ts";
import { inFlightMs } from "./sparkplug/edge-node.ts";
import { recalledEvents, type Said } from "./sparkplug/liveness.ts";
import { insertLinks } from "./upserts.ts";

/**
 * Writes of Sparkplug links of these groups that were left alive that nothing is known of them from then on: since the instant before which their
 * last watcher had written all that it was sent, by the edge's clock as its birth showed it. Committed before anything else says that this worker
 * lives. Returns what it wrote.
 */
export async function endUnwatched(
  db: pg.ClientBase,
  groups: readonly string[],
  sources: ReadonlyMap<string, Source>,
  receivedAt: number,
): Promise<LinkEvent[]> {
  const { rows } = await db.query<{ address: string; at: Date }>(
    `-- ingest.unwatched
     select s.address, greatest(t.announced_at + interval '1 ms', w.written_to - $2 * interval '1 ms' - greatest(b.received_at - b.at, interval '0')) as at
     from source s join source_status t on t.source_id = s.id
       left join lateral (
         -- Workers whose filters name the group read it one at a time, so the last of them to live was the watcher.
         select coalesce(to_timestamp((k.stats ->> 'writtenTo')::float8 / 1000), k.at) as written_to
         from ingest_worker k join ingest_lease l on l.name = k.name
         where l.filters && array['spBv1.0/+/#', 'spBv1.0/' || split_part(s.address, '/', 1) || '/#']
         order by k.at desc limit 1) w on true
       left join lateral (select at, received_at from link_event where source_id = s.id and alive order by at desc limit 1) b on true
     where s.form = 'sparkplug' and t.announced and ('+' = any($1) or split_part(s.address, '/', 1) = any($1))`,
    [groups, inFlightMs],
  );
  const links = rows.map(({ address, at }) => ({ address, at: at.getTime(), kind: "offline", alive: false, detail: "Takt was not running.", receivedAt }));
  await db.query("begin");
  try {
    await insertLinks(db as pg.Client, links, sources);
    await db.query("commit");
  } catch (error) {
    await db.query("rollback").catch((again: Error) => Object.assign(again, { cause: error }));
    throw error;
  }
  return links;
}

/** What was last said of each Sparkplug link, in order of time: history that is yet to come may fill its windows. */
export async function linksSaid(db: pg.ClientBase): Promise<Map<string, Said[]>> {
  const { rows } = await db.query<Said & { address: string }>(
    `-- ingest.linksSaid
     select s.address, extract(epoch from e.at)::float8 * 1000 as at, e.kind, e.alive
     from source s cross join lateral (
       select at, kind, alive from link_event where source_id = s.id and (alive is not null or kind = 'history') order by at desc limit ${recalledEvents}) e
     where s.form = 'sparkplug' and s.retired_at is null order by s.address, e.at, e.alive`,
  );
  const said = new Map<string, Said[]>();
  for (const { address, ...one } of rows) said.set(address, [...(said.get(address) ?? []), { ...one, at: Math.round(one.at) }]);
  return said;
}

/**
 * Until when (ms) whoever read a topic had written all that was sent to it, by the last signs of life; 0: nobody has read it. What comes after waits in
 * the session at the broker, without the time at which it was said; where the session is gone, or the broker itself was, nothing vouches for it.
 */
export async function watchedTo(db: pg.ClientBase): Promise<(topic: string) => number> {
  const { rows } = await db.query<{ filters: string[]; to: number }>(
    `-- ingest.watchedTo
     select l.filters, coalesce((k.stats ->> 'watchedTo')::float8, extract(epoch from k.at)::float8 * 1000) - $1 as "to"
     from ingest_worker k join ingest_lease l on l.name = k.name`,
    [inFlightMs],
  );
  return (topic) => Math.max(0, ...rows.filter(({ filters }) => filters.some((filter) => topicMatches(filter, topic))).map(({ to }) => to));
}
