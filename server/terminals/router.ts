/** Shared terminals: procedures. Registering sets a cookie and is in endpoints.ts. */
import { z } from "zod";
import { may, router } from "#/server/trpc.ts";
import { autoLock, lineIds, terminalName } from "./endpoints.ts";
import { changeTerminal, giveNewPin, letInWithPin, listPins, listTerminals, revokeTerminal, sitesForTerminals } from "./service.ts";

const id = z.int32().positive();

export const terminalRouter = router({
  list: may("terminal.change").query(({ ctx }) => listTerminals(ctx)),
  sites: may("terminal.change").query(({ ctx }) => sitesForTerminals(ctx)),
  change: may("terminal.change")
    .input(z.object({ id, version: z.string().max(100), name: terminalName, lineIds, autoLockS: autoLock }))
    .mutation(({ ctx, input }) => changeTerminal(ctx, input)),
  revoke: may("terminal.change")
    .input(z.object({ id }))
    .mutation(({ ctx, input }) => revokeTerminal(ctx, input.id)),
  pins: may("terminal.change").query(({ ctx }) => listPins(ctx)),
  givePin: may("terminal.change")
    .input(z.object({ personId: z.uuid() }))
    .mutation(({ ctx, input }) => giveNewPin(ctx, input.personId)),
  letIn: may("terminal.change")
    .input(z.object({ personId: z.uuid() }))
    .mutation(({ ctx, input }) => letInWithPin(ctx, input.personId)),
});
