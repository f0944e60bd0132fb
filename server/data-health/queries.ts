/** SQL of Data health: sources, their signals, and where their links failed. Instants come as ms since 1970. */
import type { Db } from "#/server/db.ts";

const ms = (column: string) => `round(extract(epoch from ${column}) * 1000)::float8`;

export type SourceRow = {
  id: number;
  address: string;
  form: "json" | "sparkplug" | "mapped";
  siteId: number;
  siteName: string;
  zone: string;
  machines: string[];
  signals: number;
  noDataTimeoutS: number;
  lastAt: number | null;
  lastReceivedAt: number | null;
  lagS: number | null;
  lagMaxS: number | null; // in the last 5 min
  perMinute: number; // values, over the last 5 whole minutes
  announced: boolean | null;
  announcedAt: number | null;
  sequenceGaps: number; // in 24 h
  rebirths: number;
};

export type GapSums = {
  gaps: number; // in 24 h; one that lasts is among them; without those that were filled
  gapsFilled: number; // links that were said to be dead, and whose values of that time came later, all of them
  gapLongestS: number | null;
  gapTotalS: number;
};

/** A source of which nothing was heard for longer than this is as good as new: the search for its last value must not open the history of years. Days. */
const lookBackDays = 35;

/**
 * `gap(source_id, from_at, to_at, filled)`: where the links of sources in use failed in the 24 h before $1, cut to these. Gaps follow the ledger, as
 * server/domain/presence.ts has it: where a source announces itself, from its death to its next birth; else each silence longer than its time-out. One
 * that lasts is among them, and one that began earlier. A death is filled where a history remark says that the edge was recording, or where the backlog of
 * another than a Sparkplug source leaves nothing of it; of what backlog fills in part, the rest is left. `which`: a condition on source o.
 */
