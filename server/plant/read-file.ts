/** The text of a plant file -> the plant, or every mistake in it with line and column. */
import { type Document, isAlias, isMap, isNode, isPair, isScalar, isSeq, LineCounter, type Node, parseDocument, type YAMLMap } from "yaml";
import { type PlantFile, plantFile } from "./file.ts";
import { rulesBesideIssues } from "./file-repair.ts";
import { brokenRules, type Path } from "./file-rules.ts";
import { sentenceOf } from "./file-sentences.ts";

/** line and column from 1. where: the thing in the plant, as `machine press-1, signal good`; '' for the file as a whole. */
export type Complaint = { line: number; column: number; where: string; sentence: string };
export type ReadPlant = { plant: PlantFile; complaints: [] } | { plant: null; complaints: Complaint[] };

/** A file may name anchors often (a machine for each), but not multiply them without end. */
const maxAliases = 100_000;

/** Never throws on what a file may hold. Complaints are in the order of the file. */
export function readPlantFile(text: string): ReadPlant {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, merge: true, prettyErrors: false });
  const complaints: Complaint[] = [];
  const complain = (offset: number, where: string, sentence: string) => {
    const { line, col } = lines.linePos(offset);
    complaints.push({ line: Math.max(line, 1), column: Math.max(col, 1), where, sentence });
  };
  for (const error of document.errors) complain(error.pos[0], "", `This is not YAML: ${firstLine(error.message)}`);
  if (complaints.length > 0) return { plant: null, complaints: inOrder(complaints) };

  const raw = plainOf(document);
  if (typeof raw === "string") {
    complain(0, "", raw);
    return { plant: null, complaints };
  }
  const circular = findCircle(raw.value, []);
  if (circular) {
    complain(nodeAt(document, circular, false).offset, whereIs(circular, raw.value), "this alias contains itself, so the tree has no end");
    return { plant: null, complaints };
  }

  const read = plantFile.safeParse(raw.value, { error: (issue) => sentenceOf(issue) });
  if (read.success) {
    for (const { path, sentence } of brokenRules(read.data)) complain(nodeAt(document, path, false).offset, whereIs(path, raw.value), sentence);
    if (complaints.length === 0) return { plant: read.data, complaints: [] };
    return { plant: null, complaints: inOrder(complaints) };
  }
  for (const { path, sentence } of rulesBesideIssues(raw.value, read.error.issues))
    complain(nodeAt(document, path, false).offset, whereIs(path, raw.value), sentence);
  for (const issue of read.error.issues) {
    const path = issue.path.map((segment) => (typeof segment === "symbol" ? String(segment) : segment));
    const unknown = issue.code === "unrecognized_keys" ? issue.keys : [];
    for (const key of unknown) complain(nodeAt(document, [...path, key], true).offset, whereIs(path, raw.value), fieldSentence(issue.message, key));
    if (unknown.length > 0) continue;
    const found = nodeAt(document, path, false);
    const told = found.missing === 0 || path.length === 0 ? issue.message : issue.message.replace(/^must be.*$/s, "is missing");
    complain(found.offset, whereIs(path, raw.value), named(path, told));
  }
  return { plant: null, complaints: inOrder(complaints) };
}

/** `plant.yaml:12:7: machine press-1: "role" is missing` */
export const writeComplaint = (file: string, { line, column, where, sentence }: Complaint): string =>
  `${file}:${line}:${column}: ${where === "" ? "" : `${where}: `}${sentence}`;

/** What is told of a field, with the field's name before it. */
export function named(path: Path, told: string): string {
  const field = path.findLast((segment) => typeof segment === "string");
  if (field === undefined) return `the file ${told}`;
  return typeof path.at(-1) === "number" ? `an entry of "${field}" ${told}` : `"${field}" ${told}`;
}
const inOrder = (complaints: Complaint[]) => complaints.sort((a, b) => a.line - b.line || a.column - b.column);
const firstLine = (message: string) => message.split("\n")[0] ?? message;
/** Several unknown fields come as one issue, its message holding one sentence a field on lines of their own: `field<TAB>sentence`. */
const fieldSentence = (message: string, key: string) =>
  message
    .split("\n")
    .find((line) => line.startsWith(`${key}\t`))
    ?.slice(key.length + 1) ?? `there is no field "${key}" here`;

