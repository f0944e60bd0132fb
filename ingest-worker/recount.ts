// Late count and job readings: pieces of the minutes they touch, counted again from the stored readings by the same pure function as live ones.
import type pg from "pg";
import { minuteOfPiece, piecesByMinute } from "#/server/domain/counter.ts";
import { float8Array, instantArray, int4Array, textArray } from "./binary.ts";
import type { Range } from "./derive.ts";
import type { Plant } from "./plant.ts";
import type { Sample, Signal } from "./sample.ts";

const minuteMs = 60_000;
/** How far a neighbouring reading is looked for: mostly it is near, and each day's chunk that is opened in vain costs 0.2 ms. null: as far as there is. */
const reachesMs = [2 * 86_400_000, 30 * 86_400_000, null];

const newestAt = (signal: Signal) => (signal.work ?? signal.latest)?.at ?? Number.NEGATIVE_INFINITY;
function oldestAt(signal: Signal): number {
  const known = signal.work ?? signal.latest;
  return known === null ? Number.POSITIVE_INFINITY : (known.firstAt ?? Number.NEGATIVE_INFINITY);
}

const timestamp = (at: number) => `'${new Date(at).toISOString()}'::timestamptz`;
/** Bounds as constants: by these the planner leaves chunks out, which it cannot by those of a join. */
export const between = (column: string, instants: readonly number[]) => {
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const at of instants) [least, most] = [Math.min(least, Math.floor(at)), Math.max(most, Math.ceil(at))];
  return `${column} >= ${timestamp(least)} and ${column} <= ${timestamp(most)}`;
};

type After = { signal: Signal; after: number };

