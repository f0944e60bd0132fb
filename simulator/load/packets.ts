/**
 * Prepared packets of the load plant, in which only packet id, time stamp and value are changed before each send: all of them have a fixed width.
 * Of ten signals a machine two are of class ledger: `state` and `good`.
 */

import { publishPacket } from "#/simulator/load/raw-mqtt.ts";
import { loadLineKey, loadMachineKey, loadMeasurements, loadSignals } from "#/simulator/model/load-plant.ts";
import { encode } from "#/simulator/publish/sparkplug-payload.ts";

/** Where the parts that change lie in the packet. */
type Slot = { kind: "state" | "count" | "measurement"; tsAt: number; valueAt: number };
export type Prepared = { bytes: Buffer; idAt: number; slots: Slot[]; values: number };

const tsDigits = 13; // ms since 1970, until the year 2286
const firstCount = 3_000_000; // seven digits, and four bytes as a varint, for the next 6.9 million pieces
const placeholderTs = 1_111_111_111_111;

export const machinePaths = (lines: number, machines: number): string[] =>
  Array.from({ length: lines * machines }, (_, n) => `load/load/${loadLineKey(Math.floor(n / machines) + 1)}/${loadMachineKey((n % machines) + 1)}`);

const kindOf = (signal: string): Slot["kind"] => (signal === "state" ? "state" : signal === "good" ? "count" : "measurement");
const keys = ["state", "good", ...Array.from({ length: loadMeasurements }, (_, n) => `m${n + 1}`)];
const placeholder = (kind: Slot["kind"]): string => (kind === "state" ? "6" : kind === "count" ? String(firstCount) : "50.25");

/** One value a message: one packet for each signal. */
export function singlePackets(paths: readonly string[]): Prepared[] {
  return paths.flatMap((path) =>
    keys.map((key) => {
      const kind = kindOf(key);
      const payload = `{"ts":${placeholderTs},"value":${placeholder(kind)}}`;
      const { bytes, idAt, payloadAt } = publishPacket(`takt/v1/${path}/${key}`, Buffer.from(payload), 1);
      return { bytes, idAt, values: 1, slots: [{ kind, tsAt: payloadAt + 6, valueAt: payloadAt + 6 + tsDigits + 9 }] };
    }),
  );
}

export const batchRows = 10;

/** A hundred values a message: ten rows of a machine's ten signals, ms apart. */
export function batchPackets(paths: readonly string[]): Prepared[] {
  return paths.map((path) => {
    const slots: Slot[] = [];
    let payload = "[";
    for (let row = 0; row < batchRows; row++) {
      payload += `${row > 0 ? "," : ""}{"ts":`;
      const tsAt = payload.length;
      payload += placeholderTs;
      for (const key of keys) {
        payload += `,"${key}":`;
        slots.push({ kind: kindOf(key), tsAt, valueAt: payload.length });
        payload += placeholder(kindOf(key));
      }
      payload += "}";
    }
    const { bytes, idAt, payloadAt } = publishPacket(`takt/v1/${path}`, Buffer.from(`${payload}]`), 1);
    return {
      bytes,
      idAt,
      values: batchRows * loadSignals,
      slots: slots.map((slot) => ({ ...slot, tsAt: slot.tsAt + payloadAt, valueAt: slot.valueAt + payloadAt })),
    };
  });
}

export function writeDigits(into: Buffer, at: number, value: number, digits: number): void {
  let left = value;
  for (let n = at + digits - 1; n >= at; n--) {
    const next = Math.floor(left / 10);
    into[n] = 48 + left - next * 10;
    left = next;
  }
}

const states = [6, 6, 6, 6, 6, 2, 5, 9];
/** The n-th reading of a signal: a machine makes about a piece every three readings, and changes its state every 500. */
export const countOf = (n: number): number => firstCount + Math.floor(n / 3);
export const stateOf = (own: number, n: number): number => states[(Math.floor(n / 500) * 5 + own) % states.length] ?? 6;
/** Hundredths, 30.00 to 79.99. */
const hundredthsOf = (own: number, n: number): number => 3000 + (((Math.imul(own + 7, 2654435761) + Math.imul(n, 40503)) >>> 8) % 5000);

/** Fills in what changes: `n` counts the rows of this machine, `own` tells machines and signals apart. */
export function stamp(prepared: Prepared, into: Buffer, base: number, packetId: number, firstTs: number, n: number, own: number): void {
  into.set(prepared.bytes, base);
  into[base + prepared.idAt] = packetId >> 8;
  into[base + prepared.idAt + 1] = packetId & 255;
  const rowSlots = prepared.slots.length > 1 ? loadSignals : 1;
  for (let index = 0; index < prepared.slots.length; index++) {
    const slot = prepared.slots[index];
    if (!slot) return;
    const row = Math.floor(index / rowSlots);
    if (index % rowSlots === 0) writeDigits(into, base + slot.tsAt, firstTs + row, tsDigits);
    const at = base + slot.valueAt;
    if (slot.kind === "state") into[at] = 48 + stateOf(own, n + row);
    else if (slot.kind === "count") writeDigits(into, at, countOf(n + row), 7);
    else {
      const hundredths = hundredthsOf(own + index, n + row);
      writeDigits(into, at, Math.floor(hundredths / 100), 2);
      writeDigits(into, at + 3, hundredths % 100, 2);
    }
  }
}

