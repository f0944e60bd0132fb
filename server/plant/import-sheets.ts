/** What can be imported as a table: its columns, and what a row of it is in the plant. Column names are those of the plant file. */
import type { Kind } from "./items.ts";

/**
 * field: where the cell goes in the item's fields; of a timeline, in its entry. place: the address that the item stands below, or that the entry is of.
 * as: how a cell is read. list: parts with ; between them. map: a=b; c=d. clock: 06:00. breaks: Lunch 12:00-12:30; 14:00-14:15. A cell that is empty says nothing: what is known stays as it is.
 */
export type Column = {
  name: string;
  field: string | null;
  as: "text" | "number" | "yes_no" | "list" | "map" | "clock" | "breaks" | "day";
  isNeeded?: true;
  example: string;
  about: string;
};

type Rows =
  /** Each row one item. parent: which column says below what; null: of the enterprise. key: which columns make its address. */
  | { of: "items"; kind: Kind; parent: string | null; key: readonly string[] }
  /** Each row one entry of what holds from a time on. owner: which column says of what; sub: which column says for what. */
  | { of: "entries"; kinds: readonly Kind[]; field: Partial<Record<Kind, string>>; owner: string; sub: string | null };

export type Sheet = { title: string; rows: Rows; columns: readonly Column[] };

const text = (name: string, example: string, about: string, more: Partial<Column> = {}): Column => ({ name, field: name, as: "text", example, about, ...more });
const number = (name: string, example: string, about: string, more: Partial<Column> = {}): Column => text(name, example, about, { as: "number", ...more });
const needed = { isNeeded: true } as const;
const key = text("key", "press-1", "Key: part of topics and addresses", needed);
const name = text("name", "Press 1", "Name; without one the key is shown");
const from = text("from", "2026-04-01", "Day, local time (2026-04-01T06:00) or instant from which on it holds; empty: now", { as: "day" });
const until = text("until", "", "Day or time until which it holds, not included; empty: until the next one", { as: "day" });
const site = (about: string): Column => ({ name: "site", field: null, as: "text", example: "berlin", about, isNeeded: true });
const machine: Column = {
  name: "machine",
  field: null,
  as: "text",
  example: "berlin/press-shop/line-1/press-1",
  about: "Machine, as site/area/line/machine",
  isNeeded: true,
};

const entries = (kind: Kind, field: string, owner: string, sub: string | null = null): Rows => ({
  of: "entries",
  kinds: [kind],
  field: { [kind]: field },
  owner,
  sub,
});

const below = (column: string, example: string, about: string): Column => ({ name: column, field: null, as: "text", example, about, isNeeded: true });

