/** Facts from the ledger's rows and the pieces counted: of machines, then of their lines. Instants are ms since 1970. */
import type { Db } from "#/server/db.ts";
import { delta } from "#/server/domain/counter.ts";
import { type Cell, cellsOf, factNames, type Money } from "#/server/domain/facts.ts";
import { constraintCells } from "#/server/domain/line-facts.ts";
import { type Counting, type CountRole, countingOf, type Delta } from "#/server/domain/pieces.ts";
import type { Segment } from "#/server/domain/segments.ts";
import { lineTopologies, type PlantMachine, plantMachines, reasonRows } from "./plant.ts";
import type { MachineWindow } from "./readings.ts";
import { storedRows } from "./rows.ts";
import { countRoleOf } from "./time.ts";

const ms = (column: string) => `round(extract(epoch from ${column}) * 1000)::float8`;
const snake = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
const factColumns = factNames.map(snake);

type Minute = { machineId: number; signalId: number; role: string; minute: number; at: number | null; pieces: number; isMixed: boolean };
type RawReading = {
  machineId: number;
  signalId: number;
  role: string;
  at: number;
  value: number;
  before: number | null;
  since: number | null;
  isOverDead: boolean;
};

const hoursOf = (windows: readonly MachineWindow[]) => [
  windows.map(({ machineId }) => machineId),
  windows.map(({ from }) => from),
  windows.map(({ to }) => to),
];

/**
 * Pieces by minute. isMixed: a minute in which a row begins, the first of a signal in an hour, or the first after dead time: its readings are looked at one by one,
 * since pieces of one minute may belong to two rows, and a delta may lie over dead time. Of all others the sum of the minute is enough.
 */
const minutes = (db: Db, windows: readonly MachineWindow[]) =>
  db.rows<Minute>(
    `-- ledger.factMinutes
    with hour as (
      select u.machine_id, to_timestamp(u.from_ms / 1000) as from_at, to_timestamp(u.to_ms / 1000) as to_at from unnest($1::int[], $2::float8[], $3::float8[]) as u(machine_id, from_ms, to_ms)
    ), counted as (
      select c.machine_id, c.signal_id, c.minute, sum(c.pieces order by c.job) as pieces, max(c.last_at) as last_at,
        c.minute = min(c.minute) over (partition by c.signal_id, date_trunc('hour', c.minute)) as is_first, lag(c.minute) over (partition by c.signal_id order by c.minute) as before
      from hour h cross join lateral (
        select * from count_minute m where m.machine_id = h.machine_id and m.minute >= h.from_at and m.minute < h.to_at offset 0) c
      group by c.machine_id, c.signal_id, c.minute
    ), edge as (
      select distinct i.machine_id, date_trunc('minute', i.from_at) as minute from hour h cross join lateral (
        select * from machine_interval r where r.machine_id = h.machine_id and r.from_at >= h.from_at and r.from_at < h.to_at offset 0) i
      where i.from_at <> date_trunc('minute', i.from_at)
    )
    select c.machine_id as "machineId", c.signal_id as "signalId", g.role, ${ms("c.minute")} as minute, ${ms("c.last_at")} as at, c.pieces,
      c.is_first or e.minute is not null or c.before < c.minute - interval '1 minute' and exists (
        select from machine_interval d where d.machine_id = c.machine_id and d.is_dead and d.from_at > c.before - interval '1 hour' and d.from_at < c.minute + interval '1 minute' and d.to_at > c.before
      ) as "isMixed"
    from counted c join signal g on g.id = c.signal_id left join edge e on e.machine_id = c.machine_id and e.minute = c.minute
    order by 1, c.last_at, 2`,
    hoursOf(windows),
  );

/** Readings of mixed minutes, each with the one before it, and whether dead time lies between. */
const rawReadings = (db: Db, mixed: readonly Minute[]) =>
  db.rows<RawReading>(
    `-- ledger.rawReadings
    select u.machine_id as "machineId", u.signal_id as "signalId", u.role, ${ms("r.at")} as at, r.value, b.value as before, ${ms("b.at")} as since,
      exists (select from machine_interval i where i.machine_id = u.machine_id and i.is_dead and i.from_at < r.at and i.to_at > coalesce(b.at, r.at - interval '1 microsecond')
        and i.from_at > coalesce(b.at, r.at) - interval '1 hour') as "isOverDead"
    from unnest($1::int[], $2::int[], $3::text[], $4::float8[]) as u(machine_id, signal_id, role, minute_ms)
      cross join lateral (select s.at, s.value from ledger_sample s where s.signal_id = u.signal_id and s.value is not null
        and s.at > to_timestamp(u.minute_ms / 1000) and s.at <= to_timestamp(u.minute_ms / 1000) + interval '1 minute' offset 0) r
      left join lateral (select p.at, p.value from ledger_sample p where p.signal_id = u.signal_id and p.at < r.at and p.value is not null order by p.at desc limit 1) b on true
    order by 1, 4, 2`,
    [mixed.map(({ machineId }) => machineId), mixed.map(({ signalId }) => signalId), mixed.map(({ role }) => role), mixed.map(({ minute }) => minute)],
  );

