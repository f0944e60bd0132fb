/** Rows of an imported table -> edits of the plant, and what is wrong with them -> the cells that it came from. */
import { word } from "./compare.ts";
import { itemIn } from "./edit.ts";
import { asSentence } from "./edit-faults.ts";
import type { Tree } from "./edit-tree.ts";
import type { Put } from "./edit-types.ts";
import type { Fault } from "./edit-work.ts";
import type { Entry } from "./entries.ts";
import { didYouMean } from "./file-sentences.ts";
import type { Column, Sheet } from "./import-sheets.ts";
import { type Cell, numberIn, type Table, whyAmbiguous } from "./import-table.ts";
import { addressOf, isGlobal, type Kind } from "./items.ts";

/** row: as the spreadsheet numbers it, null: the file as a whole. column: its name in the header; null: the row as a whole. */
export type CellFault = { row: number | null; column: string | null; value: string; sentence: string };

export type Rows = {
  edits: Put[];
  faults: CellFault[];
  /** The cells that a fault of an edit came from. */
  placesOf(fault: Fault): CellFault;
};

const normal = (name: string) =>
  name
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, "_")
    .replace(/^_+|_+$/g, "");

/** stored: the plant as it is, for what rows are added to. isSite: whether there is a site of this key for whoever imports. */
export function rowsOf(sheet: Sheet, table: Table, stored: Tree, isSite: (key: string) => boolean): Rows {
  const { columns, faults } = columnsOf(sheet, table);
  const read = table.rows.map(({ row, cells }) => ({ row, cells, values: valuesOf(columns, cells, table.decimal) }));
  const missing = read.flatMap(({ row, values }) =>
    sheet.columns
      .filter(({ name, isNeeded }) => isNeeded && columns.some((column) => column?.name === name) && values.get(name) === undefined)
      .map(({ name }) => ({ row, column: name, value: "", sentence: "This cell must not be empty." })),
  );
  if (!table.isDecimalKnown) faults.push(...ambiguousNumbers(columns, table));
  for (const { row, cells } of table.rows) {
    if (cells.length > table.width)
      faults.push({
        row,
        column: null,
        value: "",
        sentence: "The row has more cells than the header. Is there a cell with the delimiter in it, and no quotation marks around it?",
      });
  }
  const known = columns.filter((column) => column !== null).map(({ name }) => name);
  const isWhole = sheet.columns.every(({ name, isNeeded }) => !isNeeded || known.includes(name));
  const incomplete = new Set(missing.map(({ row }) => row));
  const whole = isWhole ? read.filter(({ row }) => !incomplete.has(row)) : [];
  const made = sheet.rows.of === "items" ? itemEdits(sheet, sheet.rows, whole, isSite) : entryEdits(sheet, sheet.rows, whole, stored, isSite);
  const byRow = new Map(read.map((one) => [one.row, one]));
  const valueAt = (row: number | null, column: string | null): string => {
    const index = columns.findIndex((one) => one?.name === column);
    const cell = index < 0 || row === null ? null : (byRow.get(row)?.cells[index] ?? null);
    return cell === null ? "" : (cell instanceof Date ? cell.toISOString() : String(cell)).slice(0, 200);
  };
  const placed = (fault: Fault): CellFault => {
    const place = made.place(fault);
    return { ...place, value: valueAt(place.row, place.column), sentence: fault.sentence };
  };
  return {
    edits: made.edits,
    faults: [...faults, ...missing, ...made.faults.map((fault) => ({ ...fault, value: valueAt(fault.row, fault.column) }))],
    placesOf: placed,
  };
}

/** A file whose numbers all have one comma and three digits after it: what they mean is asked rather than guessed. */
const ambiguousNumbers = (columns: readonly (Column | null)[], { rows }: Table): CellFault[] =>
  rows.flatMap(({ row, cells }) =>
    columns.flatMap((column, i) => {
      const cell = cells[i];
      const sentence = column?.as === "number" && typeof cell === "string" ? whyAmbiguous(cell) : null;
      return sentence === null ? [] : [{ row, column: column?.name ?? null, value: String(cell), sentence }];
    }),
  );

/** The sheet's columns in the order of the header; null: a column without a name. */
function columnsOf(sheet: Sheet, { header }: Table): { columns: (Column | null)[]; faults: CellFault[] } {
  const faults: CellFault[] = [];
  const names = sheet.columns.map(({ name }) => name);
  const seen = new Set<string>();
  const columns = header.map((title): Column | null => {
    if (title === "") return null;
    const column = sheet.columns.find(({ name }) => name === normal(title)) ?? null;
    const fault = (sentence: string) => faults.push({ row: 1, column: title.slice(0, 200), value: title.slice(0, 200), sentence });
    if (!column) fault(asSentence(`there is no column "${title.slice(0, 60)}" here${didYouMean(normal(title), names) || `; there are ${names.join(", ")}`}`));
    else if (seen.has(column.name)) fault(`The column "${column.name}" is there twice.`);
    if (column) seen.add(column.name);
    return column;
  });
  for (const { name, isNeeded } of sheet.columns)
    if (isNeeded && !seen.has(name)) faults.push({ row: 1, column: name, value: "", sentence: `The column "${name}" is missing.` });
  return { columns, faults };
}

