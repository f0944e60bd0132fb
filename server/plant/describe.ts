/** A plan in words: what is added, changed, taken away, old -> new. */
import { type Comparison, type FieldChange, word } from "./compare.ts";
import { plural } from "./file-sentences.ts";
import { writeClock, writeDays, writeDuration } from "./file-values.ts";
import type { Farewell } from "./history.ts";
import { unpackedMapping } from "./item-fields.ts";
import { type FieldValue, type Item, type Kind, kinds, parentKind } from "./items.ts";
import { type Span, sinceEver } from "./timeline.ts";
import { type TimelineName, timelineKinds, unpacked } from "./timeline-kinds.ts";
import type { TimelineChange } from "./timeline-plan.ts";

/** Kinds that are told one by one even where all of their site is new; the rest of a new thing is told as numbers. */
const alwaysTold: ReadonlySet<Kind> = new Set<Kind>(["enterprise", "site", "area", "line"]);

/** Lines for people; empty where nothing changes. zones: time zone by site key. */
export function describePlan(comparison: Comparison, farewell: Farewell, timelines: readonly TimelineChange[], zones: ReadonlyMap<string, string>): string[] {
  const lines = [...describeAdded(comparison.added)];
  for (const { item, fields, wasRetired } of comparison.changed) {
    const renamed = fields.find(({ field }) => field === "key");
    const rest = fields.filter((change) => change !== renamed && !isFollowUp(item, change));
    if (item.kind === "source" && renamed && rest.length === 0 && !wasRetired) continue; // a machine's own source goes along with its machine
    const told = [...(renamed ? [`key ${renamed.from} -> ${renamed.to}`] : []), ...rest.map((change) => describeField(item.kind, change))];
    lines.push(`~ ${word(item.kind)} ${item.address}: ${[...(wasRetired ? ["back, with its history"] : []), ...told].join(", ")}`);
  }
  const added = new Set(comparison.added.map((item) => `${item.kind} ${item.address}`));
  for (const change of timelines) {
    const { owner, word: what } = timelineKinds[change.name];
    if (added.has(`${owner} ${change.owner}`)) continue;
    const told = describeChange(change, zones.get(change.owner.split("/")[0] ?? "") ?? "UTC");
    lines.push(`~ ${what} of ${word(owner)} ${change.owner}${change.sub === "" ? "" : ` for product ${change.sub}`}: ${told}`);
  }
  for (const { row, address } of farewell.retire) lines.push(`- ${word(row.kind)} ${address}: retired, its history stays`);
  for (const { row, address } of farewell.remove) lines.push(`- ${word(row.kind)} ${address}: deleted, it has no history`);
  return lines;
}

/** `3 added, 1 changed, 1 retired, 2 deleted` */
export function countPlan(comparison: Comparison, farewell: Farewell, timelines: readonly TimelineChange[]): string {
  const added = new Set(comparison.added.map((item) => `${item.kind} ${item.address}`));
  const changed = comparison.changed.length + timelines.filter(({ name, owner }) => !added.has(`${timelineKinds[name].owner} ${owner}`)).length;
  return [
    ...(comparison.added.length > 0 ? [`${comparison.added.length} added`] : []),
    ...(changed > 0 ? [`${changed} changed`] : []),
    ...(farewell.retire.length > 0 ? [`${farewell.retire.length} retired`] : []),
    ...(farewell.remove.length > 0 ? [`${farewell.remove.length} deleted`] : []),
  ].join(", ");
}

function describeAdded(added: readonly Item[]): string[] {
  const addedAt = new Map(added.map((item) => [`${item.kind} ${item.address}`, item]));
  const above = (item: Item) => {
    const kind = parentKind[item.kind];
    return kind === null ? undefined : addedAt.get(`${kind} ${item.parent}`);
  };
  const inside = new Map<Item, Map<Kind, number>>();
  const told: Item[] = [];
  for (const item of added) {
    let host = above(item);
    if (host === undefined || alwaysTold.has(item.kind)) {
      told.push(item);
      continue;
    }
    while (host && !alwaysTold.has(host.kind) && above(host)) host = above(host);
    if (!host) continue;
    const counts = inside.get(host) ?? new Map<Kind, number>();
    inside.set(host, counts.set(item.kind, (counts.get(item.kind) ?? 0) + 1));
  }
  return told.map((item) => {
    const counts = [...(inside.get(item) ?? [])]
      .sort(([a], [b]) => kinds.indexOf(a) - kinds.indexOf(b))
      .map(([kind, n]) => `${n} ${n === 1 ? word(kind) : plural(word(kind))}`);
    const name = typeof item.fields.name === "string" && item.fields.name !== item.key ? ` "${item.fields.name}"` : "";
    const what = `${item.address}${name}`;
    return `+ ${word(item.kind)} ${what}${counts.length > 0 ? ` with ${counts.join(", ")}` : ""}`;
  });
}

