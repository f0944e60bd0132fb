/** Between what the form of a mapping holds and what the server is sent. Pure. */
import type { inferRouterInputs } from "@trpc/server";
import { isAskedFor } from "#/components/plant/forms.ts";
import { fieldsFrom, formPath, type Values, valuesOf } from "#/components/plant/item-values.ts";
import { keyOf, valueName } from "#/server/domain/signal-suggestion.ts";
import type { FieldFault } from "#/server/errors.ts";
import type { AppRouter } from "#/server/router.ts";
import { filterLike } from "./message-paths.ts";
import type { UnknownData, UnknownValue } from "./unknown-section.tsx";

type Inputs = inferRouterInputs<AppRouter>["dataHealth"];
export type MapItem = Inputs["mapMany"]["items"][number];
export type PreviewInput = Inputs["mappingPreview"];

/** A topic among those that a filter matches. isOwn: someone changed it here, so proposals leave it alone. */
export type TopicRow = { topic: string; isOn: boolean; isOwn: boolean; machine: string; key: string };

/** The fields of a new signal, by the names of the plant file, and: */
export type MapValues = Values & {
  reach: "one" | "many";
  /** Topic filter, where many are mapped. */
  topic: string;
  path: string;
  /** '': the time lies where it is looked for unasked. */
  ts_path: string;
  /** To a signal that there is, or a new one. */
  way: "known" | "new";
  /** Id of the signal, as a text; ''. */
  signal: string;
  /** Address of the machine of the new signal; ''. */
  machine: string;
  rows: TopicRow[];
};

/** One unknown value, whatever has come of it meanwhile. */
export const valueKey = ({ topic, metric, path }: UnknownValue): string => `${topic}|${metric ?? ""}|${path.path}`;

/** Of a signal, in the order of the form; what matters for its role is shown. */
export const readingFields = ["scale", "offset", "low", "high", "counter", "modulus", "dead_band", "period", "keep_raw", "values"] as const;
const numbers: ReadonlySet<string> = new Set(["unit", "scale", "offset", "low", "high", "period"]);
const counted: ReadonlySet<string> = new Set(["good_count", "reject_count", "rework_count", "total_count"]);
const measured: ReadonlySet<string> = new Set(["measurement", "energy"]);

/** Whether a field means something for the role. */
export function matters(field: string, values: Values): boolean {
  const role = String(values.role);
  if (numbers.has(field)) return counted.has(role) || measured.has(role);
  if (field === "values") return !counted.has(role) && role !== "energy";
  return isAskedFor("signal", field, values);
}

export function initialValues({ topic, metric, machineId, path }: UnknownValue, { signals, machines }: UnknownData): MapValues {
  const suggested = signals.find(({ id }) => id === path.suggestedSignalId);
  const machine = machines.find(({ id }) => id === machineId);
  const { source, metric: _metric, mapping, ...fields } = valuesOf("signal", { scale: 1, offset: 0, counter: "cumulative" }, true, null);
  return {
    ...fields,
    key: path.key,
    name: path.name || path.key,
    role: path.role,
    unit: path.unit,
    reach: "one",
    topic: metric === null ? filterLike(topic, machine?.path ?? null) : topic,
    path: path.path,
    ts_path: "",
    way: suggested ? "known" : "new",
    signal: suggested ? String(suggested.id) : "",
    machine: machine?.path ?? "",
    rows: [],
  };
}

/** The fields of a new signal as the plant file has them: what does not matter is left at its default. */
export function signalFields(values: MapValues): Record<string, unknown> {
  const fields = fieldsFrom("signal", values);
  const wanted = ["name", "role", "unit", ...readingFields];
  return Object.fromEntries(
    Object.entries(fields).filter(([field]) => wanted.includes(field) && (field === "name" || field === "role" || matters(field, values))),
  );
}

const tsPathOf = ({ ts_path }: MapValues) => ts_path.trim() || null;
export const signalOf = (data: UnknownData, machine: string, key: string) => data.signals.find((one) => one.machinePath === machine && one.key === key);

