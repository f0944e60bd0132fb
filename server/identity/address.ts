/** Where a request came from. What a client says of itself in headers counts only as far as known proxies vouch for it. */
import { isIP } from "node:net";
import { identityEnv } from "./env.ts";

/** Written by the gate alone (server/gate/gate.ts), which has the connection; what comes in under this name is overwritten. */
export const peerHeader = "x-takt-peer";

const plain = (address: string): string => address.trim().replace(/^::ffff:(?=\d+\.)/i, "");

/** Whether it is a proxy of TRUSTED_PROXIES. */
export function isTrustedProxy(peer: string): boolean {
  const address = plain(peer);
  const family = isIP(address);
  return family !== 0 && (identityEnv().TRUSTED_PROXIES?.check(address, family === 6 ? "ipv6" : "ipv4") ?? false);
}

/** The client's address; null where it is not known (a call from inside). Behind proxies of TRUSTED_PROXIES: the last address that none of them is. */
export function addressOf(headers: Headers): string | null {
  let address = plain(headers.get(peerHeader) ?? "");
  if (isIP(address) === 0) return null;
  const forwarded = (headers.get("x-forwarded-for") ?? "").split(",").map(plain);
  while (isTrustedProxy(address)) {
    const before = forwarded.pop();
    if (before === undefined || isIP(before) === 0) break;
    address = before;
  }
  return address;
}

/** The address as far as one household or machine has it: all of an IPv4 one, the first 64 bits of an IPv6 one, whose rest its owner chooses freely. */
export function networkOf(address: string): string {
  if (isIP(address) !== 6) return address;
  const [head = "", tail] = address.toLowerCase().split("::");
  const parts = head === "" ? [] : head.split(":");
  const ends = tail === undefined || tail === "" ? [] : tail.split(":");
  const groups = tail === undefined ? parts : [...parts, ...Array.from({ length: Math.max(0, 8 - parts.length - ends.length) }, () => "0"), ...ends];
  return `${groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(":")}::/64`;
}
