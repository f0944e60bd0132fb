/** Mapping topics and metrics to signals, one or many at once: through the plant's editing, so by the rules of the plant file. */
import type { Db } from "#/server/db.ts";
import { Refusal } from "#/server/errors.ts";
import { editAs } from "#/server/plant/edit-service.ts";
import type { GivenFields, Put } from "#/server/plant/edit-types.ts";
import { readItem } from "#/server/plant/read.ts";
import { groupsToRetry, type LetterGroupKey, lettersAtOnce, type Range, sitesOfTopics, type TopicToRetry, unknownCodes } from "./letter-queries.ts";
import { unknownTopics, type Where } from "./mapping-preview.ts";
import { publisherOfSignal, sitesNamed } from "./mapping-queries.ts";
import { type Asking, changingLetters, needTopicSite, settleFrom, settleSlice } from "./service.ts";

/**
 * machine: its address. key: of the signal, a new one or one that the machine has. isNew: it must not have it yet. fields: of the signal, as the plant file has
 * them; of a known one only what changes.
 */
export type Mapping = Where & { machine: string; key: string; isNew: boolean; fields: GivenFields };

const ownTopics = "takt/v1/";
const sparkplugTopics = "spBv1.0/";

/** The Sparkplug node or device that a metric came from: group/node[/device]. */
const descriptorOf = (topic: string) => (topic.startsWith(sparkplugTopics) ? topic.slice(sparkplugTopics.length) : topic);

/**
 * Makes or changes the signals, and has the worker try again what was set aside for lack of them. All of it or nothing, but for letters beyond the first ten
 * thousand: they follow once the mapping stands.
 * @throws Refusal RULE_BROKEN with fields as `items.3.mapping.0.topic`; NOT_FOUND, FORBIDDEN
 */
export async function mapMany(ctx: Asking, mappings: readonly Mapping[]): Promise<{ addresses: string[]; lines: string[]; retried: number }> {
  const { later, ...done } = await changingLetters(() => mapOnce(ctx, mappings));
  let { retried } = done;
  for (const { key, ...from } of later) retried += await settleFrom(ctx, key, { ...toRetry, ...from });
  return { ...done, retried };
}

/** All letters that there are. */
const toRetry: Range = { afterId: "0", untilId: "9223372036854775807", to: "retry" };
type Later = { key: LetterGroupKey; afterId: string; again: boolean }[];

async function mapOnce(ctx: Asking, mappings: readonly Mapping[]): Promise<{ addresses: string[]; lines: string[]; retried: number; later: Later }> {
  const topics: TopicToRetry[] = [];
  const puts: { put: Put; of: number }[] = [];
  const sources = new Map<string, { put: Put; of: number }>();
  let isAsked = false;
  try {
    return await editAs(
      ctx,
      "signal.map",
      { action: "signal.mapped" },
      async (tx) => {
        await needMachines(ctx, tx, mappings);
        topics.push(...(await topicsOf(ctx, tx, mappings))); // whose they are is told by what stands before the mapping
        for (const [of, mapping] of mappings.entries()) {
          const before = puts.find(({ put }) => put.parent === mapping.machine && put.fields.key === mapping.key);
          const { source, put } = await asEdits(tx, mapping, of, before?.put);
          if (source && !sources.has(String(source.fields.address))) sources.set(String(source.fields.address), { put: source, of });
          if (put) puts.push({ put, of });
        }
        isAsked = true;
        return [...puts, ...sources.values()].map(({ put }) => put);
      },
      async (tx, { lines }) => ({ addresses: mappings.map(({ machine, key }) => `${machine}/${key}`), lines, ...(await retry(ctx, tx, topics)) }),
    );
  } catch (error) {
    if (!isAsked || !(error instanceof Refusal) || error.fields.length === 0) throw error;
    // Told by the index of the edit, and meant is that of the mapping.
    const indexes = [...puts, ...sources.values()].map(({ of }) => of);
    const fields = error.fields.map(({ path, sentence }) => ({ path: path.replace(/^items\.(\d+)/, (_all, i) => `items.${indexes[Number(i)]}`), sentence }));
    throw new Refusal(error.code, error.message, { fields, present: error.present });
  }
}

/** Before anything of them is read: one that there is elsewhere answers as one that there is not. @throws Refusal NOT_FOUND, FORBIDDEN: not of their sites */
async function needMachines(ctx: Asking, tx: Db, mappings: readonly Mapping[]): Promise<void> {
  const siteOf = (machine: string) => machine.slice(0, Math.max(0, machine.indexOf("/")));
  const sites = await sitesNamed(
    tx,
    mappings.map(({ machine }) => siteOf(machine)),
  );
  for (const { machine } of mappings) {
    const siteId = sites.get(siteOf(machine));
    if (siteId === undefined) throw new Refusal("NOT_FOUND", noMachine(machine));
    ctx.need(siteId, null, noMachine(machine));
  }
}

const noMachine = (machine: string) => `There is no machine ${machine}.`;

