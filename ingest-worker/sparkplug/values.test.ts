import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DataType } from "./datatype.ts";
import { byAlias, decode, double, type Metric, TestEdge, t0, Watched } from "./testing.ts";

/** What becomes of one metric of an NBIRTH. */
function born(metric: Metric) {
  const watched = new Watched();
  watched.send(new TestEdge().nbirth([{ name: "x", timestamp: t0, ...metric }]));
  return { values: watched.out.values.map((v) => v.value), refused: watched.out.refused, watched };
}
const long = (value: bigint) => ({ low: Number(BigInt.asIntN(32, value)), high: Number(BigInt.asIntN(32, value >> 32n)), unsigned: true }) as unknown as number;
const of = (datatype: number, fields: Metric) => born({ datatype, ...fields });

describe("data types", () => {
  it("[tck-id-payloads-metric-datatype-value-type] [tck-id-payloads-metric-datatype-value] reads every scalar type of the list; signed ones from two's complement", () => {
    const signed = [DataType.Int8, DataType.Int16, DataType.Int32] as const;
    const bits = { [DataType.Int8]: 8, [DataType.Int16]: 16, [DataType.Int32]: 32 };
    fc.assert(
      fc.property(
        fc.constantFrom(...signed),
        fc.integer({ min: -128, max: 127 }),
        fc.constantFrom("own width", "32 bits", "64 bits"),
        (datatype, value, width) => {
          const masked = width === "own width" ? value & (2 ** bits[datatype] - 1) : value;
          const fields = width === "64 bits" ? { longValue: long(BigInt(value)) } : { intValue: masked >>> 0 };
          expect(of(datatype, fields).values).toEqual([value]);
        },
      ),
    );
    expect(of(DataType.Int16, { intValue: 0x8000 }).values).toEqual([-32768]);
    expect(of(DataType.Int32, { intValue: 0x80000000 }).values).toEqual([-2147483648]);
    expect(of(DataType.Int64, { longValue: long(-5n) }).values).toEqual([-5]);
    expect(of(DataType.Int64, { longValue: long(-9007199254740991n) }).values).toEqual([-9007199254740991]);
    expect(of(DataType.UInt8, { intValue: 255 }).values).toEqual([255]);
    expect(of(DataType.UInt16, { intValue: 65535 }).values).toEqual([65535]);
    expect(of(DataType.UInt32, { intValue: 4294967295 }).values).toEqual([4294967295]);
    expect(of(DataType.UInt32, { longValue: 4294967295 }).values).toEqual([4294967295]);
    expect(of(DataType.UInt64, { longValue: long(9007199254740991n) }).values).toEqual([9007199254740991]);
    expect(of(DataType.Float, { floatValue: 1.5 }).values).toEqual([1.5]);
    expect(of(DataType.Double, { doubleValue: -0.1 }).values).toEqual([-0.1]);
    expect(of(DataType.Boolean, { booleanValue: true }).values).toEqual([true]);
    expect(of(DataType.Boolean, { intValue: 0 }).values).toEqual([false]);
    expect(of(DataType.String, { stringValue: "Ölstand" }).values).toEqual(["Ölstand"]);
    expect(of(DataType.Text, { stringValue: "long text" }).values).toEqual(["long text"]);
    expect(of(DataType.UUID, { stringValue: "6b0f3f4e-0000-4000-8000-000000000000" }).values).toEqual(["6b0f3f4e-0000-4000-8000-000000000000"]);
    expect(of(DataType.DateTime, { longValue: t0 }).values).toEqual([t0]);
  });

  it("refuses a number that is not finite, or not exact, or out of its type's range, with what was sent", () => {
    for (const [datatype, fields, code, sent] of [
      [DataType.Double, { doubleValue: Number.NaN }, "value_not_finite", "NaN"],
      [DataType.Float, { floatValue: Number.POSITIVE_INFINITY }, "value_not_finite", "Infinity"],
      [DataType.UInt64, { longValue: long(9007199254740993n) }, "sparkplug_type", "9007199254740993"],
      [DataType.Int64, { longValue: long(-9007199254740993n) }, "sparkplug_type", "-9007199254740993"],
      [DataType.Int64, { longValue: long(-9007199254740992n) }, "sparkplug_type", "-9007199254740992"],
      [DataType.UInt8, { intValue: 256 }, "sparkplug_type", "256"],
      [DataType.Int8, { intValue: 300 }, "sparkplug_type", "300"],
      [DataType.UInt16, { intValue: 0xffffffff }, "sparkplug_type", "4294967295"],
    ] as const) {
      const { values, refused } = of(datatype, fields);
      expect(values).toEqual([]);
      expect(refused).toMatchObject([{ topic: "spBv1.0/Berlin/Edge1", metric: "x", form: "value", code, valueCount: 1 }]);
      expect(JSON.parse(refused[0]!.payload.toString())).toEqual({ ts: t0, value: sent });
    }
  });

  it("refuses what came in another type than announced, a text with NUL and one that is not UTF-8; neighbours are untouched", () => {
    const watched = new Watched();
    const edge = new TestEdge();
    const bad: Metric = { name: "bent", timestamp: t0, datatype: DataType.String, stringValue: "ab" };
    const sent = edge.nbirth([
      double("a", 1),
      { name: "wrong", timestamp: t0, datatype: DataType.Double, stringValue: "7" },
      { ...bad, name: "nul", stringValue: "a\0b" },
      bad,
      double("z", 2),
    ]);
    sent.payload[sent.payload.indexOf("ab")] = 0xff;
    watched.send(sent);
    expect(watched.got).toEqual(["a=1", "z=2"]);
    expect(watched.out.refused.map((r) => [r.form, r.code, r.reason])).toEqual([
      ["message", "sparkplug_type", '"wrong": The metric is announced as Double, but a text came.'],
      ["message", "sparkplug_type", '"nul": The text has a NUL character in it, which cannot be kept.'],
      ["message", "sparkplug_type", '"bent": The text is not UTF-8.'],
    ]);
  });

  it("[tck-id-payloads-dataset-column-size] [tck-id-payloads-dataset-column-num-headers] [tck-id-payloads-dataset-types-def] [tck-id-payloads-dataset-types-num] [tck-id-payloads-dataset-types-type] [tck-id-payloads-dataset-types-value] [tck-id-payloads-dataset-parameter-type-req] [tck-id-payloads-template-dataset-value] refuses DataSets, bytes, files, property sets and arrays once a birth, with their content kept", () => {
    const watched = new Watched();
    const edge = new TestEdge();
    const table: Metric = {
      name: "table",
      alias: 1,
      timestamp: t0,
      datatype: DataType.DataSet,
      datasetValue: { numOfColumns: 1, columns: ["c"], types: [DataType.Int32], rows: [{ elements: [{ intValue: 5 }] }] },
    };
    const others = [DataType.Bytes, DataType.File, DataType.PropertySet, DataType.Int8Array, DataType.DateTimeArray, 99].map(
      (datatype, i): Metric => ({ name: `o${i}`, timestamp: t0, datatype, bytesValue: Buffer.from([1, 2]) }),
    );
    watched.send(edge.nbirth([table, ...others, double("n", 1)]));
    expect(watched.got).toEqual(["n=1"]);
    expect(watched.out.refused.map((r) => r.code)).toEqual(Array(7).fill("sparkplug_type"));
    expect(watched.out.refused[0]!.reason).toMatch(/^"table": The metric is of the type DataSet; only numbers, texts and true or false can be kept/);
    expect(decode(watched.out.refused[0]!.payload).metrics[0]).toMatchObject({ name: "table", datasetValue: { columns: ["c"] } });
    for (let i = 0; i < 5; i++) watched.send(edge.ndata([{ ...table, name: null }, byAlias(1, 0)].slice(0, 1)));
    expect(watched.out.refused).toHaveLength(7);
    expect(watched.out.repeats).toBe(5);
    watched.send(edge.nbirth([table], t0 + 1));
    expect(watched.out.refused).toHaveLength(8);
  });

  it("takes is_null, and a metric without any value, as: there is no value", () => {
    expect(of(DataType.Double, { isNull: true }).values).toEqual([null]);
    expect(of(DataType.String, {}).values).toEqual([null]);
  });

  it("without a data type goes by the field, unless the sign is in doubt", () => {
    expect(born({ doubleValue: 2 }).values).toEqual([2]);
    expect(born({ intValue: 2147483647 }).values).toEqual([2147483647]);
    expect(born({ stringValue: "s" }).values).toEqual(["s"]);
    expect(born({ booleanValue: true }).values).toEqual([true]);
    expect(born({ intValue: 4294967295 }).refused).toMatchObject([{ code: "sparkplug_before_birth", metric: "x" }]);
    expect(born({ longValue: long(-1n) }).refused).toMatchObject([{ code: "sparkplug_before_birth" }]);
  });
});

