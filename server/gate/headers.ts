/** What every answer of the web app says to browsers, pages, programs' answers, files and refusals alike. Pages have a policy of their own: proxy.ts. */

/** Two years, as browsers' preload lists ask for. Of this host alone: what else lies below its name is not Takt's to say. */
const strictTransport = "max-age=63072000";

/** For whatever is no page: if a browser is led to show it all the same, nothing of it loads, runs or can be sent anywhere. Style: the gate's own words. */
const policyOfNoPage = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** isSecure: browsers reach Takt by https. */
export const headersOf = (path: string, { isSecure }: { isSecure: boolean }): Record<string, string> => ({
  "content-security-policy": policyOfNoPage,
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY", // for browsers that do not know frame-ancestors
  "referrer-policy": "same-origin",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
  ...(isSecure ? { "strict-transport-security": strictTransport } : {}),
  // Answers are somebody's; what may be kept says so itself.
  ...(path.startsWith("/_next/") ? {} : { "cache-control": "no-store" }),
});
