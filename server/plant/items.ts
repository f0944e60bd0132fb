/** The plant as flat items with addresses: what a file says and what the database holds, in one form that can be compared. */

import type { LineEntry, MachineEntry, PlantFile, ReasonEntry, SignalEntry, SiteEntry } from "./file.ts";
import { rateBounds } from "./file-periods.ts";
import { neighbourAddress } from "./file-rules.ts";
import { claimsOf } from "./file-signal-rules.ts";
import { packedMapping } from "./item-fields.ts";
import type { Stated } from "./timeline.ts";

/** In the order in which they are made: each after those it refers to. */
export const kinds = [
  "enterprise",
  "product_line",
  "product",
  "site",
  "shift_pattern",
  "shift",
  "reason",
  "team",
  "source",
  "area",
  "line",
  "machine",
  "signal",
] as const;
export type Kind = (typeof kinds)[number];

export type FieldValue = string | number | null | readonly unknown[] | Readonly<Record<string, unknown>>;
/**
 * address: key path from the root of its kind (site/area/line/machine/signal; site/pattern/shift; a product's key ...), unique in its kind.
 * parent: address of the thing it belongs to, with its kind given by `parentKind`; '' for none. Fields that refer to others hold their addresses.
 */
export type Item = { kind: Kind; address: string; parent: string; key: string; was: string | undefined; fields: Record<string, FieldValue> };

export const parentKind: Record<Kind, Kind | null> = {
  enterprise: null,
  product_line: "enterprise",
  product: "product_line",
  site: "enterprise",
  shift_pattern: "site",
  shift: "shift_pattern",
  reason: "site",
  team: "site",
  source: "site",
  area: "site",
  line: "area",
  machine: "line",
  signal: "machine",
};

/** Fields that hold the address of another item. */
export const references: Partial<Record<Kind, Record<string, Kind>>> = {
  reason: { parent: "reason" },
  line: { constraint_machine: "machine", last_machine: "machine" },
  machine: { upstream: "machine", downstream: "machine" },
  signal: { source: "source" },
};

/** Kinds whose key is unique in the whole plant: their address is the key alone, and they may move to another parent. */
export const isGlobal = (kind: Kind): boolean => kind === "enterprise" || kind === "product_line" || kind === "product" || kind === "site" || kind === "source";
export const addressOf = (kind: Kind, parent: string, key: string): string => (isGlobal(kind) ? key : `${parent}/${key}`);

export type FileItems = {
  items: Item[];
  /** What the file says of rates: machine address -> product key ('' the default) -> entries, times in ms since 1970. */
  rates: Map<string, Map<string, Stated[]>>;
  /** Line address -> entries; value: pattern address; times are days, as ms of their midnight in UTC. */
  patterns: Map<string, Stated[]>;
  zones: Map<string, string>;
};

export function itemsOf(plant: PlantFile): FileItems {
  const found: FileItems = { items: [], rates: new Map(), patterns: new Map(), zones: new Map() };
  const { enterprise } = plant;
  add(found, "enterprise", "", enterprise, {});
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
  found.items.push({ kind, address, parent, key, was, fields: { ...(kind === "source" ? {} : { name: name ?? key }), ...fields } });
  return address;
}

function addSite(found: FileItems, site: SiteEntry, enterprise: string): void {
  add(found, "site", enterprise, site, { zone: site.zone });
  found.zones.set(site.key, site.zone);
  for (const pattern of site.shift_patterns) {
    const address = add(found, "shift_pattern", site.key, pattern, {});
    for (const shift of pattern.shifts) {
      add(found, "shift", address, shift, {
        days: shift.days,
        start: shift.start % 1440,
        end: shift.end % 1440,
        breaks: shift.breaks.map((b) => ({ name: b.name, start: b.start % 1440, end: b.end % 1440 })),
      });
    }
  }
  addReasons(found, site.reasons, site.key, null, "other");
  for (const team of site.teams) add(found, "team", site.key, team, {});
  for (const source of site.sources) addSource(found, site.key, source.form, source.address, source);
  const shared = new Map(site.sources.map((source) => [source.address, source]));
  for (const area of site.areas) {
    const areaAddress = add(found, "area", site.key, area, {});
    for (const line of area.lines) addLine(found, line, areaAddress, site, shared);
  }
}

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
): void {
  add(found, "source", site, { key: address }, { form, no_data_timeout, max_backfill });
}

function addLine(found: FileItems, line: LineEntry, area: string, site: SiteEntry, shared: ReadonlyMap<string, SiteEntry["sources"][number]>): void {
  const machineHere = (key: string | undefined) => (key === undefined ? null : `${area}/${line.key}/${key}`);
  const address = add(found, "line", area, line, {
    topology: line.topology,
    constraint_machine: machineHere(line.constraint_machine),
    last_machine: machineHere(line.last_machine),
  });
  found.patterns.set(
    address,
    line.shift_pattern.map(({ pattern, from, until }) => ({ value: `${site.key}/${pattern}`, from: dayNumber(from), to: dayNumber(until) })),
  );
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
  const address = add(found, "machine", line, machine, {
    kind: machine.kind,
    position,
    upstream: neighbour(machine.upstream),
    downstream: neighbour(machine.downstream),
    no_count_timeout: machine.no_count_timeout ?? null,
  });
  const own = machine.source ?? { form: "json", no_data_timeout: 60, max_backfill: 7_776_000 };
  const sourceAddress = machine.source?.shared ?? machine.source?.address ?? address;
  // Without a signal there is no one to speak: then only a source that the file names is made.
  const hasOwn = machine.source ? machine.source.shared === undefined : machine.signals.some((signal) => signal.source === undefined);
  if (hasOwn) addSource(found, site.key, own.form, sourceAddress, own);
  const rates = new Map<string, Stated[]>();
  for (const rate of machine.ideal_cycles) {
    const { from, until } = rateBounds(rate, site.zone);
    const product = rate.product ?? "";
    rates.set(product, [...(rates.get(product) ?? []), { value: String(rate.seconds), from: msOf(from), to: msOf(until) }]);
  }
  found.rates.set(address, rates);
  const claims = claimsOf(machine, [], address, shared);
  for (const signal of machine.signals) {
    const mapping = claims
      .filter((claim) => claim.signal === `${address}/${signal.key}`)
      .map((claim) => packedMapping(claim.form, claim.pattern, claim.path, claim.tsPath))
      .sort();
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
    mapping,
  };
}

export const sortedByKey = (group: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(group).sort(([a], [b]) => (a < b ? -1 : 1)));

const msOf = (iso: string | undefined) => (iso === undefined ? undefined : Date.parse(iso));
const dayNumber = (day: string | undefined) => (day === undefined ? undefined : Date.parse(`${day}T00:00:00Z`));
