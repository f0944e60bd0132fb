import { z } from "zod";
import { may, router } from "#/server/trpc.ts";
import { workerHealth } from "#/server/workers/service.ts";
import { letterChanges } from "./changes.ts";
import { letterRows } from "./letter-queries.ts";
import { lookAtLetters, lookAtSources, lookAtUnknown } from "./look.ts";
import { mapUnknown } from "./mapping.ts";
import { payloadOf, settleGroup, settleLetter, sourceDetail } from "./service.ts";

const id = z.string().regex(/^\d{1,18}$/);
const topic = z.string().min(1).max(65_535);
const metric = z.string().max(65_535).nullable();
const status = z.enum(["open", "retry", "resolved", "discarded"]);
const groupKey = z.object({ reasonCode: z.string().min(1).max(100), topic, metric });
const where = { topic, metric, path: z.string().max(1_000) };
const plantKey = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, "A key is 1 to 64 letters, digits, '.', '_' or '-', and begins with a letter or digit.");

const mapTo = z.discriminatedUnion("to", [
  z.object({ ...where, to: z.literal("signal"), signalId: z.int() }),
  z.object({
    ...where,
    to: z.literal("new"),
    machineId: z.int(),
    key: plantKey,
    name: z.string().trim().min(1, "The signal needs a name.").max(200),
    role: z.enum(["state", "good_count", "reject_count", "rework_count", "total_count", "fault_code", "job", "product", "measurement", "energy"]),
    unit: z.string().trim().max(32),
    counterMode: z.enum(["cumulative", "increment"]).nullable(),
  }),
]);

export const dataHealthRouter = router({
  workers: may("data_health.read").query(async ({ ctx }) => ({ at: ctx.now().getTime(), workers: await workerHealth(ctx.db, ctx.now()) })),
  sources: may("data_health.read").query(() => lookAtSources()),
  source: may("data_health.read")
    .input(z.object({ id: z.int() }))
    .query(({ ctx, input }) => sourceDetail(ctx.db, input.id, ctx.now())),
  unknown: may("data_health.read").query(() => lookAtUnknown()),

  letterGroups: may("data_health.read")
    .input(z.object({ status }))
    .query(({ input }) => lookAtLetters(input.status)),
  letters: may("data_health.read")
    .input(groupKey.extend({ status }))
    .query(async ({ ctx, input }) => ({ at: ctx.now().getTime(), letters: await letterRows(ctx.db, input, input.status) })),
  payload: may("data_health.read")
    .input(z.object({ id }))
    .query(({ ctx, input }) => payloadOf(ctx.db, input.id)),

  retryLetter: may("dead_letter.retry")
    .input(z.object({ id, statusAt: z.string().max(64) }))
    .mutation(({ input }) => settleLetter(input, "retry")),
  discardLetter: may("dead_letter.discard")
    .input(z.object({ id, statusAt: z.string().max(64) }))
    .mutation(({ input }) => settleLetter(input, "discarded")),
  retryGroup: may("dead_letter.retry")
    .input(groupKey.extend({ lastId: id }))
    .mutation(({ input: { lastId, ...key } }) => settleGroup(key, lastId, "retry")),
  discardGroup: may("dead_letter.discard")
    .input(groupKey.extend({ lastId: id }))
    .mutation(({ input: { lastId, ...key } }) => settleGroup(key, lastId, "discarded")),

  /** A word whenever letters or the plant changed, at most one a second; the screen then reads again. */
  changes: may("data_health.read").subscription(({ signal }) => letterChanges(signal)),

  map: may("signal.map")
    .input(mapTo)
    .mutation(({ input }) => mapUnknown(input)),
});
