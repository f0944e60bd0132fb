/** What a mapping would make of messages that came already, before it is saved: read by the worker's own rules (server/domain/payload.ts, reading.ts). */
import type { Db } from "#/server/db.ts";
import { parsePayload, type RawValue, whyNotScalar } from "#/server/domain/payload.ts";
import type { Scope } from "#/server/domain/permission.ts";
import { future, mappedReading, maxFutureMs, nothingAt, type Reader, readValue } from "#/server/domain/reading.ts";
import { MachinesByName, SignalsByMachine, suggestSignal, valueName } from "#/server/domain/signal-suggestion.ts";
import { stateMeaning } from "#/server/domain/state.ts";
import { topicMatches } from "#/server/domain/topic-filter.ts";
import { Refusal } from "#/server/errors.ts";
import { whySignalIsWrong } from "#/server/plant/signal-check.ts";
import { inSites, sitesIn } from "#/server/scope.ts";
import { siteOf, unknownCodes, withSite } from "./letter-queries.ts";
import { machineRows, mappableSignals, readingSignals } from "./mapping-queries.ts";
import { showPayload } from "./payload.ts";

/** topic: as it came, or with + and # for many. metric: Sparkplug. path, tsPath: in the payload. */
export type Where = { topic: string; metric: string | null; path: string; tsPath: string | null };
/** Topics that lead to signals that there are, by their ids. */
export type Known = { topic: string; signalId: number };
/** signal: fields of a signal as the plant file has them, for all topics that are not among the known; key and mapping are not looked at. null: only the known are read. */
export type PreviewOf = Where & { signal: Record<string, unknown> | null; known: readonly Known[] };

/** What became of one message. reason: why it would be set aside; null: it would be kept. */
export type ReadMessage = {
  topic: string;
  receivedAt: number;
  /** The message as text, or its beginning; null: it is none. */
  payload: string | null;
  size: number;
  /** The value as it was sent; null: none, or none that a signal can have. */
  raw: string | number | boolean | null;
  /** The number in the signal's unit, or the text. */
  value: number | null;
  text: string | null;
  unit: string;
  /** Of a state: what it means; unknown: nothing that Takt knows. */
  meaning: string | null;
  at: number;
  /** The message said when; otherwise the time of its receipt is taken. */
  hasTime: boolean;
  /** As a letter would have it. */
  code: string | null;
  reason: string | null;
};
export type MappingPreview = { messages: ReadMessage[] /** Topics that match; more than are shown may. */; topics: number };

const messagesOfOne = 10;
/** Among so many that were set aside last. */
const messagesLookedAt = 100;
/** Of many topics, the newest message of each. */
const mostTopics = 200;
const mostBytes = 256 * 1024;
/** Of the text of a message among those of many topics. */
const mostOfMany = 2_000;

type LetterRow = { topic: string; receivedAt: number; payload: Buffer; payloadSize: number };

