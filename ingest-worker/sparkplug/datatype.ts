// From the wire to a number, a text or true/false, by the metric's data type. Signed integers come as two's complement in unsigned fields.
import { isUtf8 } from "node:buffer";
import type { RefusalCode } from "./types.ts";
import { Kind, type RawMetric } from "./wire.ts";

export const DataType = {
  Unknown: 0,
  Int8: 1,
  Int16: 2,
  Int32: 3,
  Int64: 4,
  UInt8: 5,
  UInt16: 6,
  UInt32: 7,
  UInt64: 8,
  Float: 9,
  Double: 10,
  Boolean: 11,
  String: 12,
  DateTime: 13,
  Text: 14,
  UUID: 15,
  DataSet: 16,
  Bytes: 17,
  File: 18,
  Template: 19,
  PropertySet: 20,
  PropertySetList: 21,
  Int8Array: 22,
  Int16Array: 23,
  Int32Array: 24,
  Int64Array: 25,
  UInt8Array: 26,
  UInt16Array: 27,
  UInt32Array: 28,
  UInt64Array: 29,
  FloatArray: 30,
  DoubleArray: 31,
  BooleanArray: 32,
  StringArray: 33,
  DateTimeArray: 34,
} as const;
const names = Object.keys(DataType);
export const nameOfType = (datatype: number): string => names[datatype] ?? `data type ${datatype}`;

/** Why a metric gives no value. text: what was sent, where it can be written. lasting: true of every value of this metric until its next birth. */
export class Refusal {
  readonly code: RefusalCode;
  readonly reason: string;
  readonly text: string | null;
  readonly lasting: boolean;
  constructor(code: RefusalCode, reason: string, { text = null, lasting = false }: { text?: string | null; lasting?: boolean } = {}) {
    this.code = code;
    this.reason = reason;
    this.text = text;
    this.lasting = lasting;
  }
}

const two32 = 4294967296;
const maxHigh = 0x1fffff; // halves of 2^53 - 1
const minHigh = 0xffe00000; // of -(2^53)

/** The value of a metric of this data type (0: go by the field it came in). Sources: specification 6.4.16 and 6.4.17. */
export function readValue(metric: RawMetric, datatype: number, bytes: Buffer): number | string | boolean | null | Refusal {
  if (metric.isNull || metric.kind === Kind.none) return datatype <= DataType.UUID ? null : unkept(datatype);
  switch (datatype) {
    case DataType.Float:
    case DataType.Double:
      return metric.kind === Kind.float || metric.kind === Kind.double ? finite(metric.number) : mismatch(metric, datatype);
    case DataType.Int8:
    case DataType.Int16:
    case DataType.Int32:
      return isInteger(metric) ? signed(metric, datatype) : mismatch(metric, datatype);
    case DataType.UInt8:
    case DataType.UInt16:
    case DataType.UInt32:
      return isInteger(metric) ? unsigned(metric, datatype) : mismatch(metric, datatype);
    case DataType.Int64:
      return isInteger(metric) ? exactSigned(metric) : mismatch(metric, datatype);
    case DataType.UInt64:
    case DataType.DateTime:
      return isInteger(metric) ? exactUnsigned(metric) : mismatch(metric, datatype);
    case DataType.Boolean:
      if (metric.kind === Kind.boolean) return metric.low !== 0 || metric.high !== 0;
      if (isInteger(metric) && metric.high === 0 && metric.low <= 1) return metric.low === 1;
      return mismatch(metric, datatype);
    case DataType.String:
    case DataType.Text:
    case DataType.UUID:
      return metric.kind === Kind.string ? textOf(bytes, metric.from, metric.to) : mismatch(metric, datatype);
    case DataType.Unknown:
      return byField(metric, bytes);
    default:
      return unkept(datatype);
  }
}

/** Without a data type: whatever its field leaves in no doubt. */
function byField(metric: RawMetric, bytes: Buffer) {
  switch (metric.kind) {
    case Kind.float:
    case Kind.double:
      return finite(metric.number);
    case Kind.boolean:
      return metric.low !== 0 || metric.high !== 0;
    case Kind.string:
      return textOf(bytes, metric.from, metric.to);
    case Kind.int:
    case Kind.long: {
      const doubtful = metric.kind === Kind.int ? metric.high !== 0 || metric.low >= 0x80000000 : metric.high >= 0x80000000;
      if (doubtful)
        return new Refusal(
          "sparkplug_before_birth",
          "The metric came without a data type, and its number may be a negative or a very large one. A birth that names the metric settles it.",
          { text: decimal(metric, false) },
        );
      return exactUnsigned(metric);
    }
    default:
      return new Refusal(
        "sparkplug_type",
        `The metric holds ${fieldNames[metric.kind] ?? "something unknown"}; only numbers, texts and true or false can be kept.`,
        { lasting: true },
      );
  }
}

