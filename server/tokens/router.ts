import { z } from "zod";
import { nameField } from "#/server/domain/naming.ts";
import { actionNames } from "#/server/domain/permission.ts";
import { longestTokenDays } from "#/server/domain/token.ts";
import { may, router } from "#/server/trpc.ts";
import { createToken, listTokens, revoke, tokenChoices } from "./service.ts";

export const tokenRouter = router({
  list: may("token.read").query(async ({ ctx }) => ({ at: ctx.now().getTime(), tokens: await listTokens(ctx) })),
  choices: may("token.change").query(({ ctx }) => tokenChoices(ctx)),
  create: may("token.change")
    .input(
      z.object({
        name: nameField(80, "The token needs a name: which program is it for?"),
        sites: z.union([z.literal("all"), z.array(z.int32()).min(1, "Choose at least one site.").max(1_000)], { error: "Choose at least one site." }),
        actions: z.array(z.enum(actionNames)).min(1, "Choose at least one action."),
        days: z
          .int("The token is good for a whole number of days.")
          .min(1, "The token is good for at least a day.")
          .max(longestTokenDays, `The token is good for at most ${longestTokenDays} days.`),
      }),
    )
    .mutation(({ ctx, input }) => createToken(ctx, input)),
  revoke: may("token.change")
    .input(z.object({ id: z.int32() }))
    .mutation(({ ctx, input }) => revoke(ctx, input.id)),
});
