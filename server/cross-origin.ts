/** Keeps pages of other sites from pressing this app's buttons through a visitor's browser. */

/**
 * Why a request that may change something is refused; null where it may pass. Reading is left to the browser's same-origin rule.
 * Browsers say where a request comes from (Sec-Fetch-Site, Origin); a form of another site cannot send JSON. Programs send neither header.
 */
export function whyNotFromHere(method: string, headers: Headers): string | null {
  if (method === "GET" || method === "HEAD") return null;
  const site = headers.get("sec-fetch-site");
  if (site !== null && site !== "same-origin" && site !== "none") return "This request came from another site and was refused.";
  const origin = headers.get("origin");
  if (origin !== null && hostOf(origin) !== (headers.get("x-forwarded-host") ?? headers.get("host")))
    return "This request came from another address and was refused.";
  if (!(headers.get("content-type") ?? "").toLowerCase().startsWith("application/json")) return "Only JSON is taken here.";
  return null;
}

/** "null" is the origin of sandboxed frames and of files: the host of nobody. */
const hostOf = (origin: string): string | null => (URL.canParse(origin) ? new URL(origin).host : null);
