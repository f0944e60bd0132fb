/** What a value in a message is for the signal that it is mapped to: where it lies, its time, and the number or text that it becomes. Pure. */
import { instant, type RawValue, type Refusal, valueAt, whyNotScalar } from "./payload.ts";

/** What of a signal says how its values are read. counter: null for what is no count. */
export type Reader = {
  /** site/area/line/machine/signal, for people. */
  path: string;
  role: string;
  unit: string;
  scale: number;
  offset: number;
  valueMap: ReadonlyMap<string, unknown> | null;
  counter: object | null;
  lowLimit: number | null;
  highLimit: number | null;
};

/** Where a value lies in a payload: path 'a.b.0.c', '' the whole; tsPath: of its time, null: 'ts' beside it or of the whole. */
export type Place = { path: string; tsPath: string | null };

/** sent: the time as it was sent. at: in ms since 1970; null: none was sent; else why it is no time. */
export type MappedReading = { value: unknown; sent: unknown; at: number | null | Refusal };

/** The value of a mapping in a message, and its time. null: the message does not hold it. */
export function mappedReading(json: unknown, { path, tsPath }: Place): MappedReading | null {
  const found = valueAt(json, path);
  const value = path === "" && found !== null && typeof found === "object" && Object.hasOwn(found, "value") ? (found as { value: unknown }).value : found;
  if (value === undefined) return null;
  const parent = path.includes(".") ? valueAt(json, path.slice(0, path.lastIndexOf("."))) : json;
  const sent = tsPath !== null ? valueAt(json, tsPath) : (valueAt(parent, "ts") ?? valueAt(json, "ts"));
  return { value, sent, at: instant(sent) };
}

/** Why a message that holds nothing of what is mapped is set aside. */
export const nothingAt = (path: string, signalPath: string): Refusal => ({
  code: "payload_shape",
  reason: `The message has nothing at "${path}", which is mapped to ${signalPath}.`,
});

export const maxFutureMs = 5 * 60_000;

/** Times in ms. by: address of the source. retainMs: how long raw values of the signal are kept; null: for ever. */
export function whyTooOld(
  at: number,
  receivedAt: number,
  { maxBackfillMs, by, retainMs }: { maxBackfillMs: number; by: string; retainMs: number | null },
): Refusal | null {
  const age = receivedAt - at;
  if (age > maxBackfillMs)
    return {
      code: "ts_too_old",
      reason: `The value is from ${day(at)}, ${inWords(age)} old; ${by} delivers at most ${inWords(maxBackfillMs)} back (max_backfill).`,
    };
  if (retainMs !== null && age > retainMs)
    return { code: "ts_too_old", reason: `The value is from ${day(at)}, ${inWords(age)} old; measurements are kept ${inWords(retainMs)}.` };
  return null;
}

export const future = (at: number, receivedAt: number): Refusal => ({
  code: "ts_future",
  reason: `The time stamp ${day(at)} is ${inWords(at - receivedAt)} ahead of this server; at most ${maxFutureMs / 60_000} min are taken. Check the device's clock.`,
});
const day = (at: number) => new Date(at).toISOString().replace(/\.\d+Z$/, "Z");

/** Below each of these (s) a length of time is said in that unit, of so many seconds. */
const units: readonly [below: number, unit: string, seconds: number][] = [
  [120, "s", 1],
  [7_200, "min", 60],
  [172_800, "h", 3_600],
  [2 * 31_557_600, "days", 86_400],
  [Number.POSITIVE_INFINITY, "years", 31_557_600],
];

/** A length of time (ms) in the unit that fits it: 90 s, 6 min, 5 h, 40 days, 73.1 years. */
export function inWords(ms: number): string {
  const s = Math.abs(ms) / 1000;
  const [, unit, seconds] = units.find(([below]) => s < below) ?? [0, "s", 1];
  const n = s / seconds;
  return `${unit === "s" ? Math.round(n) : Math.round(n * 10) / 10} ${unit}`;
}

export type Converted = { value: number | null; text: string | null };

/** A raw value in the signal's terms: number in its unit, or text. States stay as read: what they mean is looked up when they are read. */
export function convert(signal: Reader, raw: RawValue): Converted | Refusal {
  if (raw === null) return { value: null, text: null };
  switch (signal.role) {
    case "state":
      return typeof raw === "number" ? { value: raw, text: null } : { value: null, text: String(raw).toWellFormed() };
    case "job":
    case "product":
    case "fault_code":
      return { value: null, text: String(signal.valueMap?.get(String(raw)) ?? raw).toWellFormed() }; // as the database gives it back
  }
  const mapped = signal.valueMap?.get(String(raw)) ?? raw;
  const number = typeof mapped === "boolean" && signal.counter === null ? Number(mapped) : mapped;
  if (typeof number !== "number")
    return /^[-+]?(nan|inf(inity)?)$/i.test(String(number))
      ? { code: "value_not_finite", reason: "The value is not a finite number (NaN or infinite)." }
      : {
          code: "value_type",
          reason: `${signal.path} takes numbers, but ${describe(raw)} was sent.${typeof raw === "string" && Number.isFinite(Number(raw)) && raw.trim() !== "" ? " Send it without quotes." : ""}`,
        };
  const value = number * signal.scale + signal.offset;
  if (!Number.isFinite(value)) return { code: "value_not_finite", reason: "The value is not a finite number after scaling." };
  if (signal.counter && value < 0)
    return { code: "counter_negative", reason: `The count ${value} is negative. Check the type of the counter in the PLC (signed, rolled over?).` };
  if (signal.counter && Math.abs(value) > Number.MAX_SAFE_INTEGER)
    return { code: "value_not_finite", reason: `The count ${value} is too large to be counted exactly (more than 2^53).` };
  if ((signal.lowLimit !== null && value < signal.lowLimit) || (signal.highLimit !== null && value > signal.highLimit))
    return {
      code: "value_out_of_limits",
      reason: `${value} ${signal.unit} is outside the physical limits of ${signal.path} (${signal.lowLimit ?? "-∞"} to ${signal.highLimit ?? "∞"}). A broken wire?`,
    };
  return { value, text: null };
}

const describe = (raw: RawValue) => (typeof raw === "string" ? `the text "${raw.slice(0, 60)}"` : `${raw}`);

/** A value as it was sent, read for a signal; or why it cannot be one of it. */
export const readValue = (signal: Reader, raw: unknown): Converted | Refusal => whyNotScalar(raw) ?? convert(signal, raw as RawValue);
