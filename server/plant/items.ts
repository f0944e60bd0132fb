/** The plant as flat items with addresses: what a file says and what the database holds, in one form that can be compared. */

import type { CalendarEntry, DeviceEntry, LineEntry, MachineEntry, PlantFile, ReasonEntry, SignalEntry, SiteEntry, TargetEntry } from "./file.ts";
import { instantText, rateBounds } from "./file-periods.ts";
import { neighbourAddress } from "./file-rules.ts";
import { claimsOf } from "./file-signal-rules.ts";
import { packedMapping } from "./item-fields.ts";
import type { Stated } from "./timeline.ts";
import { packed, type TimelineName, timelineNames } from "./timeline-kinds.ts";

/** In the order in which they are made: each after those it refers to. */
export const kinds = [
  "enterprise",
  "currency_rate",
  "product_line",
  "product",
  "site",
  "shift_pattern",
  "shift",
  "reason",
  "team",
  "device",
  "source",
  "area",
  "line",
  "machine",
  "signal",
  "calendar_entry",
] as const;
export type Kind = (typeof kinds)[number];

export type FieldValue = string | number | boolean | null | readonly unknown[] | Readonly<Record<string, unknown>>;
/**
 * address: key path from the root of its kind (site/area/line/machine/signal; site/pattern/shift; a product's key ...), unique in its kind.
 * parent: address of the thing it belongs to, with its kind given by `parentKind`; '' for none. Fields that refer to others hold their addresses.
 */
export type Item = { kind: Kind; address: string; parent: string; key: string; was: string | undefined; fields: Record<string, FieldValue> };

export const parentKind: Record<Kind, Kind | null> = {
  enterprise: null,
  currency_rate: "enterprise",
  product_line: "enterprise",
  product: "product_line",
  site: "enterprise",
  shift_pattern: "site",
  shift: "shift_pattern",
  reason: "site",
  team: "site",
  device: "site",
  source: "site",
  area: "site",
  line: "area",
  machine: "line",
  signal: "machine",
  calendar_entry: "site",
};

/** Fields that hold the address of another item. */
export const references: Partial<Record<Kind, Record<string, Kind>>> = {
  reason: { parent: "reason" },
  line: { constraint_machine: "machine", last_machine: "machine" },
  machine: { source: "source", upstream: "machine", downstream: "machine" },
  signal: { source: "source" },
  calendar_entry: { line: "line", shift: "shift" },
};

/** Kinds whose key is unique in the whole plant: their address is the key alone, and they may move to another parent. */
export const isGlobal = (kind: Kind): boolean => globalKinds.has(kind);
const globalKinds: ReadonlySet<Kind> = new Set<Kind>(["enterprise", "currency_rate", "product_line", "product", "site", "source"]);
export const addressOf = (kind: Kind, parent: string, key: string): string => (isGlobal(kind) ? key : `${parent}/${key}`);

export type FileItems = {
  items: Item[];
  /**
   * What the file says of things that hold from a time on: name -> address of the owner -> address of what they are for ('': all others) -> entries.
   * Values are packed; times in ms since 1970, days as their midnight in UTC. Every owner in the file is there, without entries too.
   */
  timelines: Record<TimelineName, Map<string, Map<string, Stated[]>>>;
  zones: Map<string, string>;
};

export function itemsOf(plant: PlantFile): FileItems {
  const timelines = Object.fromEntries(timelineNames.map((name) => [name, new Map()])) as FileItems["timelines"];
  const found: FileItems = { items: [], timelines, zones: new Map() };
  const { enterprise } = plant;
  add(found, "enterprise", "", enterprise, { currency: enterprise.currency ?? null });
  for (const { currency, month, rate } of plant.currency_rates)
    add(found, "currency_rate", enterprise.key, { key: `${currency}-${month}` }, { currency, month: `${month}-01`, rate });
  for (const line of plant.product_lines) {
    add(found, "product_line", enterprise.key, line, {});
    for (const product of line.products) add(found, "product", line.key, product, {});
  }
  for (const site of plant.sites) addSite(found, site, enterprise.key);
  return found;
}

type Keyed = { key: string; was?: string | undefined; name?: string | undefined };

function add(found: FileItems, kind: Kind, parent: string, { key, was, name }: Keyed, fields: Record<string, FieldValue>): string {
  const address = addressOf(kind, parent, key);
  found.items.push({ kind, address, parent, key, was, fields: { ...(hasName(kind) ? { name: name ?? key } : {}), ...fields } });
  return address;
}

