/** Between the fields of the plant file and what a form holds: texts for what is typed, '' for none. */

import type { Kind } from "#/server/plant/items.ts";
import { type Field, forms, isAskedFor } from "./forms.ts";
import { fileText, localText } from "./local-time.ts";
import type { MapRow } from "./map-field.tsx";
import type { SourceValue } from "./source-field.tsx";

export type Fields = Readonly<Record<string, unknown>>;
export type Values = Record<string, unknown>;

const fieldsOf = (kind: Kind): Field[] => forms[kind].flatMap((section) => [...section.fields]);
const ownSource: SourceValue = { how: "own", shared: "", form: "sparkplug", address: "", no_data_timeout: "60s", max_backfill: "90d" };

/** fields: of a stored thing, or {} for a new one. Money that the viewer may not read is not there, and gets no field. zone: of its site. */
export function valuesOf(kind: Kind, fields: Fields, isNew: boolean, zone: string | null): Values {
  const values: Values = {};
  for (const field of fieldsOf(kind)) {
    if (!isNew && field.input === "rows" && field.isMoney && !(field.path in fields)) continue;
    values[field.path] = formValue(field, fields[field.path], zone);
  }
  return values;
}

let made = 0;
const rowKey = () => `row ${++made}`;

function formValue(field: Field, value: unknown, zone: string | null): unknown {
  switch (field.input) {
    case "rows":
      return ((value ?? []) as Fields[]).map((row) => ({
        rowKey: rowKey(),
        ...Object.fromEntries(field.columns.map((column) => [column.path, formValue(column, row[column.path], zone)])),
      }));
    case "list":
      return value ?? [];
    case "check":
      return value ?? false;
    case "map":
      return Object.entries((value ?? {}) as Record<string, unknown>).map(([raw, means]): MapRow => ({ rowKey: rowKey(), raw, value: String(means) }));
    case "source":
      if (value === null || value === undefined) return { ...ownSource };
      if (typeof value === "string") return { ...ownSource, how: "shared", shared: value };
      return sourceValue(value as Fields);
    case "instant":
      return typeof value === "string" ? localText(value, zone) : (value ?? "");
    default:
      return value ?? "";
  }
}

function sourceValue(fields: Fields): SourceValue {
  const text = (name: string, otherwise: string) => (fields[name] === null || fields[name] === undefined ? otherwise : String(fields[name]));
  return {
    how: text("form", "json") === "json" && !fields.address ? "own" : "form",
    shared: "",
    form: text("form", "json"),
    address: text("address", ""),
    no_data_timeout: text("no_data_timeout", "60s"),
    max_backfill: text("max_backfill", "90d"),
  };
}

/** What the form says, as the file would: what is not asked for is left at the file's default. */
export function fieldsFrom(kind: Kind, values: Values): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (const field of fieldsOf(kind)) {
    if (!(field.path in values)) continue;
    fields[field.path] = isAskedFor(kind, field.path, values) ? fileValue(field, values[field.path]) : emptyOf(field);
  }
  return fields;
}

const emptyOf = (field: Field): unknown => (field.input === "rows" || field.input === "list" ? [] : field.input === "check" ? false : null);

function fileValue(field: Field, value: unknown): unknown {
  switch (field.input) {
    case "rows":
      return (value as Values[]).map((row) => Object.fromEntries(field.columns.map((column) => [column.path, fileValue(column, row[column.path])])));
    case "map": {
      const rows = value as MapRow[];
      return rows.length === 0
        ? null
        : Object.fromEntries(rows.map(({ raw, value: means }) => [raw, means.trim() !== "" && Number.isFinite(Number(means)) ? Number(means) : means]));
    }
    case "source":
      return sourceFrom(value as SourceValue);
    case "list":
    case "check":
      return value;
    case "instant":
      return typeof value === "string" && value.trim() !== "" ? fileText(value) : null;
    default:
      return value === "" || value === undefined ? null : typeof value === "string" ? value.trim() : value;
  }
}

function sourceFrom({ how, shared, form, address, no_data_timeout, max_backfill }: SourceValue): unknown {
  if (how === "shared") return shared;
  const limits = { no_data_timeout: no_data_timeout.trim() || null, max_backfill: max_backfill.trim() || null };
  if (how === "form") return { form, address: address.trim() || null, ...limits };
  return no_data_timeout === ownSource.no_data_timeout && max_backfill === ownSource.max_backfill ? null : { form: "json", address: null, ...limits };
}

/** Where the form has a field of the file that something is said of: the meaning of a raw value (`values.7`) is a row of its list (`values.0.value`). */
export function formPath(kind: Kind, values: Values, path: string): string {
  const [first = "", ...rest] = path.split(".");
  const field = fieldsOf(kind).find((one) => one.path === first);
  const rows = values[first];
  if (field?.input !== "map" || rest.length === 0 || !Array.isArray(rows)) return path;
  const index = (rows as MapRow[]).findIndex(({ raw }) => raw === rest.join("."));
  return index < 0 ? first : `${first}.${index}.value`;
}