/** Name of a machine's metric in its line's edge node. */
export const nodeMetric = (machine: number, key: string): string => `${loadMachineKey(machine)}/${key}`;

/** An edge node of ten machines: birth, and data of a hundred metrics by alias, in the two lengths that seq has. */
export type PreparedNode = { birth: (now: number, bdSeq: number) => Buffer; short: Prepared; long: Prepared };

const aliasOf = (machine: number, index: number) => (machine - 1) * loadSignals + index + 1;

export function nodePackets(line: number, machines: number): PreparedNode {
  const node = loadLineKey(line);
  const birth = (now: number, bdSeq: number): Buffer =>
    publishPacket(
      `spBv1.0/load/NBIRTH/${node}`,
      encode({
        timestamp: now,
        seq: 0,
        metrics: [
          { name: "bdSeq", type: "Int64", value: bdSeq, timestamp: now },
          { name: "Node Control/Rebirth", type: "Boolean", value: false, timestamp: now },
          ...Array.from({ length: machines }, (_, m) =>
            keys.map((key, index) => ({
              name: nodeMetric(m + 1, key),
              alias: aliasOf(m + 1, index),
              timestamp: now,
              type: key === "state" ? ("Int32" as const) : key === "good" ? ("Int64" as const) : ("Double" as const),
              value: key === "state" ? 6 : key === "good" ? firstCount : 50.25,
            })),
          ).flat(),
        ],
      }),
      0,
    ).bytes;
  return { birth, short: dataPacket(node, machines, 1), long: dataPacket(node, machines, 2) };
}

const varint = (value: number): number[] => {
  const out: number[] = [];
  let left = value;
  while (left > 127) {
    out.push((left % 128) | 128);
    left = Math.floor(left / 128);
  }
  return [...out, left];
};

/** NDATA by hand, so that it is known where each part lies: Sparkplug B payload, timestamp 1, metrics 2 (alias 2, timestamp 3, datatype 4, value 10, 11, 13), seq 3. */
function dataPacket(node: string, machines: number, seqBytes: 1 | 2): Prepared {
  const bytes: number[] = [0x08, ...varint(placeholderTs)];
  const slots: Slot[] = [];
  for (let machine = 1; machine <= machines; machine++) {
    keys.forEach((key, index) => {
      const kind = kindOf(key);
      const alias = [0x10, ...varint(aliasOf(machine, index))];
      const time = [0x18, ...varint(placeholderTs)];
      const value =
        kind === "state" ? [0x20, 3, 0x50, 6] : kind === "count" ? [0x20, 4, 0x58, ...varint(firstCount)] : [0x20, 10, 0x69, 0, 0, 0, 0, 0, 0, 0, 0];
      bytes.push(0x12, alias.length + time.length + value.length);
      const start = bytes.length;
      bytes.push(...alias, ...time, ...value);
      slots.push({ kind, tsAt: start + alias.length + 1, valueAt: start + alias.length + time.length + 3 });
    });
  }
  bytes.push(0x18, ...(seqBytes === 1 ? [0] : [128, 1]));
  const made = publishPacket(`spBv1.0/load/NDATA/${node}`, Buffer.from(bytes), 0);
  return {
    bytes: made.bytes,
    idAt: -1,
    values: slots.length,
    slots: slots.map((slot) => ({ ...slot, tsAt: slot.tsAt + made.payloadAt, valueAt: slot.valueAt + made.payloadAt })),
  };
}

function writeVarint(into: Buffer, at: number, value: number, width: number): void {
  let left = value;
  for (let n = 0; n < width; n++) {
    into[at + n] = n < width - 1 ? (left % 128) | 128 : left;
    left = Math.floor(left / 128);
  }
}

/** NDATA number `n` of a node: seq as given, all metrics at `ts`. */
export function nodeData(prepared: PreparedNode, seq: number, ts: number, n: number, own: number): Buffer {
  const { bytes, slots } = seq < 128 ? prepared.short : prepared.long;
  const out = Buffer.from(bytes);
  for (let index = 0; index < slots.length; index++) {
    const slot = slots[index];
    if (!slot) break;
    writeVarint(out, slot.tsAt, ts, 6);
    if (slot.kind === "state") out[slot.valueAt] = stateOf(own + index, n);
    else if (slot.kind === "count") writeVarint(out, slot.valueAt, countOf(n), 4);
    else out.writeDoubleLE(hundredthsOf(own + index, n) / 100, slot.valueAt);
  }
  // the payload's own time stamp lies before the first metric: tag and six bytes, then tag and length
  const firstMetric = (slots[0]?.tsAt ?? 0) - 1 - varint(aliasOf(1, 0)).length - 1 - 2;
  writeVarint(out, firstMetric - 6, ts, 6);
  if (seq < 128) out[out.length - 1] = seq;
  else {
    out[out.length - 2] = (seq & 127) | 128;
    out[out.length - 1] = seq >> 7;
  }
  return out;
}