/** What to ask for to see what the mapping would make of messages; null: too little is said. */
export function previewInput(values: MapValues, { topic, metric }: UnknownValue, data: UnknownData): PreviewInput | null {
  const place = { path: values.path.trim(), tsPath: tsPathOf(values) };
  if (values.reach === "many") {
    const { name, ...signal } = signalFields(values);
    const known = values.rows.flatMap((row) => {
      const found = signalOf(data, row.machine, row.key.trim());
      return found ? [{ topic: row.topic, signalId: found.id }] : [];
    });
    return values.topic.trim() === "" ? null : { topic: values.topic.trim(), metric: null, ...place, signal, known };
  }
  const where = metric === null ? { topic, metric, ...place } : { topic, metric, path: "", tsPath: null };
  if (values.way === "new") {
    const { name, ...signal } = signalFields(values);
    return { ...where, signal, known: [] };
  }
  return { ...where, signal: null, known: values.signal === "" ? [] : [{ topic, signalId: Number(values.signal) }] };
}

type Proposal = { topic: string; machine: string | null; signal: string | null };

/** The rows of topics that match now: what someone changed here stays. */
export function rowsOf(before: readonly TopicRow[], proposals: readonly Proposal[], path: string): TopicRow[] {
  const own = new Map(before.filter(({ isOwn }) => isOwn).map((row) => [row.topic, row]));
  return proposals.map(
    ({ topic, machine, signal }) =>
      own.get(topic) ?? { topic, isOn: machine !== null, isOwn: false, machine: machine ?? "", key: signal ?? keyOf(valueName(topic, null, path)) },
  );
}

/** rowAt: index of the row of each item; null: of the only one. */
export type Asked = { items: MapItem[]; rowAt: (number | null)[] };

export function itemsOf(values: MapValues, { topic, metric }: UnknownValue, data: UnknownData): Asked {
  const place = { path: values.path.trim(), tsPath: tsPathOf(values) };
  const fields = signalFields(values);
  if (values.reach === "many") {
    const { name, ...shared } = fields;
    const chosen = values.rows.flatMap((row, i) => (row.isOn ? [{ ...row, i }] : []));
    const made = new Set<string>();
    const items = chosen.map((row): MapItem => {
      const [machine, key] = [row.machine, row.key.trim()];
      const isKnown = signalOf(data, machine, key) !== undefined;
      const isFirst = !made.has(`${machine}/${key}`);
      made.add(`${machine}/${key}`);
      return { topic: row.topic, metric: null, ...place, machine, key, isNew: !isKnown, fields: isKnown || !isFirst ? {} : shared };
    });
    return { items, rowAt: chosen.map(({ i }) => i) };
  }
  const where = metric === null ? { topic, metric, ...place } : { topic, metric, path: "", tsPath: null };
  const known = values.way === "known" ? data.signals.find(({ id }) => String(id) === values.signal) : undefined;
  if (values.way === "known")
    return { items: [{ ...where, machine: known?.machinePath ?? "", key: known?.key ?? "", isNew: false, fields: {} }], rowAt: [null] };
  return { items: [{ ...where, machine: values.machine, key: String(values.key).trim(), isNew: true, fields }], rowAt: [null] };
}

/** Fields of the form that must not be empty and are; to be said before the server is asked. */
export function missingFields(values: MapValues): string[] {
  if (values.reach === "many")
    return values.rows.flatMap((row, i) =>
      row.isOn ? (["machine", "key"] as const).filter((field) => row[field].trim() === "").map((field) => `rows.${i}.${field}`) : [],
    );
  if (values.way === "known") return values.signal === "" ? ["signal"] : [];
  return ["machine", "name", "key"].filter((field) => String(values[field] ?? "").trim() === "");
}

/** What the server says of items, at the fields of the form. A path that the form has nowhere stays as it is, and is said above the buttons. */
export function atFields(faults: readonly FieldFault[], values: MapValues, rowAt: readonly (number | null)[]): FieldFault[] {
  return faults.map(({ path, sentence }) => {
    const [, index, field = ""] = /^items\.(\d+)\.?(.*)$/.exec(path) ?? [];
    if (index === undefined) return { path, sentence };
    const row = rowAt[Number(index)] ?? null;
    const [, way] = /^mapping\.\d+\.?(\w*)$/.exec(field) ?? [];
    const at = (own: string) => ({ path: row === null ? own : `rows.${row}.${own}`, sentence });
    if (way === "path" || way === "ts_path") return { path: way, sentence };
    if (way !== undefined) return row === null ? { path: "", sentence } : at("topic");
    if (field === "key") return row === null && values.way === "known" ? { path: "signal", sentence } : at("key");
    if (field === "machine") return at("machine");
    return { path: formPath("signal", values, field), sentence };
  });
}
