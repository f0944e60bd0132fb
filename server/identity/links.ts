/** Links that open once: to become the first administrator, to accept an invitation, to choose a new password. The secret is in the part of the address that browsers send nowhere. */
import type { Db } from "#/server/db.ts";
import { publicUrl } from "./env.ts";
import { hashOfSecret, isSecretShaped, newSecret } from "./secrets.ts";

export type Purpose = "first_administrator" | "invitation" | "password_reset";

/** Seconds that a link stays good. A mailed reset is asked for by whoever sits at the screen, so it is short. */
export const linkLastsS: Record<Purpose, number> = { first_administrator: 24 * 3600, invitation: 7 * 24 * 3600, password_reset: 3600 };

type MakeLink = { purpose: Purpose; personId: string | null; by: string; now: Date; lastsS?: number; isBeside?: boolean };

/**
 * A new link, shown once: only its hash is kept. Those of the same purpose that the person had before open nothing any more; isBeside: they stay good, where it is
 * not known who asks.
 */
export async function makeLink(
  tx: Db,
  { purpose, personId, by, now, lastsS = linkLastsS[purpose], isBeside = false }: MakeLink,
): Promise<{ url: string; expiresAt: Date }> {
  const secret = newSecret();
  const expiresAt = new Date(now.getTime() + lastsS * 1000);
  if (personId !== null && !isBeside) await revokeLinks(tx, personId, [purpose], now);
  await tx.rows(
    "-- links.make\n insert into one_time_link (purpose, person_id, secret_hash, created_at, created_by, expires_at) values ($1, $2, $3, $4, $5, $6)",
    [purpose, personId, hashOfSecret(secret), now, by, expiresAt],
  );
  return { url: `${publicUrl()}/link#${secret}`, expiresAt };
}

const byMail = "by mail";
/** Links that were asked for by mail and stand side by side: a second where the first does not arrive. */
const mostByMail = 2;
/** Seconds. No second mail to the same person before the first can have arrived. */
const mailPauseS = 600;

/**
 * A link for a new password, asked for by whoever gives the person's name: so it takes nothing away, neither links asked for before nor those that an administrator gave.
 * null: none is needed, since of two mailed ones the younger is good for ten minutes and more, or the last one is just on its way.
 */
export async function makeMailedLink(tx: Db, personId: string, now: Date): Promise<{ url: string; expiresAt: Date } | null> {
  await tx.rows("-- links.oneMail\n select from person where id = $1 for update", [personId]); // asked for twice at once, it is one mail
  const standing = await tx.rows<{ createdAt: Date }>(
    `-- links.mailed
     select created_at as "createdAt" from one_time_link
     where person_id = $1 and purpose = 'password_reset' and created_by = $2 and used_at is null and revoked_at is null and expires_at > $3`,
    [personId, byMail, now],
  );
  const isJustSent = standing.some(({ createdAt }) => now.getTime() - createdAt.getTime() < mailPauseS * 1000);
  if (isJustSent || standing.length >= mostByMail) return null;
  return makeLink(tx, { purpose: "password_reset", personId, by: byMail, now, isBeside: true });
}

/** The person's links that are still good open nothing any more. */
export async function revokeLinks(tx: Db, personId: string, purposes: readonly Purpose[], now: Date): Promise<void> {
  await tx.rows(
    "-- links.revoke\n update one_time_link set revoked_at = $3 where person_id = $1 and purpose = any($2) and used_at is null and revoked_at is null",
    [personId, purposes, now],
  );
}

/** A link that went nowhere opens nothing. */
export async function takeBackLink(db: Db, url: string, now: Date): Promise<void> {
  await db.rows("-- links.takeBack\n update one_time_link set revoked_at = $2 where secret_hash = $1", [hashOfSecret(new URL(url).hash.slice(1)), now]);
}

/** Why a link opens nothing. unknown: Takt never made it, or long ago. */
export type LinkGone = "used" | "revoked" | "expired" | "unknown";
export type OpenLink = { id: number; purpose: Purpose; personId: string | null; name: string | null; email: string | null; username: string | null };
type LinkRow = OpenLink & { gone: LinkGone | null };

/** What a link opens. isLast: takes it, so that it opens nothing any more: exactly one of several at once gets it. */
export async function openLink(db: Db, secret: string, now: Date, { take = false } = {}): Promise<OpenLink | LinkGone> {
  if (!isSecretShaped(secret)) return "unknown";
  const [row] = await db.rows<LinkRow>(
    `-- links.open
     select l.id, l.purpose, l.person_id as "personId", p.name, p.email, p.username,
       case when l.used_at is not null then 'used' when l.revoked_at is not null or p.disabled_at is not null then 'revoked' when l.expires_at <= $2 then 'expired' end as gone
     from one_time_link l left join person p on p.id = l.person_id
     where l.secret_hash = $1 ${take ? "for update of l" : ""}`,
    [hashOfSecret(secret), now],
  );
  if (!row) return "unknown";
  const { gone, ...link } = row;
  if (gone !== null) return gone;
  if (link.purpose === "first_administrator" && (await hasAdministrator(db))) return "used";
  if (take) await db.rows("-- links.take\n update one_time_link set used_at = $2 where id = $1", [link.id, now]);
  return link;
}

/** Whether anybody can sign in who may administer anything. Without one, a link is printed at the start. */
export async function hasAdministrator(db: Db): Promise<boolean> {
  const [row] = await db.rows<{ there: boolean }>(
    `-- links.hasAdministrator
     select exists (select from membership m join person p on p.id = m.person_id join account a on a.person_id = p.id
       where m.role = 'administrator' and p.disabled_at is null) as there`,
  );
  return row?.there ?? false;
}
