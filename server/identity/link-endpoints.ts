/** What the page behind a one-time link asks for, and the mail that leads to it. */
import type { BetterAuthPlugin } from "better-auth";
import { createAuthEndpoint } from "better-auth/api";
import { setSessionCookie } from "better-auth/cookies";
import { z } from "zod";
import { change } from "#/server/audit/change.ts";
import { type Db, db } from "#/server/db.ts";
import { logFault } from "#/server/log.ts";
import { fault } from "./faults.ts";
import { linkLastsS, makeMailedLink, type OpenLink, openLink, revokeLinks, takeBackLink } from "./links.ts";
import { normalLogin, personName, readLogin } from "./logins.ts";
import { canMail, sendLink } from "./mail.ts";
import { whyNotPassword } from "./passwords.ts";
import { personByLogin, placeNames } from "./queries.ts";
import { setPassword, signOutEverywhere } from "./reset.ts";
import { sessionLimits } from "./session.ts";
import { type Asking, asked } from "./store.ts";
import { type Named, personally, recordOf } from "./trail.ts";

const secret = z.string().max(100);

const read = createAuthEndpoint("/link/read", { method: "POST", body: z.object({ secret }) }, async (ctx) => {
  const link = await openLink(db, ctx.body.secret, asked().now());
  if (typeof link === "string") throw fault("LINK_GONE", { why: link });
  return ctx.json({ purpose: link.purpose, name: link.name, login: link.email ?? link.username });
});

const redeemBody = z.object({ secret, password: z.string().max(1000), name: z.string().max(1000).optional(), login: z.string().max(1000).optional() });

const redeem = createAuthEndpoint("/link/redeem", { method: "POST", body: redeemBody }, async (ctx) => {
  const request = asked();
  const { person, purpose } = await taking(request, ctx.body);
  const user = await ctx.context.internalAdapter.findUserById(person.id);
  // A link replaces the password, not the second factor: that is asked for at the sign-in that follows.
  if (!user || ("twoFactorEnabled" in user && user.twoFactorEnabled)) return ctx.json({ purpose, isSignedIn: false });
  const { absoluteS, idleS } = sessionLimits.usual;
  const begin = { method: "link", secondFactor: false, idleS, expiresAt: new Date(request.now().getTime() + absoluteS * 1000) };
  const session = await ctx.context.internalAdapter.createSession(person.id, true, begin, true);
  await setSessionCookie(ctx, { session, user }, true);
  return ctx.json({ purpose, isSignedIn: true });
});

type Redeem = z.infer<typeof redeemBody>;

/** Everything that a link gives, or nothing of it: it is used up only together with what it gave. */
async function taking(request: Asking, body: Redeem): Promise<{ person: Named; purpose: OpenLink["purpose"] }> {
  const seen = await openLink(db, body.secret, request.now());
  if (typeof seen === "string") throw fault("LINK_GONE", { why: seen });
  const first = seen.purpose === "first_administrator" ? readFirst(body) : null;
  const about = first ? [first.name, first.email, first.username] : [seen.name, seen.email, seen.username];
  const why = whyNotPassword(body.password, [...about, ...(await placeNames(db))]);
  if (why !== null) throw fault("PASSWORD", { field: "password", why });
  const actor = personally(seen.personId === null ? { id: "", name: first?.name ?? "" } : { id: seen.personId, name: seen.name ?? "" });
  return change({ ...request, actor }, { action: actionOf[seen.purpose] }, async (tx) => {
    await tx.rows("-- link.oneAtATime\n select pg_advisory_xact_lock(hashtext('takt first administrator'))");
    const link = await openLink(tx, body.secret, request.now(), { take: true });
    if (typeof link === "string") throw fault("LINK_GONE", { why: link });
    const person = first ? await createFirst(tx, first) : { id: link.personId ?? "", name: link.name ?? "" };
    await setPassword(tx, person.id, body.password);
    await signOutEverywhere(tx, person.id);
    await revokeLinks(tx, person.id, ["invitation", "password_reset"], request.now());
    await recordOf(tx, actionOf[link.purpose], person, { password: "set" });
    return { person, purpose: link.purpose };
  });
}

const actionOf = {
  first_administrator: "person.first_administrator",
  invitation: "person.invitation_accepted",
  password_reset: "person.password_reset",
} as const;

type First = { name: string; email: string | null; username: string | null };

function readFirst({ name, login }: Redeem): First {
  const read = personName.safeParse(name ?? "");
  if (!read.success) throw fault("INVALID", { field: "name" });
  const logins = readLogin(login ?? "");
  if (!logins) throw fault("INVALID", { field: "login" });
  return { name: read.data, ...logins };
}

async function createFirst(tx: Db, { name, email, username }: First): Promise<Named> {
  const [person] = await tx.rows<{ id: string }>(
    "-- link.person\n insert into person (name, email, username) values ($1, $2, $3) on conflict do nothing returning id",
    [name, email, username],
  );
  if (!person) throw fault("LOGIN_TAKEN", { field: "login" });
  await tx.rows("-- link.administrator\n insert into membership (person_id, role) values ($1, 'administrator')", [person.id]);
  return { id: person.id, name };
}

const request = createAuthEndpoint("/link/request", { method: "POST", body: z.object({ login: z.string().max(1000) }) }, async (ctx) => {
  if (!canMail()) throw fault("NO_MAIL");
  const asking = asked();
  const login = normalLogin(ctx.body.login);
  // The answer is the same, and as quick, whether there is such a person or not: what follows is not waited for. Nobody is refused because others ask: how many mails
  // go is bound to whom they go to.
  mailTo(asking, login).catch((error: unknown) => logFault(error, "a mail with a link for a new password could not be sent"));
  return ctx.json({ isAsked: true });
});

async function mailTo(asking: Asking, login: string | null): Promise<void> {
  const found = login === null ? null : await personByLogin(db, login, null);
  if (!found || found.isDisabled || found.email === null || found.password === null) return;
  const link = await change({ ...asking, actor: personally(found) }, { action: "person.password_link" }, async (tx) => {
    const made = await makeMailedLink(tx, found.id, asking.now());
    if (made) await recordOf(tx, "person.password_link", found, { by: "mail" });
    return made;
  });
  if (!link) return;
  try {
    await sendLink({ to: { ...found, email: found.email }, purpose: "password_reset", url: link.url, lastsS: linkLastsS.password_reset });
  } catch (error) {
    // It reached nobody: the next who asks gets another.
    await change({ ...asking, actor: personally(found) }, { action: "person.password_link" }, (tx) => takeBackLink(tx, link.url, asking.now()));
    throw error;
  }
}

export const linkPlugin = { id: "takt-links", endpoints: { readLink: read, redeemLink: redeem, requestLink: request } } satisfies BetterAuthPlugin;
