/** How items' fields are stored: a column each, with its type, and how a value of the file becomes one of the column. */
import type { Kind } from "./items.ts";

/** One mapping as text, so that lists of them can be compared and sorted: form, pattern, path, time stamp's path. */
export const packedMapping = (form: string, pattern: string, path: string, tsPath: string | null): string => JSON.stringify([form, pattern, path, tsPath]);
export const unpackedMapping = (packed: string): { form: string; pattern: string; path: string; tsPath: string | null } => {
  const [form, pattern, path, tsPath] = JSON.parse(packed) as [string, string, string, string | null];
  return { form, pattern, path, tsPath };
};

/** In items: time as minutes after midnight, date as 2026-04-01, timestamptz as ms since 1970, numeric as a number. */
export type Column = {
  field: string;
  column: string;
  type: "text" | "text[]" | "int" | "int[]" | "float8" | "numeric" | "boolean" | "jsonb" | "time" | "date" | "timestamptz";
};
type Table = {
  table: string;
  /** The column that holds the key or address itself. */
  keyColumn: string;
  parentColumn: string | null;
  /** Columns that refer to items of the same kind or of later ones are set in a second step. */
  columns: Column[];
  links: Column[];
  hasRetiredAt: boolean;
};

const name: Column = { field: "name", column: "name", type: "text" };
const same = (type: Column["type"], ...fields: string[]): Column[] => fields.map((field) => ({ field, column: field, type }));

export const tables: Record<Kind, Table> = {
  enterprise: { table: "enterprise", keyColumn: "key", parentColumn: null, columns: [name, ...same("text", "currency")], links: [], hasRetiredAt: false },
  currency_rate: {
    table: "currency_rate",
    keyColumn: "key",
    parentColumn: "enterprise_id",
    columns: [...same("text", "currency"), ...same("date", "month"), ...same("numeric", "rate")],
    links: [],
    hasRetiredAt: false,
  },
  product_line: { table: "product_line", keyColumn: "key", parentColumn: "enterprise_id", columns: [name], links: [], hasRetiredAt: true },
  product: { table: "product", keyColumn: "key", parentColumn: "product_line_id", columns: [name], links: [], hasRetiredAt: true },
  site: { table: "site", keyColumn: "key", parentColumn: "enterprise_id", columns: [name, ...same("text", "zone", "currency")], links: [], hasRetiredAt: true },
  shift_pattern: { table: "shift_pattern", keyColumn: "key", parentColumn: "site_id", columns: [name], links: [], hasRetiredAt: true },
  shift: {
    table: "shift",
    keyColumn: "key",
    parentColumn: "shift_pattern_id",
    columns: [
      name,
      { field: "days", column: "weekdays", type: "int[]" },
      { field: "start", column: "start_local", type: "time" },
      { field: "end", column: "end_local", type: "time" },
    ],
    links: [],
    hasRetiredAt: false,
  },
  reason: {
    table: "reason",
    keyColumn: "key",
    parentColumn: "site_id",
    columns: [name, ...same("text", "loss", "fault_code")],
    links: [{ field: "parent", column: "parent_id", type: "int" }],
    hasRetiredAt: true,
  },
  team: { table: "team", keyColumn: "key", parentColumn: "site_id", columns: [name], links: [], hasRetiredAt: true },
  device: {
    table: "device",
    keyColumn: "key",
    parentColumn: "site_id",
    columns: [
      name,
      ...same("text", "identity", "firmware"),
      { field: "fingerprint", column: "certificate_sha256", type: "text" },
      { field: "expires", column: "certificate_expires_at", type: "timestamptz" },
      ...same("text", "certificate_name"),
      ...same("text[]", "topics"),
    ],
    links: [],
    hasRetiredAt: true,
  },
  source: {
    table: "source",
    keyColumn: "address",
    parentColumn: "site_id",
    columns: [
      ...same("text", "form"),
      { field: "no_data_timeout", column: "no_data_timeout_s", type: "int" },
      { field: "max_backfill", column: "max_backfill_s", type: "int" },
    ],
    links: [],
    hasRetiredAt: true,
  },
  area: { table: "area", keyColumn: "key", parentColumn: "site_id", columns: [name], links: [], hasRetiredAt: true },
  line: {
    table: "line",
    keyColumn: "key",
    parentColumn: "area_id",
    columns: [name],
    links: [
      ...same("text", "topology"), // with its machines: a parallel line names none
      { field: "constraint_machine", column: "constraint_machine_id", type: "int" },
      { field: "last_machine", column: "last_machine_id", type: "int" },
    ],
    hasRetiredAt: true,
  },
  machine: {
    table: "machine",
    keyColumn: "key",
    parentColumn: "line_id",
    columns: [
      name,
      ...same("text", "kind"),
      ...same("int", "position"),
      { field: "source", column: "source_id", type: "int" },
      { field: "no_count_timeout", column: "no_count_timeout_s", type: "numeric" },
    ],
    links: [
      { field: "upstream", column: "upstream_id", type: "int" },
      { field: "downstream", column: "downstream_id", type: "int" },
    ],
    hasRetiredAt: true,
  },
  signal: {
    table: "signal",
    keyColumn: "key",
    parentColumn: "machine_id",
    columns: [
      name,
      ...same("text", "role", "unit"),
      { field: "source", column: "source_id", type: "int" },
      { field: "scale", column: "scale", type: "float8" },
      { field: "offset", column: "value_offset", type: "float8" },
      { field: "values", column: "value_map", type: "jsonb" },
      { field: "counter", column: "counter_mode", type: "text" },
      { field: "modulus", column: "counter_modulus", type: "float8" },
      { field: "period", column: "period_s", type: "numeric" },
      { field: "low", column: "low_limit", type: "float8" },
      { field: "high", column: "high_limit", type: "float8" },
      { field: "dead_band", column: "dead_band", type: "float8" },
      { field: "keep_raw", column: "keep_raw", type: "boolean" },
    ],
    links: [],
    hasRetiredAt: true,
  },
  calendar_entry: {
    table: "calendar_entry",
    keyColumn: "key",
    parentColumn: "site_id",
    columns: [
      name,
      ...same("text", "kind"),
      { field: "line", column: "line_id", type: "int" },
      { field: "shift", column: "shift_id", type: "int" },
      { field: "date", column: "first_date", type: "date" },
      ...same("date", "last_date"),
      { field: "start", column: "start_local", type: "time" },
      { field: "end", column: "end_local", type: "time" },
    ],
    links: [],
    hasRetiredAt: false,
  },
};

/** Kinds that have breaks, and where these are kept. */
export const breakTables: Partial<Record<Kind, { table: string; ownerColumn: string }>> = {
  shift: { table: "shift_break", ownerColumn: "shift_id" },
  calendar_entry: { table: "calendar_break", ownerColumn: "calendar_entry_id" },
};
