/** An entry of the file <-> the fields of a form: the same names; in a form every field is there, and null where the file would leave it out. */
import { createHash } from "node:crypto";
import type { GivenFields } from "./edit-types.ts";
import type { Entry } from "./entries.ts";
import { entryShapes } from "./file.ts";
import type { Kind } from "./items.ts";

/** What holds where the file says nothing, by kind and field. null where it is not here. */
const usual: Partial<Record<Kind, Entry>> = {
  source: { no_data_timeout: "60s", max_backfill: "90d" },
  line: { topology: "parallel", shift_pattern: [], targets: [] },
  machine: { kind: "machine", ideal_cycles: [], hourly_costs: [], targets: [] },
  signal: { unit: "", scale: 1, offset: 0, keep_raw: false, mapping: [] },
  site: { product_costs: [], energy_prices: [], targets: [] },
  shift: { breaks: [] },
  calendar_entry: { breaks: [] },
  device: { topics: [] },
};

/** Fields of the entries in lists. */
const listed: Record<string, readonly string[]> = {
  ideal_cycles: ["product", "seconds", "from", "until"],
  hourly_costs: ["cost", "from", "until"],
  product_costs: ["product", "value", "scrap", "from", "until"],
  energy_prices: ["price", "from", "until"],
  targets: ["oee", "availability", "performance", "quality", "pieces_per_hour", "from", "until"],
  shift_pattern: ["pattern", "from", "until"],
  breaks: ["name", "start", "end"],
};

export const moneyFields: Partial<Record<Kind, readonly string[]>> = { site: ["product_costs", "energy_prices"], machine: ["hourly_costs"] };

/** Names of the fields of a kind; `was` is no field of a form, it follows from another key. */
export const fieldNames = (kind: Kind): string[] => [
  ...Object.keys(entryShapes[kind].shape).filter((name) => name !== "was"),
  ...(kind === "reason" ? ["parent"] : []),
];

/** parent: of a reason, the key of the one above. */
export function formFields(kind: Kind, entry: Entry, parent: string | null = null): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (const name of fieldNames(kind)) {
    const value = entry[name] ?? usual[kind]?.[name] ?? null;
    fields[name] =
      name === "name"
        ? (value ?? entry.key)
        : name === "mapping"
          ? asList(value).map(mappingFields)
          : listed[name]
            ? asList(value).map((one) => filled(name, one))
            : value;
  }
  if (kind === "reason") fields.parent = parent;
  if (kind === "machine" && typeof entry.source === "object" && entry.source !== null) {
    const { form = "json", address = null, no_data_timeout = null, max_backfill = null } = entry.source as Entry;
    fields.source = { form, address, no_data_timeout, max_backfill };
  }
  return fields;
}

const asList = (value: unknown): unknown[] => (Array.isArray(value) ? value : value === null ? [] : [value]);

function filled(list: string, one: unknown): unknown {
  const entry = typeof one === "object" && one !== null ? (one as Entry) : { pattern: one };
  return Object.fromEntries((listed[list] ?? []).map((field) => [field, entry[field] ?? (list === "breaks" && field === "name" ? "Break" : null)]));
}

function mappingFields(one: unknown): unknown {
  const { topic, path = null, ts_path = null, descriptor, metric } = one as Entry;
  return topic === undefined ? { descriptor, metric } : { topic, path, ts_path };
}

/** Which stored state the fields show: the same text for the same fields, whoever asks and in whatever part of the plant they were read. */
export const versionOf = (kind: Kind, parent: string, fields: Record<string, unknown>): string =>
  createHash("sha256")
    .update(JSON.stringify([kind, parent, fields]))
    .digest("base64url")
    .slice(0, 22);

/** Given fields laid over an entry: absent ones stay, null and empty ones go. Nothing is checked here. */
export function laidOver(entry: Entry, given: GivenFields): Entry {
  const made: Entry = { ...entry };
  for (const [field, value] of Object.entries(given)) {
    if (value === undefined || field === "__proto__") continue; // would be looked through, past the rights to single fields
    const kept = withoutEmpty(value, field);
    if (kept === undefined) delete made[field];
    else made[field] = kept;
  }
  return made;
}

const numbers: ReadonlySet<string> = new Set(
  "scale offset modulus low high dead_band seconds cost value scrap price oee availability performance quality pieces_per_hour rate".split(" "),
);

/** undefined: nothing in it. A number that a form sends as text becomes one. */
function withoutEmpty(value: unknown, field: string): unknown {
  if (value === null || value === undefined) return undefined;
  if (typeof value === "string") {
    // A name of blanks is no name, and not the same as none: the rules say so.
    if (value.trim() === "" && (field !== "name" || value === "")) return undefined;
    return numbers.has(field) && Number.isFinite(Number(value)) ? Number(value) : value;
  }
  if (Array.isArray(value)) return value.map((one) => withoutEmpty(one, field)).filter((one) => one !== undefined);
  if (typeof value !== "object") return value;
  const inner = Object.entries(value).flatMap(([name, one]) => {
    const kept = withoutEmpty(one, name);
    return kept === undefined ? [] : [[name, kept] as const];
  });
  return field === "values" && inner.length === 0 ? undefined : Object.fromEntries(inner);
}