export const sheets = {
  sites: {
    title: "Sites",
    rows: { of: "items", kind: "site", parent: null, key: ["key"] },
    columns: [
      { ...key, example: "berlin" },
      { ...name, example: "Berlin" },
      text("zone", "Europe/Berlin", "Time zone, by its IANA name; a new site needs one"),
      text("currency", "EUR", "Currency of its money; empty: the group's"),
    ],
  },
  areas: {
    title: "Areas",
    rows: { of: "items", kind: "area", parent: "site", key: ["key"] },
    columns: [site("Site, by its key; it must be there"), { ...key, example: "press-shop" }, { ...name, example: "Press shop" }],
  },
  lines: {
    title: "Lines",
    rows: { of: "items", kind: "line", parent: "area", key: ["key"] },
    columns: [below("area", "berlin/press-shop", "Area, as site/area; it must be there"), { ...key, example: "line-1" }, { ...name, example: "Line 1" }],
  },
  product_lines: {
    title: "Product lines",
    rows: { of: "items", kind: "product_line", parent: null, key: ["key"] },
    columns: [
      { ...key, example: "housings", about: "Key" },
      { ...name, example: "Housings" },
    ],
  },
  products: {
    title: "Products",
    rows: { of: "items", kind: "product", parent: "product_line", key: ["key"] },
    columns: [
      { name: "product_line", field: null, as: "text", example: "housings", about: "Product line, by its key; it must be there", isNeeded: true },
      { ...key, example: "H-100" },
      { ...name, example: "Housing 100" },
    ],
  },
  machines: {
    title: "Machines",
    rows: { of: "items", kind: "machine", parent: "line", key: ["key"] },
    columns: [
      { name: "line", field: null, as: "text", example: "berlin/press-shop/line-1", about: "Line, as site/area/line; it must be there", isNeeded: true },
      key,
      name,
      text("kind", "press", "What it is: press, cnc, packer ..."),
      text("upstream", "", "Machine before it: its key, or area/line/machine"),
      text("downstream", "packer-1", "Machine after it"),
      text("no_count_timeout", "90s", "Without a piece for so long it stands; empty: three ideal cycles"),
      text("source", "", "Address of one of the site's sources; empty: its own topics", { field: "source" }),
    ],
  },
  signals: {
    title: "Signals",
    rows: { of: "items", kind: "signal", parent: "machine", key: ["key"] },
    columns: [
      machine,
      { ...key, example: "oil-temp" },
      { ...name, example: "Oil temperature" },
      text("role", "measurement", "state, good_count, reject_count, rework_count, total_count, fault_code, job, product, measurement or energy", needed),
      text("unit", "Cel", "Unit"),
      number("scale", "0.1", "Value = raw value x scale + offset"),
      number("offset", "", "Value = raw value x scale + offset"),
      text("values", "", "Raw value = value, with ; between them: 1=run; 2=down", { as: "map" }),
      text("counter", "", "Counts: cumulative or increment"),
      number("modulus", "", "Counts: value at which the counter rolls over to 0"),
      text("period", "10s", "Configured reading period"),
      number("low", "-20", "Lowest value that can be, in unit"),
      number("high", "150", "Highest value that can be, in unit"),
      number("dead_band", "0.5", "Measurements: a smaller change is not kept"),
      text("keep_raw", "", "Measurements: yes keeps raw values for ever", { as: "yes_no" }),
      text("metric", "", "Sparkplug: name of the metric, where it is not the key"),
      text("source", "", "Address of one of the site's sources, where it is not the machine's"),
      text("topic", "hall/press-1", "MQTT topic, where it is not the machine's own", { field: "mapping.0.topic" }),
      text("path", "data.0.temp", "Where the value lies in the message", { field: "mapping.0.path" }),
      text("ts_path", "", "Where its time lies in the message", { field: "mapping.0.ts_path" }),
    ],
  },
  ideal_cycles: {
    title: "Ideal cycle times",
    rows: entries("machine", "ideal_cycles", "machine", "product"),
    columns: [
      machine,
      text("product", "H-100", "Product, by its key; empty: for all that have no time of their own"),
      number("seconds", "4.2", "Ideal seconds per piece", needed),
      from,
      until,
    ],
  },
  machine_costs: {
    title: "Costs of machines",
    rows: entries("machine", "hourly_costs", "machine"),
    columns: [machine, number("cost", "85", "Cost of one machine-hour, in the site's currency", needed), from, until],
  },
  product_costs: {
    title: "Value and scrap cost of products",
    rows: entries("site", "product_costs", "site", "product"),
    columns: [
      site("Site, by its key"),
      text("product", "H-100", "Product, by its key", needed),
      number("value", "12.50", "What a good piece is worth, in the site's currency"),
      number("scrap", "8", "What a rejected piece costs"),
      from,
      until,
    ],
  },
  energy_prices: {
    title: "Energy prices",
    rows: entries("site", "energy_prices", "site"),
    columns: [site("Site, by its key"), number("price", "0.21", "Price of one kWh, in the site's currency", needed), from, until],
  },
  targets: {
    title: "Targets",
    rows: { of: "entries", kinds: ["site", "line", "machine"], field: { site: "targets", line: "targets", machine: "targets" }, owner: "of", sub: null },
    columns: [
      {
        name: "of",
        field: null,
        as: "text",
        example: "berlin/press-shop/line-1",
        about: "Site, line or machine, as site, site/area/line or site/area/line/machine",
        isNeeded: true,
      },
      number("oee", "75", "OEE in %"),
      number("availability", "", "Availability in %"),
      number("performance", "", "Performance in %"),
      number("quality", "99", "Quality in %"),
      number("pieces_per_hour", "", "Good pieces per hour"),
      from,
      until,
    ],
  },
  reasons: {
    title: "Stop reasons",
    rows: { of: "items", kind: "reason", parent: "site", key: ["key"] },
    columns: [
      site("Site, by its key"),
      { ...key, example: "belt" },
      { ...name, example: "Belt torn" },
      text("parent", "mechanical", "Reason above it, by its key; empty: at the top"),
      text("loss", "", "breakdown, changeover, minor_stop, planned, external, quality or other; empty: its parent's"),
      text("fault_code", "17", "The machine's own code that means it"),
    ],
  },
  currency_rates: {
    title: "Currency rates",
    rows: { of: "items", kind: "currency_rate", parent: null, key: ["currency", "month"] },
    columns: [
      text("currency", "USD", "Currency", needed),
      text("month", "2026-04", "Month", needed),
      number("rate", "0.92", "What one unit of it is in the group's currency", needed),
    ],
  },
  shift_patterns: {
    title: "Shift patterns",
    rows: { of: "items", kind: "shift_pattern", parent: "site", key: ["key"] },
    columns: [site("Site, by its key; it must be there"), { ...key, example: "three-shifts", about: "Key" }, { ...name, example: "Three shifts" }],
  },
  shifts: {
    title: "Shifts",
    rows: { of: "items", kind: "shift", parent: "pattern", key: ["key"] },
    columns: [
      below("pattern", "berlin/three-shifts", "Shift pattern, as site/pattern; it must be there"),
      { ...key, example: "early", about: "Key" },
      { ...name, example: "Early" },
      text("days", "mon-fri", "Days on which it begins: mon-fri, sat, daily", needed),
      text("start", "06:00", "Local time of its start", { as: "clock", isNeeded: true }),
      text("end", "14:00", "Local time of its end; one that is not after the start is on the next day", { as: "clock", isNeeded: true }),
      text("breaks", "Lunch 10:00-10:30; 12:00-12:10", "Its breaks, all of them, with ; between them", { as: "breaks" }),
    ],
  },
  teams: {
    title: "Teams",
    rows: { of: "items", kind: "team", parent: "site", key: ["key"] },
    columns: [site("Site, by its key; it must be there"), { ...key, example: "team-a", about: "Key" }, { ...name, example: "Team A" }],
  },
  calendar: {
    title: "Shift calendar",
    rows: { of: "items", kind: "calendar_entry", parent: "site", key: ["key"] },
    columns: [
      site("Site, by its key"),
      { ...key, example: "christmas-2026" },
      { ...name, example: "Christmas" },
      text("kind", "holiday", "holiday, extra_shift or cancelled_shift", needed),
      text("date", "2026-12-24", "First day", { as: "day", isNeeded: true }),
      text("last_date", "2026-12-26", "Last day, included; empty: one day", { as: "day" }),
      text("line", "", "area/line; empty: all lines"),
      text("shift", "", "Of a cancelled shift: pattern/shift"),
      text("start", "", "Of an extra shift", { as: "clock" }),
      text("end", "", "Of an extra shift", { as: "clock" }),
      text("breaks", "", "Of an extra shift, with ; between them: Lunch 10:00-10:30; 12:00-12:10", { as: "breaks" }),
    ],
  },
  devices: {
    title: "Devices",
    rows: { of: "items", kind: "device", parent: "site", key: ["key"] },
    columns: [
      site("Site, by its key"),
      { ...key, example: "gateway-1" },
      { ...name, example: "Gateway 1" },
      text("identity", "berlin-gateway-1", "Common name of its certificate", needed),
      text("fingerprint", "", "SHA-256 of its certificate"),
      text("expires", "2027-01-01", "Day on which its certificate ends", { as: "day" }),
      text("firmware", "", "Version of its firmware"),
      text("topics", "takt/v1/berlin/#", "Topics below which it may publish, with ; between them", { as: "list" }),
    ],
  },
} as const satisfies Record<string, Sheet>;

export type SheetName = keyof typeof sheets;
export const sheetNames = Object.keys(sheets) as [SheetName, ...SheetName[]];
