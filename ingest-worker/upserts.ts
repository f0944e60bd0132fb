// The set-based writes of a batch that follow its samples. Every one of them a statement, prepared once.
import { createHash } from "node:crypto";
import type pg from "pg";
import { maxPayloadBytes } from "#/server/domain/payload.ts";
import type { Batch } from "./batch.ts";
import { float8Array, instantArray, int2Array, int4Array, textArray } from "./binary.ts";
import type { Derived, MinuteCount } from "./derive.ts";
import type { Plant } from "./plant.ts";
import { handedOver, type Latest, type Letter, type LinkEvent, type Sample, type Signal, type Source } from "./sample.ts";

/** In order of keys everywhere: two writers of the same rows then wait for each other instead of locking each other out. */
const by =
  <T>(...keys: ((row: T) => number)[]) =>
  (a: T, b: T) => {
    for (const key of keys) if (key(a) !== key(b)) return key(a) - key(b);
    return 0;
  };

type LatestRow = { id: number } & Latest;

export async function upsertLatest(db: pg.Client, signals: readonly Signal[]): Promise<void> {
  const known: LatestRow[] = [];
  const rest: LatestRow[] = [];
  for (const s of [...signals].sort(by((one) => one.id))) (s.latest ? known : rest).push({ id: s.id, ...s.work! });
  // A plain update costs the database a third less than the way of insert and conflict. Should a row be gone, all go the other way.
  if (known.length > 0) {
    const { rowCount } = await db.query({
      name: "ingest.latest",
      text: `-- ingest.latest
        update signal_latest t set at = g.at, value = g.value, text_value = g.text_value, flags = g.flags, received_at = g.received_at, piece_at = g.piece_at,
          cycle_s = g.cycle_s, period_s = g.period_s, values_total = g.values_total::bigint, first_at = g.first_at
        from ${latestGiven} where t.signal_id = g.signal_id`,
      values: latestColumns(known),
    });
    if (rowCount !== known.length) rest.push(...known);
  }
  if (rest.length > 0)
    await db.query({
      name: "ingest.firstLatest",
      text: `-- ingest.firstLatest
        insert into signal_latest (signal_id, at, value, text_value, flags, received_at, piece_at, cycle_s, period_s, values_total, first_at)
        select signal_id, at, value, text_value, flags, received_at, piece_at, cycle_s, period_s, values_total::bigint, first_at from ${latestGiven}
        on conflict (signal_id) do update set at = excluded.at, value = excluded.value, text_value = excluded.text_value, flags = excluded.flags,
          received_at = excluded.received_at, piece_at = excluded.piece_at, cycle_s = excluded.cycle_s, period_s = excluded.period_s, values_total = excluded.values_total,
          first_at = excluded.first_at`,
      values: latestColumns(rest),
    });
}

const latestGiven = `unnest($1::int4[], $2::timestamptz[], $3::float8[], $4::text[], $5::int2[], $6::timestamptz[], $7::timestamptz[], $8::float8[], $9::float8[], $10::float8[],
          $11::timestamptz[]) g(signal_id, at, value, text_value, flags, received_at, piece_at, cycle_s, period_s, values_total, first_at)`;

const latestColumns = (rows: readonly LatestRow[]) => [
  int4Array(rows.map((r) => r.id)),
  instantArray(rows.map((r) => r.at)),
  float8Array(rows.map((r) => r.value)),
  textArray(rows.map((r) => r.text)),
  int2Array(rows.map((r) => r.flags)),
  instantArray(rows.map((r) => r.receivedAt)),
  instantArray(rows.map((r) => r.pieceAt)),
  float8Array(rows.map((r) => r.cycleS)),
  float8Array(rows.map((r) => r.periodS)),
  float8Array(rows.map((r) => r.valuesTotal)),
  instantArray(rows.map((r) => r.firstAt)),
];

