import { z } from "zod";
import { foresee, put, remove } from "#/server/plant/edit-service.ts";
import { linesIn } from "#/server/plant/said.ts";
import { sayIn } from "#/server/sentences.ts";
import { may, router } from "#/server/trpc.ts";
import { readCertificate } from "./certificate.ts";
import { listDevices } from "./service.ts";

const kind = "device" as const;
const address = z.string().min(1).max(200);
const version = z.string().max(100).nullable();
const why = z.string().trim().max(1_000, "A reason has 1,000 characters at most.").optional();

export const deviceRouter = router({
  list: may("plant.read").query(async ({ ctx }) => ({
    at: ctx.now().getTime(),
    devices: await listDevices(ctx.db, { actor: ctx.actor, scope: ctx.scope, now: ctx.now() }),
  })),
  readCertificate: may("device.change")
    .input(z.object({ pem: z.string().max(20_000, "One certificate has less than 20,000 characters.") }))
    .mutation(({ input }) => readCertificate(input.pem)),
  put: may("device.change")
    .input(z.object({ address: address.nullable(), parent: address.nullable(), fields: z.record(z.string(), z.unknown()), version, why }))
    .mutation(async ({ ctx, input: { why: reason, ...wanted } }) => linesIn(sayIn(ctx.locale), await put(ctx, { kind, ...wanted }, reason))),
  removal: may("device.change")
    .input(z.object({ address }))
    .query(async ({ ctx, input }) => linesIn(sayIn(ctx.locale), await foresee(ctx, [{ do: "remove", kind, ...input, version: null }]))),
  remove: may("device.change")
    .input(z.object({ address, version, why }))
    .mutation(async ({ ctx, input: { why: reason, ...wanted } }) => linesIn(sayIn(ctx.locale), await remove(ctx, { kind, ...wanted }, reason))),
});
