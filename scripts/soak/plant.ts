/** A plant for tests of the ingest worker: lines whose machines send JSON, straight into the tables. */
import type pg from "pg";

export type SignalRow = {
  key: string;
  role: string;
  unit?: string;
  scale?: number;
  offset?: number;
  valueMap?: Record<string, unknown>;
  counterMode?: "cumulative" | "increment";
  counterModulus?: number;
  lowLimit?: number;
  highLimit?: number;
};
export type LineRow = { site: string; area: string; line: string; zone?: string; machines: Record<string, readonly SignalRow[]> };
/** Ids by path: site/area/line, site/area/line/machine, .../signal; a machine's source has the machine's address. */
export type PlantIds = { lines: Map<string, number>; machines: Map<string, number>; signals: Map<string, number>; sources: Map<string, number> };

export const noIds = (): PlantIds => ({ lines: new Map(), machines: new Map(), signals: new Map(), sources: new Map() });

/** Adds a line; site and area are made where missing. Adds what it made to `ids`. */
export async function addLine(db: pg.ClientBase | pg.Pool, spec: LineRow, ids = noIds()): Promise<PlantIds> {
  const id = async (sql: string, values: unknown[]): Promise<number> => {
    const { rows } = await (db as pg.Pool).query<{ id: number }>(sql, values);
    return rows[0]!.id;
  };
  const enterprise = await id(
    "insert into enterprise (key, name) values ('works', 'Works') on conflict (key) do update set name = excluded.name returning id",
    [],
  );
  const site = await id(
    "insert into site (enterprise_id, key, name, zone) values ($1, $2, $2, $3) on conflict (key) do update set name = excluded.name returning id",
    [enterprise, spec.site, spec.zone ?? "Europe/Berlin"],
  );
  const area = await id(
    "insert into area (site_id, key, name) values ($1, $2, $2) on conflict (site_id, key) do update set name = excluded.name returning id",
    [site, spec.area],
  );
  const line = await id("insert into line (area_id, key, name) values ($1, $2, $2) returning id", [area, spec.line]);
  const linePath = `${spec.site}/${spec.area}/${spec.line}`;
  ids.lines.set(linePath, line);
  for (const [key, signals] of Object.entries(spec.machines)) {
    const path = `${linePath}/${key}`;
    const machine = await id("insert into machine (line_id, key, name) values ($1, $2, $2) returning id", [line, key]);
    const source = await id("insert into source (site_id, form, address) values ($1, 'json', $2) returning id", [site, path]);
    ids.machines.set(path, machine);
    ids.sources.set(path, source);
    for (const signal of signals) ids.signals.set(`${path}/${signal.key}`, await id(insertSignal, signalValues(machine, source, signal)));
  }
  return ids;
}

const insertSignal = `insert into signal (machine_id, source_id, key, name, role, unit, scale, value_offset, value_map, counter_mode, counter_modulus, low_limit, high_limit)
  values ($1, $2, $3, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) returning id`;

const signalValues = (machine: number, source: number, s: SignalRow): unknown[] => [
  machine,
  source,
  s.key,
  s.role,
  s.unit ?? "",
  s.scale ?? 1,
  s.offset ?? 0,
  s.valueMap ? JSON.stringify(s.valueMap) : null,
  s.counterMode ?? (s.role.endsWith("_count") ? "cumulative" : null),
  s.counterModulus ?? null,
  s.lowLimit ?? null,
  s.highLimit ?? null,
];
