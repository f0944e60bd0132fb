// What a birth says of its metrics, and the values of a message by it.
import { DataType, Refusal, readValue, textOf } from "./datatype.ts";
import type { Liveness } from "./liveness.ts";
import { sourceTopic } from "./topic.ts";
import type { HostOutput, RefusalCode } from "./types.ts";
import { Kind, payloadOf, RawMetric, WireReader } from "./wire.ts";

export type Definition = {
  name: string;
  /** 0: the birth did not say. */
  datatype: number;
  /** The protocol's own; no value of the plant. */
  own: boolean;
  /** Its values cannot be kept; said once. */
  refused: boolean;
};

export type AliasKey = number | bigint;
/** A metric as a message calls it: by name or by alias. */
export type Key = AliasKey | string;

/** The metrics of one edge node or device, as its last birth names them. Aliases are looked up per publisher: the topic says which. */
export class MetricTable {
  readonly byName = new Map<string, Definition>();
  /** null: two metrics of the birth claim this alias. */
  readonly byAlias = new Map<AliasKey, Definition | null>();
}

export type Birth = {
  table: MetricTable;
  /** Number of the session, matched by the node's death; null: none. */
  bdSeq: number | null;
  /** The birth offers "Node Control/Rebirth". */
  takesRebirth: boolean;
  /** Metrics beyond the limit, whose aliases will not be known. */
  left: number;
};

export type Target = {
  topic: string;
  address: string;
  liveness: Liveness | null;
  /** null: no birth is known. */
  table: MetricTable | null;
  /** For messages held from before a birth: aliases that meant something else in the birth before it are not guessed. */
  prior: MetricTable | null;
  receivedAt: number;
};

const maxTemplateDepth = 16;
const maxNameLength = 1024;

const isOwn = (name: string) => name === "bdSeq" || name.startsWith("Node Control/") || name.startsWith("Device Control/");
const keyOf = ({ aliasLow, aliasHigh }: RawMetric): AliasKey =>
  aliasHigh <= 0x1fffff ? aliasHigh * 4294967296 + aliasLow : (BigInt(aliasHigh) << 32n) | BigInt(aliasLow);

/** Reads one payload at a time: `open`, then `define` or `values`. */
export class MetricReader {
  readonly wire = new WireReader();
  private readonly raws = Array.from({ length: maxTemplateDepth + 1 }, () => new RawMetric());

  /** Of the opened payload of a birth: its metrics and its session. At most `room` metrics are taken. */
  define(room: number): Birth {
    const birth: Birth = { table: new MetricTable(), bdSeq: null, takesRebirth: false, left: 0 };
    const raw = this.raws[0]!;
    for (let i = 0; i < this.wire.metricCount; i++) {
      if (!this.wire.metric(i, raw)) continue;
      const name = this.nameOf(raw);
      if (name === null || name instanceof Refusal) continue;
      if (name === "bdSeq") birth.bdSeq = this.sessionNumber(raw);
      if (name === "Node Control/Rebirth") birth.takesRebirth = true;
      this.defineMetric(birth, name, raw, room, 0);
    }
    return birth;
  }

  private defineMetric(birth: Birth, name: string, raw: RawMetric, room: number, depth: number) {
    const { table } = birth;
    let definition = table.byName.get(name);
    if (!definition) {
      if (table.byName.size >= room) {
        birth.left++;
        return;
      }
      definition = { name, datatype: raw.datatype, own: isOwn(name), refused: false };
      table.byName.set(name, definition);
    }
    if (raw.hasAlias) {
      const key = keyOf(raw);
      const claimed = table.byAlias.get(key);
      table.byAlias.set(key, claimed === undefined || claimed === definition ? definition : null);
    }
    if (raw.kind === Kind.template)
      this.eachMember(raw, depth, (member, memberName) => this.defineMetric(birth, `${name}/${memberName}`, member, room, depth + 1));
  }

  /** bdSeq of the opened payload (a birth or a death); null: none. */
  bdSeq(): number | null {
    const raw = this.raws[0]!;
    for (let i = 0; i < this.wire.metricCount; i++) {
      if (this.wire.metric(i, raw) && this.nameOf(raw) === "bdSeq") return this.sessionNumber(raw);
    }
    return null;
  }

