// The worker's copy of the plant: sources, signals with their newest committed reading, and how topics and metrics lead to them.
import type pg from "pg";
import type { Latest, Role, Signal, Source } from "./sample.ts";

export type Mapping = { pattern: string; path: string; tsPath: string | null; signal: Signal };
export type Machine = {
  id: number;
  lineId: number;
  path: string;
  source: Source | null;
  signals: Map<string, Signal>;
  job: Signal | null /** Of its fastest product, s a piece; null: none is known. */;
  idealCycleS: number | null;
};

export type Plant = {
  revision: number;
  signals: Map<number, Signal>;
  machines: Map<number, Machine>;
  /** by site/area/line/machine */
  machinePaths: Map<string, Machine>;
  sources: Map<string, Source>;
  jsonMappings: Mapping[];
  /** by address, then metric */
  sparkplugMappings: Map<string, Map<string, Signal>>;
};

type SourceRow = Omit<Source, "newestAt"> & { newestAt: number | null };
type MachineRow = { id: number; lineId: number; path: string; idealCycleS: number | null };
type LatestRow = Omit<Latest, "changes" | "keptAt">;
type SignalRow = Omit<Signal, "source" | "counter" | "valueMap" | "latest" | "work" | "markedHour"> & {
  key: string;
  sourceId: number;
  counterMode: "cumulative" | "increment" | null;
  counterModulus: number | null;
  valueMap: Record<string, unknown> | null;
  latest: LatestRow | null;
};
type MappingRow = { signalId: number; form: "json" | "sparkplug"; pattern: string; path: string; tsPath: string | null };

/** Reads the plant and the newest readings, in one snapshot. Signals of the copy before stay the same objects: samples under way point to them. */
export async function loadPlant(db: pg.ClientBase, before: Plant | null): Promise<Plant> {
  await db.query("begin isolation level repeatable read read only");
  try {
    const revision = await db.query<{ revision: string }>("select revision from plant_revision");
    const sources = await db.query<SourceRow>(`-- ingest.sources
      select s.id, s.address, s.form, s.no_data_timeout_s * 1000 as "noDataTimeoutMs", s.max_backfill_s::float8 * 1000 as "maxBackfillMs", t.announced,
        ${ms("t.announced_at")} as "announcedAt", t.announced_by as "announcedBy", ${ms("t.last_at")} as "newestAt"
      from source s left join source_status t on t.source_id = s.id where s.retired_at is null`);
    const machines = await db.query<MachineRow>(`-- ingest.machines
      select m.id, m.line_id as "lineId", concat_ws('/', si.key, a.key, l.key, m.key) as path,
        (select min(c.ideal_cycle_s) from ideal_cycle c where c.machine_id = m.id and (c.to_at is null or c.to_at > now())) as "idealCycleS"
      from machine m join line l on l.id = m.line_id join area a on a.id = l.area_id join site si on si.id = a.site_id`);
    const signals = await db.query<SignalRow>(`-- ingest.signals
      select g.id, g.machine_id as "machineId", m.line_id as "lineId", g.source_id as "sourceId", g.key, g.role, g.retention_class = 'ledger' as ledger,
        concat_ws('/', si.key, a.key, l.key, m.key, g.key) as path, g.scale, g.value_offset as "offset", g.value_map as "valueMap",
        g.counter_mode as "counterMode", g.counter_modulus as "counterModulus", g.low_limit as "lowLimit", g.high_limit as "highLimit", g.unit, g.dead_band as "deadBand",
        coalesce(g.retired_at, m.retired_at, l.retired_at, a.retired_at, si.retired_at) is not null as retired,
        case when t.signal_id is not null then json_build_object('at', ${ms("t.at")}, 'value', t.value, 'text', t.text_value, 'flags', t.flags,
          'receivedAt', ${ms("t.received_at")}, 'pieceAt', ${ms("t.piece_at")}, 'cycleS', t.cycle_s, 'periodS', t.period_s, 'valuesTotal', t.values_total, 'firstAt', ${ms("t.first_at")}) end as latest
      from signal g join machine m on m.id = g.machine_id join line l on l.id = m.line_id join area a on a.id = l.area_id join site si on si.id = a.site_id
        left join signal_latest t on t.signal_id = g.id`);
    const mappings = await db.query<MappingRow>(`-- ingest.mappings
      select signal_id as "signalId", form, pattern, path, ts_path as "tsPath" from topic_mapping`);
    return build(Number(revision.rows[0]?.revision ?? 0), before, sources.rows, machines.rows, signals.rows, mappings.rows);
  } finally {
    await db.query("rollback");
  }
}

