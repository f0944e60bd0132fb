// Reads the protobuf wire format of a Sparkplug B payload in place: no object is made for a message or a metric.
// Field numbers are those of sparkplug_b.proto. Unknown fields are passed over. 64-bit numbers are kept as two 32-bit halves.

/** Which field of the oneof "value" a metric carries. */
export const Kind = {
  none: 0,
  int: 10,
  long: 11,
  float: 12,
  double: 13,
  boolean: 14,
  string: 15,
  bytes: 16,
  dataset: 17,
  template: 18,
  extension: 19,
} as const;

/** The fields of one metric, as offsets into the payload. Reused for the next one. */
export class RawMetric {
  nameFrom = -1;
  nameTo = -1;
  hasAlias = false;
  aliasLow = 0;
  aliasHigh = 0;
  /** ms since 1970; NaN: none. */
  timestamp = Number.NaN;
  /** 0: none. */
  datatype = 0;
  historical = false;
  transient = false;
  isNull = false;
  propertiesFrom = -1;
  propertiesTo = -1;
  kind: number = Kind.none;
  /** int, long, boolean: the two halves, unsigned. */
  low = 0;
  high = 0;
  /** float, double */
  number = 0;
  /** string, bytes, dataset, template */
  from = 0;
  to = 0;
}

const two32 = 4294967296;

export class WireReader {
  bytes: Buffer = Buffer.alloc(0);
  /** ms since 1970; NaN: none. */
  timestamp = Number.NaN;
  /** -1: none; NaN: beyond all use. */
  seq = -1;
  metricCount = 0;
  private starts = new Int32Array(256);
  private ends = new Int32Array(256);
  private pos = 0;
  private end = 0;
  private low = 0;
  private high = 0;
  private view = new DataView(new ArrayBuffer(0)) as DataView;

  /** Takes a payload and finds its metrics. Returns a sentence that says what is wrong with it, or null. */
  open(payload: Buffer): string | null {
    this.bytes = payload;
    this.view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
    this.timestamp = Number.NaN;
    this.seq = -1;
    this.metricCount = 0;
    this.pos = 0;
    this.end = payload.length;
    while (this.pos < this.end) {
      const tag = this.tag();
      if (tag === 0x12) {
        if (!this.length()) return cutOff;
        this.addMetric(this.pos, this.pos + this.low);
        this.pos += this.low;
      } else if (tag === 0x08) {
        if (!this.varint()) return cutOff;
        this.timestamp = this.high * two32 + this.low;
      } else if (tag === 0x18) {
        if (!this.varint()) return cutOff;
        this.seq = this.high === 0 && this.low <= 255 ? this.low : Number.NaN;
      } else if (tag < 8 || !this.skip(tag)) return cutOff;
    }
    return null;
  }

  private addMetric(from: number, to: number) {
    if (this.metricCount === this.starts.length) {
      this.starts = grown(this.starts);
      this.ends = grown(this.ends);
    }
    this.starts[this.metricCount] = from;
    this.ends[this.metricCount++] = to;
  }

  /** Reads the i-th metric into `metric`. false: it cannot be read; its neighbours can. */
  metric(i: number, metric: RawMetric): boolean {
    return this.metricAt(this.starts[i]!, this.ends[i]!, metric);
  }

  /** The bytes of the i-th metric, as they stand. */
  slice(i: number): Buffer {
    return this.bytes.subarray(this.starts[i]!, this.ends[i]!);
  }

