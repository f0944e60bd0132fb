/** What screens send and get when they edit the plant. Fields are those of the plant file, written as there; null: none. */
import type { LossClass } from "#/server/domain/state.ts";
import type { CalendarEntry, LineEntry, SignalEntry } from "./file.ts";
import type { Kind } from "./items.ts";

export type { Kind };

/** from: a day, a local time or an instant; null: since ever (as read), now or before (as sent: docs/plant-file.md). until: exclusive. */
type Bounds = { from: string | null; until: string | null };
export type Target = Bounds & {
  oee: number | null;
  availability: number | null;
  performance: number | null;
  quality: number | null;
  pieces_per_hour: number | null;
};
export type Break = { name: string; start: string; end: string };
export type SourceGroup = { form: "json" | "sparkplug" | "mapped"; address: string | null; no_data_timeout: string | null; max_backfill: string | null };
export type MappingFields = { topic: string; path: string | null; ts_path: string | null } | { descriptor: string; metric: string };

/** What `fields` of an item of a kind holds. Fields that are money may be missing altogether: who may not read them never gets them. */
export type FieldsOf = {
  enterprise: { key: string; name: string; currency: string | null };
  currency_rate: { currency: string; month: string; rate: number };
  product_line: { key: string; name: string };
  product: { key: string; name: string };
  site: {
    key: string;
    name: string;
    zone: string;
    currency: string | null;
    product_costs?: (Bounds & { product: string; value: number | null; scrap: number | null })[];
    energy_prices?: (Bounds & { price: number })[];
    targets: Target[];
  };
  shift_pattern: { key: string; name: string };
  shift: { key: string; name: string; days: string; start: string; end: string; breaks: Break[] };
  /** parent: key of the reason above; null: at the top. */
  reason: { key: string; name: string; parent: string | null; loss: LossClass | null; fault_code: string | null };
  team: { key: string; name: string };
  device: {
    key: string;
    name: string;
    identity: string;
    fingerprint: string | null;
    expires: string | null;
    certificate_name: string | null;
    firmware: string | null;
    topics: string[];
  };
  source: { form: "json" | "sparkplug" | "mapped"; address: string; no_data_timeout: string; max_backfill: string };
  area: { key: string; name: string };
  line: {
    key: string;
    name: string;
    topology: LineEntry["topology"];
    constraint_machine: string | null;
    last_machine: string | null;
    shift_pattern: (Bounds & { pattern: string })[];
    targets: Target[];
  };
  machine: {
    key: string;
    name: string;
    kind: string;
    upstream: string | null;
    downstream: string | null;
    no_count_timeout: string | null;
    /** null: a JSON publisher of its own; a text: the address of a source of the site. */
    source: string | SourceGroup | null;
    ideal_cycles: (Bounds & { product: string | null; seconds: number })[];
    hourly_costs?: (Bounds & { cost: number })[];
    targets: Target[];
  };
  signal: {
    key: string;
    name: string;
    role: SignalEntry["role"];
    unit: string;
    scale: number;
    offset: number;
    values: Record<string, string | number> | null;
    counter: "cumulative" | "increment" | null;
    modulus: number | null;
    period: string | null;
    low: number | null;
    high: number | null;
    dead_band: number | null;
    keep_raw: boolean;
    metric: string | null;
    source: string | null;
    mapping: MappingFields[];
  };
  calendar_entry: {
    key: string;
    name: string;
    kind: CalendarEntry["kind"];
    date: string;
    last_date: string | null;
    line: string | null;
    shift: string | null;
    start: string | null;
    end: string | null;
    breaks: Break[];
  };
};

/** As screens and imports send fields: any of them, checked by the rules of the file. Absent: unchanged; null or '': none. */
export type GivenFields = Record<string, unknown>;

/** version: of what the form was filled from; null: not compared. address null: new, below parent. */
export type Put = {
  do: "put";
  kind: Kind;
  address: string | null;
  parent: string | null;
  fields: GivenFields;
  version: string | null /** There or not. */;
  upsert?: boolean;
};
export type Remove = { do: "remove"; kind: Kind; address: string; version: string | null };
/** Machines of a line, along it. */
export type Reorder = { do: "reorder"; line: string; keys: readonly string[] };
export type Edit = Put | Remove | Reorder;

/** fields: as `FieldsOf` has them for the kind. */
export type Item = { kind: Kind; address: string; parent: string; version: string; fields: Record<string, unknown> };
/**
 * Who names an item. upstream, downstream: it is this machine's neighbour. paces, counts: it is the line's constraint, or last, machine. works_by: the line's
 * pattern. takes_values: its source. rate: its ideal cycle time is for the product. cost: the site says its value. cancels: the calendar takes the shift away.
 * only_for: the entry of the calendar is for this line.
 */
export type How = "upstream" | "downstream" | "paces" | "counts" | "works_by" | "takes_values" | "rate" | "cost" | "cancels" | "only_for";
export type Use = { kind: Kind; address: string; name: string; how: How };
export type ItemAnswer = Item & {
  id: number;
  usedBy: Use[];
  mayChange: boolean;
  /** Whether it may be changed; what may not be read is not in `fields`. */
  mayMoney: boolean;
};

export type PlantTree = {
  enterprise: { key: string; name: string; currency: string | null } | null;
  sites: {
    id: number;
    address: string;
    key: string;
    name: string;
    zone: string;
    currency: string | null;
    mayChange: boolean;
    /** Things in use at the site, by kind. */
    counts: Partial<Record<Kind, number>>;
    areas: {
      address: string;
      key: string;
      name: string;
      lines: {
        id: number;
        address: string;
        key: string;
        name: string;
        topology: LineEntry["topology"];
        machines: { id: number; address: string; key: string; name: string; kind: string; signals: number }[];
      }[];
    }[];
  }[];
  counts: { product_line: number; product: number; currency_rate: number };
};

/** An instance of a shift as it falls, on a line or as a pattern would give it. Instants in ms since 1970. */
export type ShiftShown = {
  name: string;
  /** Local date of its start. */
  businessDate: string;
  fromAt: number;
  toAt: number;
  /** Real hours, also on the nights when clocks change. */
  hours: number;
  status: "planned" | "extra" | "cancelled";
  /** What the calendar calls the day, where it changes something. */
  why: string | null;
  breaks: { name: string; fromAt: number; toAt: number }[];
};
/** day: on which clocks change, offsets in minutes east of UTC. */
export type ClockChange = { day: string; at: number; fromOffsetMin: number; toOffsetMin: number };