/** What the cells of a row say, by column; an empty cell says nothing. */
function valuesOf(columns: readonly (Column | null)[], cells: readonly Cell[], decimal: "." | ","): Map<string, unknown> {
  const values = new Map<string, unknown>();
  for (const [i, column] of columns.entries()) {
    const cell = cells[i] ?? null;
    if (column === null || cell === null || (typeof cell === "string" && cell.trim() === "")) continue;
    values.set(column.name, cellValue(column, cell, decimal));
  }
  return values;
}

function cellValue({ as }: Column, cell: Cell, decimal: "." | ","): unknown {
  if (cell instanceof Date) return as === "clock" || cell.getUTCFullYear() < 1901 ? cell.toISOString().slice(11, 16) : dayOf(cell);
  if (as === "clock" && typeof cell === "number" && cell >= 0 && cell < 2) return clockOf(Math.round(cell * 1440));
  if (as === "number") return typeof cell === "string" ? numberIn(cell, decimal) : cell;
  const text = String(cell).trim();
  switch (as) {
    case "yes_no":
      return /^(yes|y|true|1|x|ja|j|wahr)$/i.test(text) ? true : /^(no|n|false|0|nein|falsch)$/i.test(text) ? false : text;
    case "list":
      return text
        .split(";")
        .map((part) => part.trim())
        .filter((part) => part !== "");
    case "map":
      return mapOf(text);
    case "breaks":
      return breaksIn(text);
    case "clock":
      return /^\d:\d\d$/.test(text) ? `0${text}` : text.replace(/^(\d{1,2}:\d\d):00$/, "$1");
    case "day":
      return text.replace(/^(\d{1,2})\.(\d{1,2})\.(\d{4})$/, (_, d: string, m: string, y: string) => `${y}-${m.padStart(2, "0")}-${d.padStart(2, "0")}`);
    default:
      return text;
  }
}

/** What is no break stays as it was typed: the plant's rules say so. */
const breaksIn = (text: string) =>
  text.split(";").map((part) => {
    const [, name = "", start = "", end = ""] = /^\s*(.*?)\s*\b(\d{1,2}:\d\d)\s*[-\u2013]\s*(\d{1,2}:\d\d)\s*$/.exec(part) ?? [];
    return start === "" ? part : { ...(name === "" ? {} : { name }), start: start.padStart(5, "0"), end: end.padStart(5, "0") };
  });

const clockOf = (minutes: number) => `${String(Math.floor(minutes / 60)).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`;
/** A spreadsheet's day and time have no zone: they are the site's. */
const dayOf = (at: Date) =>
  at
    .toISOString()
    .replace(/T00:00:00\.000Z$/, "")
    .replace(/(T\d\d:\d\d):00\.000Z$/, "$1")
    .replace(/\.000Z$/, "");

function mapOf(text: string): unknown {
  const pairs = text.split(";").map((pair) => pair.split("="));
  if (pairs.some((pair) => pair.length !== 2)) return text;
  return Object.fromEntries(pairs.map(([from = "", to = ""]) => [from.trim(), /^-?\d+(\.\d+)?$/.test(to.trim()) ? Number(to) : to.trim()]));
}

type ReadRow = { row: number; values: Map<string, unknown> };
type Made = { edits: Put[]; faults: Omit<CellFault, "value">[]; place(fault: Fault): { row: number | null; column: string | null } };

const siteOf = (address: string) => address.split("/")[0] ?? "";
const noSite = (address: string) => `There is no site "${siteOf(address).slice(0, 100)}".`;

function itemEdits(
  sheet: Sheet,
  { kind, parent, key }: Extract<Sheet["rows"], { of: "items" }>,
  rows: readonly ReadRow[],
  isSite: (key: string) => boolean,
): Made {
  const edits: Put[] = [];
  const rowOf: number[] = [];
  const faults: Made["faults"] = [];
  const taken = new Map<string, number>();
  const { ordered, circles } = kind === "reason" ? parentsFirst(rows) : { ordered: rows, circles: new Set<ReadRow>() };
  for (const { row } of circles) faults.push({ row, column: "parent", sentence: "This reason would stand below itself." });
  for (const one of ordered) {
    if (circles.has(one)) continue;
    const { row, values } = one;
    const above = parent === null ? "" : String(values.get(parent));
    const address = addressOf(kind, above, key.map((name) => String(values.get(name))).join("-"));
    const first = taken.get(address);
    if (first !== undefined) faults.push({ row, column: key[0] ?? null, sentence: `This ${word(kind)} is in row ${first} already.` });
    taken.set(address, first ?? row);
    if (first !== undefined) continue;
    if (!isGlobal(kind) && !isSite(siteOf(above))) {
      faults.push({ row, column: parent, sentence: noSite(above) });
      continue;
    }
    edits.push({ do: "put", kind, address, parent: parent === null ? null : above, fields: fieldsOf(sheet, values), version: null, upsert: true });
    rowOf.push(row);
  }
  return {
    edits,
    faults,
    place: ({ edit, path }) => ({ row: edit === null ? null : (rowOf[edit] ?? null), column: columnAt(sheet, path, kind === "reason" ? null : parent) }),
  };
}