export async function upsertCounts(db: pg.Client, counts: Iterable<MinuteCount>): Promise<void> {
  const rows = [...counts].sort(
    by(
      (r) => r.signal.id,
      (r) => r.minute,
    ),
  );
  if (rows.length === 0) return;
  await db.query({
    name: "ingest.counts",
    text: `-- ingest.counts
      insert into count_minute (signal_id, minute, job, machine_id, pieces, first_at, last_at)
      select * from unnest($1::int4[], $2::timestamptz[], $3::text[], $4::int4[], $5::float8[], $6::timestamptz[], $7::timestamptz[])
      on conflict (signal_id, minute, job) do update set pieces = count_minute.pieces + excluded.pieces,
        first_at = least(count_minute.first_at, excluded.first_at), last_at = greatest(count_minute.last_at, excluded.last_at)`,
    values: [
      int4Array(rows.map((r) => r.signal.id)),
      instantArray(rows.map((r) => r.minute)),
      textArray(rows.map((r) => r.job)),
      int4Array(rows.map((r) => r.signal.machineId)),
      float8Array(rows.map((r) => r.pieces)),
      instantArray(rows.map((r) => r.firstAt)),
      instantArray(rows.map((r) => r.lastAt)),
    ],
  });
}

export async function upsertPresence(db: pg.Client, derived: Derived): Promise<void> {
  const rows = [...derived.presence.values()].sort(
    by(
      (r) => r.source.id,
      (r) => r.minute,
    ),
  );
  if (rows.length === 0) return;
  await db.query({
    name: "ingest.presence",
    text: `-- ingest.presence
      insert into source_minute (source_id, minute, first_at, last_at, n, lag_max_s)
      select source_id, minute, first_at, last_at, n, lag_max_s from unnest($1::int4[], $2::timestamptz[], $3::timestamptz[], $4::timestamptz[], $5::int4[], $6::float8[]) g(source_id, minute, first_at, last_at, n, lag_max_s)
      on conflict (source_id, minute) do update set first_at = least(source_minute.first_at, excluded.first_at), last_at = greatest(source_minute.last_at, excluded.last_at),
        n = source_minute.n + excluded.n, lag_max_s = greatest(source_minute.lag_max_s, excluded.lag_max_s)`,
    values: [
      int4Array(rows.map((r) => r.source.id)),
      instantArray(rows.map((r) => r.minute)),
      instantArray(rows.map((r) => r.firstAt)),
      instantArray(rows.map((r) => r.lastAt)),
      int4Array(rows.map((r) => r.n)),
      float8Array(rows.map((r) => r.lagMaxS)),
    ],
  });
  const newest = [...derived.sourceLatest].map(([source, latest]) => ({ id: source.id, ...latest })).sort(by((r) => r.id));
  await db.query({
    name: "ingest.sourceStatus",
    text: `-- ingest.sourceStatus
      insert into source_status (source_id, last_at, last_received_at, lag_s)
      select source_id, at, received_at, extract(epoch from received_at - at) from unnest($1::int4[], $2::timestamptz[], $3::timestamptz[]) g(source_id, at, received_at)
      on conflict (source_id) do update set last_at = greatest(source_status.last_at, excluded.last_at), last_received_at = greatest(source_status.last_received_at, excluded.last_received_at),
        lag_s = case when source_status.last_at is null or excluded.last_at >= source_status.last_at then excluded.lag_s else source_status.lag_s end`,
    values: [int4Array(newest.map((r) => r.id)), instantArray(newest.map((r) => r.at)), instantArray(newest.map((r) => r.receivedAt))],
  });
}

