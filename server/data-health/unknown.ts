/** Values that lead to no signal, each with the signal that it probably is. */
import type { Db } from "#/server/db.ts";
import type { Scope } from "#/server/domain/permission.ts";
import {
  keyOf,
  MachinesByName,
  type Role,
  type ScalarPath,
  SignalsByMachine,
  scalarPaths,
  suggestRole,
  suggestSignal,
  valueName,
} from "#/server/domain/signal-suggestion.ts";
import { everywhere, isInLines, isInSites } from "#/server/scope.ts";
import { mostUnknown, type UnknownCount, unknownCounts, unknownRows } from "./letter-queries.ts";
import { type MachineRow, type MappableRow, type MappingForm, machineRows, mappableSignals } from "./mapping-queries.ts";

const namespace = "takt/v1/";

export type UnknownSignal = {
  topic: string;
  metric: string | null;
  /** null: nobody can say. */
  siteId: number | null;
  letters: number;
  lastAt: number;
  reason: string;
  /** Single values in the newest payload that a mapping can name. */
  paths: (ScalarPath & { name: string; suggestedSignalId: number | null; role: Role; unit: string; key: string })[];
  /** The machine that the topic names; null: none is known. */
  machineId: number | null;
};

/** All that there are, but for those beside the newest of each site; `counts` has these, too. */
export type AllUnknown = { unknown: UnknownSignal[]; counts: UnknownCount[]; machines: MachineRow[]; signals: MappableRow[] };
/** more: topics and metrics beside those of `unknown`, which came longer ago. */
export type Unknown = { unknown: UnknownSignal[]; more: number; machines: MachineRow[]; signals: MappableRow[] };

export async function unknownSignals(db: Db): Promise<AllUnknown> {
  const [rows, machines, signals] = await Promise.all([unknownRows(db), machineRows(db, everywhere), mappableSignals(db, everywhere)]);
  const bySite = Map.groupBy(rows, ({ siteId }) => siteId);
  const isWhole = [...bySite.values()].every((of) => of.length < mostUnknown);
  const counts = isWhole ? [...bySite].map(([siteId, of]) => ({ siteId, n: of.length })) : await unknownCounts(db);
  // By the site of a topic and the form of its mapping: a plant has tens of thousands of signals, and there may be hundreds of topics.
  const known = new Map<string, { machines: MachinesByName<MachineRow>; signals: SignalsByMachine }>();
  const knownFor = (siteId: number | null, form: MappingForm) => {
    const name = `${siteId} ${form}`;
    const isNear = (row: { siteId: number }) => siteId === null || row.siteId === siteId;
    const found = known.get(name) ?? {
      machines: new MachinesByName(machines.filter(isNear)),
      signals: new SignalsByMachine(signals.filter((signal) => signal.mappingForm === form && isNear(signal))),
    };
    known.set(name, found);
    return found;
  };
  const unknown = rows.map((row) => {
    const near = knownFor(row.siteId, row.metric === null ? "json" : "sparkplug");
    const machine = near.machines.of(row.topic);
    const paths = pathsOf(row.topic, row.metric, row.payload).map((found) => {
      const name = valueName(row.topic, row.metric, found.path);
      return {
        ...found,
        name,
        suggestedSignalId: suggestSignal(name, row.topic, near.signals)?.id ?? null,
        ...suggestRole(name, found.value),
        key: keyOf(name),
      };
    });
    const { topic, metric, siteId, letters, lastAt, reason } = row;
    return { topic, metric, siteId, letters, lastAt, reason, paths, machineId: machine?.id ?? null };
  });
  return { unknown, counts, machines, signals };
}

/** What there is of it where the actor may: no machine and no signal of elsewhere is named or suggested. */
export function unknownIn(all: AllUnknown, scope: Scope): Unknown {
  const machines = all.machines.filter(({ siteId, lineId }) => isInLines(scope, siteId, lineId));
  const signals = all.signals.filter(({ siteId, lineId }) => isInLines(scope, siteId, lineId));
  const [machineIds, signalIds] = [new Set(machines.map(({ id }) => id)), new Set(signals.map(({ id }) => id))];
  const ifIn = (ids: ReadonlySet<number>, id: number | null) => (id !== null && ids.has(id) ? id : null);
  const total = all.counts.reduce((n, count) => (isInSites(scope, count.siteId) ? n + count.n : n), 0);
  const unknown = all.unknown
    .filter(({ siteId }) => isInSites(scope, siteId))
    .slice(0, mostUnknown)
    .map((one) => ({
      ...one,
      machineId: ifIn(machineIds, one.machineId),
      paths: one.paths.map((path) => ({ ...path, suggestedSignalId: ifIn(signalIds, path.suggestedSignalId) })),
    }));
  return { unknown, more: Math.max(0, total - unknown.length), machines, signals };
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
