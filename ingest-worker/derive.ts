// What follows from a batch before anything is written: which samples are new at first sight, and what they change in order of device time.
// Works on Signal.work; Signal.latest stays what is committed.
import { delta, minuteOfPiece } from "#/server/domain/counter.ts";
import { isInDeadBand } from "./dead-band.ts";
import type { Plant } from "./plant.ts";
import { leastJump, type Remark, remarkOn } from "./remarks.ts";
import { Flag, type Latest, type Sample, type Signal, type Source } from "./sample.ts";

export type MinuteCount = { signal: Signal; minute: number; job: string; pieces: number; firstAt: number | null; lastAt: number | null };
export type Presence = { source: Source; minute: number; firstAt: number; lastAt: number; n: number; lagMaxS: number };
/** Minutes of a count signal whose pieces are to be counted again from the stored readings; both ends included. */
export type Range = { signal: Signal; fromMinute: number; toMinute: number };

export type Derived = {
  trend: Sample[];
  ledger: Sample[];
  /** Not newer than what is known of their signal: repeats, or late. */
  late: Sample[];
  touched: Signal[];
  counts: Map<string, MinuteCount>;
  recount: Range[];
  presence: Map<string, Presence>;
  sourceLatest: Map<Source, { at: number; receivedAt: number }>;
  ledgerMarks: Map<string, { machineId: number; hour: number; from: number; to: number }>;
  trendHours: { signalId: number; hour: number }[];
  /** Values inside their signal's dead band: they vouch for presence and are not kept. */
  passedOver: number;
  lastPresence: Presence | null;
  /** What someone should look at in counts that came in order. */
  remarks: Map<string, Remark>;
};

const hourMs = 3_600_000;

export function derive(samples: readonly Sample[], plant: Plant): Derived {
  const out: Derived = {
    trend: [],
    ledger: [],
    late: [],
    touched: [],
    counts: new Map(),
    recount: [],
    presence: new Map(),
    sourceLatest: new Map(),
    ledgerMarks: new Map(),
    trendHours: [],
    passedOver: 0,
    lastPresence: null,
    remarks: new Map(),
  };
  for (const sample of samples) {
    const { signal } = sample;
    const before = signal.work ?? signal.latest;
    if (before !== null && sample.at <= before.at) {
      out.late.push(sample);
      continue;
    }
    if (before !== null && isPassedOver(before, sample)) {
      passOver(out, before, sample);
      continue;
    }
    (signal.ledger ? out.ledger : out.trend).push(sample);
    const sinceAt = before === null || (before.flags & Flag.noValue) !== 0 ? Number.NaN : before.at;
    const work = advance(signal, before, sample, out.touched);
    if (signal.counter) countInOrder(out, plant, signal, work, sample, sinceAt);
    else if (signal.role === "job" && work.changes!.at(-1)!.at === sample.at) recountAfterJob(out, plant, signal, sample.at);
    note(out, sample);
  }
  return out;
}

function isPassedOver(before: Latest, sample: Sample): boolean {
  const { deadBand } = sample.signal;
  if (deadBand === null || before.keptAt === null) return false;
  return isInDeadBand(deadBand, { at: before.keptAt, value: before.value, flags: before.flags }, sample);
}

/** The newest reading moves on with the value that was kept: what is compared with does not creep. */
function passOver(out: Derived, before: Latest, sample: Sample): void {
  const { value, valuesTotal, keptAt } = before;
  Object.assign(advance(sample.signal, before, sample, out.touched), { value, valuesTotal, keptAt });
  present(out, sample);
  out.passedOver++;
}

/** Marks and presence of a sample that is really written. */
export function note(out: Derived, sample: Sample): void {
  present(out, sample);
  const { signal, at } = sample;
  const hour = Math.floor(at / hourMs) * hourMs;
  if (signal.ledger) {
    mark(out, signal.machineId, hour, at, at);
    if (signal.counter && at === hour) mark(out, signal.machineId, hour - hourMs, at, at); // counted on the hour, made before it
  } else if (signal.markedHour !== hour) {
    // one mark an hour and generation: the roll-up moves the generation on before it works marks off
    signal.markedHour = hour;
    out.trendHours.push({ signalId: signal.id, hour });
  }
}

function present(out: Derived, sample: Sample): void {
  const { signal, at } = sample;
  const { source } = signal;
  const lagS = (sample.receivedAt - at) / 1000;
  const minute = presenceAt(out, source, at, lagS);
  if (lagS > minute.lagMaxS) minute.lagMaxS = lagS;
  minute.n++;
  const newest = out.sourceLatest.get(source);
  if (!newest) out.sourceLatest.set(source, { at, receivedAt: sample.receivedAt });
  else if (at > newest.at) {
    newest.at = at;
    newest.receivedAt = sample.receivedAt;
  }
}

/** Presence by a value that is not written and may have come before: its source was there, but it is neither counted again nor has it taken longer. */
export function vouch(out: Derived, { signal, at, receivedAt }: Sample): void {
  presenceAt(out, signal.source, at, Math.min(0, (receivedAt - at) / 1000));
}

