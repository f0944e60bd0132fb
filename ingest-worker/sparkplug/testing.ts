// For tests: an edge node that writes its messages with the Eclipse library's own encoder, and a host that gathers all that comes out.
import proto from "sparkplug-payload/lib/sparkplugPayloadProto.js";
import { SparkplugHost } from "../sparkplug.ts";
import { DataType } from "./datatype.ts";
import { emptyOutput, type HostOptions, type HostOutput } from "./types.ts";

const { Payload } = proto.org.eclipse.tahu.protobuf;
type PayloadFields = NonNullable<Parameters<typeof Payload.encode>[0]>;
export type Metric = NonNullable<PayloadFields["metrics"]>[number];

export const t0 = 1_790_000_000_000;

export const encode = (fields: PayloadFields): Buffer => Buffer.from(Payload.encode(fields).finish());
export const decode = (payload: Buffer) => Payload.toObject(Payload.decode(payload), { longs: Number });

export const double = (name: string, doubleValue: number, more: Partial<Metric> = {}): Metric => ({
  name,
  timestamp: t0,
  datatype: DataType.Double,
  doubleValue,
  ...more,
});
/** As in NDATA: the alias alone, without name and data type. */
export const byAlias = (alias: number, doubleValue: number, timestamp: number = t0): Metric => ({ alias, timestamp, doubleValue });
export const bdSeqMetric = (bdSeq: number): Metric => ({ name: "bdSeq", timestamp: t0, datatype: DataType.Int64, longValue: bdSeq });
export const rebirthMetric: Metric = { name: "Node Control/Rebirth", timestamp: t0, datatype: DataType.Boolean, booleanValue: false };

export type Sent = { topic: string; payload: Buffer };

/** Writes messages in order. at: time of sending, ms. */
export class TestEdge {
  readonly address: string;
  seq = 0;
  bdSeq: number;
  private readonly group: string;
  private readonly node: string;

  constructor(group = "Berlin", node = "Edge1", bdSeq = 0) {
    this.group = group;
    this.node = node;
    this.address = `${group}/${node}`;
    this.bdSeq = bdSeq;
  }

  topic = (type: string, device?: string) => `spBv1.0/${this.group}/${type}/${this.node}${device === undefined ? "" : `/${device}`}`;

  nbirth(metrics: Metric[] = [], at = t0): Sent {
    this.seq = 0;
    return this.send("NBIRTH", [bdSeqMetric(this.bdSeq), rebirthMetric, ...metrics], at);
  }
  ndata = (metrics: Metric[], at = t0) => this.send("NDATA", metrics, at);
  dbirth = (device: string, metrics: Metric[], at = t0) => this.send("DBIRTH", metrics, at, device);
  ddata = (device: string, metrics: Metric[], at = t0) => this.send("DDATA", metrics, at, device);
  ddeath = (device: string, at = t0) => this.send("DDEATH", [], at, device);
  /** As the broker sends it for the edge: without a sequence number. */
  ndeath = (bdSeq = this.bdSeq): Sent => ({ topic: this.topic("NDEATH"), payload: encode({ timestamp: t0, metrics: [bdSeqMetric(bdSeq)] }) });

  private send(type: string, metrics: Metric[], at: number, device?: string): Sent {
    const payload = encode({ timestamp: at, metrics, seq: this.seq });
    this.seq = (this.seq + 1) % 256;
    return { topic: this.topic(type, device), payload };
  }
}

/** A host and everything that came out of it so far. */
export class Watched {
  readonly host: SparkplugHost;
  readonly out: HostOutput = emptyOutput();

  constructor(options: Partial<HostOptions> = {}) {
    this.host = new SparkplugHost({ hostId: "takt", ...options });
  }

  send(sent: Sent, at = t0, about?: { retained?: boolean }): HostOutput {
    return this.gather(this.host.onMessage(sent.topic, sent.payload, at, about));
  }
  tick = (at: number) => this.gather(this.host.onTick(at));
  gather(output: HostOutput): HostOutput {
    this.out.values.push(...output.values);
    this.out.links.push(...output.links);
    this.out.refused.push(...output.refused);
    this.out.commands.push(...output.commands);
    this.out.duplicates += output.duplicates;
    this.out.repeats += output.repeats;
    this.out.own += output.own;
    return output;
  }

  /** Values in short: metric=value. */
  get got(): string[] {
    return this.out.values.map((v) => `${v.metric}=${v.value}`);
  }
  /** Links in short: kind address alive at (after t0). */
  get said(): string[] {
    return this.out.links.map((l) => `${l.kind} ${l.address} ${l.alive} ${l.at - t0}`);
  }
  get rebirths(): number {
    return this.out.commands.length;
  }
}
