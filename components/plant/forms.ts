/** What the form of each kind of thing asks for, in the words of the plant file (docs/plant-file.md). Labels, hints and choices are in the catalogue `plant`. */
import type { Kind } from "#/server/plant/items.ts";

/** Where the choices of a field come from. */
export type Lookup =
  | "zones"
  | "currencies"
  | "productLines"
  | "products"
  | "patterns"
  | "shifts"
  | "reasons"
  | "sources"
  | "lines"
  | "machinesOfLine"
  | "machinesOfSite"
  | "machineKinds"
  | "units";

type Base = {
  path: string /** Sent as null when empty, and may be empty. */;
  isOptional?: boolean /** Across the form: what is too long for a column. */;
  isWide?: boolean;
};
export type Field = Base &
  (
    | { input: "text" | "code" | "duration" | "clock" | "day" | "instant" | "month" | "weekdays" }
    | { input: "number"; unit?: string }
    | { input: "check" }
    | { input: "choice"; choices: readonly string[] }
    | { input: "lookup"; of: Lookup /** What is not in the list may be typed. */; isFree?: boolean }
    | { input: "list"; item: "code" }
    | { input: "map" }
    | { input: "source" }
    | { input: "rows"; columns: readonly Field[]; isMoney?: boolean }
  );
export type Section = { key: string; fields: readonly Field[]; isMoney?: boolean };

const signalRoles = ["state", "good_count", "reject_count", "rework_count", "total_count", "fault_code", "job", "product", "measurement", "energy"];

const key: Field = { path: "key", input: "code" };
const name: Field = { path: "name", input: "text" };
const basics: Section = { key: "basics", fields: [name, key] };
const period: readonly Field[] = [
  { path: "from", input: "instant", isOptional: true },
  { path: "until", input: "instant", isOptional: true },
];
const percent = (path: string): Field => ({ path, input: "number", unit: "%", isOptional: true });
const targets: Section = {
  key: "targets",
  fields: [
    {
      path: "targets",
      input: "rows",
      columns: [
        ...period,
        percent("oee"),
        percent("availability"),
        percent("performance"),
        percent("quality"),
        { path: "pieces_per_hour", input: "number", isOptional: true },
      ],
    },
  ],
};
const breaks: Field = {
  path: "breaks",
  input: "rows",
  columns: [
    { path: "name", input: "text" },
    { path: "start", input: "clock" },
    { path: "end", input: "clock" },
  ],
};

