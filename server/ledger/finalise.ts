/** Shifts become final a grace time after their end, and get another version with its causes whenever they come out otherwise later. Safe to repeat; several at once do no harm. */
import type { Db } from "#/server/db.ts";
import { type Facts, factNames } from "#/server/domain/facts.ts";
import { oee } from "#/server/domain/oee.ts";
import { type Cause, causesOf, isRestated, planKinds, type ShiftFigures } from "#/server/domain/restatement.ts";
import type { LedgerDb } from "./refresh.ts";

/** Shifts that were laid out long ago and whose readings came from elsewhere are not looked for. Longer than late values are taken, by default. */
const lookBackDays = 100;
const shiftsAtOnce = 500;

type Due = { id: string; lineId: number };

/** Nothing of the line's time up to the shift's end waits to be told, and all of its machines that have a ledger have been told so far. */
const isTold = `not exists (select from ledger_claim c where c.line_id = i.line_id and c.from_at < i.to_at)
  and not exists (select from ledger_mark k join machine m on m.id = k.machine_id where m.line_id = i.line_id and k.from_at < i.to_at)
  and not exists (select from machine m join ledger_reach r on r.machine_id = m.id where m.line_id = i.line_id and m.retired_at is null and r.to_at < i.to_at)`;

const dueShifts = (db: Db, now: Date) =>
  db.rows<Due>(
    `-- ledger.dueShifts
    select i.id::text, i.line_id as "lineId" from shift_instance i join line l on l.id = i.line_id join site s on s.id = l.site_id
    where i.status <> 'cancelled' and i.to_at <= $1::timestamptz - make_interval(secs => s.shift_grace_s) and i.to_at > $1::timestamptz - interval '${lookBackDays} days'
      and not exists (select from shift_version v where v.shift_instance_id = i.id) and exists (select from oee_fact f where f.shift_instance_id = i.id)
    order by i.to_at, i.id limit ${shiftsAtOnce}`,
    [now],
  );

const touchedShifts = (db: Db) =>
  db.rows<Due>(
    `-- ledger.touchedShifts
    select i.id::text, i.line_id as "lineId" from shift_touched t join shift_instance i on i.id = t.shift_instance_id order by t.touched_at, i.id limit ${shiftsAtOnce}`,
  );

/** Of the shifts those that are told. Taken with the lock of their line, so that nothing is told meanwhile. */
const toldShifts = (tx: Db, ids: readonly string[]) =>
  tx.rows<{ id: string }>(`-- ledger.toldShifts\nselect i.id::text from shift_instance i where i.id = any($1::bigint[]) and ${isTold} order by i.id`, [ids]);

const lockLine = (tx: Db, lineId: number) =>
  tx.rows<{ isFree: boolean }>(`-- ledger.lockLine\nselect pg_try_advisory_xact_lock(hashtext('takt.ledger'), $1) as "isFree"`, [lineId]);

const snake = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

async function figuresOf(tx: Db, ids: readonly string[]): Promise<Map<string, ShiftFigures>> {
  const sums = await tx.rows<{ id: string; facts: Facts }>(
    `-- ledger.shiftFacts
    select f.shift_instance_id::text as id, json_build_object(${names(0)})::jsonb || json_build_object(${names(1)})::jsonb as facts
    from oee_fact f where f.shift_instance_id = any($1::bigint[]) and f.machine_id is null group by 1`,
    [ids],
  );
  const stops = await tx.rows<{ id: string; stops: Record<string, number> }>(
    `-- ledger.shiftStops
    select s.id, json_object_agg(s.what, s.seconds order by s.what) as stops from (
      select i.id::text as id, v.kind || coalesce(' ' || v.reason, '') as what, sum(extract(epoch from v.to_at - v.from_at))::float8 as seconds
      from shift_instance i join machine m on m.line_id = i.line_id
        join machine_interval v on v.machine_id = m.id and v.from_at >= i.from_at and v.from_at < i.to_at and v.shift_instance_id = i.id and v.stop_at is not null
      where i.id = any($1::bigint[]) group by 1, 2) s group by 1`,
    [ids],
  );
  const stopsOf = new Map(stops.map((row) => [row.id, row.stops]));
  return new Map(sums.map(({ id, facts }) => [id, { facts, stops: stopsOf.get(id) ?? {} }]));
}
/** A call has at most a hundred arguments: the names in two halves. */
const names = (half: 0 | 1) =>
  factNames
    .filter((_, i) => (i < 40 ? 0 : 1) === half)
    .map((name) => `'${name}', sum(f.${snake(name)} order by f.hour_at, f.job, f.product)`)
    .join(", ");

type Version = ShiftFigures & { id: string; version: number; madeAt: Date };
const newestVersions = (tx: Db, ids: readonly string[]) =>
  tx.rows<Version>(
    `-- ledger.newestVersions
    select distinct on (shift_instance_id) shift_instance_id::text as id, version, made_at as "madeAt", facts, stops from shift_version
    where shift_instance_id = any($1::bigint[]) order by shift_instance_id, version desc`,
    [ids],
  );

