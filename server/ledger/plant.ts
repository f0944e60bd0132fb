/** What the ledger needs to know of machines: settings, signals, rates, money, neighbours. Instants come as ms since 1970. */
import type { Db } from "#/server/db.ts";
import type { Money } from "#/server/domain/facts.ts";
import type { CycleRate } from "#/server/domain/segments.ts";
import type { LossClass } from "#/server/domain/state.ts";

export type LedgerSignal = {
  id: number;
  role: string;
  sourceId: number;
  valueMap: Record<string, unknown> | null;
  periodS: number | null;
  counterMode: "cumulative" | "increment" | null;
  counterModulus: number | null;
};

export type PlantMachine = {
  machineId: number;
  lineId: number;
  siteId: number;
  zone: string;
  upstreamId: number | null;
  downstreamId: number | null;
  noCountTimeoutS: number | null;
  minRunS: number;
  ignoreStopS: number;
  microStopS: number;
  startupS: number;
  plansNoOrder: boolean;
  signals: LedgerSignal[];
  rates: CycleRate[];
  money: Money;
};

const ms = (column: string) => `round(extract(epoch from ${column}) * 1000)::float8`;

/** Machines of the ids, retired ones and their retired signals too: their history stays. */
export const plantMachines = (db: Db, machineIds: readonly number[]) =>
  db.rows<PlantMachine>(
    `-- ledger.plantMachines
    select m.id as "machineId", m.line_id as "lineId", m.site_id as "siteId", s.zone, m.upstream_id as "upstreamId", m.downstream_id as "downstreamId",
      m.no_count_timeout_s::float8 as "noCountTimeoutS", m.min_run_s as "minRunS", m.ignore_stop_s as "ignoreStopS", l.micro_stop_s as "microStopS", m.startup_s as "startupS",
      s.no_order_is_planned as "plansNoOrder",
      coalesce((select json_agg(json_build_object('id', g.id, 'role', g.role, 'sourceId', g.source_id, 'valueMap', g.value_map, 'periodS', g.period_s,
          'counterMode', g.counter_mode, 'counterModulus', g.counter_modulus) order by g.id)
        from signal g where g.machine_id = m.id and g.role not in ('measurement', 'energy')), '[]') as signals,
      coalesce((select json_agg(json_build_object('id', c.id::text, 'product', p.key, 'from', ${ms("c.from_at")}, 'to', ${ms("c.to_at")}, 'idealCycleS', c.ideal_cycle_s) order by c.id)
        from ideal_cycle c left join product p on p.id = c.product_id where c.machine_id = m.id), '[]') as rates,
      json_build_object(
        'machine', coalesce((select json_agg(json_build_object('from', ${ms("c.from_at")}, 'to', ${ms("c.to_at")}, 'costPerHour', c.cost_per_hour) order by c.from_at)
          from machine_cost c where c.machine_id = m.id), '[]'),
        'pieces', coalesce((select json_agg(json_build_object('from', ${ms("c.from_at")}, 'to', ${ms("c.to_at")}, 'product', p.key, 'value', c.value_per_piece, 'scrapCost', c.scrap_cost_per_piece)
            order by p.key, c.from_at)
          from product_cost c join product p on p.id = c.product_id where c.site_id = m.site_id), '[]')) as money
    from machine m join line l on l.id = m.line_id join site s on s.id = m.site_id
    where m.id = any($1::int[]) order by m.id`,
    [machineIds],
  );

/** Loss class of each reason of the sites, and which reason a fault code means. */
export type ReasonRow = { siteId: number; key: string; loss: LossClass; faultCode: string | null };
export const reasonRows = (db: Db, siteIds: readonly number[]) =>
  db.rows<ReasonRow>(
    `-- ledger.reasonRows
    select site_id as "siteId", key, loss, fault_code as "faultCode" from reason where site_id = any($1::int[]) order by id`,
    [siteIds],
  );

/** Products of the sites' jobs by the number that a job signal says. */
export const jobProducts = (db: Db, siteIds: readonly number[], numbers: readonly string[]) =>
  db.rows<{ siteId: number; number: string; product: string }>(
    `-- ledger.jobProducts
    select j.site_id as "siteId", j.number, p.key as product from job j join product p on p.id = j.product_id where j.site_id = any($1::int[]) and j.number = any($2::text[])`,
    [siteIds, numbers],
  );

export type LineTopology = { lineId: number; topology: "parallel" | "constraint"; constraintId: number | null; lastId: number | null; perPiece: number };
export const lineTopologies = (db: Db, lineIds: readonly number[]) =>
  db.rows<LineTopology>(
    `-- ledger.lineTopologies
    select id as "lineId", topology, constraint_machine_id as "constraintId", last_machine_id as "lastId", pieces_per_piece as "perPiece" from line where id = any($1::int[]) order by id`,
    [lineIds],
  );

export type ShiftRow = { lineId: number; id: string; businessDate: string; from: number; to: number; breaks: { from: number; to: number }[] };
/** Shifts of lines that reach into a window and take place. */
export const shiftRows = (db: Db, lineIds: readonly number[], from: number, to: number) =>
  db.rows<ShiftRow>(
    `-- ledger.shiftRows
    select i.line_id as "lineId", i.id::text, i.business_date::text as "businessDate", ${ms("i.from_at")} as "from", ${ms("i.to_at")} as "to",
      coalesce((select json_agg(json_build_object('from', ${ms("b.from_at")}, 'to', ${ms("b.to_at")}) order by b.from_at) from shift_instance_break b where b.shift_instance_id = i.id), '[]') as breaks
    from shift_instance i
    where i.line_id = any($1::int[]) and i.status <> 'cancelled' and i.from_at < to_timestamp($3 / 1000.0) and i.to_at > to_timestamp($2 / 1000.0)
    order by i.line_id, i.from_at`,
    [lineIds, from, to],
  );
