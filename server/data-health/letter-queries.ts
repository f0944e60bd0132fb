/** SQL of the dead letters: what was set aside, by reason and topic. Instants come as ms since 1970. */
import type { Db } from "#/server/db.ts";
import type { Scope } from "#/server/domain/permission.ts";
import { inSites, sitesIn } from "#/server/scope.ts";

const ms = (column: string) => `round(extract(epoch from ${column}) * 1000)::float8`;

/**
 * Rows with the columns topic and metric, each with its site_id: the site named by its topic below takt/v1, that of the Sparkplug device (else its node) that
 * sent it, or of the signals that its topic is mapped to, where these are of one site. null: nobody can say; then it is for those who look after all sites.
 */
export const withSite = (rows: string) => `(
    select l.*, coalesce(named.id, device.site_id, node.site_id, mapped.site_id) as site_id
    from ${rows} l
      cross join lateral (
        select case when l.topic not like 'spBv1.0/%' then null when l.metric is null then regexp_replace(l.topic, '^spBv1\\.0/([^/]+)/[^/]+/(.*)$', '\\1/\\2') else substr(l.topic, 9) end as address
      ) sparkplug
      left join site named on l.topic like 'takt/v1/%' and named.key = split_part(l.topic, '/', 3)
      left join source device on device.form = 'sparkplug' and device.address = sparkplug.address
      left join source node on node.form = 'sparkplug' and node.address = split_part(sparkplug.address, '/', 1) || '/' || split_part(sparkplug.address, '/', 2)
      left join (
        select t.pattern, min(m.site_id) as site_id from topic_mapping t join signal g on g.id = t.signal_id join machine m on m.id = g.machine_id
        where t.form = 'json' group by t.pattern having count(distinct m.site_id) = 1
      ) mapped on l.topic not like 'takt/v1/%' and l.topic not like 'spBv1.0/%' and mapped.pattern = l.topic
  )`;
/** The site of one topic and metric, which are parameters: found once, however many rows it is asked for. */
export const siteOf = (topic: string, metric: string) => `(select s.site_id from ${withSite(`(select ${topic}::text as topic, ${metric}::text as metric)`)} s)`;

/** The site of a topic (and metric); null: nobody can say. */
export async function siteOfTopic(db: Db, topic: string, metric: string | null): Promise<number | null> {
  const found = await db.rows<{ siteId: number | null }>(`-- dataHealth.siteOfTopic\nselect ${siteOf("$1", "$2")} as "siteId"`, [topic, metric]);
  return found[0]?.siteId ?? null;
}

/** As it came; of a Sparkplug publisher with the metric. */
export type Topic = { topic: string; metric: string | null };

/** The sites of topics, or topic filters, each once; null: nobody can say. */
export const sitesOfTopics = (db: Db, topics: readonly Topic[]) =>
  db.rows<{ siteId: number | null }>(
    `-- dataHealth.sitesOfTopics\nselect distinct site_id as "siteId" from ${withSite("(select * from unnest($1::text[], $2::text[]) as u(topic, metric))")} s`,
    [topics.map(({ topic }) => topic), topics.map(({ metric }) => metric)],
  );

export const statuses = ["open", "retry", "resolved", "discarded"] as const;
export type LetterStatus = (typeof statuses)[number];
/** Letters of one topic (and metric) with one reason. */
export type LetterGroupKey = { reasonCode: string; topic: string; metric: string | null };

export type LetterGroup = LetterGroupKey & {
  letters: number;
  values: number; // with the repeats
  lastAt: number; // when one like these last came, whatever became of it
  lastId: string; // newest letter by then: what comes later is not meant by a button pressed now
  reason: string; // of the newest letter
  siteId: number | null; // null: nobody can say
};

/** Of more groups at a site, those that came last. `letterCounts` says how many there are. */
export const mostGroups = 500;

/** Each of the words stands in topic, metric, reason or its sentence, or the reason is one of the codes. */
export type LetterSearch = { words: readonly string[]; codes: readonly string[] };
const asPattern = (word: string) => `%${word.replace(/[\\%_]/g, "\\$&")}%`;

