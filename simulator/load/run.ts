// Load for figures: as many messages as asked, or as the broker takes, from prepared packets over bare sockets.
import { setTimeout as wait } from "node:timers/promises";
import {
  batchPackets,
  batchRows,
  machinePaths,
  nodeData,
  nodePackets,
  type Prepared,
  type PreparedNode,
  singlePackets,
  stamp,
} from "#/simulator/load/packets.ts";
import { publishPacket, RawConnection } from "#/simulator/load/raw-mqtt.ts";
import type { Reader } from "#/simulator/load/reader.ts";
import { loadLineKey, loadSignals } from "#/simulator/model/load-plant.ts";
import { decode, encode } from "#/simulator/publish/sparkplug-payload.ts";

export const loadModes = ["single", "batch100", "sparkplug100"] as const;
export type LoadMode = (typeof loadModes)[number];

export type LoadOptions = {
  url: string;
  /** single: a JSON value a message, QoS 1. batch100: a JSON array of 10 rows x 10 signals, QoS 1. sparkplug100: NDATA of 100 metrics by alias, QoS 0. */
  mode: LoadMode;
  lines: number;
  /** Of each line; for sparkplug100 ten make the hundred metrics. */
  machines: number;
  /** Values a second; Infinity: as many as the broker acknowledges. */
  rate: number;
  forMs: number;
  /** Messages that wait for the broker's acknowledgement. */
  inFlight: number;
  /** Stay at most so many values ahead of what the reader has settled. */
  ahead?: { reader: Reader; values: number };
  stop?: AbortSignal;
  onSecond?: (stats: LoadStats) => void;
};

export type LoadStats = {
  /** Seconds since the first message. */
  seconds: number;
  messages: number;
  values: number;
  /** Of the messages; QoS 0 has no acknowledgement, there it is what was written. */
  acked: number;
  ackedValues: number;
  /** Sparkplug: births published, those that the host asked for included. */
  births: number;
  /** Newest device time published, ms. */
  lastTs: number;
  /** Seconds of processor time that the generator used. */
  cpuS: number;
};

const chunkBytes = 64 * 1024;

/** Publishes until the time is over, then waits for what is unacknowledged. Values of one signal never share an instant. */
export async function runLoad(options: LoadOptions): Promise<LoadStats> {
  const stats: LoadStats = { seconds: 0, messages: 0, values: 0, acked: 0, ackedValues: 0, births: 0, lastTs: 0, cpuS: 0 };
  const cpu = process.cpuUsage();
  const startedAt = performance.now();
  const tick = () => {
    const used = process.cpuUsage(cpu);
    stats.seconds = (performance.now() - startedAt) / 1000;
    stats.cpuS = (used.user + used.system) / 1e6;
    options.onSecond?.({ ...stats });
  };
  const everySecond = setInterval(tick, 1000);
  try {
    await (options.mode === "sparkplug100" ? sparkplugLoad(options, stats, startedAt) : jsonLoad(options, stats, startedAt));
  } finally {
    clearInterval(everySecond);
    tick();
  }
  return stats;
}

const isOver = ({ stop, forMs }: LoadOptions, startedAt: number) => stop?.aborted === true || performance.now() - startedAt >= forMs;
/** Values that may have been sent by now. */
const allowed = ({ rate, ahead }: LoadOptions, startedAt: number) =>
  Math.min(rate === Infinity ? Infinity : ((performance.now() - startedAt) / 1000) * rate, ahead ? ahead.reader.settled + ahead.values : Infinity);