describe("what a value says of itself", () => {
  it("[tck-id-payloads-timestamp-in-UTC] [tck-id-payloads-metric-timestamp-in-UTC] [tck-id-payloads-name-birth-data-requirement] has its own time in UTC milliseconds, else that of its message, else none", () => {
    const watched = new Watched();
    const edge = new TestEdge();
    watched.send(edge.nbirth([double("own", 1, { timestamp: t0 - 5000 }), double("message", 1, { timestamp: null })], t0 + 3));
    expect(watched.out.values.map((v) => v.at)).toEqual([t0 - 5000, t0 + 3]);
    expect(watched.out.values.every((v) => v.receivedAt === t0)).toBe(true);
    const { topic, payload } = edge.ndata([double("own", 2, { timestamp: null })]);
    watched.send({ topic, payload: payload.subarray(payload.indexOf(0x12)) }); // the message's own time stands before its metrics
    expect(watched.out.values.at(-1)).toMatchObject({ metric: "own", at: null });
  });

  it("[tck-id-operational-behavior-data-publish-nbirth-order] [tck-id-operational-behavior-data-publish-dbirth-order] keeps several values of one metric in the order of the message", () => {
    const watched = new Watched();
    const edge = new TestEdge();
    watched.send(edge.nbirth([double("a", 0, { alias: 1 })]));
    watched.send(edge.dbirth("Press", [double("d", 0, { alias: 2 })]));
    watched.send(edge.ndata([byAlias(1, 1, t0 + 1), byAlias(1, 2, t0 + 2), byAlias(1, 3, t0 + 3)]));
    watched.send(edge.ddata("Press", [byAlias(2, 4, t0 + 1), byAlias(2, 5, t0 + 2)]));
    expect(watched.got).toEqual(["a=0", "d=0", "a=1", "a=2", "a=3", "d=4", "d=5"]);
  });

  it("carries is_historical and is_transient", () => {
    expect(of(DataType.Double, { doubleValue: 1, isHistorical: true, isTransient: true }).watched.out.values).toMatchObject([
      { historical: true, transient: true },
    ]);
    expect(of(DataType.Double, { doubleValue: 1 }).watched.out.values).toMatchObject([{ historical: false, transient: false, good: true }]);
  });

  it("[tck-id-payloads-propertyset-quality-value-type] [tck-id-payloads-propertyset-quality-value-value] [tck-id-payloads-metric-propertyvalue-type-type] [tck-id-payloads-metric-propertyvalue-type-value] [tck-id-payloads-metric-propertyvalue-type-req] is good unless the property Quality says 0 (bad) or 500 (stale)", () => {
    const withQuality = (intValue: number) => ({
      doubleValue: 1,
      properties: {
        keys: ["engUnit", "Quality"],
        values: [
          { type: 12, stringValue: "°C" },
          { type: 3, intValue },
        ],
      },
    });
    const good = (fields: Metric) => of(DataType.Double, fields).watched.out.values.map((v) => v.good);
    expect(good(withQuality(192))).toEqual([true]);
    expect(good(withQuality(0))).toEqual([false]);
    expect(good(withQuality(500))).toEqual([false]);
    expect(good({ doubleValue: 1, properties: { keys: ["Quality"], values: [{ intValue: 500 }] } })).toEqual([false]);
    expect(
      good({
        doubleValue: 1,
        properties: {
          keys: ["Quality", "x"],
          values: [
            { type: 8, longValue: 0 },
            { type: 777, propertysetValue: { keys: ["Quality"], values: [{ intValue: 192 }] } },
          ],
        },
      }),
    ).toEqual([false]);
    expect(good({ doubleValue: 1, properties: { keys: ["engUnit"], values: [{ type: 12, stringValue: "Quality" }] } })).toEqual([true]);
  });

  it("[tck-id-payloads-propertyset-keys-array-size] [tck-id-payloads-propertyset-values-array-size] keeps the value where keys and values of the properties do not match", () => {
    const { values } = of(DataType.Double, { doubleValue: 1, properties: { keys: ["a", "Quality"], values: [{ type: 3, intValue: 0 }] } });
    expect(values).toEqual([1]);
  });
});

