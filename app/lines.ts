import { cache } from "react";
import type { LineRow } from "#/server/boards/queries.ts";
import { api, pageContext } from "#/server/rsc.ts";

/**
 * All lines, for the pages that help people on; null where they cannot be read: the page must come all the same. The fault is in the log. Once a request, and not for
 * who is not signed in: every page brings these pages along.
 */
export const linesOrNull = cache(
  (): Promise<LineRow[] | null> =>
    pageContext()
      .then(({ actor }) => (actor.kind === "nobody" ? null : api.boards.lines()))
      .catch(() => null),
);
