// One transaction a batch: samples, latest, pieces, presence, marks, letters, links. Safe to repeat, because (signal, instant) identifies a sample.
import type pg from "pg";
import { from as copyFrom } from "pg-copy-streams";
import type { Batch } from "./batch.ts";
import { type Bytes, float8Array, instantArray, int2Array, int4Array } from "./binary.ts";
import { partLate } from "./dead-band.ts";
import { type Derived, derive, markRange, note, vouch } from "./derive.ts";
import { checkLease, type Lease } from "./lease.ts";
import type { Plant } from "./plant.ts";
import { between, merge, rangesOf, recount } from "./recount.ts";
import { remarked } from "./remarks.ts";
import { Flag, type Letter, refusedSample, type Sample, type Signal } from "./sample.ts";
import { announce, claimLatePresence, insertLetters, insertLinks, settleRetried, upsertCounts, upsertLatest, upsertMarks, upsertPresence } from "./upserts.ts";

/** Values by outcome; received = written + duplicate + setAside. */
export type Outcome = { written: number; duplicate: number; setAside: Map<string, number> };

export type WriteContext = {
  db: pg.Client;
  plant: Plant;
  lease: Lease;
  copy: Bytes;
  lineAnnouncedAt: Map<number, number>;
  /** The database is busy with the batch for a while now: time for other work. */
  onUnderWay?: () => void;
};

/** Writes the batch and advances what is known of its signals. Throws when nothing of it was committed, or when that is not certain. */
export async function writeBatch(ctx: WriteContext, batch: Batch, careful = false): Promise<Outcome> {
  const { db, plant } = ctx;
  await db.query("begin");
  // Before anything is derived: whether a mark must be set again is decided there.
  if (await checkLease(db, ctx.lease)) for (const signal of plant.signals.values()) signal.markedHour = Number.NaN;
  const derived = careful ? allLate(batch.samples) : derive(batch.samples, plant);
  try {
    const copied = copyTrend(db, ctx.copy, derived.trend);
    ctx.onUnderWay?.();
    await copied;
    await copyLedger(db, ctx.copy, derived.ledger);
    const late = await insertLate(db, derived.late);
    for (const sample of late.written) note(derived, sample);
    for (const sample of late.passedOver) vouch(derived, sample);
    if (careful) advanceByWritten(late.written, derived);
    for (const sample of late.written) {
      const { signal } = sample;
      if (!careful && signal.work) signal.work.valuesTotal++;
      else if (!careful && signal.latest) {
        signal.work = { ...signal.latest, valuesTotal: signal.latest.valuesTotal + 1 };
        derived.touched.push(signal);
      }
    }
    for (const { signal, at } of late.written) {
      if (signal.role === "job") forgetChanges(signal);
      if (signal.work && signal.work.firstAt !== null && at < signal.work.firstAt) signal.work.firstAt = at;
    }
    await findLastCounts(db, late.written);
    await upsertCounts(db, derived.counts.values());
    const again = merge([...derived.recount, ...(await rangesOf(db, plant, late.written))]);
    for (const range of again) markRange(derived, range);
    await recount(db, plant, again);
    await upsertLatest(db, derived.touched);
    await upsertPresence(db, derived);
    await upsertMarks(db, derived);
    await insertLinks(db, [...batch.links, ...[...derived.remarks.values()].map(({ event }) => event)], plant.sources);
    await claimLatePresence(db, derived, Date.now());
    await settleRetried(db, batch.retried);
    const letters = [...batch.letters, ...late.conflicts];
    await insertLetters(db, letters);
    await announce(db, ctx.lineAnnouncedAt, derived, batch, late.written, letters.length > 0 || batch.retried.length > 0, plant);
    await db.query("commit");
    remarked(derived.remarks.values());
    for (const signal of derived.touched) {
      signal.latest = signal.work;
      signal.work = null;
    }
    for (const link of batch.links) {
      const source = plant.sources.get(link.address);
      if (source && link.alive !== null) source.announced = link.alive;
    }
    return outcome(derived, late, letters, batch);
  } catch (error) {
    for (const signal of derived.touched) {
      signal.work = null;
      signal.markedHour = Number.NaN;
    }
    for (const { signalId } of derived.trendHours) {
      const signal = plant.signals.get(signalId);
      if (signal) signal.markedHour = Number.NaN;
    }
    throw error;
  }
}

// Set aside is every bad value, also one whose letter stood there already and only counts it.
function outcome(derived: Derived, late: Late, letters: readonly Letter[], batch: Batch): Outcome {
  const setAside = new Map(batch.setAside);
  for (const { code, valueCount } of letters) setAside.set(code, (setAside.get(code) ?? 0) + valueCount);
  return {
    written: derived.trend.length + derived.ledger.length + late.written.length,
    duplicate: late.duplicates + late.passedOver.length + batch.repeats + derived.passedOver,
    setAside,
  };
}

