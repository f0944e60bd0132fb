/** What follows every way of signing in: the browser is remembered, the language comes along, an older session ends, and it is written down. */
import type { GenericEndpointContext } from "better-auth";
import { change } from "#/server/audit/change.ts";
import { db } from "#/server/db.ts";
import { localeCookie } from "#/server/locale.ts";
import { isSecure } from "./env.ts";
import { endReplacedSession, personById, rememberDevice } from "./queries.ts";
import { cookieOf, hashOfSecret, isSecretShaped, newSecret } from "./secrets.ts";
import { cookieName, sessionToken } from "./session.ts";
import { asked } from "./store.ts";
import { personally, recordOf } from "./trail.ts";

/** 400 days: browsers keep no cookie for longer. */
const deviceCookieS = 400 * 24 * 3600;

const deviceSecret = (headers: Headers): string | null => {
  const secret = cookieOf(headers, cookieName("device"));
  return secret !== null && isSecretShaped(secret) ? secret : null;
};

/** What the database knows this browser by; null: it has no cookie yet. */
export const deviceOf = (headers: Headers): Buffer | null => {
  const secret = deviceSecret(headers);
  return secret === null ? null : hashOfSecret(secret);
};

type NewSession = NonNullable<GenericEndpointContext["context"]["newSession"]>;

export async function afterSigningIn(ctx: GenericEndpointContext, { session, user }: NewSession): Promise<void> {
  const request = asked();
  const person = await personById(db, user.id);
  if (!person) return;
  const method = "method" in session ? session.method : "password";
  const isOwnBrowser = method !== "pin"; // a shared terminal is nobody's
  const secret = deviceSecret(request.headers) ?? newSecret();
  const before = sessionToken(request.headers);
  await change({ ...request, actor: personally(person) }, { action: "session.begun" }, async (tx) => {
    if (isOwnBrowser) await rememberDevice(tx, person.id, hashOfSecret(secret), request.now());
    if (before !== null) await endReplacedSession(tx, before, session.token);
    const how = { method, secondFactor: "secondFactor" in session ? session.secondFactor : false };
    await recordOf(tx, "session.begun", person, "terminalId" in session && session.terminalId ? { ...how, terminalId: session.terminalId } : how);
  });
  const attributes = { path: "/", sameSite: "lax", secure: isSecure() } as const;
  if (isOwnBrowser) ctx.setCookie(cookieName("device"), secret, { ...attributes, httpOnly: true, maxAge: deviceCookieS });
  if (person.locale !== null) ctx.setCookie(localeCookie, person.locale, { ...attributes, maxAge: deviceCookieS });
}