const hasName = (kind: Kind) => kind !== "source" && kind !== "currency_rate";

/** One kind of timeline of one owner. times: from and until as ISO instants or days. */
function addTimeline<Entry>(
  found: FileItems,
  name: TimelineName,
  owner: string,
  entries: readonly Entry[],
  read: (entry: Entry) => { sub?: string | undefined; values: (number | string | null)[]; from: string | undefined; until: string | undefined },
): void {
  const of = new Map<string, Stated[]>();
  for (const entry of entries) {
    const { sub = "", values, from, until } = read(entry);
    const stated = of.get(sub) ?? [];
    stated.push({ value: packed(values), from: msOf(from), to: msOf(until) });
    of.set(sub, stated);
  }
  found.timelines[name].set(owner, of);
}

const addTargets = (found: FileItems, name: TimelineName, owner: string, targets: readonly TargetEntry[], zone: string) =>
  addTimeline(found, name, owner, targets, (entry) => ({
    values: [entry.oee ?? null, entry.availability ?? null, entry.performance ?? null, entry.quality ?? null, entry.pieces_per_hour ?? null],
    ...rateBounds(entry, zone),
  }));

function addSite(found: FileItems, site: SiteEntry, enterprise: string): void {
  add(found, "site", enterprise, site, { zone: site.zone, currency: site.currency ?? null });
  found.zones.set(site.key, site.zone);
  addTimeline(found, "product_cost", site.key, site.product_costs, (entry) => ({
    sub: entry.product,
    values: [entry.value ?? null, entry.scrap ?? null],
    ...rateBounds(entry, site.zone),
  }));
  addTimeline(found, "energy_price", site.key, site.energy_prices, (entry) => ({ values: [entry.price], ...rateBounds(entry, site.zone) }));
  addTargets(found, "site_target", site.key, site.targets, site.zone);
  for (const pattern of site.shift_patterns) {
    const address = add(found, "shift_pattern", site.key, pattern, {});
    for (const shift of pattern.shifts) {
      add(found, "shift", address, shift, {
        days: shift.days,
        start: shift.start % 1440,
        end: shift.end % 1440,
        breaks: breaksOf(shift),
      });
    }
  }
  addReasons(found, site.reasons, site.key, null, "other");
  for (const team of site.teams) add(found, "team", site.key, team, {});
  for (const device of site.devices) add(found, "device", site.key, device, deviceFields(device, site.zone));
  for (const source of site.sources) addSource(found, site.key, source.form, source.address, source, source.was);
  const shared = new Map(site.sources.map((source) => [source.address, source]));
  for (const area of site.areas) {
    const areaAddress = add(found, "area", site.key, area, {});
    for (const line of area.lines) addLine(found, line, areaAddress, site, shared);
  }
  for (const entry of site.calendar) add(found, "calendar_entry", site.key, entry, calendarFields(entry, site.key));
}

const breaksOf = ({ breaks }: Pick<CalendarEntry, "breaks">) => breaks.map((b) => ({ name: b.name, start: b.start % 1440, end: b.end % 1440 }));

const deviceFields = ({ identity, fingerprint, expires, certificate_name, firmware, topics }: DeviceEntry, zone: string): Record<string, FieldValue> => ({
  identity,
  fingerprint: fingerprint ?? null,
  expires: msOf(instantText(expires, zone)) ?? null,
  certificate_name: certificate_name ?? null,
  firmware,
  topics: [...topics].sort(),
});

const calendarFields = (entry: CalendarEntry, site: string): Record<string, FieldValue> => ({
  kind: entry.kind,
  line: entry.line === undefined ? null : `${site}/${entry.line}`,
  shift: entry.shift === undefined ? null : `${site}/${entry.shift}`,
  date: entry.date,
  last_date: entry.last_date ?? entry.date,
  start: entry.start === undefined ? null : entry.start % 1440,
  end: entry.end === undefined ? null : entry.end % 1440,
  breaks: breaksOf(entry),
});

function addReasons(found: FileItems, reasons: readonly ReasonEntry[], site: string, parent: string | null, above: string): void {
  for (const reason of reasons) {
    const loss = reason.loss ?? above;
    const address = add(found, "reason", site, reason, { parent, loss, fault_code: reason.fault_code ?? null });
    addReasons(found, reason.reasons, site, address, loss);
  }
}

