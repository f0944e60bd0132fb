/** SQL of the dead letters: what was set aside, by reason and topic. Instants come as ms since 1970. */
import type { Db } from "#/server/db.ts";

const ms = (column: string) => `round(extract(epoch from ${column}) * 1000)::float8`;

const statuses = ["open", "retry", "resolved", "discarded"] as const;
export type LetterStatus = (typeof statuses)[number];
/** Letters of one topic (and metric) with one reason. */
export type LetterGroupKey = { reasonCode: string; topic: string; metric: string | null };

export type LetterGroup = LetterGroupKey & {
  letters: number;
  values: number; // with the repeats
  lastAt: number; // when one like these last came, whatever became of it
  lastId: string; // newest letter by then: what comes later is not meant by a button pressed now
  reason: string; // of the newest letter
};

/** Of more groups, those that came last. `letterCounts` says how many there are. */
export const mostGroups = 500;

/** Letters of a status by reason and topic, the group that came last first. Read from the sums that the database keeps (dead_letter_group). */
export const letterGroups = (db: Db, status: LetterStatus) =>
  db.rows<LetterGroup>(
    `-- dataHealth.letterGroups
    select reason_code as "reasonCode", topic, metric, ${status}_letters::float8 as letters, ${status}_values::float8 as "values",
      ${ms("last_at")} as "lastAt", last_id::text as "lastId", reason
    from dead_letter_group where ${status}_letters > 0 order by last_at desc limit ${mostGroups}`,
  );

export type LetterCount = { status: LetterStatus; letters: number; groups: number };

export const letterCounts = (db: Db) =>
  db.rows<LetterCount>(`-- dataHealth.letterCounts
    with sums as (
      select ${statuses.map((s) => `coalesce(sum(${s}_letters), 0)::float8 as ${s}_letters, count(*) filter (where ${s}_letters > 0)::int as ${s}_groups`).join(", ")} from dead_letter_group
    )
    select c.* from sums, lateral (values ${statuses.map((s) => `('${s}', ${s}_letters, ${s}_groups)`).join(", ")}) c(status, letters, groups)`);

export type LettersDropped = { letters: number; droppedAt: number | null };

/** Open letters that went because there was no room for them. */
export async function lettersDropped(db: Db): Promise<LettersDropped> {
  const [row] = await db.rows<LettersDropped>(
    `-- dataHealth.lettersDropped\nselect letters::float8 as letters, ${ms("dropped_at")} as "droppedAt" from dead_letter_dropped`,
  );
  return row ?? { letters: 0, droppedAt: null };
}

export type LetterRow = {
  id: string;
  receivedAt: number;
  lastReceivedAt: number;
  repeats: number;
  form: "message" | "value";
  status: LetterStatus;
  statusAt: string; // exact, to compare with
  payloadSize: number;
  reason: string;
  head: string; // first bytes as text, for the list
};

export const mostLetters = 100;

/** "is not distinct from" finds no index. */
const metricIs = (metric: string | null, parameter: string) => (metric === null ? `metric is null and ${parameter}::text is null` : `metric = ${parameter}`);

export const letterRows = (db: Db, key: LetterGroupKey, status: LetterStatus) =>
  db.rows<LetterRow>(
    `-- dataHealth.letterRows
    select id::text, ${ms("received_at")} as "receivedAt", ${ms("last_received_at")} as "lastReceivedAt", repeats::float8 as repeats, form, status, status_at::text as "statusAt",
      payload_size as "payloadSize", reason, encode(substring(payload from 1 for 120), 'escape') as head
    from dead_letter where reason_code = $1 and topic = $2 and ${metricIs(key.metric, "$3")} and status = $4
    order by id desc limit ${mostLetters}`,
    [key.reasonCode, key.topic, key.metric, status],
  );

export type LetterBody = { topic: string; metric: string | null; form: "message" | "value"; payload: Buffer; payloadSize: number };

export async function letterBody(db: Db, id: string, mostBytes: number): Promise<LetterBody | null> {
  const found = await db.rows<LetterBody>(
    `-- dataHealth.letterBody
    select topic, metric, form, substring(payload from 1 for $2) as payload, payload_size as "payloadSize" from dead_letter where id = $1`,
    [id, mostBytes],
  );
  return found[0] ?? null;
}

/** Compare-and-set of one letter. The number changed: 0 or 1. */
export async function setLetter(db: Db, letter: { id: string; statusAt: string }, to: "retry" | "discarded"): Promise<number> {
  const changed = await db.rows(
    `-- dataHealth.setLetter
    update dead_letter set status = $3, status_at = clock_timestamp() where id = $1 and status = 'open' and status_at = $2::timestamptz returning id`,
    [letter.id, letter.statusAt, to],
  );
  return changed.length;
}

