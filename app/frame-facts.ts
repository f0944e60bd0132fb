import { cookies } from "next/headers";
import { cache } from "react";
import type { Offered } from "#/components/frame/permissions.tsx";
import type { OfferedSite } from "#/components/frame/sites.tsx";
import { siteNames } from "#/server/boards/queries.ts";
import { offeredPages } from "#/server/domain/navigation.ts";
import { type Actor, actionNames, mayAnywhere, scopeOf } from "#/server/domain/permission.ts";
import { type Notice, ownNotices } from "#/server/identity/notices.ts";
import { locales } from "#/server/locale.ts";
import { log } from "#/server/log.ts";
import { pageContext } from "#/server/rsc.ts";

/** What a page's frame shows to whom, and what the screens in it may offer. Once a request: a page brings along two more, for where it is none. */
export const frameFacts = cache(async () => {
  const { actor } = await pageContext();
  const account = actor.kind === "person" ? { name: actor.name, roles: [...new Set(actor.grants.map(({ role }) => role))] } : null;
  return {
    offered: offeredActions(actor),
    notices: await notices(),
    frame: {
      pages: offeredPages(actor),
      sites: await offeredSites(),
      account,
      locales: locales(),
      narrow: (await cookies()).get("takt-sidebar")?.value === "narrow",
    },
  };
});

async function notices(): Promise<Notice[]> {
  const { actor, db } = await pageContext();
  if (actor.kind !== "person") return [];
  try {
    return await ownNotices(db, actor.id);
  } catch (error) {
    log().warn({ err: error }, "what the person is to be told could not be read");
    return [];
  }
}

/** None where they cannot be read: the page below says why. */
async function offeredSites(): Promise<OfferedSite[]> {
  const { actor, db } = await pageContext();
  try {
    return await siteNames(db, scopeOf(actor, "board.read"));
  } catch (error) {
    log().warn({ err: error }, "the sites of the frame could not be read");
    return [];
  }
}

const offeredActions = (actor: Actor): Offered =>
  Object.fromEntries(actionNames.filter((action) => mayAnywhere(actor, action)).map((action) => [action, scopeOf(actor, action).sites]));