  private sessionNumber(raw: RawMetric): number | null {
    const value = readValue(raw, raw.kind === Kind.int || raw.kind === Kind.long ? DataType.UInt64 : raw.datatype, this.wire.bytes);
    return typeof value === "number" ? value : null;
  }

  /**
   * Puts every metric of the opened payload into `out`. Returns the names and aliases that the birth does not know:
   * values under such a name are given out by what the message itself says of them, those under such an alias are refused.
   */
  values(target: Target, out: HostOutput): Key[] {
    const { wire } = this;
    const raw = this.raws[0]!;
    const unknown: number[] = [];
    const undeclared: Key[] = [];
    for (let i = 0; i < wire.metricCount; i++) {
      const found = wire.metric(i, raw) ? this.definitionOf(raw, target, undeclared) : "A metric of the message is cut off, or is not protobuf.";
      if (found === null) unknown.push(i);
      else if (typeof found === "string") refuseMessage(target, out, this.payload([i]), "sparkplug_malformed", found);
      else this.give(found, raw, i, target, wire.timestamp, out, 0);
    }
    if (unknown.length > 0) this.refuseUnknown(target, out, unknown, undeclared);
    return undeclared;
  }

  /** What a metric is by its name, else by its alias. null: an alias that no birth explains. A sentence: neither can be used. */
  private definitionOf(raw: RawMetric, { table, prior }: Target, undeclared: Key[]): Definition | string | null {
    if (raw.nameFrom >= 0) {
      const name = this.nameOf(raw);
      if (name === null) return "A metric has an empty name.";
      if (name instanceof Refusal) return `The name of a metric cannot be kept. ${name.reason}`;
      const known = table?.byName.get(name);
      if (known) return known;
      const own = isOwn(name);
      if (table !== null && !own) undeclared.push(name);
      return { name, datatype: raw.datatype, own, refused: false };
    }
    if (!raw.hasAlias) return "A metric has neither a name nor an alias.";
    const key = keyOf(raw);
    const known = table?.byAlias.get(key);
    if (known && (prior === null || !differs(prior.byAlias.get(key), known))) return known;
    undeclared.push(key);
    return null;
  }

  // Hot: runs once a metric.
  private give(definition: Definition, raw: RawMetric, i: number, target: Target, fallbackAt: number, out: HostOutput, depth: number): void {
    if (definition.own) {
      out.own++;
      return;
    }
    const timestamp = !Number.isNaN(raw.timestamp) ? raw.timestamp : fallbackAt;
    if (raw.kind === Kind.template) return this.giveMembers(definition, raw, i, target, timestamp, out, depth);
    const value = readValue(raw, raw.datatype === 0 ? definition.datatype : raw.datatype, this.wire.bytes);
    if (typeof value === "object" && value !== null) return this.refuse(definition, value, timestamp, i, target, out);
    const quality = raw.propertiesFrom < 0 ? null : this.wire.quality(raw);
    const at = Number.isNaN(timestamp) ? null : timestamp;
    out.values.push({
      address: target.address,
      metric: definition.name,
      at,
      value,
      historical: raw.historical,
      good: quality === null || quality === 192,
      transient: raw.transient,
      receivedAt: target.receivedAt,
    });
    if (raw.historical && at !== null && target.liveness !== null) target.liveness.history(at, out.links);
  }

  private giveMembers(definition: Definition, raw: RawMetric, i: number, target: Target, timestamp: number, out: HostOutput, depth: number) {
    const { historical, transient } = raw;
    const read = this.eachMember(
      raw,
      depth,
      (member, memberName) => {
        member.historical ||= historical;
        member.transient ||= transient;
        const name = `${definition.name}/${memberName}`;
        const known = target.table?.byName.get(name) ?? { name, datatype: member.datatype, own: false, refused: false };
        this.give(known, member, i, target, timestamp, out, depth + 1);
      },
      (member) => target.table?.byAlias.get(keyOf(member))?.name.slice(definition.name.length + 1) ?? null,
    );
    if (read === "definition") out.own++;
    else if (read !== "read") refuseMessage(target, out, this.payload([i]), "sparkplug_malformed", `The template ${definition.name} ${read}.`);
  }

