/** Who asks on a display's own way: the display of the link in the cookie, and nobody else, whoever may be signed in in the same browser. */
import { TRPCError } from "@trpc/server";
import { db } from "#/server/db.ts";
import { type Actor, nobody } from "#/server/domain/permission.ts";
import { Refusal } from "#/server/errors.ts";
import { fromOf } from "#/server/identity/actor.ts";
import { localeOf } from "#/server/locale.ts";
import { type Context, inLocale } from "#/server/trpc.ts";
import { tokenIn } from "./link.ts";
import { displayActor, standingOf, type WhyClosed } from "./service.ts";

const sentences: Record<WhyClosed, string> = {
  none: "This is a display's address. Open the display's link.",
  forged: "This link was not made by Takt.",
  replaced: "This display has another link now.",
  revoked: "This display was revoked.",
  expired: "This display's link has expired.",
};

/** @throws TRPCError UNAUTHORIZED that says why the link opens nothing */
export function displayContextOf(headers: Headers): Promise<Context> {
  return inLocale(localeOf(headers), async () => {
    const { actor, why } = await standingOf(tokenIn(headers), new Date());
    if (why !== null) throw new TRPCError({ code: "UNAUTHORIZED", cause: new Refusal("SIGNED_OUT", sentences[why]) });
    return displayContext(headers, actor);
  });
}

/** For a display that is known already. */
export const displayContext = (headers: Headers, actor: Actor): Context => ({
  db,
  actor,
  from: fromOf(headers),
  now: () => new Date(),
  again: async () => (await displayActor(headers)) ?? nobody,
});
