/** What holds from a time on: how each kind of it is stored and what it belongs to. */
import type { Kind } from "./items.ts";

export const timelineNames = [
  "ideal_cycle",
  "machine_cost",
  "product_cost",
  "energy_price",
  "shift_pattern",
  "site_target",
  "line_target",
  "machine_target",
] as const;
export type TimelineName = (typeof timelineNames)[number];

/** refersTo: the value is the address of such an item, stored as its id. */
type Value = { field: string; column: string; type: "float8" | "numeric" | "int"; refersTo?: Kind };
export type TimelineKind = {
  /** For people: `ideal cycle`. */
  word: string;
  table: string;
  owner: Kind;
  ownerColumn: string;
  /** Several side by side, one for each of these; without one of them (null in the column, '' in addresses): for all others. */
  sub: { kind: Kind; column: string } | null;
  values: readonly Value[];
  /** instant: from_at, to_at. day: from_date, to_date. */
  unit: "instant" | "day";
};

const target = (owner: Kind): TimelineKind => ({
  word: "target",
  table: "target",
  owner,
  ownerColumn: `${owner}_id`,
  sub: null,
  values: [
    { field: "oee", column: "oee_percent", type: "numeric" },
    { field: "availability", column: "availability_percent", type: "numeric" },
    { field: "performance", column: "performance_percent", type: "numeric" },
    { field: "quality", column: "quality_percent", type: "numeric" },
    { field: "pieces_per_hour", column: "pieces_per_hour", type: "numeric" },
  ],
  unit: "instant",
});
const product = { kind: "product", column: "product_id" } as const;

export const timelineKinds: Record<TimelineName, TimelineKind> = {
  ideal_cycle: {
    word: "ideal cycle",
    table: "ideal_cycle",
    owner: "machine",
    ownerColumn: "machine_id",
    sub: product,
    values: [{ field: "seconds", column: "ideal_cycle_s", type: "float8" }],
    unit: "instant",
  },
  machine_cost: {
    word: "hourly cost",
    table: "machine_cost",
    owner: "machine",
    ownerColumn: "machine_id",
    sub: null,
    values: [{ field: "cost", column: "cost_per_hour", type: "numeric" }],
    unit: "instant",
  },
  product_cost: {
    word: "product cost",
    table: "product_cost",
    owner: "site",
    ownerColumn: "site_id",
    sub: product,
    values: [
      { field: "value", column: "value_per_piece", type: "numeric" },
      { field: "scrap", column: "scrap_cost_per_piece", type: "numeric" },
    ],
    unit: "instant",
  },
  energy_price: {
    word: "energy price",
    table: "energy_price",
    owner: "site",
    ownerColumn: "site_id",
    sub: null,
    values: [{ field: "price", column: "price_per_kwh", type: "numeric" }],
    unit: "instant",
  },
  shift_pattern: {
    word: "shift pattern",
    table: "line_shift_pattern",
    owner: "line",
    ownerColumn: "line_id",
    sub: null,
    values: [{ field: "pattern", column: "shift_pattern_id", type: "int", refersTo: "shift_pattern" }],
    unit: "day",
  },
  site_target: target("site"),
  line_target: target("line"),
  machine_target: target("machine"),
};

/** Values of one entry in the order of `values`, as the text that spans are compared by. A reference is an address. */
export const packed = (values: readonly (number | string | null)[]): string => JSON.stringify(values);
export const unpacked = (value: string): (number | string | null)[] => JSON.parse(value) as (number | string | null)[];