const gapSql = (which: string) => `day as (select $1::timestamptz as until, $1::timestamptz - interval '24 hours' as since),
    watched as (
      select o.id, o.form, make_interval(secs => o.no_data_timeout_s) as timeout, t.last_at, t.announced, t.announced_at
      from source o left join source_status t on t.source_id = o.id where o.retired_at is null and ${which}
    ),
    spoke as ( -- minutes with values: those of the day, the one in which it begins, and the last before that
      select n.source_id, n.minute, n.first_at, n.last_at from watched o join source_minute n on n.source_id = o.id, day
      where n.minute > $1::timestamptz - interval '24 hours' and n.minute < $1::timestamptz
      union all
      select o.id, b.minute, b.first_at, b.last_at from watched o, lateral (
        select n.minute, n.first_at, n.last_at from source_minute n
        where n.source_id = o.id and n.minute <= $1::timestamptz - interval '24 hours' and n.minute > $1::timestamptz - interval '${lookBackDays} days'
        order by n.minute desc limit 2
      ) b where o.announced is null
    ),
    step as (
      select source_id, first_at as to_at, lag(last_at) over (partition by source_id order by minute) as from_at from spoke
    ),
    said as ( -- what was announced in the day, and the last before it
      select e.source_id, e.at, e.alive from watched o join link_event e on e.source_id = o.id, day
      where e.alive is not null and e.at > day.since and e.at < day.until
      union
      select o.id, case when b.alive then b.at else coalesce(f.at, b.at) end, b.alive from watched o, day, lateral (
        select e.at, e.alive from link_event e where e.source_id = o.id and e.alive is not null and e.at <= day.since order by e.at desc, e.alive desc limit 1
      ) b, lateral ( -- the first of several deaths
        select min(e.at) as at from link_event e where not b.alive and e.source_id = o.id and not e.alive and e.at <= b.at
          and e.at > coalesce((select p.at from link_event p where p.source_id = o.id and p.alive and p.at <= b.at order by p.at desc limit 1), '-infinity')
      ) f
      union
      select o.id, o.announced_at, o.announced from watched o, day where o.announced is not null and o.announced_at < day.until
    ),
    turn as ( -- a death said twice is one
      select source_id, at, alive, lead(at) over (partition by source_id order by at, alive) as next_at from (
        select *, lag(alive) over (partition by source_id order by at, alive) as before from said
      ) marked where alive is distinct from before
    ),
    dead as ( -- rest: what neither history nor backlog fills
      select d.source_id, greatest(d.from_at, day.since) as from_at, d.to_at,
        case when h.recorded then '{}'::tstzmultirange
          else tstzmultirange(tstzrange(greatest(d.from_at, day.since), d.to_at)) - coalesce(b.backlog, '{}'::tstzmultirange) end as rest
      from day, (select turn.source_id, turn.at as from_at, coalesce(turn.next_at, $1::timestamptz) as to_at from turn where not turn.alive) d
        join watched o on o.id = d.source_id,
        lateral (
          select exists (select from link_event e where e.source_id = d.source_id and e.kind = 'history' and e.alive is null and e.at between d.from_at and d.to_at)
            as recorded
        ) h,
        lateral ( -- neighbouring values at most the time-out apart, of which at least one is of the dead time
          select range_agg(tstzrange(greatest(p.from_at, d.from_at), least(p.to_at, d.to_at))) as backlog
          from (
            select n.first_at, n.last_at, lag(n.last_at) over (order by n.minute) as before_at from source_minute n
            where o.form <> 'sparkplug' and n.source_id = d.source_id and n.minute > $1::timestamptz - interval '${lookBackDays} days'
              and n.minute > greatest(d.from_at, day.since) - o.timeout - interval '1 minute' and n.minute <= d.to_at + o.timeout
          ) m, lateral (values (m.first_at, m.last_at), (m.before_at, m.first_at)) p(from_at, to_at)
          where p.to_at - p.from_at <= o.timeout and p.to_at > d.from_at and p.from_at < d.to_at and not (p.from_at <= d.from_at and p.to_at >= d.to_at)
        ) b
      where d.to_at > day.since and d.to_at > d.from_at
    ),
    gap as (
      select f.source_id, greatest(f.from_at, day.since) as from_at, least(f.to_at, day.until) as to_at, false as filled from (
        select s.source_id, s.from_at, s.to_at from step s join watched o on o.id = s.source_id where o.announced is null and s.to_at - s.from_at > o.timeout
        union all
        select o.id, o.last_at, day.until from watched o, day where o.announced is null and day.until - o.last_at > o.timeout
      ) f, day where f.to_at > day.since and f.to_at > f.from_at
      union all
      select d.source_id, lower(r), upper(r), false from dead d, unnest(d.rest) r
      union all
      select d.source_id, d.from_at, d.to_at, true from dead d where isempty(d.rest)
    )`;

/** Gaps of the last 24 h in sum, of sources in use that have some. Reads a day of presence: 0.8 s of CPU for 500 sources. */
export const gapSums = (db: Db, now: Date) =>
  db.rows<GapSums & { sourceId: number }>(
    `-- dataHealth.gapSums
    with ${gapSql("true")}
    select source_id as "sourceId", count(*) filter (where not filled)::int as gaps, count(*) filter (where filled)::int as "gapsFilled",
      max(extract(epoch from to_at - from_at)) filter (where not filled)::float8 as "gapLongestS",
      coalesce(sum(extract(epoch from to_at - from_at)) filter (where not filled), 0)::float8 as "gapTotalS"
    from gap group by source_id`,
    [now],
  );

