/** From bytes to values, as the worker reads messages. Never throws: a bad message is set aside with its reason and must not stop its neighbours. Pure. */

/** A value as read from a payload, before it is known which signal it belongs to. */
export type RawValue = number | string | boolean | null;

/** One entry of a payload: values by signal key ("" where the topic names the signal), their instant (ms), null: none sent. */
export type Entry = { at: number | null; values: [key: string, value: unknown][] };
/** values: how many are refused with it; 1 where it does not say. */
export type Refusal = { code: string; reason: string; values?: number };
/** One item of a list, as it was sent. */
export type RefusedItem = Refusal & { item: unknown };
/** What can be read, and the items that cannot; or why nothing can. */
export type Decoded = { entries: Entry[]; refused?: RefusedItem[] } | Refusal;

export const maxPayloadBytes = 4 * 1024 * 1024;
const maxDepth = 32;
/** Values of one message: two transactions of the worker's, a quarter of a second. */
export const maxValues = 50_000;
/** Commas that so many values may have: with time stamps and names of their own, and room to spare. What has more is not even parsed, which would take a gigabyte. */
const maxCommas = 8 * maxValues;

/** Whole payload as JSON, or as a bare word. */
export function parsePayload(payload: Uint8Array): { json: unknown } | Refusal {
  if (payload.length === 0) return { code: "payload_empty", reason: "The message has no content." };
  if (payload.length > maxPayloadBytes)
    return {
      code: "payload_too_large",
      reason: `The message has ${Math.ceil(payload.length / 1024)} kB; at most ${maxPayloadBytes / 1024} kB are read. Send fewer values a message.`,
    };
  const text = utf8In(payload);
  if (text === null) return { code: "payload_not_utf8", reason: "The message is not text in UTF-8 (is it a binary format?)." };
  if (payload.length > maxDepth) {
    const { depth, commas } = shape(payload);
    if (depth > maxDepth) return { code: "payload_too_deep", reason: `The message is nested deeper than ${maxDepth} levels.` };
    if (commas > maxCommas) return tooMany(commas);
  }
  try {
    return { json: JSON.parse(text) };
  } catch (error) {
    const word = text.trim();
    if (/^[-+]?(nan|inf(inity)?)$/i.test(word)) return { json: /nan/i.test(word) ? Number.NaN : Number.POSITIVE_INFINITY };
    if (/^[^\s{}[\]",:][^{}[\]"]{0,199}$/u.test(word) && !/\p{Cc}/u.test(word)) return { json: word };
    return { code: "payload_not_json", reason: `The message is not JSON: ${(error as Error).message.slice(0, 160)}.` };
  }
}

const tooMany = (values: number): Refusal => ({
  code: "payload_too_large",
  reason: `The message holds some ${values} values; at most ${maxValues} are read of one. Send fewer values a message.`,
});

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function utf8In(payload: Uint8Array): string | null {
  try {
    return utf8.decode(payload);
  } catch {
    return null; // TypeError: that is the answer
  }
}

function shape(payload: Uint8Array): { depth: number; commas: number } {
  let now = 0;
  let most = 0;
  let commas = 0;
  let quoted = false;
  for (let i = 0; i < payload.length; i++) {
    const c = payload[i];
    if (quoted) {
      if (c === 0x5c) i++;
      else if (c === 0x22) quoted = false;
    } else if (c === 0x22) quoted = true;
    else if (c === 0x7b || c === 0x5b) most = Math.max(most, ++now);
    else if (c === 0x7d || c === 0x5d) now--;
    else if (c === 0x2c) commas++;
  }
  return { depth: most, commas };
}

/** Payload of .../<machine>/<signal>: a bare value, {"ts","value"}, or an array of such. */
export const decodeSignal = (payload: Uint8Array): Decoded => decode(payload, signalEntry, "The message is an empty list.");

/** Payload of .../<machine>: {"ts", "<signal>": value, ...} or an array of such. */
export const decodeMachine = (payload: Uint8Array): Decoded => decode(payload, machineEntry, "The message names no signal.");

// A bad item of a list is refused alone, and says nothing of its neighbours.
function decode(payload: Uint8Array, read: (item: unknown) => Entry | Refusal, whenEmpty: string): Decoded {
  const parsed = parsePayload(payload);
  if ("code" in parsed) return parsed;
  const isList = Array.isArray(parsed.json);
  const entries: Entry[] = [];
  const refused: RefusedItem[] = [];
  let values = 0;
  for (const item of isList ? (parsed.json as unknown[]) : [parsed.json]) {
    const entry = read(item);
    values += "code" in entry ? (entry.values ?? 1) : entry.values.length;
    if (values > maxValues) return tooMany(valuesOf(parsed.json));
    if (!("code" in entry)) {
      if (entry.values.length > 0) entries.push(entry);
    } else if (isList) refused.push({ ...entry, item });
    else return entry;
  }
  if (refused.length > 0) return { entries, refused };
  return entries.length > 0 ? { entries } : { code: "payload_empty", reason: whenEmpty };
}

