import { z } from "zod";
import { sayIn } from "#/server/sentences.ts";
import { may, router } from "#/server/trpc.ts";
import { edit, exported, foresee, item, list, put, remove, tree } from "./edit-service.ts";
import { importProgress } from "./import-apart.ts";
import { kinds } from "./items.ts";
import { linesIn } from "./said.ts";
import { shiftsShown } from "./shift-preview.ts";

const kind = z.enum(kinds);
const address = z.string().min(1).max(1_000);
const version = z.string().max(100).nullable();
const why = z.string().trim().max(1_000, "A reason has 1,000 characters at most.").optional();
const fields = z.record(z.string(), z.unknown());
const putInput = z.object({ kind, address: address.nullable(), parent: z.string().max(1_000).nullable(), fields, version });
/** One form's worth; files have imports. */
const mostAtOnce = 500;
const day = z.iso.date("Write the day as 2026-04-01.");

export const plantRouter = router({
  tree: may("plant.read").query(({ ctx }) => tree(ctx.db, ctx)),
  item: may("plant.read")
    .input(z.object({ kind, address }))
    .query(({ ctx, input }) => item(ctx.actor, input.kind, input.address)),
  list: may("plant.read")
    .input(z.object({ kind, under: address.optional() }))
    .query(async ({ ctx, input }) => ({ rows: await list(ctx, input.kind, input.under ?? null) })),

  put: may("plant.change")
    .input(putInput.extend({ why }))
    .mutation(async ({ ctx, input: { why: reason, ...wanted } }) => linesIn(sayIn(ctx.locale), await put(ctx, wanted, reason))),
  putMany: may("plant.change")
    .input(z.object({ items: z.array(putInput).min(1).max(mostAtOnce), why }))
    .mutation(({ ctx, input }) =>
      edit(
        ctx,
        input.items.map((one) => ({ do: "put" as const, ...one })),
        { action: "plant.changed", why: input.why, isMany: true },
        async (_tx, { addresses, lines }) => linesIn(sayIn(ctx.locale), { addresses, lines }),
      ),
    ),
  removal: may("plant.change")
    .input(z.object({ kind, address }))
    .query(async ({ ctx, input }) => linesIn(sayIn(ctx.locale), await foresee(ctx, [{ do: "remove", ...input, version: null }]))),
  remove: may("plant.change")
    .input(z.object({ kind, address, version, why }))
    .mutation(async ({ ctx, input: { why: reason, ...wanted } }) => linesIn(sayIn(ctx.locale), await remove(ctx, wanted, reason))),
  reorder: may("plant.change")
    .input(z.object({ line: address, keys: z.array(z.string().max(64)).max(10_000) }))
    .mutation(({ ctx, input }) =>
      edit(ctx, [{ do: "reorder", ...input }], { action: "line.reordered", isMany: false }, async (_tx, { lines }) => linesIn(sayIn(ctx.locale), { lines })),
    ),

  importProgress: may("plant.change").query(({ ctx }) => importProgress(ctx.actor)),

  shifts: may("plant.read")
    .input(
      z.object({
        site: address,
        line: address.optional(),
        from: day,
        days: z.int32().min(1).max(100),
        pattern: z.object({ shifts: z.array(fields).max(50) }).optional(),
      }),
    )
    .query(({ ctx, input }) => shiftsShown(ctx, input)),
  exportYaml: may("plant.read").query(async ({ ctx }) => ({ text: await exported(ctx.actor) })),
});
