// What lies inside a signal's dead band is not kept: the last kept value stands for it. That holds for what comes late or again, too.
import type pg from "pg";
import { instantArray, int4Array } from "./binary.ts";
import { between } from "./recount.ts";
import type { Sample, Signal } from "./sample.ts";

/** A value that was kept; at in ms since 1970. */
type Kept = { at: number; value: number | null; flags: number };

const hourMs = 3_600_000;
/** One value at least is kept in so long, and the first of each hour: no stretch of time is without. */
const longestPassedOverMs = 600_000;

/** kept: the last one before the sample. */
export function isInDeadBand(deadBand: number, kept: Kept, { at, value, flags }: Sample): boolean {
  if (kept.value === null || value === null || flags !== kept.flags) return false;
  const isNear = at - kept.at < longestPassedOverMs && Math.floor(at / hourMs) === Math.floor(kept.at / hourMs);
  return isNear && Math.abs(value - kept.value) < deadBand;
}

/**
 * Of samples that are not newer than what is known of their signals, those to be written and those inside the dead band around the value kept before them: a
 * value that was passed over and is delivered again, or one that comes late. Nothing remembers what was passed over, but what was kept stands in the database.
 */
export async function partLate(db: pg.Client, samples: readonly Sample[]): Promise<{ toWrite: Sample[]; passedOver: Sample[] }> {
  const inQuestion = samples.filter(({ signal, at, value }) => signal.deadBand !== null && value !== null && at <= newestAt(signal));
  if (inQuestion.length === 0) return { toWrite: [...samples], passedOver: [] };
  const before = await keptBefore(db, inQuestion);
  const passedOver = new Set<Sample>();
  const last = new Map<Signal, Kept>(); // to be written by this batch
  for (const sample of [...inQuestion].sort((a, b) => a.at - b.at)) {
    const { signal, at } = sample;
    const [stored, own] = [before.get(sample), last.get(signal)];
    const kept = stored && own ? (stored.at >= own.at ? stored : own) : (stored ?? own);
    // What stands at this very instant is for insert and comparison to tell.
    if (kept && kept.at < at && isInDeadBand(signal.deadBand ?? 0, kept, sample)) passedOver.add(sample);
    else last.set(signal, sample);
  }
  return { toWrite: samples.filter((sample) => !passedOver.has(sample)), passedOver: [...passedOver] };
}

const newestAt = (signal: Signal): number => (signal.work ?? signal.latest)?.at ?? Number.NEGATIVE_INFINITY;

/** The value kept last at or before each sample, where it is near enough to stand for it. */
async function keptBefore(db: pg.Client, samples: readonly Sample[]): Promise<Map<Sample, Kept>> {
  const found = new Map<Sample, Kept>();
  for (const ledger of [false, true]) {
    const rows = samples.filter(({ signal }) => signal.ledger === ledger);
    if (rows.length === 0) continue;
    const since = rows.map(({ at }) => Math.max(Math.floor(at / hourMs) * hourMs, at - longestPassedOverMs));
    const kept = await db.query<{ i: number; beforeMs: number; value: number | null; flags: number }>({
      text: `-- ingest.keptBefore
        select g.i::int - 1 as i, extract(epoch from g.at - k.at)::float8 * 1000 as "beforeMs", k.value, k.flags
        from unnest($1::int4[], $2::timestamptz[], $3::timestamptz[]) with ordinality g(signal_id, at, since, i),
          lateral (
            select s.at, s.value, s.flags from ${ledger ? "ledger_sample" : "sample"} s
            where s.signal_id = g.signal_id and s.at <= g.at and s.at >= g.since and ${between("s.at", [...since, ...rows.map(({ at }) => at)])}
            order by s.at desc limit 1
          ) k`,
      values: [int4Array(rows.map(({ signal }) => signal.id)), instantArray(rows.map(({ at }) => at)), instantArray(since)],
    });
    for (const { i, beforeMs, value, flags } of kept.rows) {
      const sample = rows[i];
      if (sample) found.set(sample, { at: sample.at - beforeMs, value, flags });
    }
  }
  return found;
}