/** Rows go to the database in parts of this size, so that it works on the first ones while the others are still being encoded. */
const copyPartBytes = 128 * 1024;

const copyTrend = (db: pg.Client, bytes: Bytes, samples: readonly Sample[]) =>
  copy(db, "copy sample (signal_id, at, value, flags) from stdin binary", bytes, samples, (s) => {
    bytes.int16(4);
    bytes.int4Field(s.signal.id);
    bytes.instantField(s.at);
    bytes.float8Field(s.value);
    bytes.int2Field(s.flags);
  });

const copyLedger = (db: pg.Client, bytes: Bytes, samples: readonly Sample[]) =>
  copy(db, "copy ledger_sample (signal_id, at, value, text_value, flags, received_at) from stdin binary", bytes, samples, (s) => {
    bytes.int16(6);
    bytes.int4Field(s.signal.id);
    bytes.instantField(s.at);
    bytes.float8Field(s.value);
    bytes.textField(s.text);
    bytes.int2Field(s.flags);
    bytes.instantField(s.receivedAt);
  });

async function copy(db: pg.Client, sql: string, bytes: Bytes, samples: readonly Sample[], encode: (sample: Sample) => void): Promise<void> {
  if (samples.length === 0) return;
  const stream = db.query(copyFrom(sql));
  const finished = new Promise<void>((resolve, reject) => {
    stream.on("finish", resolve);
    stream.on("error", reject);
  });
  let sent = 0;
  const send = () => {
    const part = bytes.view().subarray(sent);
    sent = bytes.length;
    return part;
  };
  bytes.clear().copyHeader();
  let begun: Promise<void> | null = null;
  for (const group of bySignal(samples)) {
    for (const sample of group) encode(sample);
    if (bytes.length - sent < copyPartBytes) continue;
    if (begun !== null) stream.write(send());
    else {
      begun = new Promise((resolve) => stream.write(send(), () => resolve()));
      await Promise.race([begun, finished]); // the database takes rows from here on
    }
  }
  bytes.copyTrailer();
  stream.end(send());
  await finished;
}

// A signal's rows side by side, in order of signals: they go to one page of the key's index, where in order of arrival each goes to another.
// A third less for the database when messages hold many signals of one instant.
function bySignal(samples: readonly Sample[]): Sample[][] {
  const groups = new Map<Signal, Sample[]>();
  for (const s of samples) {
    const group = groups.get(s.signal);
    if (group) group.push(s);
    else groups.set(s.signal, [s]);
  }
  return [...groups.values()].sort((a, b) => a[0]!.signal.id - b[0]!.signal.id);
}

type Late = { written: Sample[]; passedOver: Sample[]; duplicates: number; conflicts: Letter[] };

// Not newer than what is known of their signals: written where the instant is still free and the dead band leaves them. Of two different values for one
// instant the first stays.
async function insertLate(db: pg.Client, samples: readonly Sample[]): Promise<Late> {
  const { toWrite, passedOver } = await partLate(db, samples);
  const out: Late = { written: [], passedOver, duplicates: 0, conflicts: [] };
  if (toWrite.length === 0) return out;
  const first = new Map<string, Sample>();
  const more: Sample[] = [];
  for (const s of toWrite) {
    const key = `${s.signal.id} ${s.at}`;
    if (first.has(key)) more.push(s);
    else first.set(key, s);
  }
  const refused: Sample[] = more;
  for (const ledger of [false, true]) {
    const rows = [...first.values()].filter((s) => s.signal.ledger === ledger);
    if (rows.length === 0) continue;
    const ids = int4Array(rows.map((s) => s.signal.id));
    const ats = instantArray(rows.map((s) => s.at));
    const values = float8Array(rows.map((s) => s.value));
    const flags = int2Array(rows.map((s) => s.flags));
    const written = ledger
      ? await db.query<{ i: number }>({
          name: "ingest.lateLedger",
          text: `-- ingest.lateLedger
            with given as (select * from unnest($1::int4[], $2::timestamptz[], $3::float8[], $4::int2[], $5::text[], $6::timestamptz[]) with ordinality g(signal_id, at, value, flags, text_value, received_at, i)),
            written as (insert into ledger_sample (signal_id, at, value, flags, text_value, received_at) select signal_id, at, value, flags, text_value, received_at from given
              on conflict do nothing returning signal_id, at)
            select g.i::int - 1 as i from written w join given g using (signal_id, at)`,
          values: [ids, ats, values, flags, rows.map((s) => s.text), instantArray(rows.map((s) => s.receivedAt))],
        })
      : await db.query<{ i: number }>({
          name: "ingest.lateTrend",
          text: `-- ingest.lateTrend
            with given as (select * from unnest($1::int4[], $2::timestamptz[], $3::float8[], $4::int2[]) with ordinality g(signal_id, at, value, flags, i)),
            written as (insert into sample (signal_id, at, value, flags) select signal_id, at, value, flags from given on conflict do nothing returning signal_id, at)
            select g.i::int - 1 as i from written w join given g using (signal_id, at)`,
          values: [ids, ats, values, flags],
        });
    const isWritten = new Set(written.rows.map((r) => r.i));
    for (const [i, s] of rows.entries()) (isWritten.has(i) ? out.written : refused).push(s);
  }
  if (refused.length > 0) await compare(db, refused, out);
  return out;
}

