/** SQL of mapping: known machines and signals, and what a new mapping writes. */
import type { Db } from "#/server/db.ts";

export type MachineRow = { id: number; path: string; name: string; siteId: number };

export const machineRows = (db: Db) =>
  db.rows<MachineRow>(`-- dataHealth.machineRows
    select m.id, concat_ws('/', s.key, a.key, l.key, m.key) as path, m.name, s.id as "siteId"
    from machine m join line l on l.id = m.line_id join area a on a.id = l.area_id join site s on s.id = a.site_id
    where m.retired_at is null and l.retired_at is null and a.retired_at is null and s.retired_at is null
    order by 2`);

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
};

export const mappableSignals = (db: Db) =>
  db.rows<MappableRow>(`-- dataHealth.mappableSignals
    select g.id, g.key, g.name, g.role, g.unit, g.mapping_form as "mappingForm", m.id as "machineId", concat_ws('/', s.key, a.key, l.key, m.key) as "machinePath", m.name as "machineName"
    from signal g join machine m on m.id = g.machine_id join line l on l.id = m.line_id join area a on a.id = l.area_id join site s on s.id = a.site_id
    where g.retired_at is null and m.retired_at is null and l.retired_at is null
    order by 8, g.key`);

/** The signal that a pattern and path lead to already; null: none. */
export async function mappedTo(db: Db, form: MappingForm, pattern: string, path: string): Promise<{ signalId: number; signalPath: string } | null> {
  const found = await db.rows<{ signalId: number; signalPath: string }>(
    `-- dataHealth.mappedTo
    select t.signal_id as "signalId", concat_ws('/', s.key, a.key, l.key, m.key, g.key) as "signalPath"
    from topic_mapping t join signal g on g.id = t.signal_id join machine m on m.id = g.machine_id
      join line l on l.id = m.line_id join area a on a.id = l.area_id join site s on s.id = a.site_id
    where t.form = $1 and t.pattern = $2 and t.path = $3`,
    [form, pattern, path],
  );
  return found[0] ?? null;
}

/** True: written. False: pattern and path are taken, by whoever was quicker. */
export async function insertMapping(db: Db, mapping: { signalId: number; form: MappingForm; pattern: string; path: string }): Promise<boolean> {
  const made = await db.rows(
    `-- dataHealth.insertMapping
    insert into topic_mapping (signal_id, form, pattern, path) values ($1, $2, $3, $4) on conflict (form, pattern, path) do nothing returning id`,
    [mapping.signalId, mapping.form, mapping.pattern, mapping.path],
  );
  return made.length > 0;
}

/** The publisher of a new signal: the one with that address, made where there is none. @returns null: the address belongs to another form or site, or is retired */
export async function sourceFor(db: Db, source: { siteId: number; form: "json" | "sparkplug" | "mapped"; address: string }): Promise<number | null> {
  const found = await db.rows<{ id: number }>(
    `-- dataHealth.sourceFor
    with made as (insert into source (site_id, form, address) values ($1, $2, $3) on conflict (address) do nothing returning id)
    select id from made union all
    select id from source where address = $3 and form = $2 and site_id = $1 and retired_at is null limit 1`,
    [source.siteId, source.form, source.address],
  );
  return found[0]?.id ?? null;
}

/** Key of the machine's signal with this role; null: it has none, and nobody else can make one before this transaction ends. */
export async function keyInRole(db: Db, machineId: number, role: string): Promise<string | null> {
  await db.rows("-- dataHealth.lockMachine\nselect from machine where id = $1 for no key update", [machineId]);
  const found = await db.rows<{ key: string }>("-- dataHealth.keyInRole\nselect key from signal where machine_id = $1 and role = $2 and retired_at is null", [
    machineId,
    role,
  ]);
  return found[0]?.key ?? null;
}

export type NewSignal = {
  machineId: number;
  sourceId: number;
  key: string;
  name: string;
  role: string;
  unit: string;
  counterMode: "cumulative" | "increment" | null;
};

/** null: the machine has a signal with this key already. */
export async function insertSignal(db: Db, signal: NewSignal): Promise<number | null> {
  const made = await db.rows<{ id: number }>(
    `-- dataHealth.insertSignal
    insert into signal (machine_id, source_id, key, name, role, unit, counter_mode) values ($1, $2, $3, $4, $5, $6, $7)
    on conflict (machine_id, key) do nothing returning id`,
    [signal.machineId, signal.sourceId, signal.key, signal.name, signal.role, signal.unit, signal.counterMode],
  );
  return made[0]?.id ?? null;
}
