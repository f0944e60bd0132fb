import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decode, encode, type Metric, t0 } from "./testing.ts";
import { Kind, payloadOf, RawMetric, WireReader } from "./wire.ts";

const uint64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const long = (value: bigint) => ({ low: Number(BigInt.asIntN(32, value)), high: Number(BigInt.asIntN(32, value >> 32n)), unsigned: true }) as unknown as number;
const value = fc.oneof(
  fc.nat().map((intValue) => ({ fields: { intValue }, kind: Kind.int, seen: BigInt(intValue) })),
  uint64.map((v) => ({ fields: { longValue: long(v) }, kind: Kind.long, seen: v })),
  fc.float().map((floatValue) => ({ fields: { floatValue }, kind: Kind.float, seen: floatValue })),
  fc.double().map((doubleValue) => ({ fields: { doubleValue }, kind: Kind.double, seen: doubleValue })),
  fc.boolean().map((booleanValue) => ({ fields: { booleanValue }, kind: Kind.boolean, seen: BigInt(booleanValue) })),
  fc.string({ unit: "grapheme" }).map((stringValue) => ({ fields: { stringValue }, kind: Kind.string, seen: stringValue })),
  fc.uint8Array().map((bytesValue) => ({ fields: { bytesValue }, kind: Kind.bytes, seen: Buffer.from(bytesValue).toString("latin1") })),
);
const metric = fc.record({
  name: fc.option(fc.string({ unit: "grapheme" })),
  alias: fc.option(uint64),
  timestamp: fc.option(fc.maxSafeNat()),
  datatype: fc.option(fc.integer({ min: 0, max: 34 })),
  isHistorical: fc.option(fc.boolean()),
  isTransient: fc.option(fc.boolean()),
  isNull: fc.option(fc.boolean()),
  metadata: fc.option(fc.record({ contentType: fc.string(), size: fc.maxSafeNat() })),
  properties: fc.option(fc.record({ keys: fc.constant(["engUnit"]), values: fc.constant([{ type: 12, stringValue: "°C" }]) })),
  value: fc.option(value),
});
const payload = fc.record({
  timestamp: fc.option(fc.maxSafeNat()),
  seq: fc.option(fc.integer({ min: 0, max: 255 })),
  metrics: fc.array(metric, { maxLength: 12 }),
  uuid: fc.option(fc.string()),
  body: fc.option(fc.uint8Array()),
});

type Given = typeof metric extends fc.Arbitrary<infer T> ? T : never;
const fieldsOf = ({ value: v, alias, ...rest }: Given): Metric => {
  const fields: Record<string, unknown> = { ...Object.fromEntries(Object.entries(rest).filter(([, x]) => x !== null)), ...v?.fields };
  if (alias !== null) fields.alias = long(alias);
  return fields as Metric;
};

function seenOf(raw: RawMetric, bytes: Buffer) {
  switch (raw.kind) {
    case Kind.int:
    case Kind.long:
    case Kind.boolean:
      return (BigInt(raw.high) << 32n) | BigInt(raw.low);
    case Kind.float:
    case Kind.double:
      return raw.number;
    case Kind.string:
      return bytes.toString("utf8", raw.from, raw.to);
    default:
      return bytes.toString("latin1", raw.from, raw.to);
  }
}

