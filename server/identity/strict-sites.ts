/** Which sites ask their administrators for a second factor. */
import { type Changing, change } from "#/server/audit/change.ts";
import type { Db } from "#/server/db.ts";
import { Refusal } from "#/server/errors.ts";
import { inSites, sitesIn } from "#/server/scope.ts";
import type { Permitted } from "./permit.ts";

export type StrictSite = {
  id: number;
  name: string;
  isStrict: boolean;
  administrators: number;
  /** Of them, who has none yet: their rights rest where it is asked for. A sign-in provider's own is not known here. */
  without: number;
};

/** The sites at which the actor may decide it. */
export const strictSites = (ctx: Pick<Permitted, "scope"> & { db: Db }): Promise<StrictSite[]> =>
  ctx.db.rows<StrictSite>(
    `-- identity.strictSites
     select s.id, s.name, s.requires_second_factor as "isStrict", count(distinct p.id)::int as administrators,
       (count(distinct p.id) filter (where not p.two_factor_enabled))::int as without
     from site s left join membership m on m.role = 'administrator' and (m.site_id is null or m.site_id = s.id)
       left join person p on p.id = m.person_id and p.disabled_at is null
     where s.retired_at is null and ${inSites(1, "s.id")} group by s.id order by s.name`,
    [sitesIn(ctx.scope)],
  );

/** @throws Refusal NOT_FOUND, FORBIDDEN; RULE_BROKEN: who asks for it comes without one, and would rest themselves */
export async function setStrict(ctx: Pick<Permitted, "need"> & Changing & { db: Db }, siteId: number, isStrict: boolean): Promise<void> {
  ctx.need(siteId);
  if (isStrict && ctx.actor.kind === "person" && !(await hasGivenOne(ctx.db, ctx.actor.sessionId)))
    throw new Refusal("RULE_BROKEN", "Set up your own second factor first (My account), or sign in with it: without it your rights here would rest at once.");
  await change(ctx, { action: isStrict ? "site.second_factor_required" : "site.second_factor_not_required" }, async (tx) => {
    await tx.rows("-- identity.setStrict\n update site set requires_second_factor = $2 where id = $1 and requires_second_factor <> $2", [siteId, isStrict]);
  });
}

async function hasGivenOne(db: Db, sessionId: string): Promise<boolean> {
  const [session] = await db.rows<{ given: boolean }>("-- identity.givenFactor\n select second_factor as given from session where id = $1", [sessionId]);
  return session?.given ?? false;
}
