/**
 * The plant of the database as the entries of a plant file, as people write them. What is retired is left out, and so is what holds without being said.
 * Of a part of the plant, machines whose signals were not read are entries without any.
 */
import { instantOf, localDateOf } from "#/server/domain/shift.ts";
import { writeClock, writeDays, writeDuration } from "./file-values.ts";
import { unpackedMapping } from "./item-fields.ts";
import { type FieldValue, type Kind, kinds, sortedByKey } from "./items.ts";
import type { CurrentPlant, CurrentRow, SpanRecord } from "./queries.ts";
import { sinceEver } from "./timeline.ts";
import { type TimelineName, timelineKinds, timelineNames } from "./timeline-kinds.ts";

/** Fields without a value are undefined; lists may be empty. */
export type Entry = Record<string, unknown>;

export function entriesOf(current: CurrentPlant): Entry {
  const plant = indexed(current);
  const [enterprise] = current.rows.enterprise;
  return {
    enterprise: enterprise && { ...named(enterprise), currency: enterprise.fields.currency ?? undefined },
    currency_rates: current.rows.currency_rate.map(({ fields }) => ({ currency: fields.currency, month: String(fields.month).slice(0, 7), rate: fields.rate })),
    product_lines: plant.below("product_line", enterprise).map((line) => ({ ...named(line), products: plant.below("product", line).map(named) })),
    sites: plant.below("site", enterprise).map((site) => siteEntry(site, plant)),
  };
}

type Indexed = {
  current: CurrentPlant;
  /** Rows in use below a row, in order. */
  below(kind: Kind, parent: CurrentRow | undefined): readonly CurrentRow[];
  byId(kind: Kind, id: FieldValue | undefined): CurrentRow | undefined;
  spans(name: TimelineName, owner: CurrentRow): readonly SpanRecord[];
};

function indexed(current: CurrentPlant): Indexed {
  const children = {} as Record<Kind, Map<number, CurrentRow[]>>;
  const ids = {} as Record<Kind, Map<number, CurrentRow>>;
  for (const kind of kinds) {
    children[kind] = Map.groupBy(
      current.rows[kind].filter((row) => !row.retired),
      (row) => row.parentId ?? 0,
    );
    ids[kind] = new Map(current.rows[kind].map((row) => [row.id, row]));
  }
  const spans = Object.fromEntries(timelineNames.map((name) => [name, Map.groupBy(current.timelines[name], (span) => span.ownerId)])) as Record<
    TimelineName,
    Map<number, SpanRecord[]>
  >;
  return {
    current,
    below: (kind, parent) => (parent ? (children[kind].get(parent.id) ?? []) : []),
    byId: (kind, id) => (typeof id === "number" ? ids[kind].get(id) : undefined),
    spans: (name, owner) => spans[name].get(owner.id) ?? [],
  };
}

const named = ({ key, fields }: CurrentRow): Entry => ({ key, name: fields.name === key ? undefined : fields.name });
/** Left out where it is what holds without being said. */
const unless = (usual: FieldValue, value: FieldValue | undefined): unknown => (value === usual || value === null ? undefined : value);
const duration = (value: FieldValue | undefined, usual: number | null = null) =>
  typeof value === "number" && value !== usual ? writeDuration(value) : undefined;
const liveKey = (row: CurrentRow | undefined): string | undefined => (row && !row.retired ? row.key : undefined);

function siteEntry(site: CurrentRow, plant: Indexed): Entry {
  const zone = String(site.fields.zone);
  const areas = plant.below("area", site);
  const linesOf = (area: CurrentRow) => plant.below("line", area);
  const machines = areas.flatMap((area) =>
    linesOf(area).flatMap((line) => plant.below("machine", line).map((row) => ({ row, path: `${site.key}/${area.key}/${line.key}/${row.key}` }))),
  );
  const sources = sourcesOf(site, machines, plant);
  return {
    ...named(site),
    zone,
    currency: site.fields.currency ?? undefined,
    product_costs: timelineEntries("product_cost", site, plant, zone),
    energy_prices: timelineEntries("energy_price", site, plant, zone),
    targets: timelineEntries("site_target", site, plant, zone),
    shift_patterns: plant.below("shift_pattern", site).map((pattern) => ({ ...named(pattern), shifts: plant.below("shift", pattern).map(shiftEntry) })),
    reasons: reasonEntries(plant.below("reason", site), null, undefined),
    teams: plant.below("team", site).map(named),
    calendar: plant.below("calendar_entry", site).map((row) => calendarEntry(row, plant)),
    devices: plant.below("device", site).map((row) => deviceEntry(row, zone)),
    sources: plant
      .below("source", site)
      .filter((source) => !sources.owner.has(source.id))
      .map((source) => ({ form: source.fields.form, address: source.key, ...sourceLimits(source) })),
    areas: areas.map((area) => ({ ...named(area), lines: linesOf(area).map((line) => lineEntry(line, `${site.key}/${area.key}`, zone, sources, plant)) })),
  };
}

