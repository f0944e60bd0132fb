/**
 * Where a machine's time can be taken up again, so that a refresh reads minutes and not weeks: in the middle of what the machine does, of which the ledger's row
 * says all that later time needs to know. Whether that still holds is looked at when the time has been told (`whyFarther`). Instants are ms since 1970.
 */
import type { Db } from "#/server/db.ts";
import type { BaseInterval } from "#/server/domain/base.ts";
import type { StopSettled } from "#/server/domain/intervals.ts";
import type { Delta } from "#/server/domain/pieces.ts";
import type { IntervalKind } from "#/server/domain/state.ts";
import type { StopEdit } from "#/server/domain/stop-edits.ts";
import type { ReasonReading } from "#/server/domain/stops.ts";

const ms = (column: string) => `round(extract(epoch from ${column}) * 1000)::float8`;

export type Anchor = {
  at: number;
  base: BaseInterval["kind"];
  baseFrom: number;
  kind: IntervalKind;
  stopFrom: number | null;
  reason: string | null;
  changeAt: number | null;
  /** Own seconds of its stop in the last three hours: more than any micro-stop may have, or the whole. */
  downS: number;
  /** No run for more than an hour before it. */
  isAfterLongStand: boolean;
};

/** before: ms. marginS: longer than every threshold that judges base time. isSafe: in a run and at a piece, from where nothing that is said of stops and jobs reaches back. */
export type AnchorAsked = { machineId: number; before: number; marginS: number; startupS: number; hasCounts: boolean; isSafe: boolean };

/** For each machine the last anchor before `before`; none: none is stored. The base interval around it has lasted for longer than the margin. */
export const anchors = (db: Db, asked: readonly AnchorAsked[]) =>
  db.rows<Anchor & { machineId: number }>(
    `-- ledger.anchors
    select u.machine_id as "machineId", ${ms("found.at")} as at, found.base, ${ms("found.base_at")} as "baseFrom", found.kind, ${ms("found.stop_at")} as "stopFrom", found.reason,
      ${ms("found.change_at")} as "changeAt", found.is_after_long_stand as "isAfterLongStand",
      coalesce((select sum(extract(epoch from least(d.to_at, found.at) - d.from_at)) from machine_interval d where d.machine_id = u.machine_id and d.stop_at = found.stop_at
        and d.kind = 'down' and d.from_at < found.at and d.from_at > found.at - interval '3 hours'), 0)::float8 as "downS"
    from unnest($1::int[], $2::float8[], $3::float8[], $4::int[], $5::bool[], $6::bool[]) as u(machine_id, before_ms, margin_s, startup_s, has_counts, is_safe)
      cross join lateral (select to_timestamp(u.before_ms / 1000) as before_at, make_interval(secs => u.margin_s) as margin) w
      cross join lateral (
        select i.*, x.at, y.is_after_long_stand
        from machine_interval i
          cross join lateral (select least(w.before_at, i.to_at - interval '1 millisecond') as last_at, greatest(i.from_at, i.base_at + w.margin) as first_at) e
          cross join lateral (select case when not (u.is_safe and u.has_counts) then e.last_at else (
            select max(c.last_at) from count_minute c
            where c.machine_id = i.machine_id and c.minute >= e.first_at - interval '1 minute' and c.minute < e.last_at and c.last_at >= e.first_at and c.last_at <= e.last_at) end as at) x
          cross join lateral (select u.startup_s > 0 and i.kind not in ('run', 'unknown') and x.at is not null and exists (
              select from ledger_reach l where l.machine_id = i.machine_id and l.from_at < x.at - interval '1 hour 1 second')
            and not exists (select from machine_interval r where r.machine_id = i.machine_id and r.kind in ('run', 'unknown')
              and r.from_at > x.at - interval '2 hours 1 second' and r.from_at < x.at and r.to_at > x.at - interval '1 hour 1 second') as is_after_long_stand) y
        where i.machine_id = u.machine_id and i.from_at <= w.before_at and e.first_at <= e.last_at and x.at is not null and i.gap_good is null and not i.is_startup
          and case when u.is_safe then i.base = 'run' and i.kind = 'run'
            when i.base = 'run' then i.kind in ('run', 'not_scheduled')
            when i.base = 'unknown' then i.kind in ('unknown', 'not_scheduled', 'planned_stop')
            else i.kind not in ('run', 'micro_stop', 'unknown') end
          and (u.startup_s = 0 or i.kind in ('run', 'unknown') or y.is_after_long_stand)
        order by i.from_at desc limit 1
      ) found`,
    [
      asked.map(({ machineId }) => machineId),
      asked.map(({ before }) => before),
      asked.map(({ marginS }) => marginS),
      asked.map(({ startupS }) => startupS),
      asked.map(({ hasCounts }) => hasCounts),
      asked.map(({ isSafe }) => isSafe),
    ],
  );