function addSource(
  found: FileItems,
  site: string,
  form: string,
  address: string,
  { no_data_timeout, max_backfill }: { no_data_timeout: number; max_backfill: number },
  was?: string,
): void {
  add(found, "source", site, { key: address, was }, { form, no_data_timeout, max_backfill });
}

function addLine(found: FileItems, line: LineEntry, area: string, site: SiteEntry, shared: ReadonlyMap<string, SiteEntry["sources"][number]>): void {
  const machineHere = (key: string | undefined) => (key === undefined ? null : `${area}/${line.key}/${key}`);
  const address = add(found, "line", area, line, {
    topology: line.topology,
    constraint_machine: machineHere(line.constraint_machine),
    last_machine: machineHere(line.last_machine),
  });
  addTimeline(found, "shift_pattern", address, line.shift_pattern, ({ pattern, from, until }) => ({ values: [`${site.key}/${pattern}`], from, until }));
  addTargets(found, "line_target", address, line.targets, site.zone);
  for (const [position, machine] of line.machines.entries()) addMachine(found, machine, position, address, site, shared);
}

function addMachine(
  found: FileItems,
  machine: MachineEntry,
  position: number,
  line: string,
  site: SiteEntry,
  shared: ReadonlyMap<string, SiteEntry["sources"][number]>,
): void {
  const here = line.slice(line.indexOf("/") + 1);
  const neighbour = (reference: string | undefined) => (reference === undefined ? null : `${site.key}/${neighbourAddress(reference, here)}`);
  const address = addressOf("machine", line, machine.key);
  const sourceAddress = machine.source?.shared ?? machine.source?.address ?? address;
  add(found, "machine", line, machine, {
    kind: machine.kind,
    position,
    source: sourceAddress === address ? null : sourceAddress,
    upstream: neighbour(machine.upstream),
    downstream: neighbour(machine.downstream),
    no_count_timeout: machine.no_count_timeout ?? null,
  });
  const own = machine.source ?? { form: "json", no_data_timeout: 60, max_backfill: 7_776_000 };
  // Without a signal there is no one to speak: then only a source that the file says something of is made.
  const isPlain = own.form === "json" && sourceAddress === address && own.no_data_timeout === 60 && own.max_backfill === 7_776_000;
  const hasOwn = machine.source?.shared === undefined && (machine.signals.some((signal) => signal.source === undefined) || !isPlain);
  if (hasOwn) addSource(found, site.key, own.form, sourceAddress, own);
  addTimeline(found, "ideal_cycle", address, machine.ideal_cycles, (rate) => ({ sub: rate.product, values: [rate.seconds], ...rateBounds(rate, site.zone) }));
  addTimeline(found, "machine_cost", address, machine.hourly_costs, (entry) => ({ values: [entry.cost], ...rateBounds(entry, site.zone) }));
  addTargets(found, "machine_target", address, machine.targets, site.zone);
  const claims = Map.groupBy(claimsOf(machine, [], address, shared), ({ signal }) => signal);
  for (const signal of machine.signals) {
    const mapping = (claims.get(`${address}/${signal.key}`) ?? []).map((claim) => packedMapping(claim.form, claim.pattern, claim.path, claim.tsPath)).sort();
    add(found, "signal", address, signal, signalFields(signal, signal.source ?? sourceAddress, mapping));
  }
}

function signalFields(signal: SignalEntry, source: string, mapping: string[]): Record<string, FieldValue> {
  return {
    role: signal.role,
    source,
    unit: signal.unit,
    scale: signal.scale,
    offset: signal.offset,
    values: signal.values ? sortedByKey(signal.values) : null,
    counter: signal.role.endsWith("_count") ? (signal.counter ?? "cumulative") : null,
    modulus: signal.modulus ?? null,
    period: signal.period ?? null,
    low: signal.low ?? null,
    high: signal.high ?? null,
    dead_band: signal.dead_band ?? null,
    keep_raw: signal.keep_raw ?? false,
    mapping,
  };
}

export const sortedByKey = (group: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(group).sort(([a], [b]) => (a < b ? -1 : 1)));

/** Of an instant, or of a day's midnight in UTC. */
const msOf = (iso: string | undefined) => (iso === undefined ? undefined : Date.parse(iso));
