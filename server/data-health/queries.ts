/** SQL of Data health: sources, their signals, and where their links failed. Instants come as ms since 1970. */
import type { Db } from "#/server/db.ts";

const ms = (column: string) => `round(extract(epoch from ${column}) * 1000)::float8`;

export type SourceRow = {
  id: number;
  address: string;
  form: "json" | "sparkplug" | "mapped";
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
  gaps: number; // in 24 h; one that lasts is among them
  gapLongestS: number | null;
  gapTotalS: number;
  sequenceGaps: number; // in 24 h
  rebirths: number;
};

/**
 * Every source in use. Gaps follow the ledger: where a source announces itself, from its death to its next birth; else each silence longer than its time-out,
 * the one after the last value too.
 */
export const sourceRows = (db: Db, now: Date) =>
  db.rows<SourceRow>(
    `-- dataHealth.sourceRows
    with day as (select $1::timestamptz as until, $1::timestamptz - interval '24 hours' as since),
    step as (
      select n.source_id, o.no_data_timeout_s, n.first_at as to_at, lag(n.last_at) over (partition by n.source_id order by n.minute) as from_at
      from source_minute n join source o on o.id = n.source_id, day where n.minute > day.since and n.minute < day.until
    ),
    silence as (
      select source_id, from_at, to_at from step where to_at - from_at > make_interval(secs => no_data_timeout_s)
      union all
      select t.source_id, greatest(t.last_at, day.since), day.until from source_status t join source o on o.id = t.source_id, day
      where day.until - t.last_at > make_interval(secs => o.no_data_timeout_s)
    ),
    said as (
      select e.source_id, e.at, e.alive, lead(e.at) over (partition by e.source_id order by e.at, e.alive) as next_at
      from link_event e, day where e.alive is not null and e.at > day.since
    ),
    gap as (
      select s.source_id, s.from_at, s.to_at from silence s
      where not exists (select from source_status t where t.source_id = s.source_id and t.announced is not null)
      union all
      select said.source_id, said.at, coalesce(said.next_at, day.until) from said, day where not said.alive and coalesce(said.next_at, day.until) > said.at
    ),
    gaps as (
      select source_id, count(*)::int as n, max(extract(epoch from to_at - from_at))::float8 as longest_s, sum(extract(epoch from to_at - from_at))::float8 as total_s
      from gap group by source_id
    ),
    recent as (
      select source_id, sum(n) / 5.0 as per_minute, max(lag_max_s) as lag_max_s from source_minute
      where minute >= date_trunc('minute', $1::timestamptz) - interval '5 minutes' and minute < date_trunc('minute', $1::timestamptz) group by source_id
    ),
    remark as (
      select source_id, count(*) filter (where kind = 'sequence_gap')::int as sequence_gaps, count(*) filter (where kind = 'rebirth_requested')::int as rebirths
      from link_event, day where at > day.since group by source_id
    )
    select o.id, o.address, o.form, s.name as "siteName", s.zone, o.no_data_timeout_s as "noDataTimeoutS",
      coalesce((select array_agg(distinct m.name order by m.name) from signal g join machine m on m.id = g.machine_id where g.source_id = o.id and g.retired_at is null), '{}') as machines,
      (select count(*)::int from signal g where g.source_id = o.id and g.retired_at is null) as signals,
      ${ms("t.last_at")} as "lastAt", ${ms("t.last_received_at")} as "lastReceivedAt", t.lag_s as "lagS", r.lag_max_s::float8 as "lagMaxS",
      coalesce(r.per_minute, 0)::float8 as "perMinute", t.announced, ${ms("t.announced_at")} as "announcedAt",
      coalesce(g.n, 0) as gaps, g.longest_s as "gapLongestS", coalesce(g.total_s, 0)::float8 as "gapTotalS",
      coalesce(e.sequence_gaps, 0) as "sequenceGaps", coalesce(e.rebirths, 0) as rebirths
    from source o join site s on s.id = o.site_id
      left join source_status t on t.source_id = o.id left join gaps g on g.source_id = o.id
      left join recent r on r.source_id = o.id left join remark e on e.source_id = o.id
    where o.retired_at is null
    order by o.address`,
    [now],
  );

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
  periodS: number | null; // measured, smoothed
  valuesTotal: number;
};

export const signalRows = (db: Db, sourceId: number) =>
  db.rows<SignalRow>(
    `-- dataHealth.signalRows
    select g.id, g.key, m.key as "machineKey", m.name as "machineName", g.role, g.unit, g.period_s::float8 as "periodSetS",
      ${ms("t.at")} as at, t.value, t.text_value as text, t.flags, t.period_s as "periodS", coalesce(t.values_total, 0)::float8 as "valuesTotal"
    from signal g join machine m on m.id = g.machine_id left join signal_latest t on t.signal_id = g.id
    where g.source_id = $1 and g.retired_at is null
    order by m.position, m.name, g.key`,
    [sourceId],
  );

export type LinkRow = { at: number; kind: string; alive: boolean | null; detail: string };

export const linkRows = (db: Db, sourceId: number, now: Date) =>
  db.rows<LinkRow>(
    `-- dataHealth.linkRows
    select ${ms("at")} as at, kind, alive, detail from link_event
    where source_id = $1 and at > $2::timestamptz - interval '24 hours' order by at desc limit 50`,
    [sourceId, now],
  );

/** Silences longer than the time-out in the last 24 h, newest first. */
export const gapRows = (db: Db, sourceId: number, now: Date) =>
  db.rows<{ from: number; to: number }>(
    `-- dataHealth.gapRows
    select ${ms("from_at")} as "from", ${ms("to_at")} as "to" from (
      select n.first_at as to_at, lag(n.last_at) over (order by n.minute) as from_at, o.no_data_timeout_s
      from source_minute n join source o on o.id = n.source_id
      where n.source_id = $1 and n.minute > $2::timestamptz - interval '24 hours' and n.minute < $2::timestamptz
    ) step where to_at - from_at > make_interval(secs => no_data_timeout_s) order by from_at desc limit 20`,
    [sourceId, now],
  );