/** Topics as they came, and metrics. @throws Refusal NOT_FOUND, FORBIDDEN: not of their sites */
async function topicsOf(ctx: Asking, tx: Db, mappings: readonly Mapping[]): Promise<TopicToRetry[]> {
  for (const { siteId } of await sitesOfTopics(tx, mappings)) needTopicSite(ctx, siteId, "There is no such topic at your sites.");
  const topics: TopicToRetry[] = [];
  for (const { topic, metric, path } of mappings) {
    const again = metric === null && path !== ""; // another value of the same messages may have been mapped before this one
    if (metric === null && /[+#]/.test(topic)) for (const one of await unknownTopics(tx, ctx.scope, topic)) topics.push({ topic: one, metric, again });
    else topics.push({ topic, metric, again });
  }
  return topics;
}

/** As many letters at once as a worker that sets aside others like them can wait for; later: what is still to be done. */
async function retry(ctx: Asking, tx: Db, topics: readonly TopicToRetry[]): Promise<{ retried: number; later: Later }> {
  let retried = 0;
  const later: Later = [];
  for (const { again, ...key } of await groupsToRetry(tx, topics, unknownCodes)) {
    if (retried >= lettersAtOnce) {
      later.push({ key, afterId: "0", again });
      continue;
    }
    const { changed, lastId, isLast } = await settleSlice(ctx, tx, key, { ...toRetry, again });
    retried += changed;
    if (!isLast && lastId !== null) later.push({ key, afterId: lastId, again });
  }
  return { retried, later };
}

type Way = { topic: string; path: string | null; ts_path: string | null } | { descriptor: string; metric: string };
const isSameWay = (a: Way, b: Way): boolean =>
  "topic" in a
    ? "topic" in b && a.topic === b.topic && (a.path ?? "") === (b.path ?? "")
    : "descriptor" in b && a.descriptor === b.descriptor && a.metric === b.metric;

/** of: index of the mapping. before: an edit of the same signal that comes first, and is added to. */
async function asEdits(tx: Db, mapping: Mapping, of: number, before: Put | undefined): Promise<{ source: Put | null; put: Put | null }> {
  const { topic, metric, path, tsPath, machine, key } = mapping;
  const address = `${machine}/${key}`;
  const way: Way = metric === null ? { topic, path, ts_path: tsPath } : { descriptor: descriptorOf(topic), metric };
  // A key below its own machine's topic leads there without a mapping.
  const ways = metric === null && path === "" && topic === `${ownTopics}${address}` ? [] : [way];
  if (before) {
    before.fields = { ...before.fields, ...mapping.fields, mapping: [...(before.fields.mapping as Way[]), ...ways] };
    return { source: null, put: null };
  }
  const known = await readItem(tx, "signal", address);
  if (known && mapping.isNew) {
    const sentence = `This machine has a signal with this key already: ${known.fields.name}. Choose that one, or another key.`;
    throw new Refusal("RULE_BROKEN", sentence, { fields: [{ path: `items.${of}.key`, sentence }] });
  }
  if (known) {
    const fields = { ...mapping.fields, key, ...(await waysOf(tx, known, key, ways)) };
    return { source: null, put: { do: "put", kind: "signal", address, parent: machine, version: null, fields } };
  }
  const owner = await readItem(tx, "machine", machine);
  if (!owner) throw new Refusal("NOT_FOUND", noMachine(machine));
  const put: Put = { do: "put", kind: "signal", address: null, parent: machine, version: null, fields: { ...mapping.fields, key, mapping: ways } };
  const source = publisherOf(mapping, owner.fields.source);
  if (source !== null) put.fields = { ...put.fields, source: source.address };
  const [site = ""] = machine.split("/");
  return { source: source && { do: "put", kind: "source", address: source.address, parent: site, fields: source, version: null, upsert: true }, put };
}

/** The ways to a known signal with these among them. One that it has is not added; the metric of its own publisher, which it takes unsaid, is then said. */
async function waysOf(tx: Db, known: { id: number; fields: Record<string, unknown> }, key: string, added: readonly Way[]) {
  const ways = (known.fields.mapping ?? []) as Way[];
  const metric = known.fields.metric as string | null;
  const publisher = await publisherOfSignal(tx, known.id);
  const takesOwn = publisher?.form === "sparkplug" && (ways.length === 0 || metric !== null);
  const own: Way[] = takesOwn ? [{ descriptor: publisher.address, metric: metric ?? key }] : [];
  const fresh = added.filter((one) => !own.some((other) => isSameWay(one, other)));
  return {
    mapping: [...ways.filter((one) => !fresh.some((other) => isSameWay(one, other))), ...fresh],
    ...(takesOwn && fresh.length > 0 && { metric: metric ?? key }),
  };
}

/**
 * Whose silence makes the new signal's time unknown, where that is not the machine's own publisher: the Sparkplug node, or what publishes foreign topics for the
 * machine. own: the machine's `source`, as its form has it.
 */
function publisherOf({ topic, metric, machine }: Mapping, own: unknown): { form: string; address: string } | null {
  const ownGroup = typeof own === "object" && own !== null ? (own as { form: string; address: string | null }) : null;
  const ownAddress = typeof own === "string" ? own : (ownGroup?.address ?? machine);
  const wanted =
    metric !== null
      ? { form: "sparkplug", address: descriptorOf(topic) }
      : `${topic}/`.startsWith(`${ownTopics}${machine}/`)
        ? { form: "json", address: machine }
        : { form: "mapped", address: `mapped:${machine}` };
  if (wanted.address === ownAddress) return null;
  if (wanted.form === "mapped" && ownGroup?.form === "mapped") return null; // its own publisher sends foreign topics already
  return wanted.form === "json" ? null : wanted;
}
