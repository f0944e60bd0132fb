/** SQL of the dead letters: what was set aside, by reason and topic. Instants come as ms since 1970. */
import type { Db } from "#/server/db.ts";

const ms = (column: string) => `round(extract(epoch from ${column}) * 1000)::float8`;

export type LetterStatus = "open" | "retry" | "resolved" | "discarded";
/** Letters of one topic (and metric) with one reason. */
export type LetterGroupKey = { reasonCode: string; topic: string; metric: string | null };

export type LetterGroup = LetterGroupKey & {
  letters: number;
  values: number; // with the repeats
  firstAt: number;
  lastAt: number;
  lastId: string; // newest letter seen: what comes later is not meant by a button pressed now
  reason: string; // of the newest letter
};

export const mostGroups = 500;

export const letterGroups = (db: Db, status: LetterStatus) =>
  db.rows<LetterGroup>(
    `-- dataHealth.letterGroups
    select reason_code as "reasonCode", topic, metric, count(*)::int as letters, sum(value_count * (repeats + 1))::float8 as "values",
      ${ms("min(received_at)")} as "firstAt", ${ms("max(last_received_at)")} as "lastAt", max(id)::text as "lastId",
      (array_agg(reason order by id desc))[1] as reason
    from dead_letter where status = $1
    group by reason_code, topic, metric order by max(last_received_at) desc limit ${mostGroups}`,
    [status],
  );

export const letterCounts = (db: Db) =>
  db.rows<{ status: LetterStatus; letters: number }>(`-- dataHealth.letterCounts
    select status, count(*)::int as letters from dead_letter group by status`);

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

export const letterRows = (db: Db, key: LetterGroupKey, status: LetterStatus) =>
  db.rows<LetterRow>(
    `-- dataHealth.letterRows
    select id::text, ${ms("received_at")} as "receivedAt", ${ms("last_received_at")} as "lastReceivedAt", repeats, form, status, status_at::text as "statusAt",
      payload_size as "payloadSize", reason, encode(substring(payload from 1 for 120), 'escape') as head
    from dead_letter where reason_code = $1 and topic = $2 and metric is not distinct from $3 and status = $4
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

/** All open letters of a group up to one that was seen. The number changed. */
export async function setGroup(db: Db, key: LetterGroupKey, lastId: string, to: "retry" | "discarded"): Promise<number> {
  const changed = await db.rows<{ n: number }>(
    `-- dataHealth.setGroup
    with changed as (
      update dead_letter set status = $5, status_at = clock_timestamp()
      where reason_code = $1 and topic = $2 and metric is not distinct from $3 and id <= $4 and status = 'open' returning 1
    ) select count(*)::int as n from changed`,
    [key.reasonCode, key.topic, key.metric, lastId, to],
  );
  return changed[0]?.n ?? 0;
}

/** All open letters of a topic (and metric) that lacked a signal. The number changed. */
export async function retryUnknown(db: Db, { topic, metric }: { topic: string; metric: string | null }): Promise<number> {
  const changed = await db.rows<{ n: number }>(
    `-- dataHealth.retryUnknown
    with changed as (
      update dead_letter set status = 'retry', status_at = clock_timestamp()
      where topic = $1 and metric is not distinct from $2 and status = 'open' and reason_code in ('unknown_signal', 'unknown_machine') returning 1
    ) select count(*)::int as n from changed`,
    [topic, metric],
  );
  return changed[0]?.n ?? 0;
}

/** Wakes the worker; takes effect at commit. */
export const notifyRetry = (db: Db) => db.rows("-- dataHealth.notifyRetry\nselect pg_notify('dead_letter', 'retry')");
/** Wakes the screens of others. */
export const notifyChanged = (db: Db) => db.rows("-- dataHealth.notifyChanged\nselect pg_notify('dead_letter', 'changed')");

export type UnknownRow = { topic: string; metric: string | null; reasonCode: string; letters: number; lastAt: number; payload: Buffer; reason: string };

/** Topics and metrics that lead to no signal, each with its newest payload. */
export const unknownRows = (db: Db) =>
  db.rows<UnknownRow>(`-- dataHealth.unknownRows
    select distinct on (topic, metric) topic, metric, reason_code as "reasonCode", reason,
      count(*) over (partition by topic, metric)::int as letters, ${ms("max(last_received_at) over (partition by topic, metric)")} as "lastAt",
      substring(payload from 1 for 4096) as payload
    from dead_letter where status = 'open' and reason_code in ('unknown_signal', 'unknown_machine')
    order by topic, metric, id desc limit 200`);
