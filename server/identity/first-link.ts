/** The first time that the sign-in provider lets somebody in whom Takt knows by their address. */
import { APIError } from "better-auth/api";
import { type Changing, change } from "#/server/audit/change.ts";
import { leaveNotice } from "./notices.ts";
import { resetSecondFactor, signOutEverywhere, takePin } from "./reset.ts";
import { recordOf } from "./trail.ts";

type WaysRow = { name: string; isLinked: boolean; ways: string[] };

/**
 * Every other way in that was made before ends: password, PIN, second factor, sessions, links, known browsers, tokens. An administrator has typed the address, and
 * whoever can administer a person can have made any of them; the provider's word is the first that is the person's own (docs/decisions/0012). It is recorded, and
 * the person is told. Of somebody who was just made nothing ends.
 * @throws APIError that ends at the sign-in page: another account of the provider belongs to this person already
 */
export function endFormerWays(ctx: Changing, personId: string): Promise<void> {
  return change(ctx, { action: "person.provider_linked" }, async (tx) => {
    const [row] = await tx.rows<WaysRow>(
      `-- firstLink.ways
       select p.name, exists (select from account a where a.person_id = p.id and a.provider_id <> 'credential') as "isLinked",
         array_remove(array[
           case when exists (select from account a where a.person_id = p.id and a.password is not null) then 'password' end,
           case when exists (select from person_pin n where n.person_id = p.id) then 'pin' end,
           case when exists (select from two_factor f where f.person_id = p.id) then 'second_factor' end,
           case when exists (select from session s where s.person_id = p.id) then 'sessions' end,
           case when exists (select from one_time_link l where l.person_id = p.id and l.used_at is null and l.revoked_at is null) then 'links' end,
           case when exists (select from api_token t where t.owner_id = p.id and t.revoked_at is null) then 'tokens' end], null) as ways
       from person p where p.id = $1 for update of p`,
      [personId],
    );
    if (!row) return;
    if (row.isLinked)
      throw new APIError("FORBIDDEN", {
        code: "account_not_linked",
        message: "Another account of the sign-in provider belongs to this person. Ask an administrator.",
      });
    await tx.rows("-- firstLink.password\n delete from account where person_id = $1 and provider_id = 'credential'", [personId]);
    await takePin(tx, personId);
    await resetSecondFactor(tx, personId);
    await signOutEverywhere(tx, personId);
    await tx.rows("-- firstLink.links\n update one_time_link set revoked_at = $2 where person_id = $1 and used_at is null and revoked_at is null", [
      personId,
      ctx.now(),
    ]);
    await tx.rows("-- firstLink.tokens\n update api_token set revoked_at = $2, version = version + 1 where owner_id = $1 and revoked_at is null", [
      personId,
      ctx.now(),
    ]);
    await tx.rows("-- firstLink.devices\n delete from known_device where person_id = $1", [personId]);
    if (row.ways.length === 0) return;
    await recordOf(tx, "person.provider_linked", { id: personId, name: row.name }, { ended: row.ways });
    await leaveNotice(tx, personId, "provider_linked", null, ctx.now());
  });
}

/** What the provider said of the second factor at this sign-in, for what acts in the person's name without a session. */
export const noteProviderFactor = (ctx: Changing, personId: string, providerId: string, hasOne: boolean): Promise<void> =>
  change(ctx, { action: "person.from_provider" }, async (tx) => {
    await tx.rows("-- firstLink.factor\n update account set second_factor = $3 where person_id = $1 and provider_id = $2 and second_factor <> $3", [
      personId,
      providerId,
      hasOne,
    ]);
    await tx.rows(
      `-- firstLink.factorTold
       select pg_notify('permission', 'token:' || t.id) from api_token t where t.owner_id = $1 and t.revoked_at is null`,
      [personId],
    );
  });
