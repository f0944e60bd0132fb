/** The trail as a table for files: every field that is hashed, so that what was exported can be checked by others. */
import type { Entry } from "./service.ts";

export const header = [
  "Time (UTC)",
  "Site",
  "Chain",
  "Entry",
  "Actor kind",
  "Actor",
  "Actor id",
  "Address",
  "Program",
  "Action",
  "Object kind",
  "Object",
  "Object id",
  "Before",
  "After",
  "Why",
  "Previous hash",
  "Hash",
] as const;

/** siteOf: the key of a chain's site; "" for the chain of all sites. */
export const cellsOf = (entry: Entry, siteOf: (chain: number) => string): string[] => [
  entry.at,
  siteOf(entry.chain),
  String(entry.chain),
  entry.seq,
  entry.actorKind,
  entry.actorName,
  entry.actorId,
  entry.address ?? "",
  entry.userAgent ?? "",
  entry.action,
  entry.subjectKind,
  entry.subjectName ?? "",
  entry.subjectId,
  entry.isVeiled ? "(not yours to see)" : json(entry.before),
  entry.isVeiled ? "(not yours to see)" : json(entry.after),
  entry.why ?? "",
  entry.previousHash,
  entry.hash,
];
const json = (value: Entry["before"]): string => (value === null ? "" : JSON.stringify(value));

/** A cell that a spreadsheet would run as a formula is told to be text. */
const unarmed = (text: string) => (/^[=+\-@\t\r]/.test(text) ? `'${text}` : text);

/** RFC 4180. */
export const csvLine = (cells: readonly string[]): string =>
  `${cells.map((text) => (/[",\n\r]/.test(text) ? `"${unarmed(text).replaceAll('"', '""')}"` : unarmed(text))).join(",")}\r\n`;

/** So that spreadsheets read it as UTF-8. */
export const byteOrderMark = "\uFEFF";
