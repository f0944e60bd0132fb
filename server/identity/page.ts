/** The question before a page: may whoever asks see it? Every page.tsx calls requirePage first. */
import "server-only";
import { headers } from "next/headers";
import { forbidden, redirect } from "next/navigation";
import { pageDoorAt } from "#/server/domain/doors.ts";
import { signInPath } from "#/server/domain/navigation.ts";
import type { Action } from "#/server/domain/permission.ts";
import { Refusal } from "#/server/errors.ts";
import { pageContext } from "#/server/rsc.ts";
import type { Context } from "#/server/trpc.ts";
import { type Permitted, permit } from "./permit.ts";

/** The header in which proxy.ts tells the page its own address; what a browser sends under this name is overwritten there. */
const pathHeader = "x-takt-path";

/**
 * Whoever is not signed in goes to the sign-in page and comes back; who may not see the page is shown app/forbidden.tsx with status 403; whose
 * rights rest until there is a second factor, the page that sets it up.
 */
export async function requirePage(action: Action): Promise<Permitted<Context>> {
  const context = await pageContext();
  try {
    return permit(context, action);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    if (error.code === "SIGNED_OUT") redirect(signInPath((await headers()).get(pathHeader)));
    if (context.actor.kind === "person" && context.actor.secondFactorMissing) redirect("/account/second-factor");
    forbidden();
  }
}

/** The same by the page's address, for the layout above pages with a skeleton: once that is sent, the answer's status can no longer say so. */
export async function requirePath(): Promise<void> {
  const path = (await headers()).get(pathHeader) ?? "/";
  const door = pageDoorAt(path.split("?")[0] ?? path);
  if (typeof door === "string") await requirePage(door);
  else if ((await pageContext()).actor.kind === "nobody") redirect(signInPath(path));
}