/** Letters of a status by reason and topic, of each site the groups that came last, those first. Read from the sums that the database keeps (dead_letter_group). */
export const letterGroups = (db: Db, status: LetterStatus, search: LetterSearch | null = null) =>
  db.rows<LetterGroup>(
    `-- dataHealth.letterGroups
    select reason_code as "reasonCode", topic, metric, site_id as "siteId", ${status}_letters::float8 as letters, ${status}_values::float8 as "values",
      ${ms("last_at")} as "lastAt", last_id::text as "lastId", reason
    from (
      select *, row_number() over (partition by site_id order by last_at desc) as nth
      from ${withSite(`(select * from dead_letter_group where ${status}_letters > 0
        and ($1::text[] is null or concat_ws(' ', topic, metric, reason_code, reason) ilike all($1) or reason_code = any($2::text[])))`)} g
    ) g where nth <= ${mostGroups} order by last_at desc`,
    [search?.words.map(asPattern) ?? null, search?.codes ?? null],
  );

/** Letters of a status at a site; null: nobody can say at which. */
export type LetterCount = { siteId: number | null; status: LetterStatus; letters: number; groups: number };

export const letterCounts = (db: Db) =>
  db.rows<LetterCount>(`-- dataHealth.letterCounts
    with sums as (
      select site_id, ${statuses.map((s) => `sum(${s}_letters)::float8 as ${s}_letters, count(*) filter (where ${s}_letters > 0)::int as ${s}_groups`).join(", ")}
      from ${withSite("dead_letter_group")} g group by site_id
    )
    select site_id as "siteId", c.* from sums, lateral (values ${statuses.map((s) => `('${s}', ${s}_letters, ${s}_groups)`).join(", ")}) c(status, letters, groups)
    where c.letters > 0`);

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

export const letterRows = (db: Db, scope: Scope, key: LetterGroupKey, status: LetterStatus) =>
  db.rows<LetterRow>(
    `-- dataHealth.letterRows
    select id::text, ${ms("received_at")} as "receivedAt", ${ms("last_received_at")} as "lastReceivedAt", repeats::float8 as repeats, form, status, status_at::text as "statusAt",
      payload_size as "payloadSize", reason, encode(substring(payload from 1 for 120), 'escape') as head
    from dead_letter where reason_code = $1 and topic = $2 and ${metricIs(key.metric, "$3")} and status = $4 and ${inSites(5, siteOf("$2", "$3"))}
    order by id desc limit ${mostLetters}`,
    [key.reasonCode, key.topic, key.metric, status, sitesIn(scope)],
  );

/** Of what a letter is, and in which state. */
export type LetterPlace = {
  /** Only the head of its payload was kept. */ isCut: boolean;
  topic: string;
  metric: string | null;
  status: LetterStatus;
  siteId: number | null;
};

export async function letterPlace(db: Db, id: string): Promise<LetterPlace | null> {
  const found = await db.rows<LetterPlace>(
    `-- dataHealth.letterPlace\nselect topic, metric, status, length(payload) < payload_size as "isCut", site_id as "siteId" from ${withSite("(select * from dead_letter where id = $1)")} l`,
    [id],
  );
  return found[0] ?? null;
}

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

/** Letters changed at once: a fifth of a second, in which a worker that sets aside letters like them may have to wait. */
export const lettersAtOnce = 10_000;

/** lastId: the newest letter looked at; null: there were none. isLast: there are no more after it. */
export type Slice = { changed: number; lastId: string | null; isLast: boolean };
/** Letters after `afterId` and up to `untilId`, and what becomes of them. again: also those that led somewhere already. */
export type Range = { afterId: string; untilId: string; to: "retry" | "discarded"; again?: boolean };

