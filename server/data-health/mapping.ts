/** The mapping of an unknown value to a signal that a person makes. */
import type { Db } from "#/server/db.ts";
import { loneRoles, type Role, timeKey } from "#/server/domain/signal-suggestion.ts";
import { Refusal } from "#/server/errors.ts";
import { notifyRetry, setSlice, unknownCodes } from "./letter-queries.ts";
import {
  insertMapping,
  insertSignal,
  keyInRole,
  type MachineRow,
  type MappingForm,
  machineRows,
  mappableSignals,
  mappedTo,
  sourceFor,
} from "./mapping-queries.ts";
import { changing, settleFrom } from "./service.ts";
import { namespace, patternOf } from "./unknown.ts";

export type MapTo = { topic: string; metric: string | null; path: string } & (
  | { to: "signal"; signalId: number }
  | { to: "new"; machineId: number; key: string; name: string; role: Role; unit: string; counterMode: "cumulative" | "increment" | null }
);

/**
 * Maps a topic (and path or metric) to a signal, making the signal where it is new, and has the worker try the letters again. All of it or nothing, but for letters beyond the first ten thousand.
 * @throws Refusal CONFLICT: someone else was quicker; NOT_FOUND: the machine or signal is gone; RULE_BROKEN
 */
export async function mapUnknown(wanted: MapTo): Promise<{ retried: number }> {
  const { topic, metric, path } = wanted;
  const first = await changing(async (tx) => {
    const { form, pattern } = patternOf(topic, metric);
    const step = metric ?? path;
    const taken = await mappedTo(tx, form, pattern, step);
    if (taken && !(wanted.to === "signal" && taken.signalId === wanted.signalId))
      throw new Refusal("CONFLICT", `This is mapped to ${taken.signalPath} already. Reload and look again.`);
    const signal = wanted.to === "signal" ? await known(tx, wanted.signalId) : await made(tx, wanted);
    // A key below its own machine's topic leads there without a mapping.
    const leadsThere = form === "json" && path === "" && topic === `${namespace}${signal.path}`;
    if (signal.mappingForm !== form) throw new Refusal("RULE_BROKEN", whyOtherForm(form, signal.path));
    if (!leadsThere && !taken && !(await insertMapping(tx, { signalId: signal.id, form, pattern, path: step })))
      throw new Refusal("CONFLICT", "Someone else has just mapped this. Reload and look again.");
    const slices = [];
    for (const reasonCode of unknownCodes) slices.push({ reasonCode, ...(await setSlice(tx, { reasonCode, topic, metric }, { afterId: "0", ...toRetry })) });
    if (slices.some(({ changed }) => changed > 0)) await notifyRetry(tx);
    return slices;
  });
  // The mapping stands and the first letters are under way; the others of very many follow.
  let retried = 0;
  for (const { reasonCode, changed, lastId } of first) {
    retried += changed;
    if (lastId !== null) retried += await settleFrom({ reasonCode, topic, metric }, { afterId: lastId, ...toRetry });
  }
  return { retried };
}

/** All letters that there are. */
const toRetry = { untilId: "9223372036854775807", to: "retry" } as const;

const whyOtherForm = (form: MappingForm, signalPath: string) =>
  form === "sparkplug"
    ? `${signalPath} takes its values from topics, and its publisher is known by them; a Sparkplug metric cannot lead there. Make a new signal, or give this one its Sparkplug source in the plant file.`
    : `${signalPath} takes its values from a Sparkplug publisher, known by its births and deaths; a topic cannot lead there. Make a new signal, or give this one another source in the plant file.`;

type Target = { id: number; path: string; mappingForm: MappingForm };

async function known(tx: Db, signalId: number): Promise<Target> {
  const signal = (await mappableSignals(tx)).find((row) => row.id === signalId);
  if (!signal) throw new Refusal("NOT_FOUND", "This signal is no longer in use. Reload and choose another.");
  return { id: signal.id, path: `${signal.machinePath}/${signal.key}`, mappingForm: signal.mappingForm };
}

async function made(tx: Db, wanted: Extract<MapTo, { to: "new" }>): Promise<Target> {
  const machine = (await machineRows(tx)).find((row) => row.id === wanted.machineId);
  if (!machine) throw new Refusal("NOT_FOUND", "This machine is no longer in use. Reload and choose another.");
  const isCount = wanted.role.endsWith("_count");
  if (isCount !== (wanted.counterMode !== null))
    throw new Refusal("RULE_BROKEN", isCount ? "A counter needs its kind: cumulative or increment." : "Only counters have a kind of counting.");
  if (wanted.key === timeKey)
    throw new Refusal("RULE_BROKEN", `A signal cannot be called ${timeKey}: in a message with many values that is the time. Choose another key.`);
  const other = loneRoles.has(wanted.role) ? await keyInRole(tx, machine.id, wanted.role) : null;
  if (other !== null && other !== wanted.key)
    throw new Refusal("RULE_BROKEN", `${machine.name} has a signal with the role ${wanted.role} already: ${other}. Choose that one, or another role.`);
  const publisher = publisherOf(wanted, machine);
  const sourceId = await sourceFor(tx, { siteId: machine.siteId, ...publisher });
  if (sourceId === null) throw new Refusal("CONFLICT", "The publisher of this topic belongs to another site or is retired. Set it in the plant file.");
  const id = await insertSignal(tx, { ...wanted, sourceId });
  if (id === null) throw new Refusal("CONFLICT", `${machine.name} has a signal ${wanted.key} already. Choose that one, or another key.`);
  return { id, path: `${machine.path}/${wanted.key}`, mappingForm: publisher.form === "sparkplug" ? "sparkplug" : "json" };
}

/** Whose silence makes the new signal's time unknown: the Sparkplug node, the machine itself, or what publishes foreign topics for it. */
function publisherOf({ topic, metric }: MapTo, machine: MachineRow): { form: "json" | "sparkplug" | "mapped"; address: string } {
  if (metric !== null) return { form: "sparkplug", address: patternOf(topic, metric).pattern };
  if (`${topic}/`.startsWith(`${namespace}${machine.path}/`)) return { form: "json", address: machine.path };
  return { form: "mapped", address: `mapped:${machine.path}` };
}
