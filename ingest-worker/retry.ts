// Letters that someone wants tried again: fed through the normal way, and settled in the transaction that writes them.
import type pg from "pg";
import type { Filling } from "./batch.ts";
import type { Resolver } from "./resolve.ts";
import { handedOver, type RawValue } from "./sample.ts";
import { readersOf, type Share } from "./share.ts";
import type { SparkplugLink } from "./sparkplug-link.ts";

const atOnce = 2_000;
const lookedAt = 10_000;
/** Of payloads read at once: letters may be of some MB each. */
const mostBytesAtOnce = 16 * 1024 * 1024;

type Row = { id: string; topic: string; isFresh: boolean };
type LetterRow = { id: string; form: "message" | "value"; topic: string; metric: string | null; payload: Buffer; payloadSize: number; receivedAt: number };

/**
 * Puts letters with status 'retry' into the filling batch: those that come by topics of this worker's share, and if no other worker lives those that
 * nobody reads. True: there may be more. The plant is read anew for them: mostly it is a change of it that makes a letter worth another try, and its
 * notice may not have come yet; and what is remembered of signals that another worker wrote meanwhile is not the newest.
 */
export async function feedRetries(
  db: pg.Client,
  newest: () => Promise<Resolver>,
  filling: Filling,
  sparkplug: SparkplugLink | null,
  share: Share,
): Promise<boolean> {
  const { ids, isMore, resolver } = await ourLetters(db, newest, filling, share);
  if (resolver === null) return isMore;
  const { rows } = await db.query<LetterRow>(
    `-- ingest.retries
     select id, form, topic, metric, payload, payload_size as "payloadSize", extract(epoch from received_at)::float8 * 1000 as "receivedAt"
     from (
       select *, sum(length(payload)) over (order by received_at, id) - length(payload) as before from dead_letter where id = any($1::bigint[]) and status = 'retry'
     ) letter where before < ${mostBytesAtOnce} order by received_at, id`,
    [ids],
  );
  const now = Date.now();
  const hopeless: string[] = [];
  for (const row of rows) {
    const receivedAt = Math.round(row.receivedAt * 1000) / 1000; // whole microseconds
    if (row.payload.length < row.payloadSize || (row.metric === null && row.topic.startsWith("spBv1.0/") && sparkplug === null)) {
      hopeless.push(row.id); // of a cut payload only the head was kept
      continue;
    }
    try {
      feed(row, receivedAt, now, resolver, filling, sparkplug);
    } catch (error) {
      const { form, topic, metric, payload } = row;
      const reason = `It could not be read: ${(error as Error).message}`;
      filling.letter({ form, topic, metric, payload, valueCount: 1, code: "payload_shape", reason, receivedAt });
    }
    filling.batch.retried.push(Number(row.id));
  }
  if (hopeless.length > 0)
    await db.query("-- ingest.hopeless\nupdate dead_letter set status = 'open', status_at = now() where id = any($1::bigint[])", [hopeless]);
  return isMore || rows.length < ids.length;
}

