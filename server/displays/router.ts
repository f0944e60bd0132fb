import { z } from "zod";
import { buildId } from "#/server/build.ts";
import { nameField } from "#/server/domain/naming.ts";
import type { Actor } from "#/server/domain/permission.ts";
import { Refusal } from "#/server/errors.ts";
import { may, router } from "#/server/trpc.ts";
import { lineChoices } from "./queries.ts";
import {
  changeDisplay,
  createDisplay,
  identifyDisplay,
  listDisplays,
  newLink,
  nextBoard,
  noteHeartbeat,
  pinBoard,
  reloadDisplay,
  revokeDisplay,
  unpinBoard,
} from "./service.ts";
import { displayChanges, lookAtDisplay, watchDisplay } from "./watch.ts";

const id = z.object({ id: z.int32() });
const seconds = (least: number, most: number, what: string) =>
  z.int(`${what} is a whole number of seconds.`).min(least, `${what} is at least ${least} s.`).max(most, `${what} is at most ${most} s.`);

const settings = z.object({
  name: nameField(80, "The display needs a name."),
  theme: z.enum(["dark", "light"]),
  locale: z
    .string()
    .regex(/^[a-z]{2}$/, "This language is not known.")
    .nullable(),
  raiseAfterS: seconds(0, 86_400, "The time after which a board comes up").nullable(),
  raiseForS: seconds(10, 3_600, "The time for which a board stays").nullable(),
  boards: z
    .array(z.object({ lineId: z.int32(), shownS: seconds(5, 3_600, "The time for which a board is shown") }))
    .min(1, "Choose at least one board.")
    .max(30, "A display shows at most 30 boards."),
});
const expiresInDays = z
  .int("The link is good for a whole number of days.")
  .min(1, "The link is good for at least a day.")
  .max(3_650, "The link is good for at most 3,650 days.")
  .nullable();

/** The display that asks; its right to be here lets nobody else in. */
function ownId(ctx: { actor: Actor; need(siteId: number): void }): number {
  if (ctx.actor.kind !== "display") throw new Refusal("FORBIDDEN", "Only a display asks this.");
  ctx.need(ctx.actor.siteId);
  return Number(ctx.actor.id);
}

export const displayRouter = router({
  /** What the display that asks goes by. */
  own: may("display.own").query(({ ctx }) => lookAtDisplay(ctx.db, ownId(ctx))),

  /** The same, live. */
  watch: may("display.own").subscription(async function* ({ ctx }) {
    yield* watchDisplay(ctx.db, ownId(ctx), ctx.until);
  }),

  /** A display's sign of life, every 30 s from each screen on which its link is open. */
  beat: may("display.own")
    .input(
      z.object({
        screenId: z.string().min(1).max(64),
        width: z.int32().min(0).max(100_000),
        height: z.int32().min(0).max(100_000),
        pixelRatio: z.number().min(0).max(100),
        page: z.string().max(200),
        build: z.string().max(100),
      }),
    )
    .mutation(({ ctx, input }) => noteHeartbeat(ctx, ownId(ctx), input)),

  list: may("screen.read").query(async ({ ctx }) => ({ at: ctx.now().getTime(), build: buildId(), displays: await listDisplays(ctx) })),

  /** A word whenever a display changed, at most one a second; the screen then reads again. */
  changes: may("screen.read").subscription(({ ctx }) => displayChanges(ctx.until)),

  /** Lines whose boards may be put on a display. */
  lines: may("screen.change").query(({ ctx }) => lineChoices(ctx.db, ctx.scope)),

  create: may("screen.change")
    .input(settings.extend({ siteId: z.int32("Choose the site."), expiresInDays }))
    .mutation(({ ctx, input: { siteId, expiresInDays, ...given } }) => createDisplay(ctx, siteId, given, expiresInDays)),
  change: may("screen.change")
    .input(settings.extend({ id: z.int32(), version: z.int32() }))
    .mutation(({ ctx, input: { id, version, ...given } }) => changeDisplay(ctx, id, version, given)),
  newLink: may("screen.change")
    .input(id.extend({ version: z.int32(), expiresInDays }))
    .mutation(({ ctx, input }) => newLink(ctx, input.id, input.version, input.expiresInDays)),
  revoke: may("screen.change")
    .input(id)
    .mutation(({ ctx, input }) => revokeDisplay(ctx, input.id)),

  identify: may("screen.change")
    .input(id)
    .mutation(({ ctx, input }) => identifyDisplay(ctx, input.id)),
  reload: may("screen.change")
    .input(id)
    .mutation(({ ctx, input }) => reloadDisplay(ctx, input.id)),
  nextBoard: may("screen.change")
    .input(id)
    .mutation(({ ctx, input }) => nextBoard(ctx, input.id)),
  pin: may("screen.change")
    .input(id.extend({ lineId: z.int32(), minutes: z.int32().min(1).max(10_080).nullable() }))
    .mutation(({ ctx, input }) => pinBoard(ctx, input.id, input.lineId, input.minutes)),
  unpin: may("screen.change")
    .input(id)
    .mutation(({ ctx, input }) => unpinBoard(ctx, input.id)),
});
