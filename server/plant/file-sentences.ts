/** What zod finds wrong in a plant file, in words for the person who wrote it. Sentences go on from the field's name: `"role" must be one of ...`. */
import { z } from "zod";

type RawIssue = z.core.$ZodRawIssue;

/** undefined: zod's own words (no kind of issue that the file's shape can raise is left to them). */
export function sentenceOf(issue: RawIssue): string | undefined {
  switch (issue.code) {
    case "invalid_type":
      return wrongType(String(issue.expected), issue.input);
    case "invalid_value":
      return issue.input === undefined ? "is missing" : notAmong(issue.values.map(String), issue.input);
    case "unrecognized_keys":
      return issue.keys.map((key) => `${key}\t${unknownField(key, issue.inst)}`).join("\n");
    case "invalid_union":
      return `must be text or a number, but is ${shown(issue.input)}`;
    case "too_small":
      return `must be at least ${issue.minimum}`;
    case "too_big":
      return `must be at most ${issue.maximum}`;
    case "custom":
      return issue.input === undefined ? "is missing" : `must be text, but is ${shown(issue.input)}`;
    default:
      return undefined;
  }
}

function notAmong(values: readonly string[], input: unknown): string {
  const near = nearest(String(input), values);
  return `must be one of ${values.join(", ")}, but is ${shown(input)}${near === null ? "" : `; did you mean "${near}"?`}`;
}

const expectedWords: Record<string, string> = {
  string: "text",
  number: "a number",
  boolean: "true or false",
  array: "a list",
  object: "a group of fields",
  record: "a group of fields",
  int: "a whole number",
};

function wrongType(expected: string, input: unknown): string {
  if (input === undefined) return "is missing";
  if (expected === "string" && (typeof input === "number" || typeof input === "boolean"))
    return `must be text, but ${input} is ${typeof input === "number" ? "a number" : "true or false"}: write it in quotes, "${input}"`;
  if (expected === "number" && typeof input === "string" && input.trim() !== "" && Number.isFinite(Number(input)))
    return `must be a number, but "${input}" is text: write it without quotes`;
  return `must be ${expectedWords[expected] ?? expected}, but is ${shown(input)}`;
}

function shown(input: unknown): string {
  if (input === null) return "empty";
  if (Array.isArray(input)) return "a list";
  if (typeof input === "object") return "a group of fields";
  const text = typeof input === "string" ? `"${input}"` : String(input);
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

function unknownField(key: string, schema: unknown): string {
  const fields = schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
  const near = didYouMean(key, fields);
  return `there is no field "${key}" here${near === "" && fields.length > 0 ? `; there are ${fields.join(", ")}` : near}`;
}

/** `; did you mean "x"?`, or '' where nothing is near. */
export function didYouMean(word: string, known: readonly string[]): string {
  const best = nearest(word, known);
  return best === null ? "" : `; did you mean "${best}"?`;
}

/** More than one of a kind: `calendar entries`. */
export const plural = (word: string): string => `${word.replace(/y$/, "ie")}s`;

function nearest(word: string, known: readonly string[]): string | null {
  let best: string | null = null;
  let least = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const candidate of known) {
    const steps = editSteps(word.toLowerCase(), candidate.toLowerCase());
    if (steps < least) [least, best] = [steps, candidate];
  }
  return best;
}

/** Letters to add, drop or change to make one word the other (Levenshtein). */
function editSteps(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
