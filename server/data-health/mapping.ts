/** Unknown values and the signals that they are: suggestions, and the mapping that a person makes. */
import type { Db } from "#/server/db.ts";
import { transaction } from "#/server/db.ts";
import { keyOf, type Role, type ScalarPath, scalarPaths, suggestRole, suggestSignal } from "#/server/domain/signal-suggestion.ts";
import { Refusal } from "#/server/errors.ts";
import { notifyRetry, retryUnknown, unknownRows } from "./letter-queries.ts";
import { insertMapping, insertSignal, type MachineRow, type MappingForm, machineRows, mappableSignals, mappedTo, sourceFor } from "./mapping-queries.ts";

const namespace = "takt/v1/";
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

export async function unknownSignals(
  db: Db,
): Promise<{ unknown: UnknownSignal[]; machines: MachineRow[]; signals: Awaited<ReturnType<typeof mappableSignals>> }> {
  const [rows, machines, signals] = await Promise.all([unknownRows(db), machineRows(db), mappableSignals(db)]);
  const unknown = rows.map((row) => {
    const machine = machineOf(row.topic, machines);
    const paths = pathsOf(row.topic, row.metric, row.payload).map((found) => {
      const name = found.path.split(".").findLast((step) => !/^\d*$/.test(step)) ?? row.metric ?? row.topic.split("/").at(-1) ?? "";
      return { ...found, name, suggestedSignalId: suggestSignal(name, row.topic, signals)?.id ?? null, ...suggestRole(name, found.value), key: keyOf(name) };
    });
    return { topic: row.topic, metric: row.metric, letters: row.letters, lastAt: row.lastAt, reason: row.reason, paths, machineId: machine?.id ?? null };
  });
  return { unknown: unknown.sort((a, b) => b.lastAt - a.lastAt), machines, signals };
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

export type MapTo = { topic: string; metric: string | null; path: string } & (
  | { to: "signal"; signalId: number }
  | { to: "new"; machineId: number; key: string; name: string; role: Role; unit: string; counterMode: "cumulative" | "increment" | null }
);

/**
 * Maps a topic (and path or metric) to a signal, making the signal where it is new, and has the worker try the letters again. All of it or nothing.
 * @throws Refusal CONFLICT: someone else was quicker; NOT_FOUND: the machine or signal is gone; RULE_BROKEN
 */
export function mapUnknown(wanted: MapTo): Promise<{ retried: number }> {
  const { topic, metric, path } = wanted;
  return transaction(async (tx) => {
    const { form, pattern } = patternOf(topic, metric);
    const step = metric ?? path;
    const taken = await mappedTo(tx, form, pattern, step);
    if (taken && !(wanted.to === "signal" && taken.signalId === wanted.signalId))
      throw new Refusal("CONFLICT", `This is mapped to ${taken.signalPath} already. Reload and look again.`);
    const signal = wanted.to === "signal" ? await known(tx, wanted.signalId) : await made(tx, wanted);
    // A key below its own machine's topic leads there without a mapping.
    const leadsThere = form === "json" && path === "" && topic === `${namespace}${signal.path}`;
    if (!leadsThere && !taken && !(await insertMapping(tx, { signalId: signal.id, form, pattern, path: step })))
      throw new Refusal("CONFLICT", "Someone else has just mapped this. Reload and look again.");
    const retried = await retryUnknown(tx, { topic, metric });
    if (retried > 0) await notifyRetry(tx);
    return { retried };
  });
}

async function known(tx: Db, signalId: number): Promise<{ id: number; path: string }> {
  const signal = (await mappableSignals(tx)).find((row) => row.id === signalId);
  if (!signal) throw new Refusal("NOT_FOUND", "This signal is no longer in use. Reload and choose another.");
  return { id: signal.id, path: `${signal.machinePath}/${signal.key}` };
}

async function made(tx: Db, wanted: Extract<MapTo, { to: "new" }>): Promise<{ id: number; path: string }> {
  const machine = (await machineRows(tx)).find((row) => row.id === wanted.machineId);
  if (!machine) throw new Refusal("NOT_FOUND", "This machine is no longer in use. Reload and choose another.");
  const isCount = wanted.role.endsWith("_count");
  if (isCount !== (wanted.counterMode !== null))
    throw new Refusal("RULE_BROKEN", isCount ? "A counter needs its kind: cumulative or increment." : "Only counters have a kind of counting.");
  const sourceId = await sourceFor(tx, { siteId: machine.siteId, ...publisherOf(wanted, machine) });
  if (sourceId === null) throw new Refusal("CONFLICT", "The publisher of this topic belongs to another site or is retired. Set it in the plant file.");
  const id = await insertSignal(tx, { ...wanted, sourceId });
  if (id === null) throw new Refusal("CONFLICT", `${machine.name} has a signal ${wanted.key} already. Choose that one, or another key.`);
  return { id, path: `${machine.path}/${wanted.key}` };
}

/** Whose silence makes the new signal's time unknown: the Sparkplug node, the machine itself, or what publishes foreign topics for it. */
function publisherOf({ topic, metric }: MapTo, machine: MachineRow): { form: "json" | "sparkplug" | "mapped"; address: string } {
  if (metric !== null) return { form: "sparkplug", address: patternOf(topic, metric).pattern };
  if (`${topic}/`.startsWith(`${namespace}${machine.path}/`)) return { form: "json", address: machine.path };
  return { form: "mapped", address: `mapped:${machine.path}` };
}