function feed(
  { topic, metric, payload }: LetterRow,
  receivedAt: number,
  now: number,
  resolver: Resolver,
  filling: Filling,
  sparkplug: SparkplugLink | null,
): void {
  if (metric !== null) {
    const { ts, value } = JSON.parse(payload.toString("utf8")) as { ts?: unknown; value: RawValue };
    resolver.metric(topic.replace(/^spBv1\.0\//, ""), metric, ts, value, 0, receivedAt, filling, now);
  } else if (topic.startsWith("spBv1.0/")) sparkplug?.retry(topic, payload, receivedAt);
  else resolver.message({ topic, payload, retained: false, receivedAt, again: true, now }, filling);
}

/** A letter that was handed over waits this long for a worker that reads its topic: it may be about to be started. */
const handedOverWait = "10 minutes";

type Chosen = { ids: string[]; isMore: boolean; resolver: Resolver | null };

// In order of their ids. What another worker reads is left to it; what nobody reads while others live is open again, and says so.
async function ourLetters(db: pg.Client, newest: () => Promise<Resolver>, filling: Filling, share: Share): Promise<Chosen> {
  const chosen: Chosen = { ids: [], isMore: false, resolver: null };
  const nobodys: string[] = [];
  let others: string[][] = [];
  let isRead: ReturnType<typeof readersOf> | null = null;
  let isAlone: boolean | null = null;
  let rows: Row[] = [];
  do {
    ({ rows } = await db.query<Row>(
      `-- ingest.retryIds
       select id, topic, reason_code = '${handedOver}' and received_at > now() - interval '${handedOverWait}' as "isFresh"
       from dead_letter where status = 'retry' and id <> all($1::bigint[]) and id > $2 order by id limit ${lookedAt}`,
      [filling.batch.retried, rows.at(-1)?.id ?? 0],
    ));
    if (rows.length === 0) break;
    if (isRead === null) {
      chosen.resolver = await newest();
      isRead = readersOf(chosen.resolver.plant);
      others = await share.others(db);
    }
    for (const { id, topic, isFresh } of rows) {
      chosen.isMore = chosen.ids.length === atOnce;
      if (chosen.isMore) break;
      if (isRead([...share.configured, ...share.filters], topic)) chosen.ids.push(id);
      else if (!others.some((filters) => isRead?.(filters, topic))) {
        if (isAlone === null) {
          isAlone = await share.borrow(db);
          if (isAlone) chosen.resolver = await newest(); // from here on nobody else writes
        }
        if (isAlone) chosen.ids.push(id);
        else if (!isFresh) nobodys.push(id);
      }
    }
  } while (!chosen.isMore && rows.length === lookedAt);
  if (nobodys.length > 0)
    await db.query(
      `-- ingest.nobodys
       with opened as (
         update dead_letter set status = 'open', status_at = now(),
           reason = 'No worker reads this topic. Map it to a signal, or add it to the INGEST_TOPICS of a worker; then try again.'
         where id = any($1::bigint[]) and status = 'retry' returning 1
       ) select pg_notify('dead_letter', 'changed') where exists (select from opened)`,
      [nobodys],
    );
  return chosen;
}

/** Written as server/data-health/letter-queries.ts has them: reasons of letters that lacked a signal. */
const unknownCodes = "'unknown_machine', 'unknown_signal'";
/** The change that maps a topic may itself have taken as long. */
const beforeReloadMs = 60_000;

type GroupRow = { topic: string; metric: string | null; code: string };

/**
 * A message may come before the plant is read that maps its topic, and be set aside only after whoever mapped it had the letters tried again. Such letters
 * are tried again as soon as nothing is held any more that was read by the plant before.
 */
export class Overtaken {
  /** Receipt of the oldest message that the plant before has read, and the instant of reading the plant, ms. */
  private span: { from: number; until: number } | null = null;

  /** The plant has changed. heldSince: receipt of the oldest message that is held, null: none is. */
  note(heldSince: number | null, now: number): void {
    const from = Math.min(heldSince ?? now, now) - beforeReloadMs;
    this.span = { from: Math.min(this.span?.from ?? from, from), until: now };
  }

  /** True: there are letters to be tried again now. */
  async retry(db: pg.Client, heldSince: number | null, resolver: Resolver): Promise<boolean> {
    if (!this.span || (heldSince !== null && heldSince <= this.span.until)) return false;
    const since = new Date(this.span.from);
    this.span = null;
    const { rows } = await db.query<GroupRow>(
      `-- ingest.unknownOfLate
       select topic, metric, reason_code as code from dead_letter_group where open_letters > 0 and last_at >= $1 and reason_code in (${unknownCodes})`,
      [since],
    );
    const known = rows.filter(({ topic, metric }) => resolver.knows(topic, metric));
    if (known.length === 0) return false;
    const { rowCount } = await db.query(
      `-- ingest.retryOvertaken
       update dead_letter l set status = 'retry', status_at = now()
       from unnest($1::text[], $2::text[], $3::text[]) k(topic, metric, code)
       where l.topic = k.topic and l.metric is not distinct from k.metric and l.reason_code = k.code and l.status = 'open' and l.last_received_at >= $4`,
      [known.map((r) => r.topic), known.map((r) => r.metric), known.map((r) => r.code), since],
    );
    return (rowCount ?? 0) > 0;
  }
}
