/** One's own account: procedures. What sets cookies (signing in and out, the second factor) is in handler.ts. */
import { z } from "zod";
import { may, router } from "#/server/trpc.ts";
import { putAwayNotice } from "./notices.ts";
import { changePassword, chooseLocale, choosePin, endOtherSessions, endOwnSession, ownAccount, ownSessions, person, removePin } from "./service.ts";
import { setStrict, strictSites } from "./strict-sites.ts";

const secret = z.string().max(1000);

export const accountRouter = router({
  own: may("account.own").query(({ ctx }) => ownAccount(ctx)),
  sessions: may("account.own").query(({ ctx }) => ownSessions(ctx)),
  endSession: may("account.own")
    .input(z.object({ id: z.uuid() }))
    .mutation(({ ctx, input }) => endOwnSession(ctx, input.id)),
  endOtherSessions: may("account.own").mutation(({ ctx }) => endOtherSessions(ctx)),
  changePassword: may("account.own")
    .input(z.object({ present: secret, password: secret }))
    .mutation(({ ctx, input }) => changePassword(ctx, input)),
  choosePin: may("account.own")
    .input(z.object({ present: secret, pin: secret }))
    .mutation(({ ctx, input }) => choosePin(ctx, input)),
  removePin: may("account.own").mutation(({ ctx }) => removePin(ctx)),
  chooseLocale: may("account.own")
    .input(
      z.object({
        locale: z
          .string()
          .regex(/^[a-z]{2}(-[A-Z]{2})?$/, { error: "This is no language." })
          .nullable(),
      }),
    )
    .mutation(({ ctx, input }) => chooseLocale(ctx, input.locale)),
  putAwayNotice: may("account.own")
    .input(z.object({ id: z.int32().positive() }))
    .mutation(({ ctx, input }) => putAwayNotice(ctx, input.id)),
  /** Somebody is at the screen: whoever reads without loading anything stays signed in. That the request came is all there is to it. */
  present: may("account.own").mutation(({ ctx }) => ({ id: person(ctx).id })),
});

/** What sites ask for at signing in. */
export const signInRulesRouter = router({
  strictSites: may("person.change").query(({ ctx }) => strictSites(ctx)),
  setStrict: may("person.change")
    .input(z.object({ siteId: z.int32().positive(), isStrict: z.boolean() }))
    .mutation(({ ctx, input }) => setStrict(ctx, input.siteId, input.isStrict)),
});
