// What flows through the worker: from a raw value on the wire to a sample of a signal, or a letter that says why not.
import type { CounterRule } from "#/server/domain/counter.ts";

/** Root of the topics that follow the plant: takt/v1/<site>/<area>/<line>/<machine>/<signal>. */
export const namespace = "takt/v1";

export type { RawValue } from "#/server/domain/payload.ts";

/** Bits of a sample's flags, as in the schema. */
export const Flag = { stampedOnReceipt: 1, historical: 2, noValue: 4, badQuality: 8 } as const;

export type Role = "state" | "good_count" | "reject_count" | "rework_count" | "total_count" | "fault_code" | "job" | "product" | "measurement" | "energy";

/** A signal as the worker knows it: from the plant, and the newest that is committed of it. */
export type Signal = {
  id: number;
  machineId: number;
  lineId: number;
  source: Source;
  /** site/area/line/machine/signal, for people and for letters. */
  path: string;
  role: Role;
  ledger: boolean;
  counter: CounterRule | null;
  scale: number;
  offset: number;
  valueMap: ReadonlyMap<string, unknown> | null;
  lowLimit: number | null;
  highLimit: number | null;
  unit: string;
  /** Measurements: a smaller change from the last kept value is not kept; null: every value is. */
  deadBand: number | null;
  retired: boolean;
  latest: Latest | null;
  /** Of the batch being written; becomes latest after COMMIT, and is dropped when the batch fails. */
  work: Latest | null;
  /** Trend: hour whose mark for the roll-up is set in this generation (ms); NaN: none. */
  markedHour: number;
  /** Counts: the last minute (ms) in which something was remarked, by its kind. */
  remarkedMinute?: Partial<Record<string, number>>;
};

export type Latest = {
  at: number;
  value: number | null;
  text: string | null;
  flags: number;
  receivedAt: number;
  pieceAt: number | null;
  cycleS: number | null;
  periodS: number | null;
  valuesTotal: number;
  /** The oldest reading ever written; null: not known. Nothing is looked for before it. */
  firstAt: number | null;
  /** With a dead band: instant of the last value that was kept, which `value` is; null: not known, the next one is kept. */
  keptAt: number | null;
  /** Job signals: the last few changes in order of device time, kept in memory only; before the first of them is not known here. */
  changes: readonly { at: number; text: string }[] | null;
};

export type Source = {
  id: number;
  address: string;
  form: "json" | "sparkplug" | "mapped";
  noDataTimeoutMs: number;
  maxBackfillMs: number;
  announced: boolean | null;
  /** ms; when it said so. */
  announcedAt: number | null;
  /** Kind of the event in which it said so, or in which it was found out. */
  announcedBy: string | null;
  /** ms; the newest instant of a value that came from it, committed or not; -Infinity: none did. */
  newestAt: number;
};

/** One signal at one instant. at, receivedAt: ms since 1970 UTC (fractions are microseconds). */
export type Sample = { signal: Signal; at: number; value: number | null; text: string | null; flags: number; receivedAt: number };

/** What could not be written, with its reason for the plant engineer. */
export type Letter = {
  form: "message" | "value";
  topic: string;
  metric: string | null;
  payload: Buffer;
  valueCount: number;
  code: string;
  reason: string;
  receivedAt: number;
  /** Its values have no time of their own: each that comes is one more, however alike, told apart by receivedAt. */
  untimed?: boolean;
};

/** Reason code of messages that are handed over to the worker that reads their topic. */
export const handedOver = "other_worker";

/** What a link said of itself, or what was seen missing on it. */
export type LinkEvent = {
  address: string;
  at: number;
  kind: string;
  alive: boolean | null;
  detail: string;
  receivedAt: number;
  /** The word that was heard last: it is the present, whatever instants stand in those before it. */
  isLast?: boolean;
};

/** One message as it came. */
export type Incoming = {
  topic: string;
  payload: Buffer;
  retained: boolean;
  receivedAt: number;
  /** A letter that is tried once more; without a time of its own it keeps the instant at which it first came. */
  again?: boolean;
  /** The present, where it is not the time of receipt. */
  now?: number;
};

/** Where resolved things go; batch.ts is one. setAside: values that are counted with the letter of one that came before. */
export type Sink = {
  sample(sample: Sample): void;
  letter(letter: Letter): void;
  link(event: LinkEvent): void;
  repeat(): void;
  setAside(code: string, values: number): void;
};

/** A part of a message as a payload of its own. A number that is not finite stays so: as null it would be none. */
export const payloadOf = (item: unknown): Buffer =>
  Buffer.from(JSON.stringify(item, (_key, value: unknown) => (typeof value === "number" && !Number.isFinite(value) ? String(value) : value)));

/** A letter that keeps one value of a message in the form in which it can be tried again alone. ts: as it was sent; null or undefined: it was not. */
export function valueLetter(topic: string, metric: string | null, ts: unknown, value: unknown, code: string, reason: string, receivedAt: number): Letter {
  const untimed = ts === null || ts === undefined;
  return { form: "value", topic, metric, payload: payloadOf(untimed ? { value } : { ts, value }), valueCount: 1, code, reason, receivedAt, untimed };
}

/** A sample that could be read but not kept: its value as it was sent, so that it can be tried again. */
export const refusedSample = (s: Sample, code: string, reason: string): Letter =>
  valueLetter(`${namespace}/${s.signal.path}`, null, s.at, s.text ?? unscaled(s), code, reason, s.receivedAt);

const unscaled = ({ signal, value }: Sample) => (value === null ? null : (value - signal.offset) / signal.scale);

/** A message at which we failed ourselves. */
export const unreadLetter = ({ topic, payload }: { topic: string; payload: Buffer }, error: Error, receivedAt: number): Letter => ({
  form: "message",
  topic,
  metric: null,
  payload,
  valueCount: 1,
  code: "payload_shape",
  reason: `The message could not be read: ${error.message}`,
  receivedAt,
});
