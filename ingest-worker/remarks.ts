// Counts that someone should look at: a counter that began anew in the middle of a shift, and one that made more pieces than its machine can. They are
// counted as they stand, because that is the rule; but somebody is told.
import type { CounterRule } from "#/server/domain/counter.ts";
import type { LinkEvent, Sample, Signal } from "./sample.ts";

/** Of a signal and minute. detail of the event: JSON of one of the two below. */
export type Remark = { signal: Signal; minute: number; event: LinkEvent };

/** kind counter_reset: fell from `before` to `value`, `pieces` were counted. */
export type ResetDetail = { signal: string; before: number; value: number; pieces: number };
/** kind counter_jump: rose by `pieces` in `ms`, in which `allowed` can be made: by the ideal cycle, or at the pace of the pieces before (`isIdeal` false). */
export type JumpDetail = { signal: string; pieces: number; ms: number; allowed: number; isIdeal: boolean };

/** Fewer pieces at once are nothing to be told of. */
export const leastJump = 100;
/** So many times what can be made is no good day, but a wrong number. */
const jumpFactor = 10;

/** A step back that is no roll-over. */
const isReset = ({ mode, modulus }: CounterRule, before: number, value: number) =>
  mode === "cumulative" && value < before && !(modulus !== null && before < modulus);

/** About: the count before (null: none), and the instant (ms) of the reading before, NaN where there is none or it had no count. */
export type Before = { value: number | null; at: number; pieceAt: number | null; cycleS: number | null };

/** What is remarkable in a reading that adds `pieces`, at most one of a kind in a minute of its signal. `noted`: those of this batch. */
export function remarkOn(sample: Sample, pieces: number, before: Before, idealCycleS: number | null, noted: Map<string, Remark>): void {
  const { signal, at, value } = sample;
  if (value === null) return;
  if (before.value !== null && isReset(signal.counter!, before.value, value)) {
    note<ResetDetail>("counter_reset", sample, { signal: nameOf(signal), before: before.value, value, pieces }, noted);
    return;
  }
  if (pieces < leastJump) return;
  const isIdeal = idealCycleS !== null;
  const cycleS = idealCycleS ?? before.cycleS;
  // Without an ideal cycle: boxes of a hundred are told by what lies between two of them, not by the readings in between.
  const ms = isIdeal ? at - before.at : at - (before.pieceAt ?? Number.NaN);
  if (cycleS === null || !(ms > 0)) return;
  const allowed = ms / 1000 / cycleS;
  if (pieces <= jumpFactor * allowed) return;
  note<JumpDetail>("counter_jump", sample, { signal: nameOf(signal), pieces, ms: Math.round(ms), allowed: Math.round(allowed * 10) / 10, isIdeal }, noted);
}

function note<T>(kind: string, { signal, at, receivedAt }: Sample, detail: T, noted: Map<string, Remark>): void {
  const minute = Math.floor(at / 60_000) * 60_000;
  const key = `${signal.id} ${kind} ${minute}`;
  if (noted.has(key) || signal.remarkedMinute?.[kind] === minute) return;
  const event: LinkEvent = { address: signal.source.address, at, kind, alive: null, detail: JSON.stringify(detail), receivedAt };
  noted.set(key, { signal, minute, event });
}

/** The remarks are committed. */
export function remarked(remarks: Iterable<Remark>): void {
  for (const { signal, minute, event } of remarks) signal.remarkedMinute = { ...signal.remarkedMinute, [event.kind]: minute };
}

// A JSON source is one machine; others may bring the signals of many.
const nameOf = ({ path, source }: Signal) =>
  path
    .split("/")
    .slice(source.form === "json" ? -1 : -2)
    .join("/");