/** @throws Refusal INVALID with the fields of `signal` that are wrong; NOT_FOUND: a known signal is not in use, or not theirs */
export async function previewMapping(db: Db, scope: Scope, wanted: PreviewOf): Promise<MappingPreview> {
  const reader = wanted.signal === null ? null : readerOf(wanted.signal);
  const known = await knownReaders(db, scope, wanted.known);
  const isMany = /[+#]/.test(wanted.topic) && wanted.metric === null;
  const rows = isMany ? await matching(db, scope, wanted.topic) : await newest(db, scope, wanted);
  const messages = rows.map((row) => read(row, wanted, known.get(row.topic) ?? reader));
  return {
    messages: isMany ? messages.map((message) => ({ ...message, payload: message.payload?.slice(0, mostOfMany) ?? null })) : messages,
    topics: new Set(rows.map(({ topic }) => topic)).size,
  };
}

function readerOf(signal: Record<string, unknown>): Reader {
  const { entry, faults } = whySignalIsWrong(signal);
  if (!entry)
    throw new Refusal("INVALID", faults.map(({ sentence }) => sentence).join(" "), {
      fields: faults.map(({ path, sentence }) => ({ path: `signal.${path}`, sentence })),
    });
  return {
    path: "this signal",
    role: entry.role,
    unit: entry.unit,
    scale: entry.scale,
    offset: entry.offset,
    valueMap: entry.values ? new Map(Object.entries(entry.values)) : null,
    counter: entry.role.endsWith("_count") ? {} : null,
    lowLimit: entry.low ?? null,
    highLimit: entry.high ?? null,
  };
}

/** By topic. */
async function knownReaders(db: Db, scope: Scope, known: readonly Known[]): Promise<ReadonlyMap<string, Reader>> {
  if (known.length === 0) return new Map();
  const rows = await readingSignals(
    db,
    scope,
    known.map(({ signalId }) => signalId),
  );
  const readers = new Map(
    rows.map(({ id, valueMap, ...row }): [number, Reader] => [
      id,
      { ...row, valueMap: valueMap && new Map(Object.entries(valueMap)), counter: row.role.endsWith("_count") ? {} : null },
    ]),
  );
  return new Map(
    known.map(({ topic, signalId }) => {
      const reader = readers.get(signalId);
      if (!reader) throw new Refusal("NOT_FOUND", "This signal is no longer in use. Reload and choose another.");
      return [topic, reader];
    }),
  );
}

/** reader null: where the value lies is all that is asked for. */
function read(row: LetterRow, { metric, path, tsPath }: Where, reader: Reader | null): ReadMessage {
  const { text: payload } = showPayload(row.payload, row.payloadSize, null);
  const message: ReadMessage = {
    topic: row.topic,
    receivedAt: row.receivedAt,
    payload,
    size: row.payloadSize,
    at: row.receivedAt,
    hasTime: false,
    raw: null,
    value: null,
    text: null,
    unit: reader?.unit ?? "",
    meaning: null,
    code: null,
    reason: null,
  };
  const aside = ({ code, reason }: { code: string; reason: string }, sofar: Partial<ReadMessage> = {}) => ({
    ...message,
    ...sofar,
    code,
    reason: `${reason.charAt(0).toUpperCase()}${reason.slice(1)}`,
  });
  if (row.payloadSize > row.payload.length)
    return aside({ code: "payload_too_large", reason: "The message is too long to be shown here; only its head was kept." });
  const parsed = parsePayload(row.payload);
  if ("code" in parsed) return aside(parsed);
  // One metric was set aside with its value alone.
  const found = mappedReading(parsed.json, metric === null ? { path, tsPath } : { path: "", tsPath: null });
  if (found === null) return aside(nothingAt(path, reader?.path ?? "this signal"));
  const raw = whyNotScalar(found.value) === null ? (found.value as RawValue) : null;
  const { at } = found;
  if (at !== null && typeof at === "object") return aside(at, { raw });
  const timed = { raw, at: at ?? row.receivedAt, hasTime: at !== null };
  if (at !== null && at > row.receivedAt + maxFutureMs) return aside(future(at, row.receivedAt), timed);
  if (reader === null) return { ...message, ...timed };
  const value = readValue(reader, found.value);
  if ("code" in value) return aside(value, timed);
  const meaning =
    reader.role === "state" && (value.value !== null || value.text !== null)
      ? stateMeaning(value, reader.valueMap === null ? null : Object.fromEntries(reader.valueMap))
      : null;
  return { ...message, ...timed, ...value, meaning: meaning === null ? null : meaning.known ? meaning.kind : "unknown" };
}

const columns = `topic, round(extract(epoch from last_received_at) * 1000)::float8 as "receivedAt", substring(payload from 1 for ${mostBytes}) as payload, payload_size as "payloadSize"`;

const newest = (db: Db, scope: Scope, { topic, metric }: Where) =>
  db.rows<LetterRow>(
    `-- dataHealth.newestMessages
     select ${columns} from dead_letter where id in (
       select id from ( -- the worker sets aside a batch at once, in no order
         select id, last_received_at from dead_letter
         where topic = $1 and ${metric === null ? "metric is null and $2::text is null" : "metric = $2"} and ${inSites(3, siteOf("$1", "$2"))}
         order by id desc limit ${messagesLookedAt}
       ) newest order by last_received_at desc, id desc limit ${messagesOfOne}
     ) order by last_received_at desc, id desc`,
    [topic, metric, sitesIn(scope)],
  );

/** The newest message of each topic that leads nowhere yet. */
async function matching(db: Db, scope: Scope, filter: string): Promise<LetterRow[]> {
  const topics = await unknownTopics(db, scope, filter);
  return db.rows<LetterRow>(
    `-- dataHealth.messagesOfTopics
     select l.* from unnest($1::text[]) as t(topic), lateral (select ${columns} from dead_letter d where d.topic = t.topic and d.metric is null order by id desc limit 1) l
     order by l.topic`,
    [topics.slice(0, mostTopics)],
  );
}

/** Topics without a signal that match a filter. */
export async function unknownTopics(db: Db, scope: Scope, filter: string): Promise<string[]> {
  const rows = await db.rows<{ topic: string }>(
    `-- dataHealth.unknownTopics
     select distinct topic from ${withSite(
       "(select topic, metric from dead_letter_group where open_letters > 0 and metric is null and reason_code = any($3) and starts_with(topic, $1))",
     )} u
     where ${inSites(2, "u.site_id")} order by topic limit 10000`,
    [filter.slice(0, Math.max(0, filter.search(/[+#]/))) || (/[+#]/.test(filter) ? "" : filter), sitesIn(scope), unknownCodes],
  );
  return rows.map(({ topic }) => topic).filter((topic) => topicMatches(filter, topic));
}

export type Proposal = {
  topic: string /** Address of the machine that the topic probably is of. */;
  machine: string | null /** Key of a signal that it has and that this probably is. */;
  signal: string | null;
};

/** For a filter that many unknown topics match: which machine and signal each probably is. topics: how many match; more than are proposed for may. */
export async function proposeMappings(
  db: Db,
  scope: Scope,
  { topic, path }: Pick<Where, "topic" | "path">,
): Promise<{ proposals: Proposal[]; topics: number }> {
  const [topics, machines, signals] = await Promise.all([unknownTopics(db, scope, topic), machineRows(db, scope), mappableSignals(db, scope)]);
  const bySignalMachine = Map.groupBy(signals, (signal) => signal.machinePath);
  const byName = new MachinesByName(machines);
  const proposals = topics.slice(0, mostTopics).map((one) => {
    const machine = byName.of(one);
    // A topic leads to no signal of a Sparkplug publisher.
    const ofMachine = (machine && bySignalMachine.get(machine.path)?.filter(({ mappingForm }) => mappingForm === "json")) ?? [];
    const near = suggestSignal(valueName(one, null, path), one, new SignalsByMachine(ofMachine));
    return { topic: one, machine: machine?.path ?? null, signal: near?.key ?? null };
  });
  return { proposals, topics: topics.length };
}