export async function upsertMarks(db: pg.Client, derived: Derived): Promise<void> {
  const ledger = [...derived.ledgerMarks.values()].sort(
    by(
      (m) => m.machineId,
      (m) => m.hour,
    ),
  );
  if (ledger.length > 0)
    await db.query({
      name: "ingest.ledgerMarks",
      text: `-- ingest.ledgerMarks
        insert into ledger_mark (machine_id, hour, from_at, to_at) select * from unnest($1::int4[], $2::timestamptz[], $3::timestamptz[], $4::timestamptz[])
        on conflict (machine_id, hour) do update set from_at = least(ledger_mark.from_at, excluded.from_at), to_at = greatest(ledger_mark.to_at, excluded.to_at), marked_at = now()`,
      values: [
        int4Array(ledger.map((m) => m.machineId)),
        instantArray(ledger.map((m) => m.hour)),
        instantArray(ledger.map((m) => m.from)),
        instantArray(ledger.map((m) => m.to)),
      ],
    });
  const trend = [...derived.trendHours].sort(
    by(
      (m) => m.signalId,
      (m) => m.hour,
    ),
  );
  if (trend.length > 0)
    await db.query({
      // do update, not do nothing: it locks the mark, so that the roll-up does not take it away before these samples are to be seen
      name: "ingest.trendMarks",
      text: `-- ingest.trendMarks
        insert into trend_mark (signal_id, hour) select distinct * from unnest($1::int4[], $2::timestamptz[])
        on conflict (signal_id, hour) do update set hour = excluded.hour`,
      values: [int4Array(trend.map((m) => m.signalId)), instantArray(trend.map((m) => m.hour))],
    });
}

export async function insertLinks(db: pg.Client, links: readonly LinkEvent[], sources: ReadonlyMap<string, Source>): Promise<void> {
  if (links.length === 0) return;
  const columns = [
    links.map((l) => indexed(l.address)),
    instantArray(links.map((l) => l.at)),
    links.map((l) => l.kind),
    links.map((l) => l.alive),
    links.map((l) => indexed(l.detail)),
    instantArray(links.map((l) => l.receivedAt)),
  ];
  await db.query({
    name: "ingest.links",
    text: `-- ingest.links
      insert into link_event (source_id, address, at, kind, alive, detail, received_at)
      select s.id, g.address, g.at, g.kind, g.alive, g.detail, g.received_at
      from unnest($1::text[], $2::timestamptz[], $3::text[], $4::bool[], $5::text[], $6::timestamptz[]) g(address, at, kind, alive, detail, received_at) left join source s using (address)
      on conflict do nothing`,
    values: columns,
  });
  await claimLinks(db, links);
  const announced = new Map<number, LinkEvent>();
  for (const link of links) {
    const source = sources.get(link.address);
    const last = source && announced.get(source.id);
    if (source && link.alive !== null && (!last || link.isLast || (!last.isLast && link.at >= last.at))) announced.set(source.id, link);
  }
  const rows = [...announced].sort((a, b) => a[0] - b[0]);
  if (rows.length > 0)
    await db.query({
      name: "ingest.announced",
      text: `-- ingest.announced
        insert into source_status (source_id, announced, announced_at, announced_by) select * from unnest($1::int4[], $2::bool[], $3::timestamptz[], $4::text[])
        on conflict (source_id) do update set announced = excluded.announced, announced_at = excluded.announced_at, announced_by = excluded.announced_by
        where source_status.announced_at is null or source_status.announced_at <= excluded.announced_at or excluded.source_id = any($5::int4[])`,
      values: [
        int4Array(rows.map((r) => r[0])),
        rows.map((r) => r[1].alive),
        instantArray(rows.map((r) => r[1].at)),
        rows.map((r) => r[1].kind),
        int4Array(rows.filter((r) => r[1].isLast).map((r) => r[0])),
      ],
    });
}

/** The ledger looks back over at least a minute: what is older than this, ms, may speak of time of which it has already been told for good. */
const lateMs = 30_000;