const isInteger = (metric: RawMetric) => metric.kind === Kind.int || metric.kind === Kind.long;

function finite(number: number) {
  return Number.isFinite(number)
    ? number
    : new Refusal("value_not_finite", `The value is ${Number.isNaN(number) ? "not a number (NaN)" : "infinite"}.`, { text: String(number) });
}

// Senders write -1 as 8, 16, 32 or 64 bits of ones.
function signed({ low, high }: RawMetric, datatype: number) {
  const bits = datatype === DataType.Int8 ? 8 : datatype === DataType.Int16 ? 16 : 32;
  const narrow = bits === 32 ? high === 0 : high === 0 && low < 2 ** bits;
  if (narrow) return (low << (32 - bits)) >> (32 - bits);
  const extended = (high === 0 || high === 0xffffffff) && low >= two32 - 2 ** (bits - 1);
  return extended ? low | 0 : outOfRange({ low, high }, datatype, true);
}

function unsigned({ low, high }: RawMetric, datatype: number) {
  const limit = datatype === DataType.UInt8 ? 0xff : datatype === DataType.UInt16 ? 0xffff : 0xffffffff;
  return high === 0 && low <= limit ? low : outOfRange({ low, high }, datatype, false);
}

function exactUnsigned(metric: RawMetric) {
  return metric.high <= maxHigh ? metric.high * two32 + metric.low : inexact(metric, false);
}

function exactSigned(metric: RawMetric) {
  const { low, high } = metric;
  if (high <= maxHigh) return high * two32 + low;
  if (high >= minHigh && (high > minHigh || low > 0)) return (high - two32) * two32 + low;
  return inexact(metric, true);
}

type Halves = Pick<RawMetric, "low" | "high">;
function decimal({ low, high }: Halves, asSigned: boolean): string {
  const whole = (BigInt(high) << 32n) | BigInt(low);
  return String(asSigned ? BigInt.asIntN(64, whole) : whole);
}

const inexact = (halves: Halves, asSigned: boolean) =>
  new Refusal("sparkplug_type", `${decimal(halves, asSigned)} has more digits than can be kept exactly (9007199254740991 at most).`, {
    text: decimal(halves, asSigned),
  });
const outOfRange = (halves: Halves, datatype: number, asSigned: boolean) =>
  new Refusal("sparkplug_type", `${decimal(halves, asSigned)} is no ${nameOfType(datatype)}, which the birth says the metric is.`, {
    text: decimal(halves, asSigned),
  });
const mismatch = (metric: RawMetric, datatype: number) =>
  new Refusal("sparkplug_type", `The metric is announced as ${nameOfType(datatype)}, but ${fieldNames[metric.kind] ?? "something unknown"} came.`);
const unkept = (datatype: number) =>
  new Refusal(
    "sparkplug_type",
    `The metric is of the type ${nameOfType(datatype)}; only numbers, texts and true or false can be kept. Let the edge node send its parts as metrics of their own.`,
    { lasting: true },
  );

const fieldNames: Record<number, string> = {
  [Kind.int]: "a whole number",
  [Kind.long]: "a whole number",
  [Kind.float]: "a number with decimals",
  [Kind.double]: "a number with decimals",
  [Kind.boolean]: "true or false",
  [Kind.string]: "a text",
  [Kind.bytes]: "bytes",
  [Kind.dataset]: "a table (DataSet)",
  [Kind.template]: "a template",
  [Kind.extension]: "an extension of another maker",
};

/** A text as it was sent, or why it cannot be kept. The database keeps no NUL character. */
export function textOf(bytes: Buffer, from: number, to: number): string | Refusal {
  const text = bytes.toString("utf8", from, to);
  if (text.includes("\0")) return new Refusal("sparkplug_type", "The text has a NUL character in it, which cannot be kept.");
  if (text.includes("\uFFFD") && !isUtf8(bytes.subarray(from, to))) return new Refusal("sparkplug_type", "The text is not UTF-8.");
  return text;
}
