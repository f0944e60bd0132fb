/** The ledger told anew from what was read, planned and said: changes nothing where it is as it should be. Runs beside everything else, and may be stopped at any time. */
import type { Db } from "#/server/db.ts";
import { putClaims, tellLines } from "./marks.ts";
import { recountMinutes } from "./recount.ts";
import { type LedgerDb, refresh } from "./refresh.ts";

/** A transaction is about one line and at most so much time: a second or two of work, for which refreshers of the line wait. */
const sliceMs = 6 * 3_600_000;

/** Days of each site's own calendar, both included: 2026-03-01. site: its key; null: all. */
export type RebuildAsked = { from: string; to: string; site: string | null };
/**
 * minutes, rows: that were otherwise than they should be, and are right now. kept: machines of which readings are no longer there for some of the time, so that it
 * stays as it was told.
 */
export type Rebuilt = { lines: number; minutes: number; rows: number; kept: number; isStopped: boolean };
export type RebuildOptions = { now: () => Date; signal: AbortSignal; onProgress(done: number, whole: number): void };

const datePattern = /^\d{4}-\d{2}-\d{2}$/;
const isDate = (text: string) => datePattern.test(text) && !Number.isNaN(Date.parse(text)) && new Date(text).toISOString().startsWith(text);

type LineRow = { lineId: number; machineIds: number[]; from: Date; to: Date };
const lineRows = (db: Db, { from, to, site }: RebuildAsked) =>
  db.rows<LineRow>(
    `-- ledger.linesToRebuild
    select m.line_id as "lineId", array_agg(m.id order by m.id) as "machineIds",
      greatest(date_trunc('minute', min(r.from_at)), $1::date::timestamp at time zone s.zone) as "from", least(max(r.to_at), ($2::date + 1)::timestamp at time zone s.zone) as "to"
    from machine m join ledger_reach r on r.machine_id = m.id join site s on s.id = m.site_id
    where $3::text is null or s.key = $3
    group by m.line_id, s.zone having greatest(min(r.from_at), $1::date::timestamp at time zone s.zone) < least(max(r.to_at), ($2::date + 1)::timestamp at time zone s.zone)
    order by m.line_id`,
    [from, to, site],
  );

/** Of machines those of which all readings since `from` are there, and the last before it. */
const wholeMachines = (tx: Db, machineIds: readonly number[], from: Date) =>
  tx.rows<{ id: number }>(
    `-- ledger.wholeMachines
    select m.id from machine m where m.id = any($1::int[]) and not exists (
      select from signal g join signal_latest t on t.signal_id = g.id
      where g.machine_id = m.id and g.retention_class = 'ledger' and t.first_at is not null
        and not exists (select from ledger_sample s where s.signal_id = g.id and s.at <= greatest($2, t.first_at))) order by m.id`,
    [machineIds, from],
  );

/** A sentence for the person who asked. */
export class CannotRebuild extends Error {
  override name = "CannotRebuild";
}

/** @throws CannotRebuild: days that are none, or in the wrong order, or yet to come; no such site; no ledger in these days */
export async function rebuildLedger(db: LedgerDb, asked: RebuildAsked, { now, signal, onProgress }: RebuildOptions): Promise<Rebuilt> {
  for (const [name, day] of [
    ["--from", asked.from],
    ["--to", asked.to],
  ] as const)
    if (!isDate(day)) throw new CannotRebuild(`${name} must be a day like 2026-03-01, and "${day}" is none.`);
  if (asked.from > asked.to) throw new CannotRebuild(`--from ${asked.from} is later than --to ${asked.to}. Both days are rebuilt.`);
  const tomorrow = new Date(now().getTime() + 86_400_000).toISOString().slice(0, 10);
  if (asked.from > tomorrow) throw new CannotRebuild(`${asked.from} is yet to come: there is nothing to rebuild.`);
  if (asked.site !== null) {
    const [site] = await db.rows("-- ledger.siteOfKey\nselect id from site where key = $1", [asked.site]);
    if (!site) throw new CannotRebuild(`There is no site "${asked.site}".`);
  }
  const lines = await lineRows(db, asked);
  if (lines.length === 0) throw new CannotRebuild(`There is no ledger from ${asked.from} to ${asked.to}: nothing was read in that time.`);

  const slices = lines.flatMap((line) => slicesOf(line).map((slice) => ({ ...line, ...slice })));
  const result: Rebuilt = { lines: lines.length, minutes: 0, rows: 0, kept: 0, isStopped: false };
  const kept = new Set<number>();
  for (const [i, { lineId, machineIds, from, to }] of slices.entries()) {
    if (signal.aborted) return { ...result, isStopped: true };
    await db.transaction(async (tx) => {
      // As refreshers do, before anything is read.
      await tx.rows("-- ledger.lockLineToRebuild\nselect pg_advisory_xact_lock(hashtext('takt.ledger'), $1)", [lineId]);
      const whole = (await wholeMachines(tx, machineIds, from)).map(({ id }) => id);
      for (const id of machineIds) if (!whole.includes(id)) kept.add(id);
      result.kept = kept.size;
      result.minutes += await recountMinutes(tx, whole, from, to);
      const { rows, left } = await refresh(
        tx,
        whole.map((machineId) => ({ machineId, from: from.getTime(), to: to.getTime() })),
        now().getTime(),
        false,
      );
      result.rows += rows;
      await putClaims(tx, left);
      await tellLines(tx, [lineId]);
    });
    onProgress(i + 1, slices.length);
  }
  return result;
}

function slicesOf({ from, to }: LineRow): { from: Date; to: Date }[] {
  const slices: { from: Date; to: Date }[] = [];
  for (let at = from.getTime(); at < to.getTime(); at += sliceMs)
    slices.push({ from: new Date(at), to: new Date(Math.min(at + sliceMs, ceilMinute(to.getTime()))) });
  return slices;
}
const ceilMinute = (at: number) => Math.ceil(at / 60_000) * 60_000;
