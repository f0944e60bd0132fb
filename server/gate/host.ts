/**
 * Under which name Takt may be asked for. A page of another site can make its own name lead to this machine (DNS rebinding); the browser would then take Takt's
 * answers for that site's own and let it read them. Such a request still carries the other site's name.
 */

/** As it is in a Host header: `takt.example.com:3000`, `[::1]:3000`. */
const hostShape = /^(?:[a-z0-9._-]{1,253}|\[[0-9a-f:.]{2,45}\])(?::\d{1,5})?$/i;

const nameOf = (host: string): string => host.replace(/:\d+$/, "").toLowerCase();

/** Names that lead to this machine by definition (RFC 6761, 6.3), whatever a name server says. */
const isLoopback = (host: string): boolean => {
  const name = nameOf(host);
  return name === "localhost" || name.endsWith(".localhost") || name === "[::1]" || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(name);
};

/** The host as a browser would write it in an address of that origin: small letters, and no port where it is the usual one. */
const written = (host: string, origin: string): string => {
  const url = `${new URL(origin).protocol}//${host}`;
  return URL.canParse(url) ? new URL(url).host : "";
};

/** Why a request for that host is not answered; null: it is. publicUrl: origin at which browsers reach Takt; null: none was set. */
export function whyNotThisHost(host: string | undefined, publicUrl: string | null): string | null {
  if (host === undefined || !hostShape.test(host)) return "The request does not say by which name it asks for Takt (Host).";
  if (publicUrl === null) {
    if (isLoopback(host)) return null;
    return `Takt answers on its own machine alone (localhost) until it is told its address: set PUBLIC_URL to it, for example PUBLIC_URL=http://${host}`;
  }
  if (written(host, publicUrl) === new URL(publicUrl).host) return null;
  return `This Takt is at ${publicUrl} and was asked for as ${host}. Use its address; a reverse proxy in front of it must hand on the Host of the request.`;
}
