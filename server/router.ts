/** All procedures by noun. */
import { auditRouter } from "#/server/audit/router.ts";
import { boardRouter } from "#/server/boards/router.ts";
import { dataHealthRouter } from "#/server/data-health/router.ts";
import { deviceRouter } from "#/server/devices/router.ts";
import { displayRouter } from "#/server/displays/router.ts";
import { accountRouter, signInRulesRouter } from "#/server/identity/router.ts";
import { peopleRouter } from "#/server/people/router.ts";
import { plantRouter } from "#/server/plant/router.ts";
import { signatureRouter } from "#/server/signatures/router.ts";
import { terminalRouter } from "#/server/terminals/router.ts";
import { tokenRouter } from "#/server/tokens/router.ts";
import { router } from "#/server/trpc.ts";

export const appRouter = router({
  account: accountRouter,
  audit: auditRouter,
  boards: boardRouter,
  dataHealth: dataHealthRouter,
  devices: deviceRouter,
  displays: displayRouter,
  people: peopleRouter,
  plant: plantRouter,
  signatures: signatureRouter,
  signInRules: signInRulesRouter,
  terminals: terminalRouter,
  tokens: tokenRouter,
});
export type AppRouter = typeof appRouter;