/** The document as plain values, or the sentence that says why there are none. */
function plainOf(document: Document): { value: unknown } | string {
  if (document.contents === null) return "the file is empty";
  try {
    return { value: document.toJS({ maxAliasCount: maxAliases }) };
  } catch (error) {
    if (error instanceof ReferenceError) return `aliases cannot be followed: ${error.message}`;
    throw error;
  }
}

/** The path at which a value contains itself; null where none does. */
function findCircle(value: unknown, path: Path, above: ReadonlySet<unknown> = new Set()): Path | null {
  if (typeof value !== "object" || value === null) return null;
  if (above.has(value)) return path;
  const inside = new Set(above).add(value);
  for (const [key, child] of Object.entries(value)) {
    const found = findCircle(child, [...path, Array.isArray(value) ? Number(key) : key], inside);
    if (found) return found;
  }
  return null;
}

/**
 * Where a path leads in the text. A path may go deeper than the text does (a single entry where a list is meant, a field that is missing): then it is the
 * deepest node on the way, and `missing` says how many named fields it does not have.
 */
function nodeAt(document: Document, path: Path, wantKey: boolean): { offset: number; missing: number } {
  let node: Node | null = document.contents as Node | null;
  let offset = node?.range?.[0] ?? 0;
  for (const [depth, segment] of path.entries()) {
    node = follow(document, node);
    if (isSeq(node)) {
      const item = node.items[Number(segment)];
      if (!isNode(item)) return { offset, missing: path.length - depth };
      node = item;
    } else if (isMap(node)) {
      const pair = pairOf(document, node, String(segment));
      if (!pair) {
        // A single entry where a list is meant: the list's first item is the entry itself.
        if (segment === 0) continue;
        return { offset, missing: path.length - depth };
      }
      if (wantKey && depth === path.length - 1) return { offset: pair.key.range?.[0] ?? offset, missing: 0 };
      node = pair.value;
      offset = pair.key.range?.[0] ?? offset;
    } else {
      return { offset, missing: 0 };
    }
    offset = node?.range?.[0] ?? offset;
  }
  return { offset, missing: 0 };
}

const follow = (document: Document, node: Node | null): Node | null => (isAlias(node) ? ((node.resolve(document) as Node | undefined) ?? null) : node);

/** A field of a map, its own or one merged in by `<<`. */
function pairOf(document: Document, map: YAMLMap, field: string): { key: Node; value: Node | null } | null {
  let merged: { key: Node; value: Node | null } | null = null;
  for (const item of map.items) {
    if (!isPair(item) || !isScalar(item.key)) continue;
    const value = isNode(item.value) ? item.value : null;
    if (String(item.key.value) === field) return { key: item.key, value };
    if (item.key.value !== "<<" && typeof item.key.value !== "symbol") continue;
    const target = follow(document, value);
    for (const one of isSeq(target) ? target.items : [target]) {
      const from = follow(document, isNode(one) ? one : null);
      if (isMap(from)) merged ??= pairOf(document, from, field);
    }
  }
  return merged;
}

const collections: Record<string, string> = {
  sites: "site",
  areas: "area",
  lines: "line",
  machines: "machine",
  signals: "signal",
  products: "product",
  product_lines: "product line",
  shift_patterns: "shift pattern",
  shifts: "shift",
  reasons: "reason",
  teams: "team",
  calendar: "calendar entry",
  devices: "device",
  sources: "source",
};

/** The last two named things on the way: `machine press-1, signal good`. */
export function whereIs(path: Path, raw: unknown): string {
  const names: string[] = [];
  let value = raw;
  let word: string | undefined;
  for (const segment of path) {
    value = typeof value === "object" && value !== null ? (value as Record<string | number, unknown>)[segment] : undefined;
    if (typeof segment === "string") {
      word = collections[segment];
    } else if (word !== undefined) {
      const entry = typeof value === "object" && value !== null ? (value as { key?: unknown; address?: unknown }) : {};
      const name = entry.key ?? entry.address;
      names.push(typeof name === "string" || typeof name === "number" ? `${word} ${name}` : `${word} number ${segment + 1}`);
      word = undefined;
    }
  }
  return names.slice(-2).join(", ");
}