/** Claims of the ledger the time in which sources turned out to have been there. */
export async function claimLatePresence(db: pg.Client, derived: Derived, now: number): Promise<void> {
  const late = new Map<number, { from: number; to: number }>();
  for (const { source, firstAt, lastAt } of derived.presence.values()) {
    if (now - firstAt <= lateMs) continue;
    const known = late.get(source.id);
    late.set(source.id, { from: Math.min(firstAt, known?.from ?? firstAt), to: Math.max(lastAt, known?.to ?? lastAt) });
  }
  if (late.size === 0) return;
  await db.query({
    name: "ingest.claimLate",
    text: `-- ingest.claimLate
      select claim_ledger(array(select distinct machine_id from signal where source_id = g.id), g.since, g.till)
      from unnest($1::int4[], $2::timestamptz[], $3::timestamptz[]) g(id, since, till)`,
    values: [int4Array([...late.keys()]), instantArray([...late.values()].map(({ from }) => from)), instantArray([...late.values()].map(({ to }) => to))],
  });
}

/** What a link said counts from then on, until it says something else; history fills all of the window in which it lies. */
async function claimLinks(db: pg.Client, links: readonly LinkEvent[]): Promise<void> {
  const said = links.filter(({ alive, kind }) => alive !== null || kind === "history");
  if (said.length === 0) return;
  await db.query({
    name: "ingest.claimLinks",
    text: `-- ingest.claimLinks
      select claim_ledger(array(select distinct machine_id from signal where source_id = s.id),
        case when g.fills then coalesce((select max(e.at) from link_event e where e.source_id = s.id and e.alive is not null and e.at < g.at), g.at) else g.at end,
        coalesce((select min(e.at) from link_event e where e.source_id = s.id and e.alive is not null and e.at > g.at), now()))
      from unnest($1::text[], $2::timestamptz[], $3::bool[]) g(address, at, fills) join source s using (address)`,
    values: [said.map((l) => indexed(l.address)), instantArray(said.map((l) => l.at)), said.map((l) => l.alive === null)],
  });
}

/** Letters that were tried again. One that was handed over has done its service; the others stay for those who look back. */
export async function settleRetried(db: pg.Client, ids: readonly number[]): Promise<void> {
  if (ids.length > 0)
    await db.query({
      name: "ingest.retried",
      text: `-- ingest.retried
        with gone as (delete from dead_letter where id = any($1::bigint[]) and status = 'retry' and reason_code = '${handedOver}')
        update dead_letter set status = 'resolved', status_at = now() where id = any($1::bigint[]) and status = 'retry' and reason_code <> '${handedOver}'`,
      values: [ids],
    });
}

/** Of topic, metric and payload: what comes again is not a second letter. Without a time of its own it is one for each time that it came: each is a value. */
const fingerprint = (letter: Letter) =>
  createHash("sha1")
    .update(`${letter.topic}\n${letter.metric ?? ""}\n${letter.untimed ? `${letter.receivedAt}\n` : ""}`)
    .update(letter.payload)
    .digest("hex");

/** Whatever could be read is kept whole; of what is too large for that, the head. */
const keptBytes = maxPayloadBytes;

