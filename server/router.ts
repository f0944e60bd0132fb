/** All procedures by noun. */
import { boardRouter } from "#/server/boards/router.ts";
import { dataHealthRouter } from "#/server/data-health/router.ts";
import { router } from "#/server/trpc.ts";

export const appRouter = router({ boards: boardRouter, dataHealth: dataHealthRouter });
export type AppRouter = typeof appRouter;
