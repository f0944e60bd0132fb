import type { LineRow } from "#/server/boards/queries.ts";
import { api } from "#/server/rsc.ts";

/** All lines, for the pages that help people on; null where they cannot be read: the page must come all the same. The fault is in the log. */
export const linesOrNull = (): Promise<LineRow[] | null> => api.boards.lines().catch(() => null);
