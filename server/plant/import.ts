/** A table of machines, signals, products ... into the plant: a preview that tells every wrong cell in words, then all of it or nothing. By the plant's editing. */
import { type Changing, change } from "#/server/audit/change.ts";
import { type Db, transaction } from "#/server/db.ts";
import { Refusal } from "#/server/errors.ts";
import { type EditPlan, planEdits, WrongEdits } from "./edit.ts";
import { partOf } from "./edit-part.ts";
import { editing, needRightsOf, visibleSites } from "./edit-service.ts";
import { Tree } from "./edit-tree.ts";
import { entriesOf } from "./entries.ts";
import { type CellFault, rowsOf } from "./import-rows.ts";
import { type Sheet, type SheetName, sheets } from "./import-sheets.ts";
import { readTable, type Table } from "./import-table.ts";
import type { Kind } from "./items.ts";
import { readPlant } from "./queries.ts";
import { applyPlan, lockPlant } from "./service.ts";

export type ImportPreview = {
  sheet: SheetName;
  rows: number;
  /** Of more, the first ones; `wrong` counts all. */
  faults: CellFault[];
  wrong: number;
  /** What would change, in words; of more, the first ones. */
  lines: string[];
  /** `3 added, 1 changed`; empty: nothing. */
  summary: string;
  /** The first rows as they were read. */
  header: string[];
  sample: string[][];
};

/** How far one is. rows: of the file; items: of the plant; recording: it is written down in the audit trail. */
export type ImportProgress = { step: "reading" | "recording" } | { step: "checking"; rows: number } | { step: "writing"; done: number; of: number };
export type TellProgress = (progress: ImportProgress) => void;

const shownFaults = 1_000;
const shownLines = 200;
const sampleRows = 20;
/** A hundred thousand rows take about half a minute, most of it for writing them down in the audit trail. */
const statementMs = 10 * 60_000;

type Planned = { table: Table; faults: CellFault[]; plan: EditPlan | null };

/** Reads only. @throws Refusal INVALID where the file cannot be read at all; FORBIDDEN, NOT_FOUND where a row is of a site that is not the actor's */
export async function previewImport(ctx: Changing, name: SheetName, bytes: Uint8Array, tell?: TellProgress): Promise<ImportPreview> {
  const table = await read(bytes, tell);
  return transaction(async (tx) => shown(name, await planned(ctx, tx, name, table)), { statementMs, isSnapshot: true });
}

/** All rows or none. @throws as `previewImport`, and Refusal RULE_BROKEN where a row is wrong (look at the preview) */
export async function applyImport(ctx: Changing, name: SheetName, bytes: Uint8Array, why?: string, tell?: TellProgress): Promise<ImportPreview> {
  const table = await read(bytes, tell);
  return change(
    ctx,
    { action: `plant.${name}_imported`, why: why ?? null },
    async (tx) => {
      await lockPlant(tx);
      const made = await planned(ctx, tx, name, table);
      if (made.plan === null)
        throw new Refusal(
          "RULE_BROKEN",
          `${made.faults.length === 1 ? "One cell is" : `${made.faults.length} cells are`} wrong; nothing was imported. ${made.faults[0]?.sentence ?? ""}`,
        );
      await applyPlan(tx, made.plan, editing(ctx).now, (done, of) => tell?.({ step: "writing", done, of }));
      tell?.({ step: "recording" });
      return shown(name, made);
    },
    { statementMs },
  );
}

async function read(bytes: Uint8Array, tell: TellProgress | undefined): Promise<Table> {
  tell?.({ step: "reading" });
  const table = await readTable(bytes);
  tell?.({ step: "checking", rows: table.rows.length });
  return table;
}

async function planned(ctx: Changing, tx: Db, name: SheetName, table: Table): Promise<Planned> {
  const sheet: Sheet = sheets[name];
  const stored = sheet.rows.of === "items" ? new Tree({}) : await storedOwners(tx, sheet, table);
  const sites = await visibleSites(tx, ctx.actor);
  const rows = rowsOf(sheet, table, stored, (key) => sites.has(key));
  await needRightsOf(tx, ctx.actor, rows.edits);
  try {
    const plan = await planEdits(tx, rows.edits, editing(ctx));
    return { table, faults: rows.faults, plan: rows.faults.length === 0 ? plan : null };
  } catch (error) {
    if (!(error instanceof WrongEdits)) throw error;
    const faults = [...rows.faults, ...error.faults.map(rows.placesOf)];
    return { table, faults: faults.sort((a, b) => (a.row ?? 0) - (b.row ?? 0)), plan: null };
  }
}

/** The items whose timelines the rows are added to. */
async function storedOwners(tx: Db, sheet: Sheet, { header, rows }: Table): Promise<Tree> {
  if (sheet.rows.of !== "entries") return new Tree({});
  const { owner, kinds } = sheet.rows;
  const column = header.findIndex((title) => title.trim().toLowerCase() === owner);
  const kindOf = (address: string): Kind =>
    kinds.length === 1 ? (kinds[0] ?? "site") : address.split("/").length === 1 ? "site" : address.split("/").length === 3 ? "line" : "machine";
  const addresses = new Set(rows.map(({ cells }) => String(cells[column] ?? "").trim()));
  const items = [...addresses].map((address) => ({ kind: kindOf(address), address }));
  return new Tree(entriesOf(await readPlant(tx, await partOf(tx, [], items))));
}

function shown(sheet: SheetName, { table, faults, plan }: Planned): ImportPreview {
  return {
    sheet,
    rows: table.rows.length,
    faults: faults.slice(0, shownFaults),
    wrong: faults.length,
    lines: plan?.lines.slice(0, shownLines) ?? [],
    summary: plan?.summary ?? "",
    header: table.header,
    sample: table.rows.slice(0, sampleRows).map(({ cells }) => table.header.map((_, i) => textOf(cells[i] ?? null))),
  };
}

const textOf = (cell: string | number | boolean | Date | null) => (cell === null ? "" : cell instanceof Date ? cell.toISOString() : String(cell));