/** What is settled of the stop in which the anchor lies. */
export const settledOf = ({ kind, stopFrom, reason, changeAt }: Anchor): StopSettled | null =>
  stopFrom === null ? null : { kind, stopFrom, reason, changeAt };

export type ToldFrom = {
  anchor: Anchor;
  end: number;
  base: readonly BaseInterval[];
  reasonReadings: readonly ReasonReading[];
  changes: readonly number[];
  pieceInstants: readonly number[];
  edits: readonly StopEdit[];
  gaps: readonly Delta[];
  microStopS: number;
  /** Of the told time, whether some of it is the anchor's base and no calendar's. */
  hasOwnTime: boolean;
};

/**
 * Before which instant the time must be told from, because something that reaches over the anchor came to be known after its row was written. null: none, it holds.
 */
export function whyFarther({ anchor, end, base, reasonReadings, changes, pieceInstants, edits, gaps, microStopS, hasOwnTime }: ToldFrom): number | null {
  const { at } = anchor;
  const first = base[0];
  if (!first || first.kind !== anchor.base) return at;
  const farther: number[] = [];
  const ends = first.to < end;
  const isOff = anchor.kind === "not_scheduled" || anchor.kind === "planned_stop";
  if (anchor.base === "unknown") {
    if (ends) farther.push(anchor.baseFrom); // what it was bridged by is known now
  } else if (anchor.base !== "run") {
    const mayExplain = anchor.stopFrom === null || anchor.reason === null;
    if (mayExplain && reasonReadings.some((one) => one.reason !== null && one.at >= at && one.at < first.to)) farther.push(anchor.baseFrom);
    if (anchor.stopFrom === null && isOff && (ends || hasOwnTime)) farther.push(anchor.baseFrom);
    if (anchor.kind === "down" && ends && anchor.downS <= microStopS) farther.push(anchor.baseFrom);
    if (anchor.kind === "changeover" && ends) farther.push(anchor.changeAt ?? anchor.baseFrom);
  }
  for (const change of changes) {
    const before = pieceInstants.reduce<number | null>((last, piece) => (piece <= change && (last === null || piece > last) ? piece : last), null);
    const after = pieceInstants.reduce<number | null>((next, piece) => (piece > change && (next === null || piece < next) ? piece : next), null);
    const isCut = base.some(({ kind, from, to }) => kind === "unknown" && from < Math.max(change, at) && to > Math.min(change, at));
    const reachesOver = (before === null || before < at) && (after === null || after > at) && !isCut && change < end;
    // One before the anchor is in its row, unless nothing was to be seen of it yet.
    if (reachesOver && (change >= at || (anchor.kind !== "changeover" && anchor.base !== "unknown"))) farther.push(Math.min(before ?? at, change, at) - 1);
  }
  // Those that were taken back, too: the row may be of before that.
  for (const edit of edits) {
    if (edit.kind === "undo") continue;
    const from = "from" in edit ? Math.min(edit.from, edit.kind === "trim" ? edit.at : edit.from) : edit.at;
    const to = "to" in edit ? edit.to : edit.at;
    if (to >= at && (from < at || (anchor.base !== "run" && from < first.to))) farther.push(Math.min(from, anchor.base === "run" ? at : anchor.baseFrom));
  }
  for (const { since } of gaps) if (since !== null && since < at) farther.push(since);
  if (anchor.base === "unknown" && gaps.length > 0) farther.push(anchor.baseFrom);
  return farther.length > 0 ? Math.min(at, ...farther) : null;
}