/** The source's presence in the minute of an instant, reaching that far. lagS: where it is the first of the minute. */
function presenceAt(out: Derived, source: Source, at: number, lagS: number): Presence {
  const minute = Math.floor(at / 60_000) * 60_000;
  let last = out.lastPresence;
  if (last === null || last.source !== source || last.minute !== minute) {
    // neighbours mostly share source and minute: look up only when they do not
    const key = `${source.id} ${minute}`;
    const known = out.presence.get(key);
    last = known ?? { source, minute, firstAt: at, lastAt: at, n: 0, lagMaxS: lagS };
    if (!known) out.presence.set(key, last);
    out.lastPresence = last;
  }
  if (at < last.firstAt) last.firstAt = at;
  if (at > last.lastAt) last.lastAt = at;
  return last;
}

/** Marks the hours whose pieces are counted again: a late reading changes the pieces of the next one, a late job those of all until the next. */
export function markRange(out: Derived, { signal, fromMinute, toMinute }: Range): void {
  for (let hour = Math.floor(fromMinute / hourMs) * hourMs; hour <= toMinute; hour += hourMs)
    mark(out, signal.machineId, hour, Math.max(fromMinute, hour), Math.min(toMinute + 60_000, hour + hourMs));
}

function mark(out: Derived, machineId: number, hour: number, from: number, to: number): void {
  const key = `${machineId} ${hour}`;
  const known = out.ledgerMarks.get(key);
  if (!known) out.ledgerMarks.set(key, { machineId, hour, from, to });
  else {
    known.from = Math.min(known.from, from);
    known.to = Math.max(known.to, to);
  }
}

function advance(signal: Signal, before: Latest | null, sample: Sample, touched: Signal[]): Latest {
  if (signal.work === null) {
    signal.work = before
      ? { ...before }
      : {
          at: 0,
          value: null,
          text: null,
          flags: 0,
          receivedAt: 0,
          pieceAt: null,
          cycleS: null,
          periodS: null,
          valuesTotal: 0,
          firstAt: sample.at,
          keptAt: null,
          changes: null,
        };
    touched.push(signal);
  }
  const { work } = signal;
  if (before !== null) {
    const gapS = (sample.at - work.at) / 1000;
    work.periodS = work.periodS === null ? gapS : work.periodS + 0.1 * (gapS - work.periodS); // smoothed over about ten readings
  }
  work.at = sample.at;
  work.flags = sample.flags;
  work.keptAt = sample.at;
  work.receivedAt = sample.receivedAt;
  work.valuesTotal++;
  if (signal.role === "job" && (work.changes === null || work.changes.at(-1)!.text !== (sample.text ?? "")))
    work.changes = [...(work.changes ?? [{ at: Number.NEGATIVE_INFINITY, text: "" }]).slice(-7), { at: sample.at, text: sample.text ?? "" }];
  if (!signal.counter) {
    work.value = sample.value;
    work.text = sample.text;
  }
  return work;
}

// For a counter, work.value is the last count that was read, through readings of "no value". sinceAt: of the reading before, NaN where that had no value.
function countInOrder(out: Derived, plant: Plant, signal: Signal, work: Latest, sample: Sample, sinceAt: number): void {
  if (sample.value === null) return;
  const pieces = delta(signal.counter!, work.value, sample.value);
  if (pieces >= leastJump || (work.value !== null && sample.value < work.value)) {
    const before = { value: work.value, at: sinceAt, pieceAt: work.pieceAt, cycleS: work.cycleS };
    remarkOn(sample, pieces, before, plant.machines.get(signal.machineId)?.idealCycleS ?? null, out.remarks);
  }
  work.value = sample.value;
  const minute = minuteOfPiece(sample.at);
  if (pieces > 0) {
    work.cycleS = work.pieceAt === null ? null : (sample.at - work.pieceAt) / 1000 / pieces;
    work.pieceAt = sample.at;
  }
  const job = jobBefore(plant.machines.get(signal.machineId)?.job ?? null, sample.at);
  if (job === null) {
    out.recount.push({ signal, fromMinute: minute, toMinute: minute }); // an older job was in force than is remembered
    return;
  }
  const key = `${signal.id} ${minute} ${job}`;
  const row = out.counts.get(key);
  if (!row) out.counts.set(key, { signal, minute, job, pieces, firstAt: pieces > 0 ? sample.at : null, lastAt: pieces > 0 ? sample.at : null });
  else {
    row.pieces += pieces;
    if (pieces > 0) {
      row.firstAt ??= sample.at;
      row.lastAt = sample.at;
    }
  }
}

// Job in force just before an instant: a reading of the same instant comes after the pieces. null: not remembered.
function jobBefore(signal: Signal | null, at: number): string | null {
  const known = signal ? (signal.work ?? signal.latest) : null;
  if (known === null) return "";
  for (let i = known.changes!.length - 1; i >= 0; i--) if (known.changes![i]!.at < at) return known.changes![i]!.text;
  return null;
}

// A job reading in order of its own signal, but older than counts that came before it.
function recountAfterJob(out: Derived, plant: Plant, signal: Signal, at: number): void {
  for (const count of plant.machines.get(signal.machineId)?.signals.values() ?? []) {
    if (!count.counter) continue;
    const newest = count.work ?? count.latest;
    if (newest && newest.at > at) out.recount.push({ signal: count, fromMinute: minuteOfPiece(at), toMinute: minuteOfPiece(newest.at) });
  }
}