export const forms: Record<Kind, readonly Section[]> = {
  enterprise: [{ key: "basics", fields: [name, key, { path: "currency", input: "lookup", of: "currencies", isOptional: true }] }],
  currency_rate: [
    {
      key: "basics",
      fields: [
        { path: "currency", input: "lookup", of: "currencies" },
        { path: "month", input: "month" },
        { path: "rate", input: "number" },
      ],
    },
  ],
  product_line: [basics],
  product: [basics],
  site: [
    {
      key: "basics",
      fields: [name, key, { path: "zone", input: "lookup", of: "zones" }, { path: "currency", input: "lookup", of: "currencies", isOptional: true }],
    },
    targets,
    {
      key: "money",
      isMoney: true,
      fields: [
        { path: "energy_prices", input: "rows", isMoney: true, columns: [...period, { path: "price", input: "number" }] },
        {
          path: "product_costs",
          input: "rows",
          isMoney: true,
          columns: [
            { path: "product", input: "lookup", of: "products" },
            ...period,
            { path: "value", input: "number", isOptional: true },
            { path: "scrap", input: "number", isOptional: true },
          ],
        },
      ],
    },
  ],
  shift_pattern: [basics],
  shift: [
    {
      key: "basics",
      fields: [name, key, { path: "days", input: "weekdays" }, { path: "start", input: "clock" }, { path: "end", input: "clock" }],
    },
    { key: "breaks", fields: [breaks] },
  ],
  reason: [
    {
      key: "basics",
      fields: [
        name,
        key,
        { path: "parent", input: "lookup", of: "reasons", isOptional: true },
        { path: "loss", input: "choice", choices: ["breakdown", "changeover", "minor_stop", "planned", "external", "quality", "other"], isOptional: true },
        { path: "fault_code", input: "code", isOptional: true },
      ],
    },
  ],
  team: [basics],
  source: [
    {
      key: "basics",
      fields: [
        { path: "form", input: "choice", choices: ["json", "sparkplug", "mapped"] },
        { path: "address", input: "code" },
        { path: "no_data_timeout", input: "duration" },
        { path: "max_backfill", input: "duration" },
      ],
    },
  ],
  area: [basics],
  line: [
    basics,
    {
      key: "flow",
      fields: [
        { path: "topology", input: "choice", choices: ["parallel", "constraint"] },
        { path: "constraint_machine", input: "lookup", of: "machinesOfLine", isOptional: true },
        { path: "last_machine", input: "lookup", of: "machinesOfLine", isOptional: true },
      ],
    },
    {
      key: "shifts",
      fields: [
        {
          path: "shift_pattern",
          input: "rows",
          columns: [
            { path: "pattern", input: "lookup", of: "patterns" },
            { path: "from", input: "day", isOptional: true },
            { path: "until", input: "day", isOptional: true },
          ],
        },
      ],
    },
    targets,
  ],
  machine: [
    { key: "basics", fields: [name, key, { path: "kind", input: "lookup", of: "machineKinds", isFree: true }] },
    {
      key: "cycles",
      fields: [
        {
          path: "ideal_cycles",
          input: "rows",
          columns: [{ path: "product", input: "lookup", of: "products", isOptional: true }, { path: "seconds", input: "number", unit: "s" }, ...period],
        },
        { path: "no_count_timeout", input: "duration", isOptional: true },
      ],
    },
    {
      key: "flow",
      fields: [
        { path: "upstream", input: "lookup", of: "machinesOfSite", isOptional: true },
        { path: "downstream", input: "lookup", of: "machinesOfSite", isOptional: true },
      ],
    },
    { key: "source", fields: [{ path: "source", input: "source", isOptional: true }] },
    targets,
    { key: "money", isMoney: true, fields: [{ path: "hourly_costs", input: "rows", isMoney: true, columns: [{ path: "cost", input: "number" }, ...period] }] },
  ],
  signal: [
    {
      key: "basics",
      fields: [
        name,
        key,
        { path: "role", input: "choice", choices: signalRoles },
        { path: "unit", input: "lookup", of: "units", isFree: true, isOptional: true },
      ],
    },
    {
      key: "values",
      fields: [
        { path: "scale", input: "number" },
        { path: "offset", input: "number" },
        { path: "low", input: "number", isOptional: true },
        { path: "high", input: "number", isOptional: true },
        { path: "dead_band", input: "number", isOptional: true },
        { path: "period", input: "duration", isOptional: true },
        { path: "keep_raw", input: "check" },
        { path: "values", input: "map", isOptional: true },
      ],
    },
    {
      key: "counting",
      fields: [
        { path: "counter", input: "choice", choices: ["cumulative", "increment"], isOptional: true },
        { path: "modulus", input: "number", isOptional: true },
      ],
    },
    {
      key: "origin",
      fields: [
        { path: "source", input: "lookup", of: "sources", isOptional: true },
        { path: "metric", input: "code", isOptional: true },
        {
          path: "mapping",
          input: "rows",
          columns: [
            { path: "topic", input: "code", isOptional: true },
            { path: "path", input: "code", isOptional: true },
            { path: "ts_path", input: "code", isOptional: true },
            { path: "descriptor", input: "code", isOptional: true },
            { path: "metric", input: "code", isOptional: true },
          ],
        },
      ],
    },
  ],
  calendar_entry: [
    {
      key: "basics",
      fields: [
        name,
        key,
        { path: "kind", input: "choice", choices: ["holiday", "extra_shift", "cancelled_shift"] },
        { path: "date", input: "day" },
        { path: "last_date", input: "day", isOptional: true },
        { path: "line", input: "lookup", of: "lines", isOptional: true },
        { path: "shift", input: "lookup", of: "shifts", isOptional: true },
        { path: "start", input: "clock", isOptional: true },
        { path: "end", input: "clock", isOptional: true },
      ],
    },
    { key: "breaks", fields: [breaks] },
  ],
  device: [
    {
      key: "basics",
      fields: [
        name,
        key,
        { path: "identity", input: "code" },
        { path: "topics", input: "list", item: "code" },
        { path: "fingerprint", input: "code", isOptional: true, isWide: true },
        { path: "expires", input: "instant", isOptional: true },
        { path: "certificate_name", input: "code", isOptional: true },
        { path: "firmware", input: "text", isOptional: true },
      ],
    },
  ],
};

