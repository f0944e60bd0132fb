/** The bytes of a CSV or XLSX file -> its header and rows. What spreadsheets write in all their languages: byte order marks, semicolons, tabs, decimal commas. */
import { CsvError, parse } from "csv-parse/sync";
import { unzipSync } from "fflate";
import { readSheet } from "read-excel-file/node";
import { whyNotKept } from "#/server/domain/kept-text.ts";
import { Refusal } from "#/server/errors.ts";
import { longestImport } from "#/server/limits/bodies.ts";

export type Cell = string | number | boolean | Date | null;
/** row: as the spreadsheet numbers it. width: cells of the header's row, with those at its end that are empty. */
export type Table = {
  header: string[];
  width: number;
  rows: { row: number; cells: Cell[] }[] /** What stands before the decimals in texts. */;
  decimal: "." | ",";
  /** Whether that is known: from the delimiter, or from a number that cannot be read otherwise. Else 1,234 may be either. */
  isDecimalKnown: boolean;
};

export const mostBytes = longestImport;
export const mostRows = 100_000;
/** What an XLSX may become when it is unpacked. */
const mostUnpacked = 400 * 1024 * 1024;

/** @throws Refusal INVALID in a sentence for whoever made the file */
export async function readTable(bytes: Uint8Array): Promise<Table> {
  if (bytes.length === 0) throw new Refusal("INVALID", "The file is empty.");
  if (bytes.length > mostBytes)
    throw new Refusal("INVALID", `The file has ${Math.ceil(bytes.length / 1024 / 1024)} MB; at most ${mostBytes / 1024 / 1024} MB are read.`);
  const isZip = bytes[0] === 0x50 && bytes[1] === 0x4b;
  if (bytes[0] === 0xd0 && bytes[1] === 0xcf) throw new Refusal("INVALID", "This is an old Excel file (.xls). Save it as .xlsx or CSV.");
  const { cells, delimiter } = isZip ? { cells: await xlsxCells(bytes), delimiter: null } : csvCells(textOf(bytes));
  const first = cells.findIndex((row) => row.some((cell) => !isEmpty(cell)));
  if (first < 0) throw new Refusal("INVALID", "The file holds no rows.");
  const width = cells[first]?.length ?? 0;
  const header = (cells[first] ?? []).map((cell) => (isEmpty(cell) ? "" : String(cell).trim()));
  while (header.at(-1) === "") header.pop();
  const rows = cells.flatMap((row, i) => (i <= first || row.every(isEmpty) ? [] : [{ row: i + 1, cells: row }]));
  for (const { row, cells: of } of [{ row: first + 1, cells: header }, ...rows]) {
    const why = of.map((cell) => (typeof cell === "string" ? whyNotKept(cell) : null)).find((one) => one !== null);
    if (why) throw new Refusal("INVALID", `Row ${row}: ${why}`);
  }
  if (rows.length > mostRows) throw new Refusal("INVALID", `The file has ${rows.length} rows; at most ${mostRows} are read at once. Divide it.`);
  return { header, width, rows, ...decimalIn(rows, delimiter) };
}

const isEmpty = (cell: Cell | undefined) => cell === null || cell === undefined || (typeof cell === "string" && cell.trim() === "");

/** UTF-8, with or without its mark; UTF-16 with one; else what old spreadsheets write in western Europe. */
function textOf(bytes: Uint8Array): string {
  if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff))
    return new TextDecoder(bytes[0] === 0xff ? "utf-16le" : "utf-16be").decode(bytes);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder("windows-1252").decode(bytes);
  }
}

function csvCells(text: string): { cells: Cell[][]; delimiter: string } {
  if (text.includes("\u0000")) throw new Refusal("INVALID", "This is neither CSV nor XLSX: it has NUL characters in it.");
  const delimiter = delimiterOf(text);
  try {
    const cells = parse(text, { delimiter, relaxColumnCount: true, skipEmptyLines: false, maxRecordSize: 1_000_000, relaxQuotes: false }) as string[][];
    return { cells: cells.map((row) => row.map(plain)), delimiter };
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    const what =
      error.code === "CSV_QUOTE_NOT_CLOSED"
        ? "a quotation mark is opened and never closed"
        : error.code === "CSV_MAX_RECORD_SIZE"
          ? "a row is longer than a million characters (is a quotation mark missing?)"
          : "quotation marks are not as CSV has them";
    throw new Refusal("INVALID", `The file cannot be read as CSV: ${what}.${typeof error.lines === "number" ? ` Look at line ${error.lines}.` : ""}`);
  }
}