// The same value again is a duplicate; another value is a conflict that someone should see.
async function compare(db: pg.Client, samples: readonly Sample[], out: Late): Promise<void> {
  for (const ledger of [false, true]) {
    const rows = samples.filter((s) => s.signal.ledger === ledger);
    if (rows.length === 0) continue;
    const stored = await db.query<{ i: number; value: number | null; text: string | null }>({
      text: `-- ingest.compare
        select g.i::int - 1 as i, s.value, ${ledger ? "s.text_value" : "null::text"} as text
        from unnest($1::int4[], $2::timestamptz[]) with ordinality g(signal_id, at, i) join ${ledger ? "ledger_sample" : "sample"} s using (signal_id, at)
        where ${between(
          "s.at",
          rows.map((s) => s.at),
        )}`,
      values: [int4Array(rows.map((s) => s.signal.id)), instantArray(rows.map((s) => s.at))],
    });
    for (const { i, value, text } of stored.rows) {
      const s = rows[i]!;
      if (s.value === value && s.text === text) out.duplicates++;
      else {
        const reason = `${s.signal.path} already has the value ${text ?? value ?? "none"} for ${new Date(s.at).toISOString()}; the first one stays. Does the device send two values for one instant?`;
        out.conflicts.push(refusedSample(s, "conflict", reason));
      }
    }
  }
}

// A counter whose newest reading says "no value" goes on from the count before it, which a late one may be.
async function findLastCounts(db: pg.Client, late: readonly Sample[]): Promise<void> {
  const isOpen = ({ signal, value }: Sample) => signal.counter !== null && value !== null && signal.work !== null && (signal.work.flags & Flag.noValue) !== 0;
  const counts = late.filter(isOpen);
  const signals = [...new Set(counts.map((s) => s.signal))];
  if (signals.length === 0) return;
  // Not before the late one itself.
  const bounds = between("s.at", [...counts.map((s) => s.at), ...signals.map((s) => s.work!.at)]);
  const { rows } = await db.query<{ i: number; value: number | null }>({
    text: `-- ingest.lastCounts
      select g.i::int - 1 as i, (select value from ledger_sample s where s.signal_id = g.id and s.value is not null and ${bounds} order by at desc limit 1) as value
      from unnest($1::int4[]) with ordinality g(id, i)`,
    values: [int4Array(signals.map((s) => s.id))],
  });
  for (const { i, value } of rows) signals[i]!.work!.value = value;
}

// A late job reading came between those that are remembered.
function forgetChanges(signal: Signal): void {
  if (signal.work) signal.work.changes = [{ at: signal.work.at, text: signal.work.text ?? "" }];
}

// Careful: every row goes the conflict-safe way; what is newest is found afterwards.
function allLate(samples: readonly Sample[]): Derived {
  return {
    trend: [],
    ledger: [],
    late: [...samples],
    touched: [],
    counts: new Map(),
    recount: [],
    presence: new Map(),
    lastPresence: null,
    sourceLatest: new Map(),
    ledgerMarks: new Map(),
    trendHours: [],
    passedOver: 0,
    remarks: new Map(),
  };
}

function advanceByWritten(written: readonly Sample[], derived: Derived): void {
  const inOrder = [...written].sort((a, b) => a.at - b.at);
  for (const { signal, at, value, text, flags, receivedAt } of inOrder) {
    const before = signal.work ?? signal.latest;
    if (!signal.work) derived.touched.push(signal);
    const total = (before?.valuesTotal ?? 0) + 1;
    if (before && before.at >= at) signal.work = { ...before, valuesTotal: total };
    else {
      const kept = signal.counter && value === null ? (before?.value ?? null) : value;
      signal.work = {
        at,
        value: kept,
        text,
        flags,
        receivedAt,
        pieceAt: before?.pieceAt ?? null,
        cycleS: null,
        periodS: before?.periodS ?? null,
        valuesTotal: total,
        firstAt: before ? before.firstAt : at,
        keptAt: at,
        changes: signal.role === "job" ? [{ at, text: text ?? "" }] : null,
      };
    }
  }
}
