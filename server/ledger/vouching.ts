/** How far the sources were listened to: what a source says of itself (a birth, `_online`) holds no further than somebody heard it. Instants are ms since 1970. */
import { wayOf, workerAwayAfterMs } from "#/server/boards/readers.ts";
import type { Db } from "#/server/db.ts";
import { filterCovers, filtersOverlap } from "#/server/domain/topic-filter.ts";

/** By source: to where its last word, that it is there, can be believed. Those that are not in it are listened to now, or did not say so. */
export type Vouching = ReadonlyMap<number, number>;

/** announcedAt: when it said last that it is there. */
type WayRow = { sourceId: number; form: "json" | "sparkplug" | "mapped"; address: string; pattern: string | null; announcedAt: number };
const wayRows = (db: Db, sourceIds: readonly number[]) =>
  db.rows<WayRow>(
    `-- ledger.ways
    select distinct o.id as "sourceId", o.form, o.address, t.pattern, round(extract(epoch from a.announced_at) * 1000)::float8 as "announcedAt"
    from source o join source_status a on a.source_id = o.id and a.announced
      left join signal g on g.source_id = o.id and g.retired_at is null left join topic_mapping t on t.signal_id = g.id
    where o.id = any($1::int[]) order by 1, 4`,
    [sourceIds],
  );

/** heardTo, watchedTo: all that was sent before is written; by Sparkplug, and by everything else. */
export type ListenerRow = { filters: string[]; heardTo: number; watchedTo: number; now: number };
/** By the database's clock, as the workers' signs of life. */
const listenerRows = (db: Db) =>
  db.rows<ListenerRow>(
    `-- ledger.listeners
    select l.filters, round(extract(epoch from clock_timestamp()) * 1000)::float8 as now,
      least(coalesce((w.stats ->> 'writtenTo')::float8, s.at), s.at) as "heardTo", least(coalesce((w.stats ->> 'watchedTo')::float8, s.at), s.at) as "watchedTo"
    from ingest_worker w join ingest_lease l on l.name = w.name cross join lateral (select round(extract(epoch from w.at) * 1000)::float8 as at) s`,
  );

export async function vouchedSources(db: Db, sourceIds: readonly number[]): Promise<Vouching> {
  const ways = await wayRows(db, sourceIds);
  return ways.length > 0 ? vouchingOf(ways, await listenerRows(db)) : new Map();
}

/** Of a source with several ways the one that was listened to least; of several workers the one that listened last; where none is known, nothing but its word itself. */
export function vouchingOf(ways: readonly WayRow[], listeners: readonly ListenerRow[]): Map<number, number> {
  const ends = new Map<number, number>();
  for (const row of ways) {
    const way = wayOf({ ...row, lineId: 0, shown: true });
    if (!way) continue;
    const by = (reads: (filter: string) => boolean) =>
      listeners.flatMap(({ filters, heardTo, watchedTo }) => (filters.some(reads) ? [way.isSparkplug ? heardTo : watchedTo] : []));
    const whole = by((filter) => filter === way.filter || filterCovers(filter, way.filter));
    const last = Math.max(row.announcedAt, ...(whole.length > 0 ? whole : by((filter) => filtersOverlap(filter, way.filter))));
    const now = listeners[0]?.now ?? Number.POSITIVE_INFINITY;
    if (now - last > workerAwayAfterMs) ends.set(row.sourceId, Math.min(last, ends.get(row.sourceId) ?? last));
  }
  return ends;
}

/** Of a machine with several sources the earliest. null: all are listened to. */
export const earliest = (sourceIds: readonly number[], vouching: Vouching): number | null =>
  sourceIds.reduce<number | null>((least, id) => {
    const to = vouching.get(id);
    return to === undefined ? least : Math.min(to, least ?? to);
  }, null);