// The first reading after each, which is known to be there, by the place in the list.
async function nextReadings(db: pg.ClientBase, list: readonly After[], condition: string): Promise<Map<number, number>> {
  const found = new Map<number, number>();
  for (const reachMs of reachesMs) {
    const open = [...list.keys()].filter((i) => !found.has(i));
    if (open.length === 0) break;
    const afters = open.map((i) => list[i]!.after);
    const within = reachMs === null ? `s.at >= ${timestamp(Math.min(...afters))}` : between("s.at", [...afters, Math.max(...afters) + reachMs]);
    const { rows } = await db.query<{ i: number; at: number }>({
      text: `-- ingest.nextReading
        select r.i, extract(epoch from n.at)::float8 * 1000 as at from unnest($1::int4[], $2::int4[], $3::timestamptz[]) r(i, signal_id, after),
          lateral (select s.at from ledger_sample s where s.signal_id = r.signal_id and s.at > r.after and ${condition} and ${within} order by s.at limit 1) n`,
      values: [int4Array(open), int4Array(open.map((i) => list[i]!.signal.id)), instantArray(afters)],
    });
    for (const { i, at } of rows) found.set(i, at);
  }
  return found;
}

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
  const cumulative = runs.filter((run) => run.signal.counter?.mode === "cumulative" && newestAt(run.signal) > run.toMinute + minuteMs);
  const following = await nextReadings(
    db,
    cumulative.map(({ signal, toMinute }) => ({ signal, after: toMinute + minuteMs })),
    "s.value is not null",
  );
  cumulative.forEach(({ signal }, i) => {
    const at = following.get(i);
    if (at !== undefined) runs.push({ signal, fromMinute: minuteOfPiece(at), toMinute: minuteOfPiece(at) });
  });
  if (jobs.length > 0) {
    const followed = jobs.filter((job) => newestAt(job.signal) > job.at);
    const until = await nextReadings(
      db,
      followed.map(({ signal, at }) => ({ signal, after: at })),
      "true",
    );
    for (const job of jobs) {
      const at = until.get(followed.indexOf(job));
      for (const signal of plant.machines.get(job.signal.machineId)?.signals.values() ?? []) {
        const newest = newestAt(signal);
        if (signal.counter && newest > job.at)
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
  const spans = runs.map((r) => ({ signal: r.signal, from: r.fromMinute, to: r.toMinute + minuteMs }));
  const counts = await readings(db, spans, false);
  const withJob = spans.flatMap((span, i) => {
    const job = plant.machines.get(span.signal.machineId)?.job;
    return job && counts.has(i) ? [{ i, span: { ...span, signal: job } }] : [];
  });
  const jobs = await readings(
    db,
    withJob.map((w) => w.span),
    true,
  );
  const jobPlace = new Map(withJob.map((w, k) => [w.i, k]));
  const rows: { signal: Signal; row: ReturnType<typeof piecesByMinute>[number] }[] = [];
  runs.forEach((run, i) => {
    const all = (counts.get(i) ?? []).filter((r): r is typeof r & { value: number } => r.value !== null);
    const before = all[0] && all[0].at <= run.fromMinute ? all[0].value : null;
    const within = all.filter((r) => r.at > run.fromMinute);
    const inForce = (jobs.get(jobPlace.get(i) ?? -1) ?? []).map((r) => ({ at: r.at, job: r.text ?? "" }));
    for (const row of piecesByMinute(run.signal.counter!, before, within, inForce)) rows.push({ signal: run.signal, row });
  });
  await db.query({
    text: `-- ingest.forgetCounts
      delete from count_minute c using unnest($1::int4[], $2::timestamptz[], $3::timestamptz[]) r(signal_id, from_minute, to_minute)
      where c.signal_id = r.signal_id and c.minute >= r.from_minute and c.minute <= r.to_minute
        and ${between(
          "c.minute",
          runs.flatMap((r) => [r.fromMinute, r.toMinute]),
        )}`,
    values: [int4Array(runs.map((r) => r.signal.id)), instantArray(runs.map((r) => r.fromMinute)), instantArray(runs.map((r) => r.toMinute))],
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
type Span = { signal: Signal; from: number; to: number };

// Readings of (from, to] and the one before, by the place in the list. Those of no value are passed over, except where they say "none" (a job).
// The one before matters to a count only where one follows it.
async function readings(db: pg.ClientBase, spans: readonly Span[], areJobs: boolean): Promise<Map<number, Reading[]>> {
  const out = new Map<number, Reading[]>();
  if (spans.length === 0) return out;
  const kept = areJobs ? "true" : "s.flags & 4 = 0";
  const columns = "extract(epoch from s.at)::float8 * 1000 as at, s.value, s.text_value as text";
  const ids = (of: readonly number[]) => int4Array(of.map((i) => spans[i]!.signal.id));
  const all = [...spans.keys()];
  const within = await db.query<Reading>({
    text: `-- ingest.readings
      select r.i, ${columns} from unnest($1::int4[], $2::int4[], $3::timestamptz[], $4::timestamptz[]) r(i, signal_id, from_at, to_at)
        join ledger_sample s on s.signal_id = r.signal_id and s.at > r.from_at and s.at <= r.to_at
      where ${kept} and ${between(
        "s.at",
        spans.flatMap((s) => [s.from, s.to]),
      )} order by 1, 2`,
    values: [int4Array(all), ids(all), instantArray(spans.map((s) => s.from)), instantArray(spans.map((s) => s.to))],
  });
  for (const row of within.rows) {
    const list = out.get(row.i);
    if (list) list.push(row);
    else out.set(row.i, [row]);
  }
  let open = all.filter((i) => (areJobs || out.has(i)) && oldestAt(spans[i]!.signal) <= spans[i]!.from);
  for (const reachMs of reachesMs) {
    if (open.length === 0) break;
    const froms = open.map((i) => spans[i]!.from);
    const near = reachMs === null ? `s.at <= ${timestamp(Math.max(...froms))}` : between("s.at", [...froms, Math.min(...froms) - reachMs]);
    const before = await db.query<Reading>({
      text: `-- ingest.readingBefore
        select r.i, ${columns} from unnest($1::int4[], $2::int4[], $3::timestamptz[]) r(i, signal_id, from_at),
          lateral (select * from ledger_sample s where s.signal_id = r.signal_id and s.at <= r.from_at and ${kept} and ${near} order by s.at desc limit 1) s`,
      values: [int4Array(open), ids(open), instantArray(froms)],
    });
    const found = new Set(before.rows.map((row) => row.i));
    for (const row of before.rows) out.set(row.i, [row, ...(out.get(row.i) ?? [])]);
    open = open.filter((i) => !found.has(i));
  }
  return out;
}
