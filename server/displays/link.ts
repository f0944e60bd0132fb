/**
 * A display's link: `<secret>.<signature>`. The signature refuses what Takt never made without asking the database; the secret's hash, which is all that is
 * stored, leads to the display and is gone when the link was replaced. Signed with AUTH_SECRET: a new AUTH_SECRET ends all links.
 */
import { timingSafeEqual } from "node:crypto";
import { isSecure } from "#/server/identity/env.ts";
import { cookieOf, hashOfSecret, keyed, newSecret } from "#/server/identity/secrets.ts";

/** 128 bits: forging one takes 2^127 tries on the average. */
const signatureBytes = 16;

const shape = /^([A-Za-z0-9_-]{43})\.([A-Za-z0-9_-]{22})$/;

const sign = (secret: string) => keyed("display link", secret).subarray(0, signatureBytes).toString("base64url");

/** A new link: what the screen opens, and what is stored of it. */
export function makeLink(): { token: string; hash: Buffer } {
  const secret = newSecret();
  return { token: `${secret}.${sign(secret)}`, hash: hashOfSecret(secret) };
}

/** What is stored of the link; null: Takt has not made it, or not with the present AUTH_SECRET. */
export function hashOfLink(token: string): Buffer | null {
  const [, secret, signature] = shape.exec(token) ?? [];
  if (!secret || !signature) return null;
  // As text: several texts of this length stand for the same bytes.
  return timingSafeEqual(Buffer.from(signature), Buffer.from(sign(secret))) ? hashOfSecret(secret) : null;
}

/** The prefix tells browsers to take and send the cookie over TLS only. */
const linkCookie = () => `${isSecure() ? "__Secure-" : ""}takt-display`;
/** Below this path alone does the browser show the cookie: it is of no use to any other page. */
export const displayPath = "/display";
/** 400 days: browsers keep no cookie for longer. Each heartbeat sets it again. */
const cookieS = 400 * 24 * 3600;

/** The cookie by which a screen is known after its link was opened once. */
export const linkCookieOf = (token: string) =>
  `${linkCookie()}=${token}; Path=${displayPath}; Max-Age=${cookieS}; HttpOnly; SameSite=Lax${isSecure() ? "; Secure" : ""}`;

/** The link in a request's cookies; null where there is none. */
export const tokenIn = (headers: Headers): string | null => cookieOf(headers, linkCookie());
