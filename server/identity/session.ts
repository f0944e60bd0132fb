/** A person's session: how its cookie is read, how long it lasts, and what keeps it alive. */
import { createHmac, timingSafeEqual } from "node:crypto";
import { identityEnv, isSecure } from "./env.ts";
import { cookieOf } from "./secrets.ts";

export const cookiePrefix = "takt";
/** The prefix tells browsers to take and send the cookie over TLS only. */
export const cookieName = (name: string): string => `${isSecure() ? "__Secure-" : ""}${cookiePrefix}.${name}`;

/** Seconds. absolute: from signing in; idle: without doing anything. kept: with "keep me signed in" ticked. */
export const sessionLimits = {
  usual: { absoluteS: 24 * 3600, idleS: 8 * 3600 },
  kept: { absoluteS: 30 * 24 * 3600, idleS: 7 * 24 * 3600 },
  /** On a shared terminal; idle is the terminal's own. */
  terminal: { absoluteS: 12 * 3600 },
} as const;

/** The token in the session's cookie if the cookie is one that Takt signed; null otherwise. */
export function sessionToken(headers: Headers): string | null {
  const raw = cookieOf(headers, cookieName("session_token"));
  if (raw === null) return null;
  const value = decoded(raw);
  const at = value.lastIndexOf(".");
  if (at <= 0) return null;
  const token = value.slice(0, at);
  const given = Buffer.from(value.slice(at + 1), "base64");
  const right = createHmac("sha256", identityEnv().AUTH_SECRET).update(token).digest();
  return given.length === right.length && timingSafeEqual(given, right) ? token : null;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return "";
  }
}

/**
 * Whether a request comes of something that a person did: opening a page, following a link, pressing a button. What a page asks for by itself (to stay fresh, to
 * fetch ahead) keeps nobody signed in. Browsers say what they fetch for; programs do not, and theirs count.
 */
export function isDoing(headers: Headers): boolean {
  if (headers.get("next-router-prefetch") !== null || headers.get("purpose") === "prefetch" || headers.get("sec-purpose")?.startsWith("prefetch")) return false;
  const fetchedFor = headers.get("sec-fetch-dest");
  if (fetchedFor !== null && fetchedFor !== "empty") return true;
  return fetchedFor === null || headers.get("rsc") !== null || (headers.get("content-type") ?? "").startsWith("application/json");
}