/** The next letters of a group, as many as are changed at once. */
export async function setSlice(db: Db, key: LetterGroupKey, { afterId, untilId, to, again }: Range): Promise<Slice> {
  const [row] = await db.rows<{ seen: number; lastId: string | null; changed: number }>(
    `-- dataHealth.setSlice
    with slice as (
      select id from dead_letter where reason_code = $1 and topic = $2 and ${metricIs(key.metric, "$3")} and status = any($7) and id > $4 and id <= $5
      order by id limit ${lettersAtOnce}
    ), changed as (
      update dead_letter set status = $6, status_at = clock_timestamp() where id = any(array(select id from slice)) and status = any($7) returning 1
    ) select (select count(*)::int from slice) as seen, (select max(id)::text from slice) as "lastId", (select count(*)::int from changed) as changed`,
    [key.reasonCode, key.topic, key.metric, afterId, untilId, to, again ? ["open", "resolved"] : ["open"]],
  );
  return { changed: row?.changed ?? 0, lastId: row?.lastId ?? null, isLast: row?.seen !== lettersAtOnce };
}

/** Reasons of letters that lacked a signal. */
export const unknownCodes = ["unknown_machine", "unknown_signal"] as const;

/** Wakes the worker; takes effect at commit. */
export const notifyRetry = (db: Db) => db.rows("-- dataHealth.notifyRetry\nselect pg_notify('dead_letter', 'retry')");
/** Wakes the screens of others. */
export const notifyChanged = (db: Db) => db.rows("-- dataHealth.notifyChanged\nselect pg_notify('dead_letter', 'changed')");

export type UnknownRow = { topic: string; metric: string | null; siteId: number | null; letters: number; lastAt: number; payload: Buffer; reason: string };

/** Of a site's topics and metrics, those that came last. */
export const mostUnknown = 200;

const [unknownMachine, unknownSignal] = unknownCodes;
/** Finds its index, which "is not distinct from" does not. */
const isAlike = (a: string, b: string) => `${a}.topic = ${b}.topic and (${a}.metric = ${b}.metric or ${a}.metric is null and ${b}.metric is null)`;

/** again: its letters that led somewhere already are meant, too. */
export type TopicToRetry = Topic & { again: boolean };

/** Groups of these topics with letters of these reasons to try again, in the order in which their sums are locked. */
export const groupsToRetry = (db: Db, topics: readonly TopicToRetry[], codes: readonly string[]) =>
  db.rows<LetterGroupKey & { again: boolean }>(
    `-- dataHealth.groupsToRetry
    select g.topic, g.metric, g.reason_code as "reasonCode", w.again
    from (select topic, metric, bool_or(again) as again from unnest($1::text[], $2::text[], $4::bool[]) as u(topic, metric, again) group by topic, metric) w
      join dead_letter_group g on ${isAlike("g", "w")}
    where (g.open_letters > 0 or w.again and g.resolved_letters > 0) and g.reason_code = any($3) order by g.topic, g.metric, g.reason_code`,
    [topics.map(({ topic }) => topic), topics.map(({ metric }) => metric), codes, topics.map(({ again }) => again)],
  );

/** Topics and metrics that lead to no signal, each with its newest payload: of each site those that came last, these first. */
export const unknownRows = (db: Db) =>
  db.rows<UnknownRow>(
    `-- dataHealth.unknownRows
    with newest as ( -- one may be in two groups of letters, from before and after its machine was known
      select topic, metric, site_id, max(last_at) as last_at, row_number() over (partition by site_id order by max(last_at) desc) as nth
      from ${withSite("(select * from dead_letter_group where open_letters > 0 and reason_code = any($1))")} g group by topic, metric, site_id
    )
    select u.topic, u.metric, u.site_id as "siteId", g.reason, g.letters, ${ms("u.last_at")} as "lastAt", coalesce(n.payload, '') as payload
    from (select * from newest where nth <= ${mostUnknown}) u, lateral (
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

/** How many topics and metrics of a site lead to no signal; null: of those of which nobody can say the site. */
export type UnknownCount = { siteId: number | null; n: number };

export const unknownCounts = (db: Db) =>
  db.rows<UnknownCount>(
    `-- dataHealth.unknownCounts
    select site_id as "siteId", count(*)::int as n
    from ${withSite(`(
        select topic, metric from dead_letter_group where open_letters > 0 and reason_code = $2
        union all
        select topic, metric from dead_letter_group g where g.open_letters > 0 and g.reason_code = $1
          and not exists (select from dead_letter_group s where ${isAlike("s", "g")} and s.reason_code = $2 and s.open_letters > 0)
      )`)} u group by site_id`,
    [unknownMachine, unknownSignal],
  );