async function jsonLoad(options: LoadOptions, stats: LoadStats, startedAt: number): Promise<void> {
  const connection = await RawConnection.open(options.url, `takt-load-${process.pid}-${Date.now() % 100_000}`);
  const paths = machinePaths(options.lines, options.machines);
  const packets = options.mode === "single" ? singlePackets(paths) : batchPackets(paths);
  const valuesPerMessage = packets[0]?.values ?? 1;
  const rows = options.mode === "single" ? 1 : batchRows;
  const size = Math.max(...packets.map(({ bytes }) => bytes.length));
  const perChunk = Math.max(1, Math.floor(chunkBytes / size));
  let next = 0; // packet of the round
  let round = 0;
  let ts = 0;
  let notBefore = 0; // each round has instants of its own
  let packetId = 0;
  while (!isOver(options, startedAt)) {
    const room = Math.min(
      perChunk,
      options.inFlight - (stats.messages - connection.acked),
      Math.floor((allowed(options, startedAt) - stats.values) / valuesPerMessage),
    );
    if (room < 1) {
      // acknowledgements wake us as well as time: whichever it was, look again
      if (stats.messages - connection.acked >= options.inFlight) await connection.change();
      else await wait(2);
      continue;
    }
    ts = Math.max(notBefore, Date.now() - rows + 1);
    const chunk = Buffer.allocUnsafe(room * size);
    let end = 0;
    for (let n = 0; n < room; n++) {
      const prepared: Prepared | undefined = packets[next];
      if (!prepared) break;
      packetId = packetId >= 65_535 ? 1 : packetId + 1;
      stamp(prepared, chunk, end, packetId, ts, round * rows, Math.floor((next * valuesPerMessage) / loadSignals) * 17 + next);
      end += prepared.bytes.length;
      stats.messages++;
      stats.values += valuesPerMessage;
      if (++next === packets.length) {
        next = 0;
        round++;
        notBefore = ts + rows;
        ts = notBefore;
      }
    }
    stats.lastTs = ts + rows - 1;
    stats.acked = connection.acked;
    stats.ackedValues = connection.acked * valuesPerMessage;
    await connection.write(chunk.subarray(0, end));
    if (stats.messages % 4096 < room) await new Promise((resolve) => setImmediate(resolve)); // lets acknowledgements in
  }
  while (connection.acked < stats.messages) await connection.change();
  stats.acked = connection.acked;
  stats.ackedValues = connection.acked * valuesPerMessage;
  connection.close();
}

type EdgeNode = { prepared: PreparedNode; connection: RawConnection; seq: number; sent: number; own: number; ts: number; deathTopic: string };

async function sparkplugLoad(options: LoadOptions, stats: LoadStats, startedAt: number): Promise<void> {
  const nodes: EdgeNode[] = [];
  for (let line = 1; line <= options.lines; line++) {
    const deathTopic = `spBv1.0/load/NDEATH/${loadLineKey(line)}`;
    const connection = await RawConnection.open(options.url, `takt-load-${process.pid}-${loadLineKey(line)}`, { topic: deathTopic, payload: death(), qos: 1 });
    const node: EdgeNode = { prepared: nodePackets(line, options.machines), connection, seq: 0, sent: 0, own: line * 131, ts: Date.now(), deathTopic };
    nodes.push(node);
    connection.onMessage = (topic, payload) => {
      const asked =
        topic === `spBv1.0/load/NCMD/${loadLineKey(line)}` &&
        decode(payload).metrics?.some(({ name, value }) => name === "Node Control/Rebirth" && value === true);
      if (asked) void birth(node, stats);
    };
    connection.subscribe(`spBv1.0/load/NCMD/${loadLineKey(line)}`);
    await birth(node, stats);
  }
  for (let next = 0; !isOver(options, startedAt); next = (next + 1) % nodes.length) {
    const node = nodes[next];
    if (!node) break;
    const values = node.prepared.short.values;
    while (stats.values + values > allowed(options, startedAt)) {
      await wait(1);
      if (isOver(options, startedAt)) break;
    }
    node.ts = Math.max(node.ts + 1, Date.now());
    const bytes = nodeData(node.prepared, node.seq, node.ts, node.sent++, node.own);
    node.seq = (node.seq + 1) % 256;
    stats.messages++;
    stats.values += values;
    stats.lastTs = node.ts;
    stats.acked = stats.messages;
    stats.ackedValues = stats.values;
    await node.connection.write(bytes);
    if (stats.messages % 64 === 0) await new Promise((resolve) => setImmediate(resolve)); // lets rebirth requests in
  }
  for (const node of nodes) {
    await node.connection.write(publishPacket(node.deathTopic, death(), 0).bytes);
    node.connection.close();
  }
}

const death = (): Buffer => encode({ timestamp: Date.now(), metrics: [{ name: "bdSeq", type: "Int64", value: 0, timestamp: Date.now() }] });

/** A birth opens a new sequence: it has seq 0, the next data 1. */
async function birth(node: EdgeNode, stats: LoadStats): Promise<void> {
  node.ts = Math.max(node.ts + 1, Date.now());
  node.seq = 1;
  stats.births++;
  await node.connection.write(node.prepared.birth(node.ts, 0));
}
