import { z } from "zod";
import { may, router } from "#/server/trpc.ts";
import type { Picture } from "./picture-types.ts";
import { lineRows } from "./queries.ts";
import { lineIdAt, plantSummary } from "./service.ts";
import { currentTrouble, upstreamKnown } from "./upstream.ts";
import { lookAtBoard, watchBoard } from "./watch.ts";

const key = z.string().min(1).max(64);
const address = z.object({ site: key, area: key, line: key });

export const boardRouter = router({
  /** All lines that the actor may see, by name. */
  lines: may("board.read").query(({ ctx }) => lineRows(ctx.db, ctx.scope)),

  /** The first screen: every line in short, and what all of them lack. */
  plant: may("board.read").query(async ({ ctx }) => {
    const sites = await plantSummary(ctx.db, ctx.scope, async (lineId) => {
      const { picture, trouble } = await lookAtBoard(lineId);
      return { picture: picture === null ? null : (JSON.parse(picture) as Picture), trouble };
    });
    await upstreamKnown();
    return { at: ctx.now().getTime(), trouble: currentTrouble(null, ctx.now().getTime()), sites };
  }),

  /** The picture of one board, once. */
  line: may("board.read")
    .input(address)
    .query(async ({ ctx, input }) => lookAtBoard(await lineIdAt(ctx, input))),

  /** The same, live. lastEventId: what the viewer saw last. */
  watch: may("board.read")
    .input(address.extend({ lastEventId: z.string().max(100).nullish() }))
    .subscription(async function* ({ ctx, input }) {
      yield* watchBoard(await lineIdAt(ctx, input), input.lastEventId ?? null, ctx.until);
    }),
});
