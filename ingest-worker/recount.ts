// Late count and job readings: pieces of the minutes they touch, counted again from the stored readings by the same pure function as live ones.
import type pg from "pg";
import { minuteOfPiece, piecesByMinute } from "#/server/domain/counter.ts";
import { float8Array, instantArray, int4Array, textArray } from "./binary.ts";
import type { Range } from "./derive.ts";
import type { Plant } from "./plant.ts";
import type { Sample, Signal } from "./sample.ts";

const minuteMs = 60_000;

/** Ranges to count again because of late samples that were really written. Reads what follows each of them: its delta changed too. */
export async function rangesOf(db: pg.ClientBase, plant: Plant, late: readonly Sample[]): Promise<Range[]> {
  const out: Range[] = [];
  const jobs: Sample[] = [];
  for (const sample of late) {
    const { signal } = sample;
    if (signal.counter) out.push({ signal, fromMinute: minuteOfPiece(sample.at), toMinute: minuteOfPiece(sample.at) });
    else if (signal.role === "job") jobs.push(sample);
  }
  const runs = merge(out);
  const cumulative = runs.filter((run) => run.signal.counter?.mode === "cumulative");
  if (cumulative.length > 0) {
    const next = await db.query<{ i: number; at: number }>({
      name: "ingest.nextReading",
      text: `-- ingest.nextReading
        select r.i::int as i, extract(epoch from n.at)::float8 * 1000 as at
        from unnest($1::int4[], $2::timestamptz[]) with ordinality r(signal_id, after, i),
          lateral (select s.at from ledger_sample s where s.signal_id = r.signal_id and s.at > r.after and s.value is not null order by s.at limit 1) n`,
      values: [int4Array(cumulative.map((r) => r.signal.id)), instantArray(cumulative.map((r) => r.toMinute + minuteMs))],
    });
    for (const { i, at } of next.rows) runs.push({ signal: cumulative[i - 1]!.signal, fromMinute: minuteOfPiece(at), toMinute: minuteOfPiece(at) });
  }
  if (jobs.length > 0) {
    const until = await db.query<{ i: number; at: number | null }>({
      name: "ingest.nextJob",
      text: `-- ingest.nextJob
        select r.i::int as i, (select extract(epoch from s.at)::float8 * 1000 from ledger_sample s where s.signal_id = r.signal_id and s.at > r.after order by s.at limit 1) as at
        from unnest($1::int4[], $2::timestamptz[]) with ordinality r(signal_id, after, i)`,
      values: [int4Array(jobs.map((j) => j.signal.id)), instantArray(jobs.map((j) => j.at))],
    });
    for (const { i, at } of until.rows) {
      const job = jobs[i - 1]!;
      for (const signal of plant.machines.get(job.signal.machineId)?.signals.values() ?? []) {
        const newest = (signal.work ?? signal.latest)?.at;
        if (signal.counter && newest !== undefined && newest > job.at)
          runs.push({ signal, fromMinute: minuteOfPiece(job.at), toMinute: minuteOfPiece(Math.min(at ?? newest, newest)) });
      }
    }
  }
  return runs;
}

/** Neighbouring and overlapping ranges of a signal made one. */
export function merge(ranges: readonly Range[]): Range[] {
  const sorted = [...ranges].sort((a, b) => a.signal.id - b.signal.id || a.fromMinute - b.fromMinute);
  const out: Range[] = [];
  for (const range of sorted) {
    const last = out.at(-1);
    if (last && last.signal === range.signal && range.fromMinute <= last.toMinute + minuteMs) last.toMinute = Math.max(last.toMinute, range.toMinute);
    else out.push({ ...range });
  }
  return out;
}

/** Replaces count_minute in the ranges, merged ones, by what the stored readings say. */
export async function recount(db: pg.ClientBase, plant: Plant, runs: readonly Range[]): Promise<void> {
  if (runs.length === 0) return;
  const from = runs.map((r) => r.fromMinute);
  const to = runs.map((r) => r.toMinute + minuteMs);
  const counts = await readings(
    db,
    runs.map((r) => r.signal.id),
    from,
    to,
  );
  const jobSignals = runs.map((r) => plant.machines.get(r.signal.machineId)?.job ?? null);
  const jobs = await readings(
    db,
    jobSignals.map((s) => s?.id ?? 0),
    from,
    to,
    true,
  );
  const rows: { signal: Signal; row: ReturnType<typeof piecesByMinute>[number] }[] = [];
  runs.forEach((run, i) => {
    const all = (counts.get(i) ?? []).filter((r): r is typeof r & { value: number } => r.value !== null);
    const before = all[0] && all[0].at <= run.fromMinute ? all[0].value : null;
    const within = all.filter((r) => r.at > run.fromMinute);
    const inForce = (jobs.get(i) ?? []).map((r) => ({ at: r.at, job: r.text ?? "" }));
    for (const row of piecesByMinute(run.signal.counter!, before, within, inForce)) rows.push({ signal: run.signal, row });
  });
  await db.query({
    name: "ingest.forgetCounts",
    text: `-- ingest.forgetCounts
      delete from count_minute c using unnest($1::int4[], $2::timestamptz[], $3::timestamptz[]) r(signal_id, from_minute, to_minute)
      where c.signal_id = r.signal_id and c.minute >= r.from_minute and c.minute <= r.to_minute`,
    values: [int4Array(runs.map((r) => r.signal.id)), instantArray(from), instantArray(runs.map((r) => r.toMinute))],
  });
  if (rows.length > 0)
    await db.query({
      name: "ingest.recount",
      text: `-- ingest.recount
        insert into count_minute (signal_id, minute, job, machine_id, pieces, first_at, last_at)
        select * from unnest($1::int4[], $2::timestamptz[], $3::text[], $4::int4[], $5::float8[], $6::timestamptz[], $7::timestamptz[])`,
      values: [
        int4Array(rows.map((r) => r.signal.id)),
        instantArray(rows.map((r) => r.row.minute)),
        textArray(rows.map((r) => r.row.job)),
        int4Array(rows.map((r) => r.signal.machineId)),
        float8Array(rows.map((r) => r.row.pieces)),
        instantArray(rows.map((r) => r.row.firstAt)),
        instantArray(rows.map((r) => r.row.lastAt)),
      ],
    });
}

type Reading = { i: number; at: number; value: number | null; text: string | null };

// Readings of (from, to] and the one before, by range. Those of no value are passed over, except where they say "none" (a job).
async function readings(db: pg.ClientBase, signalIds: number[], from: number[], to: number[], none = false): Promise<Map<number, Reading[]>> {
  const { rows } = await db.query<Reading>({
    name: "ingest.readings",
    text: `-- ingest.readings
      select r.i::int - 1 as i, extract(epoch from s.at)::float8 * 1000 as at, s.value, s.text_value as text
      from unnest($1::int4[], $2::timestamptz[], $3::timestamptz[]) with ordinality r(signal_id, from_at, to_at, i), lateral (
        (select at, value, text_value from ledger_sample where signal_id = r.signal_id and at <= r.from_at and (flags & 4 = 0 or $4) order by at desc limit 1)
        union all
        (select at, value, text_value from ledger_sample where signal_id = r.signal_id and at > r.from_at and at <= r.to_at and (flags & 4 = 0 or $4))) s
      order by 1, 2`,
    values: [int4Array(signalIds), instantArray(from), instantArray(to), none],
  });
  const out = new Map<number, Reading[]>();
  for (const row of rows) {
    const list = out.get(row.i);
    if (list) list.push(row);
    else out.set(row.i, [row]);
  }
  return out;
}
