/** SQL of the boards: one round trip for a picture, whatever the number of machines. Instants come as ms since 1970. */
import type { Db } from "#/server/db.ts";
import type { Scope } from "#/server/domain/permission.ts";
import { inLines, inSites, linesIn, sitesIn } from "#/server/scope.ts";

export type LineRow = {
  siteId: number;
  siteKey: string;
  siteName: string;
  zone: string;
  areaKey: string;
  areaName: string;
  lineId: number;
  lineKey: string;
  lineName: string;
  machines: number;
};

/** The lines in use where the actor may, in the order of the plant. */
export const lineRows = (db: Db, scope: Scope) =>
  db.rows<LineRow>(
    `-- boards.lineRows
    select s.id as "siteId", s.key as "siteKey", s.name as "siteName", s.zone, a.key as "areaKey", a.name as "areaName",
           l.id as "lineId", l.key as "lineKey", l.name as "lineName",
           (select count(*)::int from machine m where m.line_id = l.id and m.retired_at is null) as machines
    from line l join area a on a.id = l.area_id join site s on s.id = a.site_id
    where l.retired_at is null and a.retired_at is null and s.retired_at is null and ${inLines(1, "s.id", "l.id")}
    order by s.name, a.name, l.name, l.id`,
    linesIn(scope),
  );

export type LineAddress = { site: string; area: string; line: string };
export type LinePlace = { lineId: number; siteId: number };

/** The line with this address; null where there is none in use. */
export async function lineOf(db: Db, { site, area, line }: LineAddress): Promise<LinePlace | null> {
  const found = await db.rows<LinePlace>(
    `-- boards.lineOf
    select l.id as "lineId", s.id as "siteId" from line l join area a on a.id = l.area_id join site s on s.id = a.site_id
    where s.key = $1 and a.key = $2 and l.key = $3 and l.retired_at is null and a.retired_at is null and s.retired_at is null`,
    [site, area, line],
  );
  return found[0] ?? null;
}

/** The address of a line in use; null: it is not, or there is none. */
export async function addressOfLine(db: Db, lineId: number): Promise<LineAddress | null> {
  const found = await db.rows<LineAddress>(
    `-- boards.addressOfLine
    select s.key as site, a.key as area, l.key as line from line l join area a on a.id = l.area_id join site s on s.id = a.site_id
    where l.id = $1 and l.retired_at is null and a.retired_at is null and s.retired_at is null`,
    [lineId],
  );
  return found[0] ?? null;
}

/** pattern: of one of the signal's mappings. shown: a board shows what comes there: more than measurements, or the source has nothing else. */
export type WayRow = { lineId: number; sourceId: number; form: "json" | "sparkplug" | "mapped"; address: string; pattern: string | null; shown: boolean };

/** Where the values of all lines in use come. */
export const wayRows = (db: Db) =>
  db.rows<WayRow>(`-- boards.wayRows
    select m.line_id as "lineId", o.id as "sourceId", o.form, o.address, t.pattern,
           bool_or(g.retention_class = 'ledger') or not exists (
             select from signal s where s.source_id = o.id and s.retired_at is null and s.retention_class = 'ledger') as shown
    from signal g join machine m on m.id = g.machine_id join source o on o.id = g.source_id left join topic_mapping t on t.signal_id = g.id
    where g.retired_at is null and m.retired_at is null
    group by m.line_id, o.id, t.pattern`);

type Span = [firstAtMs: number, lastAtMs: number];

export type SignalMaterial = {
  id: number;
  role: string;
  sourceId: number;
  valueMap: Record<string, unknown> | null;
  periodS: number | null;
  atMs: number | null; // newest reading by device time
  value: number | null;
  text: string | null;
  pieceAtMs: number | null;
  cycleS: number | null;
};

export type SourceMaterial = {
  id: number;
  form: "json" | "sparkplug" | "mapped";
  address: string;
  noDataTimeoutS: number;
  lastAtMs: number | null;
  lagS: number | null;
  announced: boolean | null;
  announcedAtMs: number | null;
  minutes: Span[]; // first and last value of each minute
  links: { atMs: number; alive: boolean | null; kind: string }[];
};

