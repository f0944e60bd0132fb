/** What people are told on the next screen that they open: what others did to how they sign in. */
import { type Changing, change } from "#/server/audit/change.ts";
import type { Db } from "#/server/db.ts";
import type { Actor } from "#/server/domain/permission.ts";
import { Refusal } from "#/server/errors.ts";
import { recordOf } from "./trail.ts";

/**
 * pin_given: by whom. pin_closed: on which terminal too many PINs were tried in this name. pin_tried: to supervisors, in whose name and where. provider_linked: the sign-in provider let them in for the first time,
 * and every other way in has ended.
 */
export type NoticeKind = "pin_given" | "pin_closed" | "pin_tried" | "provider_linked";
export type Notice = { id: number; kind: NoticeKind; byName: string | null; at: number };

/** once: not where the same stands there already. */
export const leaveNotice = (tx: Db, personId: string, kind: NoticeKind, byName: string | null, now: Date, { once = false } = {}) =>
  tx.rows(
    `-- notices.leave
     insert into person_notice (person_id, kind, by_name, at) select $1, $2, $3, $4
     where not $5 or not exists (select from person_notice where person_id = $1 and kind = $2 and by_name is not distinct from $3 and seen_at is null)`,
    [personId, kind, byName, now, once],
  );

/** Those that the person has not put away, the newest first. */
export const ownNotices = (db: Db, personId: string): Promise<Notice[]> =>
  db.rows<Notice>(
    `-- notices.own
     select id, kind, by_name as "byName", (extract(epoch from at) * 1000)::float8 as at from person_notice where person_id = $1 and seen_at is null order by id desc limit 5`,
    [personId],
  );

/** Whether the person is led to what they have not been told yet before anything else: where they can put it away, or they would come there every time. */
export async function isToldFirst(db: Db, actor: Actor): Promise<boolean> {
  if (actor.kind !== "person" || (await ownNotices(db, actor.id)).length === 0) return false;
  return actor.terminalId === null || !(await hasOtherWay(db, actor.id));
}

/**
 * Puts one away. Who came in with a PIN may do that only where the person has no other way in: whoever gave a PIN in secret would put the word of it away first.
 * @throws Refusal SIGNED_OUT, FORBIDDEN
 */
export async function putAwayNotice(ctx: Changing & { db: Db }, id: number): Promise<void> {
  const { actor } = ctx;
  if (actor.kind !== "person") throw new Refusal("SIGNED_OUT", "You are not signed in. Sign in and try again.");
  if (actor.terminalId !== null && (await hasOtherWay(ctx.db, actor.id)))
    throw new Refusal("FORBIDDEN", "This stays until you put it away in a browser of your own, signed in with your password.");
  await change(ctx, { action: "person.notice_seen" }, async (tx) => {
    const seen = await tx.rows("-- notices.seen\n update person_notice set seen_at = $3 where id = $2 and person_id = $1 and seen_at is null returning id", [
      actor.id,
      id,
      ctx.now(),
    ]);
    if (seen.length > 0) await recordOf(tx, "person.notice_seen", actor);
  });
}

async function hasOtherWay(db: Db, personId: string): Promise<boolean> {
  const [row] = await db.rows("-- notices.otherWay\n select from account where person_id = $1 and (password is not null or provider_id <> 'credential')", [
    personId,
  ]);
  return row !== undefined;
}
