/**
 * Large imports in a process of their own: a hundred thousand rows keep a processor busy for ten seconds and take a gigabyte, and in the web's own process every
 * wall board would wait for it. One at a time.
 */
import { spawn } from "node:child_process";
import type { Changing } from "#/server/audit/change.ts";
import { type FieldFault, Refusal, type RefusalCode } from "#/server/errors.ts";
import { applyImport, type ImportPreview, type ImportProgress, previewImport } from "./import.ts";
import { importProgram } from "./import-program.ts";
import type { SheetName } from "./import-sheets.ts";

/** What is asked: the first line; the file's bytes follow. */
export type Asked = Pick<Changing, "actor" | "from"> & { sheet: SheetName; isApplied: boolean; why: string | null; at: number };
export type Told = { progress: ImportProgress } | Answer;
export type Answer = { preview: ImportPreview } | { refusal: { code: RefusalCode; sentence: string; fields: readonly FieldFault[] } } | { fault: string };

/** A thousand rows or so are done in the time of a page. */
const fewBytes = 200 * 1024;
/** Twice of what the largest file was seen to take. */
const mostMemoryMb = 3_000;

// Next bundles routes apart: all of them share the one that runs.
const shared = globalThis as typeof globalThis & { taktImport?: Running };
type Running = { actorId: string | null; sheet: SheetName; progress: ImportProgress };

/** How far the large import is that this person has asked for; null: none runs. */
export function importProgress({ id }: Changing["actor"]): { sheet: SheetName; progress: ImportProgress } | null {
  const running = shared.taktImport;
  return running && running.actorId === id ? { sheet: running.sheet, progress: running.progress } : null;
}

/** program: of large ones, a file. @throws as `previewImport` and `applyImport`; Refusal CONFLICT while another large one runs */
export async function importTable(
  ctx: Changing,
  asked: Pick<Asked, "sheet" | "isApplied" | "why">,
  bytes: Uint8Array,
  program = importProgram(process.cwd()),
): Promise<ImportPreview> {
  const { sheet, isApplied, why } = asked;
  if (bytes.length <= fewBytes) return isApplied ? applyImport(ctx, sheet, bytes, why ?? undefined) : previewImport(ctx, sheet, bytes);
  if (shared.taktImport) throw new Refusal("CONFLICT", "Another large file is being imported at the moment. Try again when it is done.");
  const running: Running = { actorId: ctx.actor.id, sheet, progress: { step: "reading" } };
  shared.taktImport = running;
  try {
    const answer = await inChild({ ...asked, actor: ctx.actor, from: ctx.from, at: ctx.now().getTime() }, bytes, program, running);
    if ("preview" in answer) return answer.preview;
    if ("refusal" in answer) throw new Refusal(answer.refusal.code, answer.refusal.sentence, { fields: answer.refusal.fields });
    throw new Error(answer.fault);
  } finally {
    delete shared.taktImport;
  }
}

function inChild(asked: Asked, bytes: Uint8Array, program: string, running: Running): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [`--max-old-space-size=${mostMemoryMb}`, program], { stdio: ["pipe", "inherit", "pipe", "ipc"] });
    let answer: Answer | null = null;
    let said = "";
    child.on("message", (message) => {
      const told = message as Told;
      if ("progress" in told) running.progress = told.progress;
      else answer = told;
    });
    child.stderr?.on("data", (part: Buffer) => {
      said = (said + part.toString("utf8")).slice(-4_000);
    });
    child.on("error", reject);
    child.on("close", (code) => (answer ? resolve(answer) : reject(new Error(`The import's process ended (${code}) without an answer. It said: ${said}`))));
    if (!child.stdin) throw new Error("The import's process has no standard input.");
    child.stdin.on("error", () => undefined); // it ended before it read all: `close` tells
    child.stdin.write(`${JSON.stringify(asked)}\n`);
    child.stdin.end(bytes);
  });
}