  metricAt(from: number, to: number, metric: RawMetric): boolean {
    metric.nameFrom = -1;
    metric.hasAlias = false;
    metric.timestamp = Number.NaN;
    metric.datatype = 0;
    metric.historical = false;
    metric.transient = false;
    metric.isNull = false;
    metric.propertiesFrom = -1;
    metric.kind = Kind.none;
    this.pos = from;
    this.end = to;
    while (this.pos < this.end) {
      const tag = this.tag();
      switch (tag) {
        case 0x0a:
          if (!this.length()) return false;
          metric.nameFrom = this.pos;
          this.pos += this.low;
          metric.nameTo = this.pos;
          break;
        case 0x10:
          if (!this.varint()) return false;
          metric.hasAlias = true;
          metric.aliasLow = this.low;
          metric.aliasHigh = this.high;
          break;
        case 0x18:
          if (!this.varint()) return false;
          metric.timestamp = this.high * two32 + this.low;
          break;
        case 0x20:
          if (!this.varint()) return false;
          metric.datatype = this.low;
          break;
        case 0x28:
          if (!this.varint()) return false;
          metric.historical = this.low !== 0;
          break;
        case 0x30:
          if (!this.varint()) return false;
          metric.transient = this.low !== 0;
          break;
        case 0x38:
          if (!this.varint()) return false;
          metric.isNull = this.low !== 0;
          break;
        case 0x4a:
          if (!this.length()) return false;
          metric.propertiesFrom = this.pos;
          this.pos += this.low;
          metric.propertiesTo = this.pos;
          break;
        case 0x50:
        case 0x58:
        case 0x70:
          if (!this.varint()) return false;
          metric.kind = tag >>> 3;
          metric.low = this.low;
          metric.high = this.high;
          break;
        case 0x65:
          if (this.pos + 4 > this.end) return false;
          metric.kind = Kind.float;
          metric.number = this.view.getFloat32(this.pos, true);
          this.pos += 4;
          break;
        case 0x69:
          if (this.pos + 8 > this.end) return false;
          metric.kind = Kind.double;
          metric.number = this.view.getFloat64(this.pos, true);
          this.pos += 8;
          break;
        case 0x7a:
        case 0x82:
        case 0x8a:
        case 0x92:
        case 0x9a:
          if (!this.length()) return false;
          metric.kind = tag >>> 3;
          metric.from = this.pos;
          this.pos += this.low;
          metric.to = this.pos;
          break;
        default:
          if (tag < 8 || !this.skip(tag)) return false;
      }
    }
    return true;
  }

  /** The property "Quality" (0 bad, 192 good, 500 stale); null: not among the properties, or not readable. */
  quality(metric: RawMetric): number | null {
    if (metric.propertiesFrom < 0) return null;
    let keys = 0;
    let wanted = -1;
    let values = 0;
    let found: number | null = null;
    // Keys and values are two lists; writers put all keys first, but need not.
    for (let pass = 0; pass < 2 && found === null; pass++) {
      values = 0;
      this.pos = metric.propertiesFrom;
      this.end = metric.propertiesTo;
      while (this.pos < this.end) {
        const tag = this.tag();
        if (tag === 0x0a) {
          if (!this.length()) return null;
          if (pass === 0 && this.low === 7 && this.bytes.toString("latin1", this.pos, this.pos + 7) === "Quality") wanted = keys;
          keys++;
          this.pos += this.low;
        } else if (tag === 0x12) {
          if (!this.length()) return null;
          const { end } = this;
          const next = this.pos + this.low;
          if (values === wanted) found = this.propertyInt(next);
          values++;
          this.pos = next;
          this.end = end;
        } else if (tag < 8 || !this.skip(tag)) return null;
      }
      if (wanted < 0) return null;
    }
    return found;
  }

  private propertyInt(to: number): number | null {
    this.end = to;
    let value: number | null = null;
    while (this.pos < to) {
      const tag = this.tag();
      if (tag === 0x18 || tag === 0x20) {
        if (!this.varint()) return null;
        value = this.high === 0 ? this.low : null;
      } else if (tag < 8 || !this.skip(tag)) return null;
    }
    return value;
  }