/** Every source in use, as it is now. */
export const sourceRows = (db: Db, now: Date) =>
  db.rows<SourceRow>(
    `-- dataHealth.sourceRows
    with remark as (
      select source_id, count(*) filter (where kind = 'sequence_gap')::int as sequence_gaps, count(*) filter (where kind = 'rebirth_requested')::int as rebirths
      from link_event where at > $1::timestamptz - interval '24 hours' and kind in ('sequence_gap', 'rebirth_requested') group by source_id
    )
    select o.id, o.address, o.form, s.id as "siteId", s.name as "siteName", s.zone, o.no_data_timeout_s as "noDataTimeoutS",
      coalesce((select array_agg(distinct m.name order by m.name) from signal g join machine m on m.id = g.machine_id where g.source_id = o.id and g.retired_at is null), '{}') as machines,
      (select count(*)::int from signal g where g.source_id = o.id and g.retired_at is null) as signals,
      ${ms("t.last_at")} as "lastAt", ${ms("t.last_received_at")} as "lastReceivedAt", t.lag_s as "lagS", r.lag_max_s::float8 as "lagMaxS",
      coalesce(r.per_minute, 0)::float8 as "perMinute", t.announced, ${ms("t.announced_at")} as "announcedAt",
      coalesce(e.sequence_gaps, 0) as "sequenceGaps", coalesce(e.rebirths, 0) as rebirths
    from source o join site s on s.id = o.site_id
      left join source_status t on t.source_id = o.id
      left join lateral (
        select sum(n.n) / 5.0 as per_minute, max(n.lag_max_s) as lag_max_s from source_minute n where n.source_id = o.id
          and n.minute >= date_trunc('minute', $1::timestamptz) - interval '5 minutes' and n.minute < date_trunc('minute', $1::timestamptz)
      ) r on true
      left join remark e on e.source_id = o.id
    where o.retired_at is null
    order by o.address`,
    [now],
  );

/** Where a source is; null: there is none. */
export async function sourcePlace(db: Db, id: number): Promise<{ siteId: number } | null> {
  const found = await db.rows<{ siteId: number }>('-- dataHealth.sourcePlace\nselect site_id as "siteId" from source where id = $1', [id]);
  return found[0] ?? null;
}

export type SignalRow = {
  id: number;
  key: string;
  machineKey: string;
  machineName: string;
  role: string;
  unit: string;
  periodSetS: number | null;
  at: number | null;
  value: number | null;
  text: string | null;
  flags: number | null;
  lagS: number | null; // of the newest value, from device time to receipt; below 0 the device's clock is ahead
  periodS: number | null; // measured, smoothed
  perMinute: number | null; // values, by the measured period, or by the age of the newest value once that is longer
  silentS: number | null; // age of the newest value where a period is configured and the value is overdue: by 3 periods, and by the source's time-out
  valuesTotal: number;
};

export const signalRows = (db: Db, sourceId: number, now: Date) =>
  db.rows<SignalRow>(
    `-- dataHealth.signalRows
    select g.id, g.key, m.key as "machineKey", m.name as "machineName", g.role, g.unit, g.period_s::float8 as "periodSetS",
      ${ms("t.at")} as at, t.value, t.text_value as text, t.flags, extract(epoch from t.received_at - t.at)::float8 as "lagS", t.period_s as "periodS",
      case when t.period_s is not null then 60 / nullif(greatest(t.period_s, a.age_s), 0) end as "perMinute",
      case when a.age_s > greatest(3 * g.period_s, o.no_data_timeout_s) and g.period_s is not null then a.age_s end as "silentS",
      coalesce(t.values_total, 0)::float8 as "valuesTotal"
    from signal g join machine m on m.id = g.machine_id join source o on o.id = g.source_id left join signal_latest t on t.signal_id = g.id
      left join lateral (select extract(epoch from $2::timestamptz - t.at)::float8 as age_s) a on true
    where g.source_id = $1 and g.retired_at is null
    order by m.position, m.name, g.key`,
    [sourceId, now],
  );

export type LinkRow = { at: number; kind: string; alive: boolean | null; detail: string };

export const linkRows = (db: Db, sourceId: number, now: Date) =>
  db.rows<LinkRow>(
    `-- dataHealth.linkRows
    select ${ms("at")} as at, kind, alive, detail from link_event
    where source_id = $1 and at > $2::timestamptz - interval '24 hours' order by at desc limit 50`,
    [sourceId, now],
  );

export type GapRow = { from: number; to: number; filled: boolean };

/** The gaps of one source that `gapSums` counts, newest first. */
export const gapRows = (db: Db, sourceId: number, now: Date) =>
  db.rows<GapRow>(
    `-- dataHealth.gapRows
    with ${gapSql("o.id = $2")}
    select ${ms("from_at")} as "from", ${ms("to_at")} as "to", filled from gap order by from_at desc limit 20`,
    [now, sourceId],
  );