export type Ready = { segments: Segment[]; deltas: Delta[]; cells: Cell[]; counting: Counting };

/** Writes the facts of whole clock hours, of machines and of their lines. asked: from the start of an hour to the end of one. */
export async function writeFacts(tx: Db, asked: readonly MachineWindow[]): Promise<void> {
  const windows = await withPartners(tx, asked);
  const machines = await plantMachines(
    tx,
    windows.map(({ machineId }) => machineId),
  );
  const siteIds = [...new Set(machines.map(({ siteId }) => siteId))];
  const breakdowns = new Set((await reasonRows(tx, siteIds)).flatMap(({ siteId, key, loss }) => (loss === "breakdown" ? [`${siteId} ${key}`] : [])));
  const rows = await storedRows(tx, windows);
  const deltas = await deltasOf(tx, windows, machines);
  const ready = new Map(
    machines.map((machine): [number, Ready] => {
      const { machineId, siteId, money } = machine;
      const window = windows.find((one) => one.machineId === machineId);
      const own = (rows.get(machineId) ?? []).filter((row) => window && row.hourAt >= window.from && row.hourAt < window.to);
      return [machineId, readyOf(own, deltas.get(machineId) ?? [], machine, money, (reason) => breakdowns.has(`${siteId} ${reason}`))];
    }),
  );
  const lineOf = new Map(machines.map(({ machineId, lineId }) => [machineId, lineId]));
  await noteTouched(tx, windows);
  await deleteFacts(tx, windows);
  await insertFacts(
    tx,
    [...ready].flatMap(([machineId, { cells }]) => cells.map((cell) => ({ lineId: lineOf.get(machineId) ?? 0, machineId, cell }))),
  );
  await writeLines(tx, windows, machines, ready);
}

/** A constraint line is told by two machines together: what is asked of one is asked of both. */
async function withPartners(tx: Db, asked: readonly MachineWindow[]): Promise<MachineWindow[]> {
  const pairs = await partners(
    tx,
    asked.map(({ machineId }) => machineId),
  );
  const windows = new Map(asked.map((window) => [window.machineId, window]));
  for (const { constraintId, lastId } of pairs) {
    const both = [constraintId, lastId].flatMap((id) => windows.get(id) ?? []);
    const hull = { from: Math.min(...both.map(({ from }) => from)), to: Math.max(...both.map(({ to }) => to)) };
    for (const machineId of [constraintId, lastId]) windows.set(machineId, { machineId, ...hull });
  }
  return [...windows.values()];
}

const partners = (db: Db, machineIds: readonly number[]) =>
  db.rows<{ constraintId: number; lastId: number }>(
    `-- ledger.partners
    select constraint_machine_id as "constraintId", last_machine_id as "lastId" from line
    where topology = 'constraint' and constraint_machine_id <> last_machine_id and (constraint_machine_id = any($1::int[]) or last_machine_id = any($1::int[]))`,
    [machineIds],
  );

function readyOf(segments: Segment[], deltas: Delta[], machine: PlantMachine, money: Money, isBreakdown: (reason: string) => boolean): Ready {
  const counting = countingOf(machine.signals.flatMap(({ role }) => countRoleOf(role) ?? []));
  return { segments, deltas, counting, cells: cellsOf({ segments, deltas, counting, money, isBreakdown }) };
}

async function deltasOf(tx: Db, windows: readonly MachineWindow[], machines: readonly PlantMachine[]): Promise<Map<number, Delta[]>> {
  const rules = new Map(
    machines.flatMap(({ signals }) =>
      signals.map(({ id, counterMode, counterModulus }) => [id, { mode: counterMode ?? "cumulative", modulus: counterModulus } as const]),
    ),
  );
  const found = new Map<number, Delta[]>();
  const add = (machineId: number, one: Delta) => {
    const list = found.get(machineId);
    if (list) list.push(one);
    else found.set(machineId, [one]);
  };
  const counted = await minutes(tx, windows);
  for (const { machineId, role, at, pieces, isMixed } of counted)
    if (!isMixed && at !== null) add(machineId, { at, role: countRoleOf(role) as CountRole, pieces, since: null, isReset: false });
  const mixed = counted.filter(({ isMixed }) => isMixed);
  for (const { machineId, signalId, role, at, value, before, since, isOverDead } of mixed.length > 0 ? await rawReadings(tx, mixed) : []) {
    const rule = rules.get(signalId);
    if (isOverDead || !rule) continue;
    add(machineId, { at, role: countRoleOf(role) as CountRole, pieces: delta(rule, before, value), since, isReset: false });
  }
  return found;
}