describe("names and aliases", () => {
  it("[tck-id-payloads-name-requirement] takes a metric by name or by alias, and refuses one that has neither", () => {
    const watched = new Watched();
    const edge = new TestEdge();
    watched.send(edge.nbirth([double("a", 0, { alias: 7 }), double("b", 0)]));
    watched.send(edge.ndata([byAlias(7, 1), double("b", 2), double("a", 3), { timestamp: t0, doubleValue: 4 }]));
    expect(watched.got).toEqual(["a=0", "b=0", "a=1", "b=2", "a=3"]);
    expect(watched.out.refused).toMatchObject([{ code: "sparkplug_malformed", reason: "A metric has neither a name nor an alias.", valueCount: 1 }]);
  });

  it("[tck-id-payloads-alias-uniqueness] does not guess where one birth gives an alias to two metrics; an alias of 64 bits is exact", () => {
    const watched = new Watched();
    const edge = new TestEdge();
    watched.send(
      edge.nbirth([
        double("a", 0, { alias: 7 }),
        double("b", 0, { alias: 7 }),
        double("c", 0, { alias: long(2n ** 63n + 1n) }),
        double("d", 0, { alias: long(2n ** 63n + 2n) }),
      ]),
    );
    watched.send(edge.ndata([byAlias(7, 1), byAlias(long(2n ** 63n + 1n), 2), byAlias(long(2n ** 63n + 2n), 3)]));
    expect(watched.got.slice(4)).toEqual(["c=2", "d=3"]);
    expect(watched.out.refused).toMatchObject([{ code: "sparkplug_unknown_alias", valueCount: 1, topic: "spBv1.0/Berlin/NDATA/Edge1" }]);
    expect(decode(watched.out.refused[0]!.payload)).toMatchObject({ timestamp: t0, metrics: [{ alias: 7, doubleValue: 1 }] });
  });

  it("[tck-id-payloads-alias-birth-requirement] [tck-id-payloads-metric-datatype-req] [tck-id-payloads-metric-datatype-not-req] takes name, alias and data type from the birth for all that follows", () => {
    const watched = new Watched();
    const edge = new TestEdge();
    watched.send(
      edge.nbirth([
        { name: "i", alias: 1, timestamp: t0, datatype: DataType.Int8, intValue: 0 },
        { name: "u", alias: 2, timestamp: t0, datatype: DataType.UInt32, intValue: 0 },
      ]),
    );
    watched.send(
      edge.ndata([
        { alias: 1, intValue: 0xffffffff },
        { alias: 2, intValue: 0xffffffff },
      ]),
    );
    expect(watched.got.slice(2)).toEqual(["i=-1", "u=4294967295"]);
  });

  it("[tck-id-case-sensitivity-sparkplug-ids] [tck-id-case-sensitivity-metric-names] keeps names apart that differ in case alone", () => {
    const watched = new Watched();
    const upper = new TestEdge("Berlin", "EDGE1");
    watched.send(upper.nbirth([double("Temp", 1, { alias: 1 }), double("temp", 2, { alias: 2 })]));
    watched.send(new TestEdge("Berlin", "edge1").nbirth([double("Temp", 3)]));
    watched.send(upper.ndata([byAlias(2, 4)]));
    expect(watched.out.values.map((v) => `${v.address} ${v.metric} ${v.value}`)).toEqual([
      "Berlin/EDGE1 Temp 1",
      "Berlin/EDGE1 temp 2",
      "Berlin/edge1 Temp 3",
      "Berlin/EDGE1 temp 4",
    ]);
  });

  it("gives out no metric that is the protocol's own", () => {
    const watched = new Watched();
    const edge = new TestEdge();
    watched.send(edge.nbirth([double("Node Control/Scan Rate", 100), double("Properties/OS", 1)]));
    watched.send(edge.dbirth("Press", [double("Device Control/Rebirth", 0)]));
    expect(watched.got).toEqual(["Properties/OS=1"]);
    expect(watched.out.own).toBe(4); // bdSeq, Node Control/Rebirth, Node Control/Scan Rate, Device Control/Rebirth
  });

  it("refuses one unreadable metric alone, and names that are empty, too long or not UTF-8", () => {
    const watched = new Watched();
    const edge = new TestEdge();
    const { topic, payload } = edge.nbirth([double("a", 1), double("", 2), double("n".repeat(1025), 3), double("z", 4)]);
    const broken = Buffer.concat([payload, Buffer.from([0x12, 0x02, 0x0a, 0x40])]); // a metric whose name is longer than itself
    watched.send({ topic, payload: broken });
    expect(watched.got).toEqual(["a=1", "z=4"]);
    expect(watched.out.refused.map((r) => [r.code, r.valueCount])).toEqual(Array(3).fill(["sparkplug_malformed", 1]));
  });
});