/** Fields that a thing has only for some values of another: hidden where they mean nothing. */
export function isAskedFor(kind: Kind, path: string, values: Readonly<Record<string, unknown>>): boolean {
  if (kind === "signal" && (path === "counter" || path === "modulus"))
    return String(values.role).endsWith("_count") && (path === "counter" || values.counter !== "increment");
  if (kind === "signal" && path === "dead_band") return values.role === "measurement";
  if (kind === "signal" && path === "keep_raw") return values.role === "measurement" || values.role === "energy";
  if (kind === "line" && path === "constraint_machine") return values.topology === "constraint";
  if (kind === "calendar_entry" && path === "shift") return values.kind === "cancelled_shift";
  if (kind === "calendar_entry" && (path === "start" || path === "end" || path === "breaks")) return values.kind === "extra_shift";
  return true;
}

/** What stands below each kind, in the order of its page. */
export const below: Record<Kind, readonly Kind[]> = {
  enterprise: ["site", "product_line", "currency_rate"],
  currency_rate: [],
  product_line: ["product"],
  product: [],
  site: ["area", "shift_pattern", "calendar_entry", "reason", "team", "source", "device"],
  shift_pattern: ["shift"],
  shift: [],
  reason: [],
  team: [],
  source: [],
  area: ["line"],
  line: ["machine"],
  machine: ["signal"],
  signal: [],
  calendar_entry: [],
  device: [],
};

/** What a table of the kind shows beside name and key. */
export const tableColumns: Record<Kind, readonly string[]> = {
  enterprise: [],
  currency_rate: ["currency", "month", "rate"],
  product_line: [],
  product: [],
  site: ["zone", "currency"],
  shift_pattern: [],
  shift: ["days", "start", "end"],
  reason: ["parent", "loss", "fault_code"],
  team: [],
  source: ["form", "no_data_timeout"],
  area: [],
  line: ["topology"],
  machine: ["kind"],
  signal: ["role", "unit", "low", "high"],
  calendar_entry: ["kind", "date", "last_date", "line", "shift"],
  device: ["identity", "expires", "firmware"],
};

export const pathOf = (kind: Kind, address: string): string => `/plant/${kind}/${address.split("/").map(encodeURIComponent).join("/")}`;
export const newPathOf = (kind: Kind, under: string): string => `/plant/new/${kind}?under=${encodeURIComponent(under)}`;

const parents: Record<Kind, Kind | null> = Object.fromEntries(
  (Object.keys(below) as Kind[]).map((kind) => [kind, (Object.keys(below) as Kind[]).find((above) => below[above].includes(kind)) ?? null]),
) as Record<Kind, Kind | null>;
export const parentKindOf = (kind: Kind): Kind | null => parents[kind];
/** The page above a thing's own: what belongs to the whole plant stands on the plant's page. */
export const parentPathOf = (kind: Kind, parent: string): string => {
  const above = parents[kind];
  return above === null || above === "enterprise" || parent === "" ? "/plant" : pathOf(above, parent);
};