function shiftEntry(shift: CurrentRow): Entry {
  return { ...named(shift), days: writeDays(shift.fields.days as number[]), ...timesEntry(shift) };
}

function timesEntry({ fields }: CurrentRow): Entry {
  const start = Number(fields.start);
  const end = Number(fields.end);
  return {
    start: writeClock(start),
    end: writeClock(end === start ? end + 1440 : end),
    breaks: (fields.breaks as { name: string; start: number; end: number }[]).map((b) => ({
      name: unless("Break", b.name),
      start: writeClock(b.start),
      end: writeClock(b.end),
    })),
  };
}

function calendarEntry(row: CurrentRow, plant: Indexed): Entry {
  const { kind, date, last_date, line, shift } = row.fields;
  const onLine = plant.byId("line", line);
  const ofShift = plant.byId("shift", shift);
  return {
    ...named(row),
    kind,
    date,
    last_date: unless(date ?? null, last_date),
    line: onLine && `${plant.byId("area", onLine.parentId)?.key}/${onLine.key}`,
    shift: ofShift && `${plant.byId("shift_pattern", ofShift.parentId)?.key}/${ofShift.key}`,
    ...(kind === "extra_shift" ? timesEntry(row) : {}),
  };
}

function deviceEntry(row: CurrentRow, zone: string): Entry {
  const { identity, fingerprint, expires, certificate_name, firmware, topics } = row.fields;
  return {
    ...named(row),
    identity,
    fingerprint: fingerprint ?? undefined,
    expires: typeof expires === "number" ? instantText(expires, zone) : undefined,
    certificate_name: certificate_name ?? undefined,
    firmware: unless("", firmware),
    topics,
  };
}

function reasonEntries(reasons: readonly CurrentRow[], parentId: number | null, above: FieldValue | undefined): Entry[] {
  const known = new Set(reasons.map((reason) => reason.id));
  return reasons
    .filter(({ fields: { parent } }) => (typeof parent === "number" && known.has(parent) ? parent : null) === parentId)
    .map((reason) => ({
      ...named(reason),
      loss: reason.fields.loss === above ? undefined : reason.fields.loss,
      fault_code: reason.fields.fault_code ?? undefined,
      reasons: reasonEntries(reasons, reason.id, reason.fields.loss),
    }));
}

function lineEntry(line: CurrentRow, area: string, zone: string, sources: SiteSources, plant: Indexed): Entry {
  const patterns = timelineEntries("shift_pattern", line, plant, zone);
  const [only] = patterns;
  const isLone = patterns.length === 1 && only?.from === undefined && only?.until === undefined;
  return {
    ...named(line),
    topology: unless("parallel", line.fields.topology),
    constraint_machine: liveKey(plant.byId("machine", line.fields.constraint_machine)),
    last_machine: liveKey(plant.byId("machine", line.fields.last_machine)),
    shift_pattern: isLone ? only?.pattern : patterns,
    targets: timelineEntries("line_target", line, plant, zone),
    machines: plant.below("machine", line).map((machine) => machineEntry(machine, `${area}/${line.key}/${machine.key}`, zone, sources, plant)),
  };
}

function machineEntry(machine: CurrentRow, path: string, zone: string, sources: SiteSources, plant: Indexed): Entry {
  const neighbour = (id: FieldValue | undefined) => {
    const other = plant.byId("machine", id);
    const line = plant.byId("line", other?.parentId);
    if (!other || other.retired || !line) return undefined;
    return other.parentId === machine.parentId ? other.key : `${plant.byId("area", line.parentId)?.key}/${line.key}/${other.key}`;
  };
  const main = sources.main.get(machine.id);
  return {
    ...named(machine),
    kind: unless("machine", machine.fields.kind),
    upstream: neighbour(machine.fields.upstream),
    downstream: neighbour(machine.fields.downstream),
    no_count_timeout: duration(machine.fields.no_count_timeout),
    source: sourceEntry(main, machine, path, sources),
    ideal_cycles: timelineEntries("ideal_cycle", machine, plant, zone),
    hourly_costs: timelineEntries("machine_cost", machine, plant, zone),
    targets: timelineEntries("machine_target", machine, plant, zone),
    signals: plant.below("signal", machine).map((signal) => signalEntry(signal, main, plant)),
  };
}

type SiteSources = {
  /** Machine's id -> the source that is written with it. */
  main: ReadonlyMap<number, CurrentRow>;
  /** Source's id -> id of the machine that it is written below. All others are shared and stand below the site. */
  owner: ReadonlyMap<number, number>;
};

/**
 * A machine's main source is the one that it is set to, else the one at its own path. It is written below the machine where no other machine uses it and its
 * address is no other machine's path.
 */