/** Sets letters aside; one that stands there already is counted as a repeat and takes the new reason. What is handed over is to be tried again at once. */
export async function insertLetters(db: pg.Client, letters: readonly Letter[]): Promise<void> {
  if (letters.length === 0) return;
  const distinct = new Map<string, { letter: Letter; last: Letter; repeats: number }>();
  for (const letter of letters) {
    const key = fingerprint(letter);
    const known = distinct.get(key);
    if (!known) distinct.set(key, { letter, last: letter, repeats: 0 });
    else {
      known.last = letter;
      known.repeats++;
    }
  }
  const keys = [...distinct.keys()].sort();
  const rows = keys.map((key) => distinct.get(key)!);
  await db.query({
    name: "ingest.letters",
    text: `-- ingest.letters
      insert into dead_letter (fingerprint, received_at, last_received_at, repeats, form, topic, metric, payload, payload_size, value_count, reason_code, reason, status)
      select decode(fingerprint, 'hex'), received_at, last_received_at, repeats, form, topic, metric, payload, payload_size, value_count, reason_code, reason,
        case when reason_code = '${handedOver}' then 'retry' else 'open' end
      from unnest($1::text[], $2::timestamptz[], $3::timestamptz[], $4::int4[], $5::text[], $6::text[], $7::text[], $8::bytea[], $9::int4[], $10::int4[], $11::text[], $12::text[])
        g(fingerprint, received_at, last_received_at, repeats, form, topic, metric, payload, payload_size, value_count, reason_code, reason)
      -- settled a moment ago by this very transaction: it was tried again and did not come again
      on conflict (fingerprint) do update set repeats = dead_letter.repeats + excluded.repeats + case when dead_letter.status = 'resolved' and dead_letter.status_at = now() then 0 else 1 end,
        last_received_at = greatest(dead_letter.last_received_at, excluded.last_received_at),
        reason_code = excluded.reason_code, reason = excluded.reason, status = case when dead_letter.status = 'discarded' then 'discarded' else excluded.status end,
        status_at = case when dead_letter.status in ('discarded', excluded.status) then dead_letter.status_at else now() end`,
    values: [
      keys,
      instantArray(rows.map((r) => r.letter.receivedAt)),
      instantArray(rows.map((r) => r.last.receivedAt)),
      int4Array(rows.map((r) => r.repeats)),
      rows.map((r) => r.letter.form),
      rows.map((r) => indexed(r.letter.topic)),
      rows.map((r) => (r.letter.metric === null ? null : indexed(r.letter.metric))),
      rows.map((r) => r.letter.payload.subarray(0, keptBytes)),
      int4Array(rows.map((r) => r.letter.payload.length)),
      int4Array(rows.map((r) => r.letter.valueCount)),
      rows.map((r) => r.letter.code),
      rows.map((r) => clean(r.letter.reason)),
    ],
  });
}

/** PostgreSQL's text has no NUL, and half of a surrogate pair is no UTF-8. */
const clean = (text: string) => text.replaceAll("\0", "\u2400").toWellFormed();

/** Topics and names come from outside, and an index takes no row beyond 2,704 bytes: longer ones are kept by their head. */
function indexed(text: string): string {
  const bytes = Buffer.from(clean(text));
  return (bytes.length <= 1_000 ? bytes : bytes.subarray(0, 1_000)).toString("utf8");
}

/** Lines that only measure are announced at most this often; what their boards show of it is the age of the data. */
const trendAnnounceMs = 5_000;

/** Wakes the boards of lines whose picture this batch changes. */
export async function announce(
  db: pg.Client,
  announcedAt: Map<number, number>,
  derived: Derived,
  batch: Batch,
  late: readonly Sample[],
  lettersChanged: boolean,
  plant: Plant,
): Promise<void> {
  const lines = new Set<number>();
  const now = Date.now();
  for (const sample of derived.ledger) lines.add(sample.signal.lineId);
  for (const sample of late) lines.add(sample.signal.lineId);
  for (const sample of derived.trend) {
    const { lineId } = sample.signal;
    if (!lines.has(lineId) && now - (announcedAt.get(lineId) ?? 0) >= trendAnnounceMs) lines.add(lineId);
  }
  if (batch.links.length > 0)
    for (const signal of plant.signals.values()) if (batch.links.some((link) => link.address === signal.source.address)) lines.add(signal.lineId);
  for (const id of lines) announcedAt.set(id, now);
  const ids = [...lines];
  const notes: [string, string][] = [];
  for (let i = 0; i < ids.length; i += 500) notes.push(["board", JSON.stringify(ids.slice(i, i + 500))]); // a notice has at most 8,000 bytes
  if (lettersChanged) notes.push(["dead_letter", "changed"]);
  if (batch.letters.some(({ code }) => code === handedOver)) notes.push(["dead_letter", "retry"]);
  if (notes.length > 0)
    await db.query({
      name: "ingest.announce",
      text: "-- ingest.announce\nselect pg_notify(channel, note) from unnest($1::text[], $2::text[]) n(channel, note)",
      values: [notes.map((n) => n[0]), notes.map((n) => n[1])],
    });
}