  /** Calls `use` with each readable member of a template instance and its name. */
  private eachMember(
    raw: RawMetric,
    depth: number,
    use: (member: RawMetric, name: string) => void,
    nameByAlias?: (member: RawMetric) => string | null,
  ): "read" | "definition" | string {
    const template = this.wire.template(raw.from, raw.to);
    if (template === null) return "cannot be read";
    if (template.isDefinition) return "definition";
    const member = this.raws[depth + 1];
    if (!member) return `is nested deeper than ${maxTemplateDepth} levels`;
    let unreadable = 0;
    for (let k = 0; k < template.members.length; k += 2) {
      const readable = this.wire.metricAt(template.members[k]!, template.members[k + 1]!, member);
      const own = readable ? this.nameOf(member) : null;
      const name = own === null && readable && member.hasAlias ? (nameByAlias?.(member) ?? null) : own;
      if (typeof name === "string") use(member, name);
      else unreadable++;
    }
    return unreadable === 0 ? "read" : `has ${unreadable} members without a name that is known, or that cannot be read`;
  }

  private refuse(definition: Definition, refusal: Refusal, timestamp: number, i: number, target: Target, out: HostOutput) {
    if (refusal.lasting) {
      if (definition.refused) {
        out.repeats++;
        return;
      }
      definition.refused = true;
    }
    if (refusal.text === null) return refuseMessage(target, out, this.payload([i]), refusal.code, `"${definition.name.slice(0, 80)}": ${refusal.reason}`);
    const payload = Buffer.from(JSON.stringify(!Number.isNaN(timestamp) ? { ts: timestamp, value: refusal.text } : { value: refusal.text }));
    out.refused.push({
      topic: sourceTopic(target.address),
      metric: definition.name,
      payload,
      form: "value",
      code: refusal.code,
      reason: refusal.reason,
      valueCount: 1,
    });
  }

  private refuseUnknown(target: Target, out: HostOutput, unknown: number[], undeclared: readonly Key[]) {
    const aliases = undeclared.filter((key) => typeof key !== "string");
    const named = `${aliases.length === 1 ? "alias" : "aliases"} ${aliases.slice(0, 5).join(", ")}${aliases.length > 5 ? ", ..." : ""}`;
    const [code, reason]: [RefusalCode, string] =
      target.table === null
        ? [
            "sparkplug_before_birth",
            `Values came under ${named} before ${target.address} said in a birth what they stand for. A birth was asked for; retry once it has come.`,
          ]
        : [
            "sparkplug_unknown_alias",
            `Values came under ${named}, which the birth of ${target.address} does not name, or not for one metric alone. A new birth was asked for; retry once it has come.`,
          ];
    out.refused.push({ topic: target.topic, metric: null, payload: this.payload(unknown), form: "message", code, reason, valueCount: unknown.length });
  }

  private payload(indexes: number[]): Buffer {
    return payloadOf(
      this.wire.timestamp,
      indexes.map((i) => this.wire.slice(i)),
    );
  }

  /** null: no name. */
  private nameOf(raw: RawMetric): string | Refusal | null {
    if (raw.nameFrom < 0 || raw.nameFrom === raw.nameTo) return null;
    if (raw.nameTo - raw.nameFrom > maxNameLength) return new Refusal("sparkplug_malformed", `It is longer than ${maxNameLength} bytes.`);
    return textOf(this.wire.bytes, raw.nameFrom, raw.nameTo);
  }
}

const differs = (before: Definition | null | undefined, now: Definition) =>
  before === null || (before !== undefined && (before.name !== now.name || before.datatype !== now.datatype));

function refuseMessage(target: Target, out: HostOutput, payload: Buffer, code: RefusalCode, reason: string) {
  out.refused.push({ topic: target.topic, metric: null, payload, form: "message", code, reason, valueCount: 1 });
}