/** Final shifts in the windows, to be compared with what they were. No shift is longer than two days. */
const noteTouched = (tx: Db, windows: readonly MachineWindow[]) =>
  tx.rows(
    `-- ledger.noteTouched
    insert into shift_touched (shift_instance_id)
    select distinct i.id from unnest($1::int[], $2::float8[], $3::float8[]) as u(machine_id, from_ms, to_ms) join machine m on m.id = u.machine_id
      join shift_instance i on i.line_id = m.line_id and i.from_at < to_timestamp(u.to_ms / 1000) and i.from_at > to_timestamp(u.from_ms / 1000) - interval '2 days' and i.to_at > to_timestamp(u.from_ms / 1000)
      join shift_version v on v.shift_instance_id = i.id and v.version = 1
    on conflict do nothing`,
    hoursOf(windows),
  );

const deleteFacts = (tx: Db, windows: readonly MachineWindow[]) =>
  tx.rows(
    `-- ledger.deleteFacts
    delete from oee_fact f using unnest($1::int[], $2::float8[], $3::float8[]) as u(machine_id, from_ms, to_ms)
    where f.machine_id = u.machine_id and f.hour_at >= to_timestamp(u.from_ms / 1000) and f.hour_at < to_timestamp(u.to_ms / 1000)`,
    hoursOf(windows),
  );

type FactRow = { lineId: number; machineId: number | null; cell: Cell };
async function insertFacts(tx: Db, facts: readonly FactRow[]): Promise<void> {
  const rows = facts.map(({ lineId, machineId, cell: { shiftId, date, hourAt, job, product, rateId, idealCycleS, facts: values } }) => ({
    line_id: lineId,
    machine_id: machineId,
    shift_instance_id: shiftId,
    date,
    hour_at: new Date(hourAt).toISOString(),
    job,
    product,
    rate_id: rateId,
    ideal_cycle_s: idealCycleS,
    ...Object.fromEntries(factNames.map((name, i) => [factColumns[i], values[name]])),
  }));
  if (rows.length === 0) return;
  await tx.rows("-- ledger.insertFacts\ninsert into oee_fact select * from json_populate_recordset(null::oee_fact, $1::json)", [JSON.stringify(rows)]);
}

/** Of the lines whose machines were written: parallel ones by adding up, in an order that is always the same; others from their constraint and last machine. */
async function writeLines(tx: Db, windows: readonly MachineWindow[], machines: readonly PlantMachine[], ready: ReadonlyMap<number, Ready>): Promise<void> {
  const lineOf = new Map(machines.map(({ machineId, lineId }) => [machineId, lineId]));
  const topologies = await lineTopologies(tx, [...new Set(lineOf.values())]);
  const isSum = new Set(
    topologies.flatMap(({ lineId, topology, constraintId, lastId }) => (topology === "parallel" || constraintId === null || lastId === null ? [lineId] : [])),
  );
  const spans = windows.flatMap(({ machineId, ...span }) => {
    const lineId = lineOf.get(machineId);
    return lineId === undefined ? [] : [{ lineId, ...span }];
  });
  const summed = spans.filter(({ lineId }) => isSum.has(lineId));
  await tx.rows(
    `-- ledger.deleteLineFacts
    delete from oee_fact f using unnest($1::int[], $2::float8[], $3::float8[]) as u(line_id, from_ms, to_ms)
    where f.machine_id is null and f.line_id = u.line_id and f.hour_at >= to_timestamp(u.from_ms / 1000) and f.hour_at < to_timestamp(u.to_ms / 1000)`,
    [spans.map(({ lineId }) => lineId), spans.map(({ from }) => from), spans.map(({ to }) => to)],
  );
  if (summed.length > 0)
    await tx.rows(
      `-- ledger.sumLines
      insert into oee_fact (line_id, shift_instance_id, date, hour_at, job, product, ${factColumns.join(", ")})
      select f.line_id, f.shift_instance_id, f.date, f.hour_at, f.job, f.product, ${factColumns.map((name) => `sum(f.${name} order by f.machine_id, f.rate_id)`).join(", ")}
      from (select line_id, to_timestamp(min(from_ms) / 1000) as from_at, to_timestamp(max(to_ms) / 1000) as to_at, array_agg(distinct (from_ms, to_ms)::text) as spans
          from unnest($1::int[], $2::float8[], $3::float8[]) as u(line_id, from_ms, to_ms) group by line_id) l
        join oee_fact f on f.line_id = l.line_id and f.machine_id is not null and f.hour_at >= l.from_at and f.hour_at < l.to_at
      where exists (select from unnest($1::int[], $2::float8[], $3::float8[]) as u(line_id, from_ms, to_ms)
        where u.line_id = f.line_id and f.hour_at >= to_timestamp(u.from_ms / 1000) and f.hour_at < to_timestamp(u.to_ms / 1000))
      group by f.line_id, f.shift_instance_id, f.date, f.hour_at, f.job, f.product`,
      [summed.map(({ lineId }) => lineId), summed.map(({ from }) => from), summed.map(({ to }) => to)],
    );
  const cells = topologies.flatMap(({ lineId, constraintId, lastId, perPiece }) => {
    const constraint = ready.get(constraintId ?? 0);
    const last = ready.get(lastId ?? 0);
    if (isSum.has(lineId) || !constraint || !last) return [];
    return constraintCells(constraint, last, perPiece).map((cell) => ({ lineId, machineId: null, cell }));
  });
  await insertFacts(tx, cells);
}
