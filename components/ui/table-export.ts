"use client";
/** What a table shows, as a file: the rows that its filters leave, in its order. */

export type Sheet = { name: string; header: readonly string[]; rows: readonly (readonly (string | number | null)[])[] };

/** A cell that a spreadsheet would run as a formula is told to be text. */
const unarmed = (text: string) => (/^[=+\-@\t\r]/.test(text) ? `'${text}` : text);

/** RFC 4180, with a byte order mark so that spreadsheets read it as UTF-8. */
export function csvOf({ header, rows }: Sheet): string {
  const cell = (value: string | number | null) => {
    if (value === null) return "";
    const text = typeof value === "number" ? String(value) : unarmed(value);
    return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return `\uFEFF${[header, ...rows].map((row) => row.map(cell).join(",")).join("\r\n")}\r\n`;
}

export async function xlsxOf({ name, header, rows }: Sheet): Promise<Blob> {
  const { default: writeExcelFile } = await import("write-excel-file/universal"); // only whoever exports loads it
  const head = header.map((value) => ({ value, fontWeight: "bold" as const }));
  const body = rows.map((row) => row.map((value) => (value === null ? null : typeof value === "number" ? { value, type: Number } : { value, type: String })));
  // A sheet's name has 31 characters at most, and none of these.
  return writeExcelFile([head, ...body], { sheet: name.replace(/[\\/?*[\]:]/g, " ").slice(0, 31), stickyRowsCount: 1 }).toBlob();
}

export function download(content: Blob, fileName: string): void {
  const url = URL.createObjectURL(content);
  const link = document.createElement("a");
  link.href = url;
  link.download = fileName;
  link.click();
  URL.revokeObjectURL(url);
}