  /** The members of a template: offsets in pairs, and whether it is a definition. null: not readable. */
  template(from: number, to: number): { members: number[]; isDefinition: boolean } | null {
    const members: number[] = [];
    let isDefinition = false;
    this.pos = from;
    this.end = to;
    while (this.pos < this.end) {
      const tag = this.tag();
      if (tag === 0x12) {
        if (!this.length()) return null;
        members.push(this.pos, this.pos + this.low);
        this.pos += this.low;
      } else if (tag === 0x28) {
        if (!this.varint()) return null;
        isDefinition = this.low !== 0;
      } else if (tag < 8 || !this.skip(tag)) return null;
    }
    return { members, isDefinition };
  }

  /** A tag of at most two bytes, which all fields of Sparkplug have; larger ones as a whole number; 0: none readable. */
  private tag(): number {
    const { bytes } = this;
    const first = bytes[this.pos++]!;
    if (first < 0x80) return first;
    // Field 16 and up: two bytes or more. 0x82 0x01 is field 16, length-delimited, given out as 0x82 = 16 << 3 | 2.
    if (this.pos >= this.end) return 0;
    let value = first & 0x7f;
    let shift = 7;
    for (;;) {
      if (this.pos >= this.end || shift > 28) return 0;
      const next = bytes[this.pos++]!;
      value += (next & 0x7f) * 2 ** shift;
      if (next < 0x80) return value < two32 ? value : 0;
      shift += 7;
    }
  }

  /** Up to 64 bits into low and high, both unsigned. */
  private varint(): boolean {
    const { bytes, end } = this;
    let { pos } = this;
    let low = 0;
    let high = 0;
    if (pos >= end) return false;
    let b = bytes[pos++]!;
    low = b & 0x7f;
    if (b >= 0x80) {
      for (let shift = 7; ; shift += 7) {
        if (pos >= end || shift > 63) return false;
        b = bytes[pos++]!;
        const part = b & 0x7f;
        if (shift < 28) low |= part << shift;
        else if (shift === 28) {
          low |= part << 28;
          high = part >>> 4;
        } else high |= part << (shift - 32);
        if (b < 0x80) break;
      }
    }
    this.pos = pos;
    this.low = low >>> 0;
    this.high = high >>> 0;
    return true;
  }

  /** The length of what follows, into low; it fits. */
  private length(): boolean {
    return this.varint() && this.high === 0 && this.low <= this.end - this.pos;
  }

  private skip(tag: number, depth = 0): boolean {
    switch (tag & 7) {
      case 0:
        return this.varint();
      case 1:
        this.pos += 8;
        return this.pos <= this.end;
      case 2:
        if (!this.length()) return false;
        this.pos += this.low;
        return true;
      case 3:
        for (let inner = 0; depth < 16 && this.pos < this.end; ) {
          inner = this.tag();
          if ((inner & 7) === 4) return inner >>> 3 === tag >>> 3;
          if (inner < 8 || !this.skip(inner, depth + 1)) return false;
        }
        return false;
      case 5:
        this.pos += 4;
        return this.pos <= this.end;
      default:
        return false;
    }
  }
}

const cutOff = "The message is cut off, or is not a Sparkplug B payload (protobuf).";

function grown(array: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(array.length * 2);
  larger.set(array);
  return larger;
}

/** An unsigned varint of a whole number up to 2^53. */
function varintBytes(value: number): number[] {
  const out: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    out.push((rest % 128) | 0x80);
    rest = Math.floor(rest / 128);
  }
  out.push(rest);
  return out;
}

/** A Sparkplug payload that has these metrics alone, byte for byte, and the time of the message they came in. */
export function payloadOf(timestamp: number, metrics: readonly Buffer[]): Buffer {
  const parts: Uint8Array[] = [];
  if (Number.isSafeInteger(timestamp)) parts.push(Uint8Array.from([0x08, ...varintBytes(timestamp)]));
  for (const metric of metrics) parts.push(Uint8Array.from([0x12, ...varintBytes(metric.length)]), metric);
  return Buffer.concat(parts);
}