export type Reading = { atMs: number; value: number | null; text: string | null };

export type MachineMaterial = {
  id: number;
  key: string;
  name: string;
  kind: string;
  upstreamId: number | null;
  downstreamId: number | null;
  noCountTimeoutSetS: number | null;
  productName: string | null; // of the newest product reading
  idealCycleS: number | null; // in force now, for the product that runs
  rates: { product: string | null; fromMs: number; toMs: number | null; idealCycleS: number }[];
  products: Reading[]; // product readings: the one in force at the window's start and those since
  signals: SignalMaterial[];
  states: Reading[]; // changes of state, the one in force at the window's start first
  faults: Reading[]; // fault codes, likewise
  firstReadingMs: number | null; // of a machine without a state signal: a count from before the window, else its first
  pieceMinutes: Span[]; // first and last piece of each minute and count signal
  pieces: { hourMs: number; inWindow: boolean; role: string; pieces: number }[]; // by clock hour; inWindow: since the shift began, or in all of the window
};

export type ShiftMaterial = { name: string; fromMs: number; toMs: number; breaks: { name: string; fromMs: number; toMs: number }[] };

export type BoardMaterial = {
  line: LineRow & { topology: string; constraintMachineId: number | null; lastMachineId: number | null };
  fromMs: number; // start of what is looked at: the shift's start, and at least 8 h back
  hourFromMs: number; // start of the present clock hour at the site
  hasShifts: boolean; // false: the line has no shift plan at all
  shifts: ShiftMaterial[]; // those that reach into the window
  nextShift: { name: string; fromMs: number } | null;
  reasons: { key: string; name: string; faultCode: string | null }[];
  machines: MachineMaterial[];
  sources: SourceMaterial[];
};

/** Far enough to say since when a machine stands in most cases; a shift is at most a day long. */
const lookBackS = 8 * 3600;

/**
 * How far back the one statement looks for the readings in force when the window began: a shift, and a long weekend before it.
 * History is kept for ever in daily chunks, and a statement without a lower bound that is known when it is planned opens every one of them.
 */
const boundS = 6 * 86_400;
/** Presence: further, because a source's time-out may be long. */
const presenceBoundS = 35 * 86_400;

/** All that a line's picture needs. null where the line is gone. */
export async function boardMaterial(db: Db, lineId: number, now: Date): Promise<BoardMaterial | null> {
  const back = (s: number) => new Date(now.getTime() - s * 1000);
  const found = await db.rows<{ material: BoardMaterial; dataFrom: Date; unsettled: number[] }>(
    boardMaterialSql,
    [lineId, now, lookBackS, back(boundS), back(presenceBoundS)],
    { prepared: "boards.boardMaterial" },
  );
  const [row] = found;
  if (!row) return null;
  if (row.unsettled.length > 0) await settle(db, row.material, row.unsettled, row.dataFrom);
  return row.material;
}

type Before = { signalId: number; role: string; machineId: number; atMs: number; value: number | null; text: string | null };

/** Puts in the readings in force at the window's start that are older than the bound: of signals that were still for days and changed in the window. */
async function settle(db: Db, material: BoardMaterial, unsettled: readonly number[], dataFrom: Date): Promise<void> {
  let open = [...unsettled];
  for (const days of [60, null]) {
    if (open.length === 0) return;
    const since = days === null ? "-infinity" : new Date(dataFrom.getTime() - days * 86_400_000);
    const found = await db.rows<Before>(
      `-- boards.settle
      select g.id as "signalId", g.role, g.machine_id as "machineId", ${ms("b.at")}::float8 as "atMs", b.value, b.text_value as text
      from signal g, lateral (
        select r.at, r.value, r.text_value from ledger_sample r where r.signal_id = g.id and r.at <= $2::timestamptz and r.at > $3::timestamptz
        order by r.at desc limit 1
      ) b where g.id = any($1::int[])`,
      [open, dataFrom, since],
    );
    for (const before of found) putIn(material, before);
    open = open.filter((id) => !found.some((before) => before.signalId === id));
  }
}

