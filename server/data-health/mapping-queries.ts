/** SQL of mapping: known machines and signals. */
import type { Db } from "#/server/db.ts";
import type { Scope } from "#/server/domain/permission.ts";
import { inLines, linesIn } from "#/server/scope.ts";

/** zone: its site's. */
export type MachineRow = { id: number; path: string; name: string; siteId: number; lineId: number; zone: string };

/** The machines in use where the actor may. */
export const machineRows = (db: Db, scope: Scope) =>
  db.rows<MachineRow>(
    `-- dataHealth.machineRows
    select m.id, concat_ws('/', s.key, a.key, l.key, m.key) as path, m.name, s.id as "siteId", l.id as "lineId", s.zone
    from machine m join line l on l.id = m.line_id join area a on a.id = l.area_id join site s on s.id = a.site_id
    where m.retired_at is null and l.retired_at is null and a.retired_at is null and s.retired_at is null and ${inLines(1, "s.id", "l.id")}
    order by 2`,
    linesIn(scope),
  );

export type MappingForm = "json" | "sparkplug";

export type MappableRow = {
  id: number;
  key: string;
  name: string;
  role: string;
  unit: string;
  mappingForm: MappingForm; // of mappings that can lead to it
  machineId: number;
  machinePath: string;
  machineName: string;
  siteId: number;
  lineId: number;
};

/** The signals in use where the actor may. */
export const mappableSignals = (db: Db, scope: Scope) =>
  db.rows<MappableRow>(
    `-- dataHealth.mappableSignals
    select g.id, g.key, g.name, g.role, g.unit, g.mapping_form as "mappingForm", m.id as "machineId", concat_ws('/', s.key, a.key, l.key, m.key) as "machinePath",
      m.name as "machineName", s.id as "siteId", l.id as "lineId"
    from signal g join machine m on m.id = g.machine_id join line l on l.id = m.line_id join area a on a.id = l.area_id join site s on s.id = a.site_id
    where g.retired_at is null and m.retired_at is null and l.retired_at is null and ${inLines(1, "s.id", "l.id")}
    order by 8, g.key`,
    linesIn(scope),
  );

/** How the values of a signal are read. */
export type ReadingRow = {
  id: number;
  path: string;
  role: string;
  unit: string;
  scale: number;
  offset: number;
  valueMap: Record<string, unknown> | null;
  lowLimit: number | null;
  highLimit: number | null;
};

/** Those of the signals that are in use where the actor may. */
export const readingSignals = (db: Db, scope: Scope, ids: readonly number[]) =>
  db.rows<ReadingRow>(
    `-- dataHealth.readingSignals
    select g.id, concat_ws('/', s.key, a.key, l.key, m.key, g.key) as path, g.role, g.unit, g.scale, g.value_offset as "offset", g.value_map as "valueMap",
      g.low_limit as "lowLimit", g.high_limit as "highLimit"
    from signal g join machine m on m.id = g.machine_id join line l on l.id = m.line_id join area a on a.id = l.area_id join site s on s.id = a.site_id
    where g.id = any($4::int[]) and g.retired_at is null and m.retired_at is null and l.retired_at is null and ${inLines(1, "s.id", "l.id")}`,
    [...linesIn(scope), [...new Set(ids)]],
  );

export type Publisher = { form: "json" | "sparkplug" | "mapped"; address: string };

/** Whose silence makes the signal's time unknown. */
export async function publisherOfSignal(db: Db, signalId: number): Promise<Publisher | null> {
  const found = await db.rows<Publisher>(
    "-- dataHealth.publisherOfSignal\nselect o.form, o.address from signal g join source o on o.id = g.source_id where g.id = $1",
    [signalId],
  );
  return found[0] ?? null;
}

/** Ids of the sites in use that have these keys. */
export async function sitesNamed(db: Db, keys: readonly string[]): Promise<ReadonlyMap<string, number>> {
  const found = await db.rows<{ id: number; key: string }>("-- dataHealth.sitesNamed\nselect id, key from site where key = any($1) and retired_at is null", [
    keys,
  ]);
  return new Map(found.map(({ id, key }) => [key, id]));
}
