/** The mapping file of a replay: which column of a CSV is which signal of which machine. */
import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { z } from "zod";
import type { Value } from "#/simulator/model/readings.ts";
import { messageOf, Trouble } from "#/simulator/trouble.ts";

const column = z.strictObject({
  /** Key of the signal below the machine. */
  signal: z.string().min(1),
  /** How the column's text is sent. */
  as: z.enum(["number", "text", "boolean"]).default("number"),
  /** Column's text -> value that is sent; others go as they are. Numbers that mean the same ("2" and "2.0") count as one. */
  values: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).default({}),
  /** trend: a measurement; Takt keeps those for seven days, so older ones are left out. ledger: always sent. */
  class: z.enum(["ledger", "trend"]).default("ledger"),
  /** Pieces in the row's period, or a running total: for the file of the truth. */
  counter: z.enum(["increment", "cumulative"]).optional(),
});

const mappingFile = z.strictObject({
  time: z.strictObject({ column: z.string() }),
  machine: z.strictObject({
    column: z.string(),
    /** Column's text -> site/area/line/machine. */
    paths: z.record(z.string(), z.string().regex(/^[^/+#]+(\/[^/+#]+){3}$/, "must be site/area/line/machine")),
  }),
  columns: z.record(z.string(), column),
  /** Signal -> value that is sent with every row. */
  constants: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).default({}),
});

export type Mapping = z.infer<typeof mappingFile>;
export type Column = z.infer<typeof column>;

export function readMapping(path: string): Mapping {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw new Trouble(`The mapping file ${path} cannot be read: ${messageOf(error)}`);
  }
  let content: unknown;
  try {
    content = parse(text);
  } catch (error) {
    throw new Trouble(`The mapping file ${path} is not YAML: ${messageOf(error)}`);
  }
  const parsed = mappingFile.safeParse(content);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new Trouble(`The mapping file ${path} does not fit at ${issue?.path.join(".") || "its top"}: ${issue?.message}.`);
  }
  return parsed.data;
}

/** The value that a cell stands for; null: an empty cell, which says nothing. Throws with a reason where it cannot be read. */
export function cellValue(cell: string, { as, values }: Column): Value | null {
  const text = cell.trim();
  if (text === "") return null;
  const number = Number(text);
  const mapped = values[text] ?? (Number.isFinite(number) ? values[String(number)] : undefined);
  if (mapped !== undefined) return mapped;
  if (as === "text") return Number.isFinite(number) ? String(number) : text;
  if (as === "boolean") return /^(1|1\.0|true|yes)$/i.test(text);
  if (!Number.isFinite(number)) throw new RangeError(`"${text}" is no number`);
  return number;
}