function signalEntry(item: unknown): Entry | Refusal {
  if (item === null || typeof item !== "object") return { at: null, values: [["", item]] };
  if (!Object.hasOwn(item, "value"))
    return { code: "payload_shape", reason: 'An object for one signal needs "value", and best "ts": {"ts": 1790000000000, "value": 12.3}.' };
  const at = instant((item as { ts?: unknown }).ts);
  return typeof at === "object" && at !== null ? at : { at, values: [["", (item as { value: unknown }).value]] };
}

function machineEntry(item: unknown): Entry | Refusal {
  if (item === null || typeof item !== "object" || Array.isArray(item))
    return {
      code: "payload_shape",
      reason: 'A message for a machine is an object of its signals, {"ts": 1790000000000, "temperature": 71.2}, or a list of such.',
    };
  const values: [string, unknown][] = [];
  for (const key in item) if (key !== "ts") values.push([key, (item as Record<string, unknown>)[key]]);
  const at = instant((item as { ts?: unknown }).ts);
  return typeof at === "object" && at !== null ? { ...at, values: Math.max(1, values.length) } : { at, values };
}

/** How many items a payload may hold. */
export function itemsOf(payload: Uint8Array): number {
  if (payload[0] !== 0x5b) return 1;
  const parsed = parsePayload(payload);
  return "json" in parsed && Array.isArray(parsed.json) ? Math.max(1, parsed.json.length) : 1;
}

/** Values in a message that nobody here can place: the items of an array, and of a machine's message each key but its time. At least 1. */
export function valuesIn(payload: Uint8Array): number {
  const parsed = parsePayload(payload);
  return "json" in parsed ? valuesOf(parsed.json) : 1;
}

function valuesOf(json: unknown): number {
  const of = (item: unknown): number => {
    if (item === null || typeof item !== "object" || Array.isArray(item) || Object.hasOwn(item, "value")) return 1;
    return Math.max(1, Object.keys(item).filter((key) => key !== "ts" && key !== "timestamp").length);
  };
  return Array.isArray(json)
    ? Math.max(
        1,
        json.reduce<number>((n, item) => n + of(item), 0),
      )
    : of(json);
}

/** One value out of any JSON: path 'a.b.0.c', "" the whole. undefined: not there. */
export function valueAt(json: unknown, path: string): unknown {
  let at: unknown = json;
  if (path === "") return at;
  for (const step of path.split(".")) {
    if (at === null || typeof at !== "object" || !Object.hasOwn(at, step)) return undefined;
    at = (at as Record<string, unknown>)[step];
  }
  return at;
}

const iso = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d(:?\d\d)?)$/;

/** A time stamp as sent, to ms since 1970 UTC; null: none was sent. */
export function instant(ts: unknown): number | null | Refusal {
  if (ts === undefined || ts === null) return null;
  if (typeof ts === "number") {
    if (!Number.isFinite(ts)) return { code: "ts_invalid", reason: "The time stamp is not a finite number." };
    if (ts >= 1e11 && ts < 1e14) return Math.round(ts * 1000) / 1000;
    if (ts >= 1e8 && ts < 1e11)
      return { code: "ts_invalid", reason: `The time stamp ${ts} looks like seconds. Send milliseconds since 1970 (UTC): ${Math.round(ts * 1000)}.` };
    if (ts >= 1e14) return { code: "ts_invalid", reason: `The time stamp ${ts} looks like micro- or nanoseconds. Send milliseconds since 1970 (UTC).` };
    return { code: "ts_invalid", reason: `The time stamp ${ts} is before 1973: the device's clock was probably not set. Send milliseconds since 1970 (UTC).` };
  }
  if (typeof ts === "string" && ts.length < 40) {
    const at = iso.test(ts) ? Date.parse(ts.replace(" ", "T").replace(/([+-]\d\d)(\d\d)?$/, (_, h: string, m?: string) => `${h}:${m ?? "00"}`)) : Number.NaN;
    if (Number.isFinite(at)) return at;
    if (/^\d+$/.test(ts)) return { code: "ts_invalid", reason: `The time stamp "${ts}" is a text. Send it as a number, without quotes.` };
    return { code: "ts_invalid", reason: `The time stamp "${ts}" is not ISO 8601 with a zone, like 2026-09-21T14:13:20.000Z.` };
  }
  return { code: "ts_invalid", reason: "The time stamp is neither a number of milliseconds nor an ISO 8601 text." };
}

/** Why this cannot be a reading at all; null: it can. */
export function whyNotScalar(value: unknown): Refusal | null {
  if (value === null || typeof value === "boolean") return null;
  if (typeof value === "number")
    return Number.isFinite(value) ? null : { code: "value_not_finite", reason: "The value is not a finite number (NaN, infinite, or too large)." };
  if (typeof value === "string") {
    if (value.includes("\0")) return { code: "value_type", reason: "The text has a NUL character in it." };
    return value.length <= 500 ? null : { code: "value_type", reason: `The text has ${value.length} characters; at most 500 are kept.` };
  }
  return { code: "payload_shape", reason: "The value is an object or a list. Map the part you need by topic and path on the Data health page." };
}
export const isScalar = (value: unknown): value is RawValue => whyNotScalar(value) === null;
