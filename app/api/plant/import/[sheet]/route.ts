import { Refusal } from "#/server/errors.ts";
import { route } from "#/server/identity/route.ts";
import { importTable } from "#/server/plant/import-apart.ts";
import { type SheetName, sheetNames } from "#/server/plant/import-sheets.ts";
import { mostBytes } from "#/server/plant/import-table.ts";
import { csvTemplate, xlsxTemplate } from "#/server/plant/import-template.ts";
import { previewIn } from "#/server/plant/said.ts";
import { bytesOf } from "#/server/request-body.ts";
import { sayIn } from "#/server/sentences.ts";

export const dynamic = "force-dynamic";

type Segment = { sheet: string };

function sheetIn({ sheet }: Segment): SheetName {
  const name = sheetNames.find((one) => one === sheet);
  if (!name) throw new Refusal("NOT_FOUND", `There is no import "${sheet.slice(0, 60)}".`);
  return name;
}

/** A file to fill in: ?format=csv or xlsx. */
export const GET = route<Segment>("plant.change", async ({ ctx, request, parameters }) => {
  const name = sheetIn(parameters);
  const isCsv = new URL(request.url).searchParams.get("format") === "csv";
  const content = isCsv ? csvTemplate(name) : new Blob([(await xlsxTemplate(name, sayIn(ctx.locale))) as BlobPart]);
  return new Response(content, {
    headers: {
      "content-type": isCsv ? "text/csv; charset=utf-8" : "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
      "content-disposition": `attachment; filename="${name}.${isCsv ? "csv" : "xlsx"}"`,
      "cache-control": "no-store",
    },
  });
});

/** What a browser says of such a file; one that knows neither kind says octet-stream. */
const takes = ["text/csv", "application/vnd.ms-excel", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "application/octet-stream"];

/** The file itself as the body. Without ?apply a preview; with ?apply=yes all of it or nothing. */
export const POST = route<Segment>(
  "plant.change",
  async ({ ctx, request, parameters }) => {
    const name = sheetIn(parameters);
    const wanted = new URL(request.url).searchParams;
    const bytes = await bytesOf(request, mostBytes);
    const asked = { sheet: name, isApplied: wanted.get("apply") === "yes", why: wanted.get("why")?.slice(0, 1_000) || null };
    const preview = await importTable(ctx, asked, bytes);
    return Response.json(previewIn(sayIn(ctx.locale), preview), { headers: { "cache-control": "no-store" } });
  },
  { takes },
);
