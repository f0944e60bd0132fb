/**
 * How much may be asked, by whom: so that one program, browser or screen that runs wild does not take the others' time. Counted in this process's memory and
 * nowhere else, because a count in the database would cost more than most of the answers; with n web processes there may be asked up to n times as much.
 * What keeps passwords, codes and PINs from being guessed is another thing, and counted in the database for all processes: server/identity/tries.ts.
 */
import { createHash } from "node:crypto";
import { networkOf } from "#/server/identity/address.ts";
import { Meter, type Rate } from "./meter.ts";

export const rates = {
  /** One token: a program that reads each of 100 boards every 10 s stays within it. */
  token: { burst: 100, perS: 10 },
  /** All programs behind one address, with tokens that are good, bad or none. */
  programs: { burst: 400, perS: 50 },
  /** All browsers and screens behind one address: 200 screens that come back at once, 8 requests each, and all the people of a plant that has one address. */
  browsers: { burst: 2_000, perS: 100 },
} as const satisfies Record<string, Rate>;

type Meters = Record<keyof typeof rates, Meter>;
const fresh = (): Meters => ({ token: new Meter(rates.token), programs: new Meter(rates.programs), browsers: new Meter(rates.browsers) });

/** Counts of one gate. `Authorization` tells programs from browsers: no page of ours sends it. */
export class Rates {
  private readonly meters = fresh();

  /** Seconds that whoever asks has to wait; 0: none. address: null where it is not known. cost: how many questions it is. */
  waitS({ address, authorization, cost }: { address: string | null; authorization: string | null; cost: number }, nowMs: number): number {
    const byAddress = authorization === null ? this.meters.browsers : this.meters.programs;
    const waits = [
      address === null ? 0 : byAddress.take(networkOf(address), cost, nowMs),
      authorization === null ? 0 : this.meters.token.take(hashed(authorization), cost, nowMs),
    ];
    return Math.max(...waits);
  }
}

/** So that no token lies about in memory for longer than its request. */
const hashed = (text: string): string => createHash("sha256").update(text).digest("base64");

/** Built by the framework and the same for everybody: files, whose reading costs next to nothing. */
const isFile = (path: string): boolean =>
  path.startsWith("/_next/static/") || path.startsWith("/icons/") || /^\/[a-z-]+\.(svg|png|ico|webmanifest)$/.test(path);

/** Questions in a request: a batch names its procedures with commas between them. Files cost nothing, nor does the look of a load balancer. */
export function costOf(path: string): number {
  if (isFile(path) || path === "/api/health") return 0;
  return path.startsWith("/api/trpc/") || path.startsWith("/display/api/") ? path.split(/,|%2c/i).length : 1;
}
