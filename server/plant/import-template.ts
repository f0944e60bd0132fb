/** A file to fill in: the columns of an import with a row as an example. */
import writeExcelFile from "write-excel-file/universal";
import type { Say } from "#/server/sentences.ts";
import { type Sheet, type SheetName, sheets } from "./import-sheets.ts";

/** With a byte order mark, so that spreadsheets read it as UTF-8. */
export function csvTemplate(name: SheetName): string {
  const { columns }: Sheet = sheets[name];
  const cell = (text: string) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  return `\uFEFF${[columns.map((column) => column.name), columns.map((column) => column.example)].map((row) => row.map(cell).join(",")).join("\r\n")}\r\n`;
}

/** A second sheet says what the columns are. Names of columns are the same in every language. */
export async function xlsxTemplate(name: SheetName, say: Say): Promise<Uint8Array> {
  const { title, columns }: Sheet = sheets[name];
  const head = (value: string) => ({ value, fontWeight: "bold" as const });
  const example = columns.map(({ as, example: value }) =>
    value === "" ? null : as === "number" ? { value: Number(value), type: Number } : { value, type: String },
  );
  const about = columns.map((column) => [{ value: column.name }, { value: say(column.isNeeded ? "needed" : "") }, { value: say(column.about) }]);
  const file = writeExcelFile([
    {
      data: [columns.map((column) => head(column.name)), example],
      sheet: say(title).slice(0, 31),
      stickyRowsCount: 1,
      columns: columns.map(() => ({ width: 18 })),
    },
    {
      data: [[head(say("column")), head(""), head(say("what it says"))], ...about],
      sheet: say("About the columns"),
      columns: [{ width: 20 }, { width: 10 }, { width: 90 }],
    },
  ]);
  return new Uint8Array(await (await file.toBlob()).arrayBuffer());
}