function sourcesOf(site: CurrentRow, machines: readonly { row: CurrentRow; path: string }[], plant: Indexed): SiteSources {
  const live = new Map(plant.below("source", site).map((source) => [source.key, source]));
  const paths = new Map(machines.map(({ row, path }) => [path, row.id]));
  const main = new Map<number, CurrentRow>();
  const owner = new Map<number, number>();
  const { part, sourceUsers } = plant.current;
  for (const { row, path } of machines) {
    const found = row.fields.source === null ? live.get(path) : plant.byId("source", row.fields.source);
    if (!found || found.retired) continue;
    main.set(row.id, found);
    const isElsewhere = (paths.get(found.key) ?? row.id) !== row.id || (part !== "all" && part.sources.includes(found.key));
    if (!isElsewhere && (sourceUsers.get(found.id) ?? 0) <= 1) owner.set(found.id, row.id);
  }
  return { main, owner };
}

const sourceLimits = ({ fields }: CurrentRow): Entry => ({
  no_data_timeout: duration(fields.no_data_timeout, 60),
  max_backfill: duration(fields.max_backfill, 7_776_000),
});

function sourceEntry(main: CurrentRow | undefined, machine: CurrentRow, path: string, { owner }: SiteSources): unknown {
  if (!main) return undefined;
  if (owner.get(main.id) !== machine.id) return main.key;
  const isDefault = main.fields.form === "json" && main.key === path;
  const entry = { form: isDefault ? undefined : main.fields.form, address: isDefault ? undefined : main.key, ...sourceLimits(main) };
  return Object.values(entry).some((value) => value !== undefined) ? entry : undefined;
}

function signalEntry(signal: CurrentRow, main: CurrentRow | undefined, plant: Indexed): Entry {
  const { fields } = signal;
  const source = plant.byId("source", fields.source);
  const mappings = (fields.mapping as string[]).map(unpackedMapping);
  const own = mappings.filter((mapping) => mapping.form === "sparkplug" && source?.fields.form === "sparkplug" && mapping.pattern === source.key);
  // The metric of the signal's own source needs no mapping; where there are several, one is written as the metric.
  const metric = (own.find((mapping) => mapping.path === signal.key) ?? own[0])?.path;
  const rest = mappings
    .filter((mapping) => !(metric !== undefined && own.includes(mapping) && mapping.path === metric))
    .map((mapping) =>
      mapping.form === "json"
        ? { topic: mapping.pattern, path: mapping.path === "" ? undefined : mapping.path, ts_path: mapping.tsPath ?? undefined }
        : { descriptor: mapping.pattern, metric: mapping.path },
    );
  return {
    ...named(signal),
    role: fields.role,
    unit: unless("", fields.unit),
    scale: unless(1, fields.scale),
    offset: unless(0, fields.offset),
    values: fields.values === null ? undefined : sortedByKey(fields.values as Record<string, unknown>),
    counter: String(fields.role).endsWith("_count") ? unless("cumulative", fields.counter) : undefined,
    modulus: fields.modulus ?? undefined,
    period: duration(fields.period),
    low: fields.low ?? undefined,
    high: fields.high ?? undefined,
    dead_band: fields.dead_band ?? undefined,
    keep_raw: unless(false, fields.keep_raw),
    metric: metric !== undefined && (metric !== signal.key || rest.length > 0) ? metric : undefined,
    source: source === main || !source ? undefined : source.key,
    mapping: rest.length === 1 ? rest[0] : rest,
  };
}

/** Entries of all that it is for, those for everything first, each group in order of time. from is left out where it is "since ever", until where the next says it. */
function timelineEntries(name: TimelineName, owner: CurrentRow, plant: Indexed, zone: string): Entry[] {
  const { sub, values, unit } = timelineKinds[name];
  const text = (ms: number) => (unit === "day" ? new Date(ms).toISOString().slice(0, 10) : instantText(ms, zone));
  const spans = plant.spans(name, owner).filter((span) => {
    if (span.subId !== null && sub && plant.byId(sub.kind, span.subId)?.retired !== false) return false;
    return values.every(({ refersTo }, i) => refersTo === undefined || plant.byId(refersTo, span.values[i])?.retired === false);
  });
  const keyOf = (span: SpanRecord) => (sub ? plant.byId(sub.kind, span.subId)?.key : undefined);
  const groups = [...Map.groupBy(spans, keyOf)].sort(([a = ""], [b = ""]) => (a < b ? -1 : 1));
  return groups.flatMap(([key, group]) =>
    group.map((span, i) => ({
      ...(sub && { [sub.kind]: key }),
      ...Object.fromEntries(
        values.map(({ field, refersTo }, v) => [field, (refersTo === undefined ? span.values[v] : plant.byId(refersTo, span.values[v])?.key) ?? undefined]),
      ),
      from: span.from === sinceEver ? undefined : text(span.from),
      until: (span.to ?? null) === (group[i + 1]?.from ?? null) ? undefined : text(span.to ?? Number.POSITIVE_INFINITY),
    })),
  );
}

/** A day where the instant is its midnight at the site, else the instant in UTC. */
function instantText(ms: number, zone: string): string {
  const day = localDateOf(new Date(ms), zone);
  return instantOf(day, 0, zone).getTime() === ms ? day : new Date(ms).toISOString().replace(".000Z", "Z");
}
