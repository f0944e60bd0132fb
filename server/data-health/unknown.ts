/** Values that lead to no signal, each with the signal that it probably is. */
import type { Db } from "#/server/db.ts";
import { keyOf, type Role, type ScalarPath, scalarPaths, suggestRole, suggestSignal } from "#/server/domain/signal-suggestion.ts";
import { mostUnknown, unknownCount, unknownRows } from "./letter-queries.ts";
import { type MachineRow, type MappableRow, type MappingForm, machineRows, mappableSignals } from "./mapping-queries.ts";

export const namespace = "takt/v1/";
const sparkplugNamespace = "spBv1.0/";

/** How a letter's topic and metric are written as a mapping: Sparkplug by node and metric, all else by topic and path in the payload. */
export const patternOf = (topic: string, metric: string | null): { form: MappingForm; pattern: string } =>
  metric === null
    ? { form: "json", pattern: topic }
    : { form: "sparkplug", pattern: topic.startsWith(sparkplugNamespace) ? topic.slice(sparkplugNamespace.length) : topic };

export type UnknownSignal = {
  topic: string;
  metric: string | null;
  letters: number;
  lastAt: number;
  reason: string;
  /** Single values in the newest payload that a mapping can name. */
  paths: (ScalarPath & { name: string; suggestedSignalId: number | null; role: Role; unit: string; key: string })[];
  /** The machine that the topic names; null: none is known. */
  machineId: number | null;
};

/** more: topics and metrics beside those of `unknown`, which came longer ago. */
export type Unknown = { unknown: UnknownSignal[]; more: number; machines: MachineRow[]; signals: MappableRow[] };

export async function unknownSignals(db: Db): Promise<Unknown> {
  const [rows, machines, signals] = await Promise.all([unknownRows(db), machineRows(db), mappableSignals(db)]);
  const total = rows.length < mostUnknown ? rows.length : await unknownCount(db);
  const unknown = rows.map((row) => {
    const { form } = patternOf(row.topic, row.metric);
    const fitting = signals.filter((signal) => signal.mappingForm === form);
    const machine = machineOf(row.topic, machines);
    const paths = pathsOf(row.topic, row.metric, row.payload).map((found) => {
      const name = found.path.split(".").findLast((step) => !/^\d*$/.test(step)) ?? row.metric ?? row.topic.split("/").at(-1) ?? "";
      return { ...found, name, suggestedSignalId: suggestSignal(name, row.topic, fitting)?.id ?? null, ...suggestRole(name, found.value), key: keyOf(name) };
    });
    return { topic: row.topic, metric: row.metric, letters: row.letters, lastAt: row.lastAt, reason: row.reason, paths, machineId: machine?.id ?? null };
  });
  return { unknown, more: Math.max(0, total - unknown.length), machines, signals };
}

/** The machine below whose topic this one lies, or whose key the topic names as its only machine of that key. */
function machineOf(topic: string, machines: readonly MachineRow[]): MachineRow | null {
  const exact = machines.find((machine) => `${topic}/`.startsWith(`${namespace}${machine.path}/`));
  if (exact) return exact;
  const words = new Set(topic.toLowerCase().split(/[/.: ]+/));
  const named = machines.filter((machine) => words.has(machine.path.split("/").at(-1)?.toLowerCase() ?? ""));
  return named.length === 1 ? (named[0] ?? null) : null;
}

function pathsOf(topic: string, metric: string | null, payload: Buffer): ScalarPath[] {
  const json = jsonIn(payload);
  // A letter of one value is written {"ts","value"}: the value itself, not a path in it. So is a message to a signal's own topic.
  const wrapped =
    json !== null &&
    typeof json === "object" &&
    !Array.isArray(json) &&
    Object.hasOwn(json, "value") &&
    Object.keys(json).every((key) => key === "ts" || key === "value");
  if (wrapped) return scalarPaths((json as { value: unknown }).value);
  if (metric !== null || (topic.startsWith(namespace) && topic.split("/").length > 6 && (json === null || typeof json !== "object")))
    return [{ path: "", value: scalarOf(json) }];
  return scalarPaths(json);
}

const scalarOf = (json: unknown) => (typeof json === "number" || typeof json === "string" || typeof json === "boolean" ? json : null);

/** The payload as JSON, or as the bare word that it is. */
function jsonIn(payload: Buffer): unknown {
  const text = payload.toString("utf8");
  try {
    return JSON.parse(text);
  } catch {
    return text.slice(0, 200); // a bare word is a value; what is cut off cannot be looked into
  }
}