/** What people entered since `since` of the shift's time, by kind: edits of stops, jobs, and changes of what belongs to the line, by the audit trail. */
const saidSince = (tx: Db, id: string, since: Date) =>
  tx.rows<{ kind: Cause["kind"]; n: number }>(
    `-- ledger.saidSince
    with shift as (select i.*, l.site_id from shift_instance i join line l on l.id = i.line_id where i.id = $1::bigint)
    select e.kind, count(*)::int as n from shift i join machine m on m.line_id = i.line_id join stop_edit e on e.machine_id = m.id and e.edited_at > $2
      left join stop_edit u on u.id = e.undoes
    where coalesce(e.at, e.from_at, u.at, u.from_at) < i.to_at and coalesce(e.to_at, e.at, u.to_at, u.at) >= i.from_at group by 1
    union all
    select 'job_said', count(*)::int from shift i join machine m on m.line_id = i.line_id join job_said j on j.machine_id = m.id and j.said_at > $2 and j.at < i.to_at having count(*) > 0
    union all
    select a.subject_kind, count(*)::int from shift i join audit_entry a on a.chain = i.site_id and a.at > $2 and a.subject_kind = any($3::text[])
      cross join lateral (select coalesce(a.after, a.before) as row) r
    where case a.subject_kind
      when 'line' then a.subject_id = i.line_id::text
      when 'shift_instance' then r.row ->> 'line_id' = i.line_id::text and (r.row ->> 'from_at')::timestamptz < i.to_at and (r.row ->> 'to_at')::timestamptz > i.from_at
      when 'machine' then r.row ->> 'line_id' = i.line_id::text
      when 'ideal_cycle' then exists (select from machine m where m.line_id = i.line_id and m.id::text = r.row ->> 'machine_id')
      when 'machine_cost' then exists (select from machine m where m.line_id = i.line_id and m.id::text = r.row ->> 'machine_id')
      when 'signal' then exists (select from machine m where m.line_id = i.line_id and m.id::text = r.row ->> 'machine_id')
      else true end
    group by 1 order by 1`,
    [id, since, planKinds.filter((kind) => kind !== "job_said")],
  );

const insertVersion = (tx: Db, { id, version, facts, stops }: ShiftFigures & { id: string; version: number }, causes: readonly Cause[], now: Date) =>
  tx.rows(
    `-- ledger.insertVersion
    insert into shift_version (shift_instance_id, version, made_at, oee, facts, stops, causes) values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing`,
    [id, version, now, oee(facts).oee, JSON.stringify(facts), JSON.stringify(stops), JSON.stringify(causes)],
  );

/** final: became so; restated: came out otherwise. */
export type Finalised = { final: number; restated: number };

/** A line at a time; one at which a refresher works is left to the next run. */
export async function finaliseShifts(db: LedgerDb, now: Date, signal: AbortSignal): Promise<Finalised> {
  const done: Finalised = { final: 0, restated: 0 };
  const byLine = (due: readonly Due[]) => Map.groupBy(due, ({ lineId }) => lineId);
  for (const [lineId, due] of byLine(await dueShifts(db, now)))
    if (!signal.aborted) done.final += await ofLine(db, lineId, due, (tx, ids) => makeFinal(tx, ids, now));
  for (const [lineId, due] of byLine(await touchedShifts(db)))
    if (!signal.aborted) done.restated += await ofLine(db, lineId, due, (tx, ids) => restate(tx, ids, now));
  return done;
}

const ofLine = (db: LedgerDb, lineId: number, due: readonly Due[], work: (tx: Db, ids: string[]) => Promise<number>) =>
  db.transaction(async (tx) => {
    const [lock] = await lockLine(tx, lineId);
    if (!lock?.isFree) return 0;
    const ids = (
      await toldShifts(
        tx,
        due.map(({ id }) => id),
      )
    ).map(({ id }) => id);
    return ids.length > 0 ? work(tx, ids) : 0;
  });

async function makeFinal(tx: Db, ids: readonly string[], now: Date): Promise<number> {
  const figures = await figuresOf(tx, ids);
  for (const [id, one] of figures) await insertVersion(tx, { id, version: 1, ...one }, [], now);
  return figures.size;
}

async function restate(tx: Db, ids: readonly string[], now: Date): Promise<number> {
  const figures = await figuresOf(tx, ids);
  let restated = 0;
  for (const before of await newestVersions(tx, ids)) {
    const after = figures.get(before.id);
    if (!after || !isRestated(before, after)) continue;
    const said = new Map((await saidSince(tx, before.id, before.madeAt)).map(({ kind, n }) => [kind, n]));
    await insertVersion(tx, { id: before.id, version: before.version + 1, ...after }, causesOf(before, after, said), now);
    restated += 1;
  }
  await tx.rows("-- ledger.compared\ndelete from shift_touched where shift_instance_id = any($1::bigint[])", [ids]);
  return restated;
}
