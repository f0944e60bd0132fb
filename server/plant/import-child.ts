/** One large import, asked for on standard input (import-apart.ts), answered as a message to the process that started it. */
import { closePool } from "#/server/db.ts";
import { Refusal } from "#/server/errors.ts";
import { applyImport, type ImportProgress, previewImport } from "./import.ts";
import type { Answer, Asked, Told } from "./import-apart.ts";

async function answer(): Promise<Answer> {
  const parts: Buffer[] = [];
  for await (const part of process.stdin) parts.push(part as Buffer);
  const all = Buffer.concat(parts);
  const end = all.indexOf(0x0a);
  const { sheet, isApplied, why, actor, from, at } = JSON.parse(all.subarray(0, end).toString("utf8")) as Asked;
  const ctx = { actor, from, now: () => new Date(at) };
  const bytes = new Uint8Array(all.subarray(end + 1));
  const tell = (progress: ImportProgress) => process.send?.({ progress } satisfies Told);
  try {
    return { preview: isApplied ? await applyImport(ctx, sheet, bytes, why ?? undefined, tell) : await previewImport(ctx, sheet, bytes, tell) };
  } catch (error) {
    if (error instanceof Refusal) return { refusal: { code: error.code, sentence: error.message, fields: error.fields } };
    return { fault: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

const answered = await answer();
await closePool();
process.send?.(answered, undefined, {}, () => process.disconnect());