function putIn(material: BoardMaterial, { role, machineId, atMs, value, text }: Before): void {
  const machine = material.machines.find((one) => one.id === machineId);
  if (!machine) return;
  const readings = { state: machine.states, product: machine.products, fault_code: machine.faults }[role];
  if (!readings) machine.firstReadingMs = Math.min(machine.firstReadingMs ?? atMs, atMs);
  else {
    readings.unshift({ atMs, value, text });
    readings.sort((a, b) => a.atMs - b.atMs); // a machine may have two signals of a role
  }
}

const ms = (column: string) => `round(extract(epoch from ${column}) * 1000)`;

const boardMaterialSql = `-- boards.boardMaterial
with line_now as (
  select l.id, l.key, l.name, l.topology, l.constraint_machine_id, l.last_machine_id,
         a.key as area_key, a.name as area_name, s.id as site_id, s.key as site_key, s.name as site_name, s.zone,
         date_trunc('hour', $2::timestamptz at time zone s.zone) at time zone s.zone as hour_from
  from line l join area a on a.id = l.area_id join site s on s.id = a.site_id
  where l.id = $1 and l.retired_at is null
), machine_now as (
  select m.*, coalesce((select p.name from product p where p.key = product.text_value), product.text_value) as product_name, rate.ideal_cycle_s,
         coalesce(m.no_count_timeout_s, greatest(60, 3 * rate.ideal_cycle_s), 60)::float8 as timeout_s
  from machine m
  left join lateral (
    select coalesce(t.text_value, t.value::text) as text_value from signal g join signal_latest t on t.signal_id = g.id
    where g.machine_id = m.id and g.role = 'product' and g.retired_at is null order by t.at desc limit 1
  ) product on true
  left join lateral (
    select c.ideal_cycle_s from ideal_cycle c left join product p on p.id = c.product_id
    where c.machine_id = m.id and c.from_at <= $2 and (c.to_at is null or c.to_at > $2)
      and (c.product_id is null or p.key = product.text_value)
    order by c.product_id nulls last limit 1
  ) rate on true
  where m.line_id = $1 and m.retired_at is null
), span as (
  select f.*, f.from_at - make_interval(secs => greatest(600, (select max(timeout_s) from machine_now))) as data_from
  from (
    select least(i.from_at, b.from_at) as from_at, coalesce(i.from_at, b.from_at) as count_from
    from (select $2::timestamptz - make_interval(secs => $3::int) as from_at) b
    left join shift_instance i on i.line_id = $1 and i.status <> 'cancelled' and i.from_at <= $2 and i.to_at > $2
  ) f
), signal_now as (
  select g.*, t.at, t.value, t.text_value, t.piece_at, t.cycle_s, t.values_total
  from signal g join machine_now m on m.id = g.machine_id left join signal_latest t on t.signal_id = g.id
  where g.retired_at is null
), before as ( -- the last reading before the window: the newest of all where nothing came since; of count signals for machines without a state
  select g.id as signal_id, g.machine_id, g.role, g.at as newest_at, g.values_total,
         case when g.at <= w.data_from then g.at else b.at end as at,
         case when g.at <= w.data_from then g.value else b.value end as value,
         case when g.at <= w.data_from then g.text_value else b.text_value end as text_value
  from signal_now g cross join span w left join lateral (
    select r.at, r.value, r.text_value from ledger_sample r
    where r.signal_id = g.id and r.at <= w.data_from and r.at > $4::timestamptz and (g.at <= w.data_from) is not true order by r.at desc limit 1
  ) b on true
  where g.role in ('state', 'product', 'fault_code')
     or g.role like '%\\_count' and not exists (select from signal_now s where s.machine_id = g.machine_id and s.role = 'state')
), reading as ( -- of state, product and fault code: the last before the window, and all since
  select signal_id, machine_id, role, at, value, text_value from before where at is not null and role in ('state', 'product', 'fault_code')
  union all
  select g.id, g.machine_id, g.role, r.at, r.value, r.text_value
  from signal_now g, span w, ledger_sample r
  where r.signal_id = g.id and r.at > w.data_from and r.at > $4::timestamptz and r.at <= $2 and g.role in ('state', 'product', 'fault_code')
), change as ( -- equal neighbours say nothing
  select * from (
    select r.*, row_number() over neighbours = 1
        or (r.value, r.text_value) is distinct from (lag(r.value) over neighbours, lag(r.text_value) over neighbours) as changed
    from reading r window neighbours as (partition by r.signal_id order by r.at)
  ) marked where changed
), counted as (
  select c.machine_id, g.role, c.minute, c.pieces, c.first_at, c.last_at
  from count_minute c join signal_now g on g.id = c.signal_id, span w
  where c.machine_id in (select id from machine_now) and c.minute >= w.data_from and c.minute > $4::timestamptz and c.minute < $2
), source_now as (
  select distinct o.* from source o join signal_now g on g.source_id = o.id
), presence as (
  select n.source_id, n.minute, n.first_at, n.last_at
  from source_now o, span w, source_minute n
  -- far enough back to know whether the source was there when the window began
  where n.source_id = o.id and n.minute > w.data_from - make_interval(secs => o.no_data_timeout_s + 120) and n.minute > $5::timestamptz and n.minute < $2
), link as (
  select e.source_id, e.at, e.alive, e.kind from source_now o, span w, lateral (
    (select b.* from link_event b where b.source_id = o.id and b.alive is not null and b.at <= w.data_from order by b.at desc limit 1)
    union all
    (select b.* from link_event b where b.source_id = o.id and b.at > w.data_from and b.at <= $2)
  ) e
)
select json_build_object(
  'line', json_build_object('siteKey', l.site_key, 'siteName', l.site_name, 'zone', l.zone, 'areaKey', l.area_key, 'areaName', l.area_name,
    'lineId', l.id, 'lineKey', l.key, 'lineName', l.name, 'machines', (select count(*) from machine_now),
    'topology', l.topology, 'constraintMachineId', l.constraint_machine_id, 'lastMachineId', l.last_machine_id),
  'fromMs', ${ms("w.from_at")}, 'hourFromMs', ${ms("l.hour_from")},
  'hasShifts', exists (select from shift_instance i where i.line_id = $1 and i.status <> 'cancelled'),
  'shifts', coalesce((select json_agg(json_build_object('name', i.name, 'fromMs', ${ms("i.from_at")}, 'toMs', ${ms("i.to_at")}, 'breaks', coalesce((
      select json_agg(json_build_object('name', b.name, 'fromMs', ${ms("b.from_at")}, 'toMs', ${ms("b.to_at")}) order by b.from_at)
      from shift_instance_break b where b.shift_instance_id = i.id), '[]')) order by i.from_at)
      from shift_instance i where i.line_id = $1 and i.status <> 'cancelled' and i.from_at <= $2 and i.to_at > w.from_at), '[]'),
  'nextShift', (select json_build_object('name', i.name, 'fromMs', ${ms("i.from_at")}) from shift_instance i
      where i.line_id = $1 and i.status <> 'cancelled' and i.from_at > $2 order by i.from_at limit 1),
  'reasons', coalesce((select json_agg(json_build_object('key', r.key, 'name', r.name, 'faultCode', r.fault_code)) from reason r where r.site_id = l.site_id), '[]'),
  'machines', coalesce((select json_agg(json_build_object(
      'id', m.id, 'key', m.key, 'name', m.name, 'kind', m.kind, 'upstreamId', m.upstream_id, 'downstreamId', m.downstream_id,
      'noCountTimeoutSetS', m.no_count_timeout_s, 'productName', m.product_name, 'idealCycleS', m.ideal_cycle_s,
      'rates', coalesce((select json_agg(json_build_object('product', p.key, 'fromMs', ${ms("c.from_at")}, 'toMs', ${ms("c.to_at")}, 'idealCycleS', c.ideal_cycle_s))
          from ideal_cycle c left join product p on p.id = c.product_id
          where c.machine_id = m.id and c.from_at < $2 and (c.to_at is null or c.to_at > w.from_at)), '[]'),
      'products', coalesce((select json_agg(json_build_object('atMs', ${ms("c.at")}, 'value', c.value, 'text', c.text_value) order by c.at)
          from change c where c.machine_id = m.id and c.role = 'product'), '[]'),
      'signals', coalesce((select json_agg(json_build_object('id', g.id, 'role', g.role, 'sourceId', g.source_id, 'valueMap', g.value_map, 'periodS', g.period_s,
          'atMs', ${ms("g.at")}, 'value', g.value, 'text', g.text_value, 'pieceAtMs', ${ms("g.piece_at")}, 'cycleS', g.cycle_s) order by g.id)
          from signal_now g where g.machine_id = m.id), '[]'),
      'states', coalesce((select json_agg(json_build_object('atMs', ${ms("c.at")}, 'value', c.value, 'text', c.text_value) order by c.at)
          from change c where c.machine_id = m.id and c.role = 'state'), '[]'),
      'faults', coalesce((select json_agg(json_build_object('atMs', ${ms("c.at")}, 'value', c.value, 'text', c.text_value) order by c.at)
          from change c where c.machine_id = m.id and c.role = 'fault_code'), '[]'),
      'firstReadingMs', (select ${ms("min(coalesce(b.at, r.at))")} from before b left join lateral (
          select r.at from ledger_sample r
          where b.at is null and r.signal_id = b.signal_id and r.at > w.data_from and r.at > $4::timestamptz order by r.at limit 1) r on true
          where b.machine_id = m.id and b.role like '%\\_count'),
      'pieceMinutes', coalesce((select json_agg(json_build_array(${ms("c.first_at")}, ${ms("c.last_at")}) order by c.first_at) from counted c where c.machine_id = m.id and c.first_at is not null), '[]'),
      'pieces', coalesce((select json_agg(x) from (
          select ${ms("date_trunc('hour', c.minute at time zone l.zone) at time zone l.zone")} as "hourMs", c.minute >= w.count_from as "inWindow", c.role, sum(c.pieces) as pieces
          from counted c where c.machine_id = m.id group by 1, 2, 3) x), '[]')
    ) order by m.position, m.id) from machine_now m), '[]'),
  'sources', coalesce((select json_agg(json_build_object(
      'id', o.id, 'form', o.form, 'address', o.address, 'noDataTimeoutS', o.no_data_timeout_s,
      'lastAtMs', ${ms("t.last_at")}, 'lagS', t.lag_s, 'announced', t.announced, 'announcedAtMs', ${ms("t.announced_at")},
      'minutes', coalesce((select json_agg(json_build_array(${ms("p.first_at")}, ${ms("p.last_at")}) order by p.minute) from presence p where p.source_id = o.id), '[]'),
      'links', coalesce((select json_agg(json_build_object('atMs', ${ms("e.at")}, 'alive', e.alive, 'kind', e.kind) order by e.at) from link e where e.source_id = o.id), '[]')
    )) from source_now o left join source_status t on t.source_id = o.id), '[]')
) as material, w.data_from as "dataFrom",
-- signals with a reading in the window, none before it within the bound, and more readings in all than since the bound
coalesce((select json_agg(b.signal_id) from before b where b.at is null and b.newest_at > w.data_from
  and coalesce(nullif(b.values_total, 0) > (select count(*) from ledger_sample r where r.signal_id = b.signal_id and r.at > $4::timestamptz), true)), '[]') as unsettled
from line_now l, span w`;

/** Sites in use where the actor may do it, by name. */
export const siteNames = (db: Db, scope: Scope) =>
  db.rows<{ key: string; name: string }>(
    `-- boards.siteNames
    select key, name from site where retired_at is null and ${inSites(1, "id")} order by name, id`,
    [sitesIn(scope)],
  );