function remembered(role: string, row: LatestRow): Latest {
  const at = Math.round(row.at * 1000) / 1000;
  return { ...row, at, keptAt: null, changes: role === "job" ? [{ at, text: row.text ?? "" }] : null };
}

/** What was not committed yet is known of the copy before. */
const newestOf = ({ newestAt }: SourceRow, before: Source | undefined) =>
  Math.max(newestAt ?? Number.NEGATIVE_INFINITY, before?.newestAt ?? Number.NEGATIVE_INFINITY);

/** Stands for a source that was retired. */
const goneSource = (id: number, address: string): Source => ({
  id,
  address,
  form: "mapped",
  noDataTimeoutMs: 60_000,
  maxBackfillMs: 0,
  announced: null,
  announcedAt: null,
  announcedBy: null,
  newestAt: Number.NEGATIVE_INFINITY,
});

const ms = (column: string) => `extract(epoch from ${column})::float8 * 1000`;

function build(
  revision: number,
  before: Plant | null,
  sourceRows: SourceRow[],
  machineRows: MachineRow[],
  signalRows: SignalRow[],
  mappingRows: MappingRow[],
): Plant {
  const sources = new Map(sourceRows.map((row) => [row.address, { ...row, newestAt: newestOf(row, before?.sources.get(row.address)) }]));
  const sourceById = new Map([...sources.values()].map((source) => [source.id, source]));
  const machines = new Map<number, Machine>();
  const machinePaths = new Map<string, Machine>();
  for (const row of machineRows) {
    const machine: Machine = { ...row, source: sources.get(row.path) ?? null, signals: new Map(), job: null };
    machines.set(row.id, machine);
    machinePaths.set(row.path, machine);
  }
  const signals = new Map<number, Signal>();
  for (const row of signalRows) {
    const source = sourceById.get(row.sourceId);
    const machine = machines.get(row.machineId);
    if (!machine) continue;
    const read: Signal = {
      id: row.id,
      machineId: row.machineId,
      lineId: row.lineId,
      source: source ?? goneSource(row.sourceId, row.path),
      path: row.path,
      role: row.role as Role,
      ledger: row.ledger,
      counter: row.counterMode === null ? null : { mode: row.counterMode, modulus: row.counterModulus },
      scale: row.scale,
      offset: row.offset,
      valueMap: row.valueMap === null ? null : new Map(Object.entries(row.valueMap)),
      lowLimit: row.lowLimit,
      highLimit: row.highLimit,
      unit: row.unit,
      deadBand: row.deadBand,
      retired: row.retired || !source,
      latest: row.latest && remembered(row.role, row.latest),
      work: null,
      markedHour: Number.NaN,
    };
    const known = before?.signals.get(row.id);
    const signal = known ? Object.assign(known, read) : read;
    signals.set(row.id, signal);
    machine.signals.set(row.key, signal);
    if (row.role === "job") machine.job = signal;
  }
  const jsonMappings: Mapping[] = [];
  const sparkplugMappings = new Map<string, Map<string, Signal>>();
  for (const row of mappingRows) {
    const signal = signals.get(row.signalId);
    if (!signal) continue;
    if (row.form === "json") jsonMappings.push({ pattern: row.pattern, path: row.path, tsPath: row.tsPath, signal });
    else {
      const metrics = sparkplugMappings.get(row.pattern) ?? new Map<string, Signal>();
      sparkplugMappings.set(row.pattern, metrics.set(row.path, signal));
    }
  }
  return { revision, signals, machines, machinePaths, sources, jsonMappings, sparkplugMappings };
}
