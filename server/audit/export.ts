/** The trail as a file, sent while it is read. That somebody took it stands in the trail. */
import { Readable } from "node:stream";
import type { Permitted } from "#/server/identity/permit.ts";
import type { Context } from "#/server/trpc.ts";
import { note } from "./record.ts";
import { type Asked, allEntries, auditSites, type Entry } from "./service.ts";
import { byteOrderMark, cellsOf, csvLine, header } from "./sheet.ts";
import { xlsxOf } from "./xlsx.ts";

export type Format = "csv" | "xlsx";

const mediaType: Record<Format, string> = {
  csv: "text/csv; charset=utf-8",
  xlsx: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
};

/** @throws Refusal NOT_FOUND: no such site, or not the actor's */
export async function exportEntries(ctx: Permitted<Context>, asked: Asked, format: Format): Promise<Response> {
  const sites = await auditSites(ctx);
  const keys = new Map(sites.map(({ id, key }) => [id, key]));
  const entries = allEntries(ctx, asked);
  const first = await entries.next(); // what is refused is refused before anything is sent
  const own = asked.site === null ? undefined : sites.find(({ key }) => key === asked.site);
  const narrowed = Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== null));
  await note(ctx, {
    siteId: own?.id ?? (ctx.scope.sites !== "all" && ctx.scope.sites.length === 1 ? (ctx.scope.sites[0] ?? null) : null),
    action: "audit.exported",
    subject: { kind: "audit_entry", id: "", name: null },
    after: { format, ...narrowed },
  });
  async function* rows(): AsyncGenerator<string[]> {
    const cells = (list: readonly Entry[]) => list.map((entry) => cellsOf(entry, (chain) => keys.get(chain) ?? ""));
    if (!first.done) yield* cells(first.value);
    for await (const slice of entries) yield* cells(slice);
  }
  const bytes = format === "csv" ? csvOf(rows()) : xlsxOf("Audit trail", header, rows());
  const day = ctx.now().toISOString().slice(0, 10);
  return new Response(Readable.toWeb(Readable.from(bytes, { objectMode: false })) as ReadableStream, {
    headers: {
      "content-type": mediaType[format],
      "content-disposition": `attachment; filename="takt-audit-${day}.${format}"`,
      "cache-control": "no-store",
    },
  });
}

/** Lines are handed on together: one at a time would be a million small steps. */
const linesAtOnce = 500;

async function* csvOf(rows: AsyncIterable<string[]>): AsyncGenerator<Buffer> {
  let waiting = byteOrderMark + csvLine(header);
  let lines = 0;
  for await (const row of rows) {
    waiting += csvLine(row);
    lines += 1;
    if (lines % linesAtOnce !== 0) continue;
    yield Buffer.from(waiting);
    waiting = "";
  }
  if (waiting !== "") yield Buffer.from(waiting);
}