/** What only follows from another change that is told already. */
const isFollowUp = (item: Item, { field, from, to }: FieldChange): boolean =>
  (field === "name" && from === null && to === item.key) || (parentKind[item.kind] === field && item.kind !== "product" && item.kind !== "source");

function describeField(kind: Kind, { field, from, to }: FieldChange): string {
  return `${field.replaceAll("_", " ")} ${describeValue(kind, field, from)} -> ${describeValue(kind, field, to)}`;
}

function describeValue(kind: Kind, field: string, value: FieldValue): string {
  if (value === null || (Array.isArray(value) && value.length === 0)) return "none";
  if (typeof value === "number") return describeNumber(kind, field, value);
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "string") return value === "" ? '""' : value;
  if (field === "days") return writeDays(value as number[]);
  if (field === "breaks")
    return (value as { name: string; start: number; end: number }[]).map((b) => `${b.name} ${writeClock(b.start)}-${writeClock(b.end)}`).join(" + ");
  if (field === "topics") return (value as string[]).join(" + ");
  if (field === "mapping") return (value as string[]).map(describeMapping).join(" + ");
  return JSON.stringify(value);
}

function describeNumber(kind: Kind, field: string, value: number): string {
  if (kind === "shift" || kind === "calendar_entry") return writeClock(value);
  if (field === "expires") return new Date(value).toISOString().slice(0, 16).replace("T", " ");
  return field.endsWith("timeout") || field === "max_backfill" || field === "period" ? writeDuration(value) : String(value);
}

function describeMapping(packed: string): string {
  const { form, pattern, path } = unpackedMapping(packed);
  return form === "sparkplug" ? `metric ${path} of ${pattern}` : `${pattern}${path === "" ? "" : ` (${path})`}`;
}

/** Only the spans that are not the same on both sides. */
function describeChange({ name, before, after }: TimelineChange, zone: string): string {
  const time = (ms: number) => (timelineKinds[name].unit === "day" ? new Date(ms).toISOString().slice(0, 10) : instantText(ms, zone));
  const face = (span: Span) => {
    const what = describeValues(name, span.value);
    return `${what}${span.from === sinceEver ? "" : ` from ${time(span.from)}`}${span.to === Number.POSITIVE_INFINITY ? "" : ` until ${time(span.to)}`}`;
  };
  const kept = new Set(before.map(face).filter((text) => after.some((span) => face(span) === text)));
  const told = (spans: readonly Span[]) =>
    spans
      .map(face)
      .filter((text) => !kept.has(text))
      .join(", ") || "none";
  return `${told(before)} -> ${told(after)}`;
}

/** `4.2 s`, `day`, `OEE 85 %, quality 99 %` */
function describeValues(name: TimelineName, value: string): string {
  const values = unpacked(value);
  if (name === "shift_pattern") return String(values[0]).split("/").at(-1) ?? "";
  if (name === "ideal_cycle") return `${values[0]} s`;
  if (name === "machine_cost") return `${values[0]} per hour`;
  if (name === "energy_price") return `${values[0]} per kWh`;
  return timelineKinds[name].values
    .flatMap(({ field }, i) =>
      values[i] === null
        ? []
        : [`${field === "oee" ? "OEE" : field.replaceAll("_", " ")} ${values[i]}${name === "product_cost" || field === "pieces_per_hour" ? "" : " %"}`],
    )
    .join(", ");
}

/** An instant as clocks at the site show it. */
function instantText(ms: number, zone: string): string {
  const text = new Intl.DateTimeFormat("sv-SE", { timeZone: zone, dateStyle: "short", timeStyle: "medium" }).format(new Date(ms));
  return text.endsWith(" 00:00:00") ? text.slice(0, 10) : text;
}
