/** Keeps pages of other sites from pressing this app's buttons through a visitor's browser. */

/**
 * Why a request that may change something is refused; null where it may pass. Reading is left to the browser's same-origin rule.
 * Browsers say where a request comes from (Sec-Fetch-Site, Origin); a form of another site cannot send JSON, nor what else is in `takes`. Programs send neither header.
 * takes: content types; "any": whatever no form can send, for whoever looks before it is known where the request goes.
 */
export function whyNotFromHere(method: string, headers: Headers, takes: readonly string[] | "any" = ["application/json"]): string | null {
  if (method === "GET" || method === "HEAD") return null;
  const site = headers.get("sec-fetch-site");
  if (site !== null && site !== "same-origin" && site !== "none") return "This request came from another site and was refused.";
  const origin = headers.get("origin");
  if (origin !== null && hostOf(origin) !== (headers.get("x-forwarded-host") ?? headers.get("host")))
    return "This request came from another address and was refused.";
  const type = (headers.get("content-type") ?? "").split(";")[0]?.trim().toLowerCase() ?? "";
  if (type !== "" && !formTypes.includes(type) && (takes === "any" || takes.includes(type))) return null;
  if (takes === "any") return "This was sent as a form sends it, and no form of Takt's is sent like that.";
  return takes.length === 1 && takes[0] === "application/json" ? "Only JSON is taken here." : `Only ${takes.join(", ")} is taken here.`;
}

/** What a form of another site can send without asking first. */
const formTypes: readonly string[] = ["text/plain", "multipart/form-data", "application/x-www-form-urlencoded"];

/** "null" is the origin of sandboxed frames and of files: the host of nobody. */
const hostOf = (origin: string): string | null => (URL.canParse(origin) ? new URL(origin).host : null);