export async function letterStatus(db: Db, id: string): Promise<LetterStatus | null> {
  const found = await db.rows<{ status: LetterStatus }>("-- dataHealth.letterStatus\nselect status from dead_letter where id = $1", [id]);
  return found[0]?.status ?? null;
}

/** Letters changed at once: a fifth of a second, in which a worker that sets aside letters like them may have to wait. */
const lettersAtOnce = 10_000;

export type Slice = { changed: number /** The newest letter looked at; null: there are no more. */; lastId: string | null };

/** The next open letters of a group after `afterId` and up to `untilId`, as many as are changed at once. */
export async function setSlice(
  db: Db,
  key: LetterGroupKey,
  { afterId, untilId, to }: { afterId: string; untilId: string; to: "retry" | "discarded" },
): Promise<Slice> {
  const [row] = await db.rows<{ seen: number; lastId: string | null; changed: number }>(
    `-- dataHealth.setSlice
    with slice as (
      select id from dead_letter where reason_code = $1 and topic = $2 and ${metricIs(key.metric, "$3")} and status = 'open' and id > $4 and id <= $5
      order by id limit ${lettersAtOnce}
    ), changed as (
      update dead_letter set status = $6, status_at = clock_timestamp() where id = any(array(select id from slice)) and status = 'open' returning 1
    ) select (select count(*)::int from slice) as seen, (select max(id)::text from slice) as "lastId", (select count(*)::int from changed) as changed`,
    [key.reasonCode, key.topic, key.metric, afterId, untilId, to],
  );
  return { changed: row?.changed ?? 0, lastId: row && row.seen === lettersAtOnce ? row.lastId : null };
}

/** Reasons of letters that lacked a signal, in the order in which their sums are locked. */
export const unknownCodes = ["unknown_machine", "unknown_signal"] as const;

/** Wakes the worker; takes effect at commit. */
export const notifyRetry = (db: Db) => db.rows("-- dataHealth.notifyRetry\nselect pg_notify('dead_letter', 'retry')");
/** Wakes the screens of others. */
export const notifyChanged = (db: Db) => db.rows("-- dataHealth.notifyChanged\nselect pg_notify('dead_letter', 'changed')");

export type UnknownRow = { topic: string; metric: string | null; letters: number; lastAt: number; payload: Buffer; reason: string };

/** Of more topics and metrics, those that came last. */
export const mostUnknown = 200;

const [unknownMachine, unknownSignal] = unknownCodes;
/** Finds its index, which "is not distinct from" does not. */
const isAlike = (a: string, b: string) => `${a}.topic = ${b}.topic and (${a}.metric = ${b}.metric or ${a}.metric is null and ${b}.metric is null)`;

/**
 * Topics and metrics that lead to no signal, each with its newest payload, the one that came last first.
 * One may be in two groups of letters, from before and after its machine was known: of twice as many groups at least so many are left.
 */
export const unknownRows = (db: Db) =>
  db.rows<UnknownRow>(
    `-- dataHealth.unknownRows
    with newest as (
      select topic, metric, max(last_at) as last_at from (
        select topic, metric, last_at from dead_letter_group where open_letters > 0 and reason_code = any($1) order by last_at desc limit ${2 * mostUnknown}
      ) g group by topic, metric order by max(last_at) desc limit ${mostUnknown}
    )
    select u.topic, u.metric, g.reason, g.letters, ${ms("u.last_at")} as "lastAt", coalesce(n.payload, '') as payload
    from newest u, lateral (
      select sum(g.open_letters)::float8 as letters, (array_agg(g.reason order by g.last_id desc))[1] as reason,
        (array_agg(g.reason_code order by g.last_id desc))[1] as reason_code
      from dead_letter_group g where ${isAlike("g", "u")} and g.open_letters > 0 and g.reason_code = any($1)
    ) g left join lateral (
      select substring(l.payload from 1 for 4096) as payload from (
        (select payload from dead_letter l where l.topic = u.topic and l.metric = u.metric and l.reason_code = g.reason_code and l.status = 'open' order by l.id desc limit 1)
        union all
        (select payload from dead_letter l where u.metric is null and l.topic = u.topic and l.metric is null and l.reason_code = g.reason_code and l.status = 'open'
          order by l.id desc limit 1)
      ) l
    ) n on true
    order by u.last_at desc, u.topic, u.metric`,
    [unknownCodes],
  );

/** How many topics and metrics lead to no signal. */
export async function unknownCount(db: Db): Promise<number> {
  const found = await db.rows<{ n: number }>(
    `-- dataHealth.unknownCount
    select (select count(*) from dead_letter_group where open_letters > 0 and reason_code = $2)::int
      + (select count(*) from dead_letter_group g where g.open_letters > 0 and g.reason_code = $1
          and not exists (select from dead_letter_group s where ${isAlike("s", "g")} and s.reason_code = $2 and s.open_letters > 0))::int as n`,
    [unknownMachine, unknownSignal],
  );
  return found[0]?.n ?? 0;
}
