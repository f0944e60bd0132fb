/** What was read of machines in windows of time: one set-based question a kind, whatever the number of machines. Instants are ms since 1970. */
import type { Db } from "#/server/db.ts";

// offset 0: each window by its index. The planner would rather read whole chunks and join them.

/** Of one machine; a machine stands once in a list. */
export type MachineWindow = { machineId: number; from: number; to: number };

const ms = (column: string) => `round(extract(epoch from ${column}) * 1000)::float8`;
const asArrays = (windows: readonly MachineWindow[]) => [
  windows.map(({ machineId }) => machineId),
  windows.map(({ from }) => from),
  windows.map(({ to }) => to),
];
const windowRows = `unnest($1::int[], $2::float8[], $3::float8[]) as u(machine_id, from_ms, to_ms) cross join lateral (
  select to_timestamp(u.from_ms / 1000) as from_at, to_timestamp(u.to_ms / 1000) as to_at) w`;

export type ReadingRow = {
  machineId: number;
  role: "state" | "fault_code" | "job" | "product";
  signalId: number;
  at: number;
  value: number | null;
  text: string | null;
};

/** Of state, fault code, job and product: the last one up to the window, and all in it. */
export const readingRows = (db: Db, windows: readonly MachineWindow[]) =>
  db.rows<ReadingRow>(
    `-- ledger.readings
    select u.machine_id as "machineId", g.role, g.id as "signalId", ${ms("r.at")} as at, r.value, r.text_value as text
    from ${windowRows}
      join signal g on g.machine_id = u.machine_id and g.role in ('state', 'fault_code', 'job', 'product')
      cross join lateral (
        (select b.at, b.value, b.text_value from ledger_sample b where b.signal_id = g.id and b.at <= w.from_at order by b.at desc limit 1)
        union all
        (select b.at, b.value, b.text_value from ledger_sample b where b.signal_id = g.id and b.at > w.from_at and b.at < w.to_at)
      ) r
    order by 1, 2, 4, 3`,
    asArrays(windows),
  );

/** What operators said of jobs: the last up to the window, and all in it. */
export const saidRows = (db: Db, windows: readonly MachineWindow[]) =>
  db.rows<{ machineId: number; at: number; job: string | null }>(
    `-- ledger.said
    select u.machine_id as "machineId", ${ms("r.at")} as at, j.number as job
    from ${windowRows}
      cross join lateral (
        (select s.at, s.job_id from job_said s where s.machine_id = u.machine_id and s.at <= w.from_at order by s.at desc limit 1)
        union all
        (select s.at, s.job_id from job_said s where s.machine_id = u.machine_id and s.at > w.from_at and s.at < w.to_at)
      ) r left join job j on j.id = r.job_id
    order by 1, 2`,
    asArrays(windows),
  );

export type MinuteRow = { machineId: number; signalId: number; minute: number; pieces: number; firstAt: number | null; lastAt: number | null };

/** Pieces by count signal and minute (minute, minute + 60 s] that reach into the windows. */
export const minuteRows = (db: Db, windows: readonly MachineWindow[]) =>
  db.rows<MinuteRow>(
    `-- ledger.minutes
    select u.machine_id as "machineId", c.signal_id as "signalId", ${ms("c.minute")} as minute, sum(c.pieces order by c.job) as pieces, ${ms("min(c.first_at)")} as "firstAt", ${ms("max(c.last_at)")} as "lastAt"
    from ${windowRows} cross join lateral (
      select * from count_minute m where m.machine_id = u.machine_id and m.minute >= w.from_at - interval '1 minute' and m.minute < w.to_at offset 0) c
    group by 1, 2, c.minute order by 1, 3, 2`,
    asArrays(windows),
  );

/** First reading ever of the counts of machines; a machine without a state signal runs from then on. */
export const firstReadings = (db: Db, machineIds: readonly number[]) =>
  db.rows<{ machineId: number; at: number }>(
    `-- ledger.firstReadings
    select g.machine_id as "machineId", ${ms("min(t.first_at)")} as at from signal g join signal_latest t on t.signal_id = g.id
    where g.machine_id = any($1::int[]) and t.first_at is not null and (g.role like '%\\_count' or g.role = 'state') group by 1`,
    [machineIds],
  );

export type PresenceRow = {
  sourceId: number;
  form: "json" | "sparkplug" | "mapped";
  noDataTimeoutS: number;
  minutes: [first: number, last: number][];
  links: { at: number; alive: boolean | null; kind: string }[];
};

