import { redirect } from "next/navigation";
import { boardPathOf } from "#/server/boards/service.ts";
import { landingOf } from "#/server/domain/navigation.ts";
import { isToldFirst } from "#/server/identity/notices.ts";
import { requirePage } from "#/server/identity/page.ts";

/** Where one comes to after signing in: leads on to what one's duty looks at first. */
export default async function StartPage() {
  const { actor, db } = await requirePage("account.own");
  if (await isToldFirst(db, actor)) redirect("/account"); // a board has no room for it
  const landing = landingOf(actor);
  redirect(landing.to === "page" ? landing.path : ((await boardPathOf(db, landing.lineId)) ?? "/"));
}