describe("reading the wire format", () => {
  it("reads whatever the Eclipse library writes, field by field", () => {
    const wire = new WireReader();
    const raw = new RawMetric();
    fc.assert(
      fc.property(payload, (given) => {
        const { timestamp, seq, metrics, uuid, body } = given;
        const bytes = encode({
          ...(timestamp === null ? {} : { timestamp }),
          ...(seq === null ? {} : { seq }),
          ...(uuid === null ? {} : { uuid }),
          ...(body === null ? {} : { body }),
          metrics: metrics.map(fieldsOf),
        });
        expect(wire.open(bytes)).toBeNull();
        expect(wire.timestamp).toBe(timestamp ?? Number.NaN);
        expect(wire.seq).toBe(seq ?? -1);
        expect(wire.metricCount).toBe(metrics.length);
        metrics.forEach((m, i) => {
          expect(wire.metric(i, raw)).toBe(true);
          expect(raw.nameFrom < 0 ? null : bytes.toString("utf8", raw.nameFrom, raw.nameTo)).toBe(m.name);
          expect(raw.hasAlias ? (BigInt(raw.aliasHigh) << 32n) | BigInt(raw.aliasLow) : null).toBe(m.alias);
          expect(raw.timestamp).toBe(m.timestamp ?? Number.NaN);
          expect([raw.datatype, raw.historical, raw.transient, raw.isNull]).toEqual([
            m.datatype ?? 0,
            m.isHistorical ?? false,
            m.isTransient ?? false,
            m.isNull ?? false,
          ]);
          expect(raw.kind).toBe(m.value?.kind ?? Kind.none);
          if (m.value) expect(seenOf(raw, bytes)).toEqual(m.value.seen);
        });
      }),
      { numRuns: 500 },
    );
  });

  it("writes what the Eclipse library reads: the metrics picked out of a message, byte for byte", () => {
    const wire = new WireReader();
    fc.assert(
      fc.property(payload, fc.infiniteStream(fc.boolean()), (given, coin) => {
        const metrics = given.metrics.map(fieldsOf);
        wire.open(encode({ ...(given.timestamp === null ? {} : { timestamp: given.timestamp }), metrics, seq: 7 }));
        const picked = metrics.map((_, i) => i).filter(() => coin.next().value === true);
        const letter = payloadOf(
          wire.timestamp,
          picked.map((i) => wire.slice(i)),
        );
        const expected = encode({ ...(given.timestamp === null ? {} : { timestamp: given.timestamp }), metrics: picked.map((i) => metrics[i]!) });
        expect(decode(letter)).toEqual(decode(expected));
      }),
      { numRuns: 300 },
    );
  });

  it("says of every cut of a message that it is cut, or reads a shorter one; never throws, on any bytes", () => {
    const wire = new WireReader();
    const raw = new RawMetric();
    const read = (bytes: Buffer) => {
      if (wire.open(bytes) !== null) return;
      for (let i = 0; i < wire.metricCount; i++) {
        if (wire.metric(i, raw) && raw.kind === Kind.template) wire.template(raw.from, raw.to);
        if (wire.metric(i, raw)) wire.quality(raw);
      }
    };
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => read(Buffer.from(bytes))),
      { numRuns: 2000 },
    );
    fc.assert(
      fc.property(payload, fc.nat(), fc.nat(), fc.nat({ max: 255 }), (given, cut, where, byte) => {
        const whole = encode({ timestamp: t0, metrics: given.metrics.map(fieldsOf), seq: 1 });
        read(whole.subarray(0, cut % (whole.length + 1)));
        const bent = Buffer.from(whole);
        bent[where % bent.length] = byte;
        read(bent);
      }),
      { numRuns: 500 },
    );
    const whole = encode({ timestamp: t0, metrics: [{ name: "a", doubleValue: 1 }] });
    expect(wire.open(whole.subarray(0, whole.length - 3))).toMatch(/cut off/);
  });

  it("passes over fields that it does not know, groups and those with high numbers too", () => {
    const known = encode({ timestamp: t0, seq: 3, metrics: [{ name: "a", doubleValue: 1 }] });
    const group = [0x33, 0x08, 0x01, 0x34]; // field 6 as a group with a number in it
    const high = [0xfa, 0xff, 0xff, 0xff, 0x0f, 0x02, 0x61, 0x62]; // the highest field number, two bytes
    const fixed = [0x41, 1, 2, 3, 4, 5, 6, 7, 8, 0x4d, 1, 2, 3, 4];
    const wire = new WireReader();
    expect(wire.open(Buffer.concat([Buffer.from(group), known, Buffer.from(high), Buffer.from(fixed)]))).toBeNull();
    expect([wire.timestamp, wire.seq, wire.metricCount]).toEqual([t0, 3, 1]);
    expect(wire.open(Buffer.from([0x33, 0x08, 0x01, 0x3c]))).toMatch(/cut off/);
  });
});
