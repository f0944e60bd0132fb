import { z } from "zod";
import { sayIn } from "#/server/sentences.ts";
import { may, router } from "#/server/trpc.ts";
import { type WorkerHealth, workerHealth } from "#/server/workers/service.ts";
import { letterChanges } from "./changes.ts";
import { letterRows } from "./letter-queries.ts";
import { findLetters, lookAtLetters, lookAtSources, lookAtUnknown } from "./look.ts";
import { mapMany } from "./mapping.ts";
import { previewMapping, proposeMappings } from "./mapping-preview.ts";
import { detailsIn, reasonsIn } from "./said.ts";
import { payloadOf, settleFound, settleGroup, settleLetter, sourceDetail } from "./service.ts";

const id = z.string().regex(/^\d{1,18}$/);
const topic = z.string().min(1).max(65_535);
const metric = z.string().max(65_535).nullable();
const status = z.enum(["open", "retry", "resolved", "discarded"]);
const groupKey = z.object({ reasonCode: z.string().min(1).max(100), topic, metric });
/** A topic (with + or # for many) or a Sparkplug topic with a metric, and where in the payload the value and its time lie. */
const place = z.object({ topic, metric, path: z.string().max(1_000), tsPath: z.string().max(1_000).nullable() });
const signalFields = z.record(z.string(), z.unknown());
const mostMappings = 500;

/** Which topics a worker reads names the sites, and so may what it says of itself: that is for who sees them all. */
const withoutTopics = (worker: WorkerHealth): WorkerHealth => ({
  ...worker,
  filters: [],
  trouble: worker.trouble && "Something stands in its way. Who looks after all sites can see what it is.",
});

/** Words that are looked for, and the reasons whose names on screen they stand in. */
const search = z.object({ words: z.array(z.string().trim().min(1).max(200)).min(1).max(12), codes: z.array(z.string().max(40)).max(40) });

export const dataHealthRouter = router({
  workers: may("data_health.read").query(async ({ ctx }) => {
    const workers = await workerHealth(ctx.db, ctx.now());
    const say = sayIn(ctx.locale);
    const shown = ctx.scope.sites === "all" ? workers : workers.map(withoutTopics);
    return { at: ctx.now().getTime(), workers: shown.map((worker) => ({ ...worker, trouble: say(worker.trouble) })) };
  }),
  sources: may("data_health.read").query(({ ctx }) => lookAtSources(ctx.scope)),
  source: may("data_health.read")
    .input(z.object({ id: z.int32() }))
    .query(async ({ ctx, input }) => {
      const source = await sourceDetail(ctx, input.id);
      return { ...source, links: detailsIn(sayIn(ctx.locale), source.links) };
    }),
  unknown: may("data_health.read").query(({ ctx }) => lookAtUnknown(ctx.scope)),

  letterGroups: may("data_health.read")
    .input(z.object({ status }))
    .query(async ({ ctx, input }) => {
      const look = await lookAtLetters(input.status, ctx.scope);
      return { ...look, groups: reasonsIn(sayIn(ctx.locale), look.groups) };
    }),
  findLetterGroups: may("data_health.read")
    .input(search.extend({ status }))
    .query(async ({ ctx, input: { status, ...wanted } }) => {
      const found = await findLetters(status, wanted, ctx.scope);
      return { ...found, groups: reasonsIn(sayIn(ctx.locale), found.groups) };
    }),
  letters: may("data_health.read")
    .input(groupKey.extend({ status }))
    .query(async ({ ctx, input }) => {
      const letters = await letterRows(ctx.db, ctx.scope, input, input.status);
      return { at: ctx.now().getTime(), letters: reasonsIn(sayIn(ctx.locale), letters) };
    }),
  payload: may("data_health.read")
    .input(z.object({ id }))
    .query(async ({ ctx, input }) => {
      const payload = await payloadOf(ctx, input.id);
      return { ...payload, why: payload.why && sayIn(ctx.locale)(payload.why) };
    }),

  retryLetter: may("dead_letter.retry")
    .input(z.object({ id, statusAt: z.string().max(64) }))
    .mutation(({ ctx, input }) => settleLetter(ctx, input, "retry")),
  discardLetter: may("dead_letter.discard")
    .input(z.object({ id, statusAt: z.string().max(64) }))
    .mutation(({ ctx, input }) => settleLetter(ctx, input, "discarded")),
  retryGroup: may("dead_letter.retry")
    .input(groupKey.extend({ lastId: id }))
    .mutation(({ ctx, input: { lastId, ...key } }) => settleGroup(ctx, key, lastId, "retry")),
  discardGroup: may("dead_letter.discard")
    .input(groupKey.extend({ lastId: id }))
    .mutation(({ ctx, input: { lastId, ...key } }) => settleGroup(ctx, key, lastId, "discarded")),

  retryFound: may("dead_letter.retry")
    .input(search.extend({ lastId: id }))
    .mutation(({ ctx, input: { lastId, ...wanted } }) => settleFound(ctx, wanted, lastId, "retry")),
  discardFound: may("dead_letter.discard")
    .input(search.extend({ lastId: id }))
    .mutation(({ ctx, input: { lastId, ...wanted } }) => settleFound(ctx, wanted, lastId, "discarded")),

  /** A word whenever letters or the plant changed, at most one a second; the screen then reads again. */
  changes: may("data_health.read").subscription(({ ctx }) => letterChanges(ctx.until)),

  /** What a mapping would make of messages that came already, read as the worker will read them. */
  mappingPreview: may("data_health.read")
    .input(
      place.extend({
        signal: signalFields.nullable(),
        known: z
          .array(z.object({ topic, signalId: z.int32() }))
          .max(mostMappings)
          .default([]),
      }),
    )
    .query(async ({ ctx, input }) => {
      const preview = await previewMapping(ctx.db, ctx.scope, input);
      return { ...preview, messages: reasonsIn(sayIn(ctx.locale), preview.messages) };
    }),
  /** For unknown topics that match a filter: which machine and signal each probably is. */
  mappingProposals: may("data_health.read")
    .input(z.object({ topic, path: z.string().max(1_000) }))
    .query(({ ctx, input }) => proposeMappings(ctx.db, ctx.scope, input)),
  mapMany: may("signal.map")
    .input(
      z.object({
        items: z
          .array(place.extend({ machine: z.string().min(1).max(300), key: z.string().max(64), isNew: z.boolean().default(false), fields: signalFields }))
          .min(1)
          .max(mostMappings),
      }),
    )
    .mutation(({ ctx, input }) => mapMany(ctx, input.items)),
});
