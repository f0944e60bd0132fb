// Counters: from readings of a count signal to pieces. ledger.md 3 and 7: one place for live, late and rebuilt.

export type CounterMode = "cumulative" | "increment";
export type CounterRule = { mode: CounterMode /** Value at which the counter rolls over to 0; null: a step back is a reset. */; modulus: number | null };

/** One reading of a count signal; at in ms since 1970 UTC. */
export type CountReading = { at: number; value: number };

/** Pieces that one reading adds, after the reading before it. The first reading of a cumulative counter is its base line and adds none. */
export function delta(rule: CounterRule, before: number | null, value: number): number {
  if (rule.mode === "increment") return value;
  if (before === null) return 0;
  if (value >= before) return value - before;
  return rule.modulus !== null && before < rule.modulus ? rule.modulus - before + value : value;
}

/** Start of the minute that a piece counted at `at` belongs to: (minute, minute + 60 s], because it was made before its reading. */
export const minuteOfPiece = (at: number) => Math.ceil(at / 60_000) * 60_000 - 60_000;

export type MinutePieces = {
  minute: number;
  /** Job in force just before the readings; "" none. */
  job: string;
  pieces: number;
  /** First and last reading of the minute that added pieces; null: none did. */
  firstAt: number | null;
  lastAt: number | null;
};

/**
 * Pieces per minute and job from readings in device-time order. `before` is the last reading earlier than all of them, `jobs` the job readings in
 * device-time order, the one in force before the first reading included. A piece belongs to the job in force just before its reading: a job reading
 * of the same instant comes after.
 */
export function piecesByMinute(
  rule: CounterRule,
  before: number | null,
  readings: readonly CountReading[],
  jobs: readonly { at: number; job: string }[],
): MinutePieces[] {
  const out: MinutePieces[] = [];
  let last: MinutePieces | undefined;
  let known = before;
  let nextJob = 0;
  let job = "";
  for (const { at, value } of readings) {
    while (nextJob < jobs.length && jobs[nextJob]!.at < at) job = jobs[nextJob++]!.job;
    const pieces = delta(rule, known, value);
    known = value;
    const minute = minuteOfPiece(at);
    if (!last || last.minute !== minute || last.job !== job) {
      last = { minute, job, pieces: 0, firstAt: null, lastAt: null };
      out.push(last);
    }
    last.pieces += pieces;
    if (pieces > 0) {
      last.firstAt ??= at;
      last.lastAt = at;
    }
  }
  return mergeReturns(out);
}

// A job that comes back within a minute is one row again.
function mergeReturns(rows: MinutePieces[]): MinutePieces[] {
  const byKey = new Map<string, MinutePieces>();
  for (const row of rows) {
    const key = `${row.minute} ${row.job}`;
    const same = byKey.get(key);
    if (!same) byKey.set(key, row);
    else {
      same.pieces += row.pieces;
      same.firstAt ??= row.firstAt;
      same.lastAt = row.lastAt ?? same.lastAt;
    }
  }
  return [...byKey.values()];
}