/** Reasons after those that they stand below, wherever these are in the file. circles: rows that stand below themselves. */
function parentsFirst(rows: readonly ReadRow[]): { ordered: ReadRow[]; circles: Set<ReadRow> } {
  const face = ({ values }: ReadRow, key: unknown) => `${values.get("site")}/${key}`;
  const byKey = new Map(rows.map((row) => [face(row, row.values.get("key")), row]));
  const ordered = new Set<ReadRow>();
  const circles = new Set<ReadRow>();
  for (const row of rows) {
    const way: ReadRow[] = [];
    let at: ReadRow | undefined = row;
    for (; at && !ordered.has(at) && !way.includes(at); at = byKey.get(face(at, at.values.get("parent")))) way.push(at);
    if (at && way.includes(at)) for (const one of way.slice(way.indexOf(at))) circles.add(one);
    for (const one of way.reverse()) ordered.add(one);
  }
  return { ordered: [...ordered], circles };
}

function fieldsOf(sheet: Sheet, values: ReadonlyMap<string, unknown>): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (const { name, field } of sheet.columns) {
    const value = values.get(name);
    if (field === null || value === undefined) continue;
    const [list = "", , inner] = field.split(".");
    if (inner === undefined) fields[field] = value;
    else fields[list] = [{ ...((fields[list] as Entry[] | undefined)?.[0] ?? {}), [inner]: value }];
  }
  return fields;
}

/** parent: the column that a fault of the item's place is told at. */
function columnAt(sheet: Sheet, path: string, parent: string | null): string | null {
  if (path === "parent" && parent !== null) return parent;
  const found = sheet.columns.find(({ field }) => field !== null && (path === field || path.startsWith(`${field}.`)));
  return found?.name ?? sheet.columns.find(({ field }) => field?.split(".")[0] === path.split(".")[0])?.name ?? null;
}

/** Rows of one owner are one edit: they take the place of all that it has for the same thing (product), and leave the rest as it is. */
function entryEdits(
  sheet: Sheet,
  rule: Extract<Sheet["rows"], { of: "entries" }>,
  rows: readonly ReadRow[],
  stored: Tree,
  isSite: (key: string) => boolean,
): Made {
  const edits: Put[] = [];
  const faults: Made["faults"] = [];
  /** By edit: the row of each entry; null: of one that is stored. */
  const rowsOfEntries: (number | null)[][] = [];
  const fieldOfEdit: string[] = [];
  for (const [owner, own] of Map.groupBy(rows, ({ values }) => String(values.get(rule.owner)))) {
    const found = isSite(siteOf(owner)) ? rule.kinds.map((kind) => itemIn(stored, kind, owner)).find((item) => item !== null) : null;
    if (!found) {
      for (const { row } of own) faults.push({ row, column: rule.owner, sentence: notThere(rule.kinds, owner) });
      continue;
    }
    const field = rule.field[found.kind] ?? "";
    const subOf = (entry: Entry) => (rule.sub === null ? "" : String(entry[rule.sub] ?? ""));
    const given = own.map(({ row, values }) => ({ row, entry: fieldsOf(sheet, values) }));
    const replaced = new Set(given.map(({ entry }) => subOf(entry)));
    const kept = ((found.fields[field] ?? []) as Entry[]).filter((entry) => !replaced.has(subOf(entry)));
    edits.push({
      do: "put",
      kind: found.kind,
      address: found.address,
      parent: null,
      fields: { [field]: [...kept, ...given.map(({ entry }) => entry)] },
      version: null,
    });
    rowsOfEntries.push([...kept.map(() => null), ...given.map(({ row }) => row)]);
    fieldOfEdit.push(field);
  }
  return {
    edits,
    faults,
    place({ edit, path }) {
      if (edit === null) return { row: null, column: null };
      const [field, index, ...rest] = path.split(".");
      const rowsHere = rowsOfEntries[edit] ?? [];
      const first = rowsHere.find((row) => row !== null) ?? null;
      if (field !== fieldOfEdit[edit] || index === undefined) return { row: first, column: rule.owner };
      return { row: rowsHere[Number(index)] ?? first, column: rest.length === 0 ? null : columnAt(sheet, rest.join("."), null) };
    },
  };
}

const notThere = (kinds: readonly Kind[], address: string) => `There is no ${kinds.map(word).join(" or ")} with the address "${address.slice(0, 200)}".`;