/** Of sources in a window: first and last value of each minute, and what was said of them; both with the neighbours outside. */
export const presenceRows = (db: Db, sources: readonly { sourceId: number; from: number; to: number }[]) =>
  db.rows<PresenceRow>(
    `-- ledger.presence
    select o.id as "sourceId", o.form, o.no_data_timeout_s as "noDataTimeoutS",
      coalesce((select json_agg(json_build_array(${ms("n.first_at")}, ${ms("n.last_at")}) order by n.minute) from (
          (select * from source_minute b where b.source_id = o.id and b.minute <= w.from_at order by b.minute desc limit 1)
          union all (select * from source_minute b where b.source_id = o.id and b.minute > w.from_at and b.minute < w.to_at)
          union all (select * from source_minute b where b.source_id = o.id and b.minute >= w.to_at order by b.minute limit 1)) n), '[]') as minutes,
      coalesce((select json_agg(json_build_object('at', ${ms("e.at")}, 'alive', e.alive, 'kind', e.kind) order by e.at, e.id) from (
          (select * from link_event b where b.source_id = o.id and b.alive is not null and b.at <= w.from_at order by b.at desc limit 1)
          union all (select * from link_event b where b.source_id = o.id and b.at > w.from_at and b.at < w.to_at)
          union all (select * from link_event b where b.source_id = o.id and b.alive is not null and b.at >= w.to_at order by b.at limit 1)) e), '[]') as links
    from unnest($1::int[], $2::float8[], $3::float8[]) as u(source_id, from_ms, to_ms)
      cross join lateral (select to_timestamp(u.from_ms / 1000) as from_at, to_timestamp(u.to_ms / 1000) as to_at) w
      join source o on o.id = u.source_id
    order by o.id`,
    [sources.map(({ sourceId }) => sourceId), sources.map(({ from }) => from), sources.map(({ to }) => to)],
  );

export type EditRow = {
  machineId: number;
  id: string;
  kind: string;
  at: number | null;
  from: number | null;
  to: number | null;
  reason: string | null;
  undoes: string | null;
};

/** Edits of stops in the windows, in order of entry, with all that undoes them. */
export const editRows = (db: Db, windows: readonly MachineWindow[]) =>
  db.rows<EditRow>(
    `-- ledger.edits
    with recursive said as (
      select e.* from ${windowRows} join stop_edit e on e.machine_id = u.machine_id
        and coalesce(e.at, e.from_at) < w.to_at and coalesce(e.to_at, e.at) >= w.from_at
      union
      select e.* from said s join stop_edit e on e.undoes = s.id
    )
    select machine_id as "machineId", id::text, kind, ${ms("at")} as at, ${ms("from_at")} as "from", ${ms("to_at")} as "to", reason, undoes::text from said order by said.id`,
    asArrays(windows),
  );

export type GapReading = { machineId: number; signalId: number; at: number; value: number };

/** Count readings around dead windows: the last before, those inside, the first after. */
export const gapReadings = (db: Db, windows: readonly MachineWindow[]) =>
  db.rows<GapReading>(
    `-- ledger.gapReadings
    select distinct u.machine_id as "machineId", g.id as "signalId", ${ms("r.at")} as at, r.value
    from ${windowRows} join signal g on g.machine_id = u.machine_id and g.role like '%\\_count' cross join lateral (
      (select b.at, b.value from ledger_sample b where b.signal_id = g.id and b.value is not null and b.at <= w.from_at order by b.at desc limit 1)
      union all
      (select b.at, b.value from ledger_sample b where b.signal_id = g.id and b.value is not null and b.at > w.from_at and b.at < w.to_at)
      union all
      (select b.at, b.value from ledger_sample b where b.signal_id = g.id and b.value is not null and b.at >= w.to_at order by b.at limit 1)
    ) r order by 1, 2, 3`,
    asArrays(windows),
  );

/**
 * A count that comes after dead time tells what was made in it, however long after: where the first reading of a signal in a window has such time between it and the
 * reading before, the start of that time. from, to: ms.
 */
export const deadBehindCounts = (db: Db, windows: ReadonlyMap<number, { from: number; to: number }>) =>
  db.rows<{ machineId: number; from: number }>(
    `-- ledger.deadBehindCounts
    select u.machine_id as "machineId", ${ms("min(d.base_at)")} as "from"
    from ${windowRows}
      join signal g on g.machine_id = u.machine_id and g.role like '%\\_count'
      cross join lateral (select s.at from ledger_sample s where s.signal_id = g.id and s.value is not null and s.at >= w.from_at and s.at <= w.to_at order by s.at limit 1) r
      cross join lateral (select s.at from ledger_sample s where s.signal_id = g.id and s.value is not null and s.at < r.at order by s.at desc limit 1) p
      join machine_interval d on d.machine_id = u.machine_id and d.is_dead and d.from_at > p.at - interval '1 hour' and d.from_at < r.at and d.to_at > p.at
    group by 1`,
    asArrays([...windows].map(([machineId, window]) => ({ machineId, ...window }))),
  );
