import { describe, expect, it } from "vitest";
import { batchPackets, countOf, machinePaths, nodeData, nodePackets, type Prepared, singlePackets, stamp, stateOf } from "#/simulator/load/packets.ts";
import { publishPacket, remainingLength } from "#/simulator/load/raw-mqtt.ts";
import { decode } from "#/simulator/publish/sparkplug-payload.ts";

const ts = 1_795_000_000_123;

/** Topic, packet identifier and payload of a PUBLISH packet, read by the standard's own rules. */
function parse(bytes: Buffer) {
  let at = 1;
  let length = 0;
  for (let scale = 1; ; scale *= 128) {
    const byte = bytes[at++] ?? 0;
    length += (byte & 127) * scale;
    if (byte < 128) break;
  }
  expect(at + length).toBe(bytes.length);
  const qos = ((bytes[0] ?? 0) >> 1) & 3;
  const topicEnd = at + 2 + bytes.readUInt16BE(at);
  return { topic: bytes.toString("utf8", at + 2, topicEnd), id: qos ? bytes.readUInt16BE(topicEnd) : null, payload: bytes.subarray(topicEnd + (qos ? 2 : 0)) };
}

function stamped(prepared: Prepared | undefined, id: number, n: number) {
  if (!prepared) throw new Error("no packet");
  const out = Buffer.alloc(prepared.bytes.length + 5);
  stamp(prepared, out, 5, id, ts, n, 3);
  return parse(out.subarray(5));
}

describe("prepared packets", () => {
  it("are MQTT messages of one JSON value each", () => {
    const packets = singlePackets(machinePaths(2, 3));
    expect(packets).toHaveLength(60);
    const state = stamped(packets[0], 513, 4000);
    expect(state).toMatchObject({ topic: "takt/v1/load/load/line-001/m-01/state", id: 513 });
    expect(JSON.parse(state.payload.toString())).toEqual({ ts, value: stateOf(3, 4000) });
    expect(JSON.parse(stamped(packets[1], 65_535, 4000).payload.toString())).toEqual({ ts, value: countOf(4000) });
    const measured = JSON.parse(stamped(packets.at(-1), 1, 4000).payload.toString());
    expect(measured.ts).toBe(ts);
    expect(measured.value).toBeGreaterThanOrEqual(30);
    expect(measured.value).toBeLessThan(80);
  });

  it("are lists of ten rows of ten signals", () => {
    const { topic, payload } = stamped(batchPackets(machinePaths(1, 2))[1], 7, 90);
    const rows = JSON.parse(payload.toString());
    expect(topic).toBe("takt/v1/load/load/line-001/m-02");
    expect(rows.map((row: { ts: number }) => row.ts)).toEqual(Array.from({ length: 10 }, (_, n) => ts + n));
    expect(rows.map((row: { good: number }) => row.good)).toEqual(Array.from({ length: 10 }, (_, n) => countOf(90 + n)));
    expect(Object.keys(rows[0])).toHaveLength(11);
  });

  it("are Sparkplug data of a hundred metrics by alias, with any seq", () => {
    const prepared = nodePackets(3, 10);
    const birth = decode(parse(prepared.birth(ts, 7)).payload);
    const aliases = new Map(birth.metrics?.map(({ alias, type, name }) => [Number(alias ?? 0), { type, name }]));
    for (const seq of [0, 1, 127, 128, 255]) {
      const { topic, payload } = parse(nodeData(prepared, seq, ts, 600, 5));
      const data = decode(payload);
      expect(topic).toBe("spBv1.0/load/NDATA/line-003");
      expect(Number(data.seq)).toBe(seq);
      expect(Number(data.timestamp)).toBe(ts);
      expect(data.metrics).toHaveLength(100);
      for (const { alias, type, timestamp } of data.metrics ?? []) {
        expect(aliases.get(Number(alias))?.type).toBe(type);
        expect(Number(timestamp)).toBe(ts);
      }
      expect(Number(data.metrics?.[1]?.value)).toBe(countOf(600));
    }
    expect(aliases.get(100)?.name).toBe("m-10/m8");
  });

  it("never let a counter step back, and keep it in its width", () => {
    for (let n = 1; n < 5000; n++) expect(countOf(n)).toBeGreaterThanOrEqual(countOf(n - 1));
    expect(String(countOf(20_000_000))).toHaveLength(7);
  });
});

describe("the writer of MQTT packets", () => {
  it("writes the remaining length as the standard's table 2.4 has it", () => {
    const table: [number, number[]][] = [
      [0, [0]],
      [127, [0x7f]],
      [128, [0x80, 1]],
      [16_383, [0xff, 0x7f]],
      [16_384, [0x80, 0x80, 1]],
      [268_435_455, [0xff, 0xff, 0xff, 0x7f]],
    ];
    for (const [n, bytes] of table) expect([...remainingLength(n)]).toEqual(bytes);
  });

  it("puts no packet identifier into QoS 0", () => {
    expect(parse(publishPacket("a/b", Buffer.from("x"), 0).bytes)).toMatchObject({ topic: "a/b", id: null });
  });
});
