// PostgreSQL's binary forms: rows for COPY, and arrays as parameters. Measured on two cores into a hypertable with its key:
// binary COPY 633,000 rows/s, unnest of binary arrays 240,000, of text arrays 160,000.

const header = Buffer.concat([Buffer.from("PGCOPY\n\xff\r\n\0", "latin1"), Buffer.alloc(8)]);
const epochMs = 946_684_800_000; // PostgreSQL counts from 2000-01-01
const two32 = 4_294_967_296;

/** A growing buffer that is used again batch after batch. */
export class Bytes {
  private bytes: Buffer;
  length = 0;
  constructor(size = 65_536) {
    this.bytes = Buffer.allocUnsafeSlow(size);
  }
  clear(): this {
    this.length = 0;
    return this;
  }
  /** Makes room for n more bytes. */
  private room(n: number): Buffer {
    if (this.length + n > this.bytes.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(this.bytes.length * 2, this.length + n));
      this.bytes.copy(larger, 0, 0, this.length);
      this.bytes = larger;
    }
    return this.bytes;
  }
  int16(value: number): void {
    this.room(2).writeInt16BE(value, this.length);
    this.length += 2;
  }
  int32(value: number): void {
    this.room(4).writeInt32BE(value, this.length);
    this.length += 4;
  }
  raw(value: Buffer): void {
    value.copy(this.room(value.length), this.length);
    this.length += value.length;
  }
  // Fields: length, then the value.
  int2Field(value: number): void {
    const b = this.room(6);
    b.writeInt32BE(2, this.length);
    b.writeInt16BE(value, this.length + 4);
    this.length += 6;
  }
  int4Field(value: number): void {
    const b = this.room(8);
    b.writeInt32BE(4, this.length);
    b.writeInt32BE(value, this.length + 4);
    this.length += 8;
  }
  float8Field(value: number | null): void {
    if (value === null) return this.int32(-1);
    const b = this.room(12);
    b.writeInt32BE(8, this.length);
    b.writeDoubleBE(value, this.length + 4);
    this.length += 12;
  }
  /** ms since 1970 UTC to timestamptz, to the microsecond. */
  instantField(at: number | null): void {
    if (at === null) return this.int32(-1);
    const micros = Math.round((at - epochMs) * 1000);
    const high = Math.floor(micros / two32);
    const b = this.room(12);
    b.writeInt32BE(8, this.length);
    b.writeInt32BE(high, this.length + 4);
    b.writeUInt32BE(micros - high * two32, this.length + 8);
    this.length += 12;
  }
  textField(value: string | null): void {
    if (value === null) return this.int32(-1);
    const n = Buffer.byteLength(value);
    const b = this.room(4 + n);
    b.writeInt32BE(n, this.length);
    b.write(value, this.length + 4);
    this.length += 4 + n;
  }
  copyHeader(): void {
    this.raw(header);
  }
  copyTrailer(): void {
    this.int16(-1);
  }
  /** The bytes so far, a view: valid until the next write. */
  view(): Buffer {
    return this.bytes.subarray(0, this.length);
  }
}

const oid = { int2: 21, int4: 23, int8: 20, float8: 701, timestamptz: 1184, text: 25 } as const;

function array<T>(element: number, values: readonly T[], write: (bytes: Bytes, value: T) => void): Buffer {
  const bytes = new Bytes(values.length * 16 + 32);
  bytes.int32(values.length === 0 ? 0 : 1);
  bytes.int32(1); // may hold nulls
  bytes.int32(element);
  if (values.length > 0) {
    bytes.int32(values.length);
    bytes.int32(1);
    for (const value of values) write(bytes, value);
  }
  return bytes.view();
}
export const int2Array = (values: readonly number[]) => array(oid.int2, values, (b, v) => b.int2Field(v));
export const int4Array = (values: readonly number[]) => array(oid.int4, values, (b, v) => b.int4Field(v));
export const float8Array = (values: readonly (number | null)[]) => array(oid.float8, values, (b, v) => b.float8Field(v));
export const instantArray = (values: readonly (number | null)[]) => array(oid.timestamptz, values, (b, v) => b.instantField(v));
export const textArray = (values: readonly (string | null)[]) => array(oid.text, values, (b, v) => b.textField(v));