/** A text that a spreadsheet would run as a formula is written with an apostrophe before it. */
const plain = (cell: string): Cell => (cell === "" ? null : /^'[=+\-@]/.test(cell) ? cell.slice(1) : cell);

/** The one of the three that the header has most of, outside quotation marks. */
function delimiterOf(text: string): string {
  const head = text.slice(0, text.search(/\r|\n/) < 0 ? undefined : text.search(/\r|\n/)).replace(/"[^"]*"/g, "");
  const count = (sign: string) => head.split(sign).length;
  return [";", "\t", ","].reduce((best, sign) => (count(sign) > count(best) ? sign : best), ",");
}

async function xlsxCells(bytes: Uint8Array): Promise<Cell[][]> {
  const broken = new Refusal("INVALID", "This file cannot be read as XLSX. Open it in a spreadsheet program and save it again, or save it as CSV.");
  try {
    // Looks at the sizes alone: a small file may unpack to more than the memory holds.
    let unpacked = 0;
    unzipSync(bytes, {
      filter: ({ originalSize }) => {
        unpacked += originalSize;
        return false;
      },
    });
    if (unpacked > mostUnpacked) throw new Refusal("INVALID", "This file unpacks to more than can be read. Save it as CSV, or divide it.");
    return (await readSheet(Buffer.from(bytes), { trim: false })) as Cell[][];
  } catch (error) {
    throw error instanceof Refusal ? error : broken;
  }
}

/** By what cannot be grouping (1,5 or 1.25), else as files with this delimiter are written. */
function decimalIn(rows: Table["rows"], delimiter: string | null): Pick<Table, "decimal" | "isDecimalKnown"> {
  let [commas, points] = [0, 0];
  for (const { cells } of rows) {
    for (const cell of cells) {
      if (typeof cell !== "string") continue;
      const match = /^[-+]?\d+([.,])(\d+)$/.exec(cell.trim());
      if (!match || match[2]?.length === 3) continue;
      if (match[1] === ",") commas++;
      else points++;
    }
  }
  if (commas !== points) return { decimal: commas > points ? "," : ".", isDecimalKnown: true };
  return delimiter === ";" ? { decimal: ",", isDecimalKnown: true } : { decimal: ".", isDecimalKnown: false };
}

/** Why a number can be read in two ways, where nothing else in the file says which; null: it cannot. */
export function whyAmbiguous(text: string): string | null {
  const [, whole, thousandths] = /^([-+]?[1-9]\d{0,2}),(\d{3})$/.exec(text.trim()) ?? [];
  if (whole === undefined) return null;
  return `"${text.trim()}" may be ${whole}${thousandths} or ${whole}.${thousandths}. Write ${whole}${thousandths} without the comma, or ${whole}.${thousandths} with a point.`;
}

const grouped = { ",": /^[-+]?\d{1,3}([.'\u00a0\u202f ]\d{3})+(,\d+)?$/, ".": /^[-+]?\d{1,3}([,'\u00a0\u202f ]\d{3})+(\.\d+)?$/ } as const;
const ungrouped = { ",": /^[-+]?\d+(,\d+)?([eE][-+]?\d+)?$/, ".": /^[-+]?\d+(\.\d+)?([eE][-+]?\d+)?$/ } as const;
const grouping = { ",": /[.'\u00a0\u202f ]/g, ".": /[,'\u00a0\u202f ]/g } as const;

/** A number as people write it: 1.234,5 and 1 234,5 where the comma is decimal. The text itself where it is none: whoever checks it says so. */
export function numberIn(text: string, decimal: "." | ","): number | string {
  const trimmed = text.trim().replace(/^\u2212/, "-");
  if (ungrouped[decimal].test(trimmed)) return Number(trimmed.replace(decimal, "."));
  return grouped[decimal].test(trimmed) ? Number(trimmed.replace(grouping[decimal], "").replace(decimal, ".")) : text;
}
