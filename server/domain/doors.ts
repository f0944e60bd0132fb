/**
 * What every page and route handler asks for before it answers. Procedures say so themselves (server/trpc.ts). Pages are asked by their layout through this map and
 * once more by themselves (requirePage); server/permissions holds map, files and answers together.
 */
import type { Action } from "./permission.ts";

/** The action that is needed, or why anybody may. */
export type Door = Action | { open: string };

/** By path below app/, without its groups. */
export const pageDoors = {
  "/": "board.read",
  "/account": "account.own",
  "/account/second-factor": "account.own",
  "/audit": "audit.read",
  "/audit/signatures": "audit.read",
  "/board/[site]/[area]/[line]": "board.read",
  "/data-health": "data_health.read",
  "/devices": "plant.read",
  "/display": { open: "a wall display's own page: shows what the link in its cookie opens, or why it opens nothing" },
  "/forgot-password": { open: "for who cannot sign in" },
  "/link": { open: "for who holds a one-time link; what it opens is asked for with its secret" },
  "/people": "person.read",
  "/people/[id]": "person.read",
  "/people/new": "person.change",
  "/plant": "plant.read",
  "/plant/[kind]/[...address]": "plant.read",
  "/plant/import": "plant.change",
  "/plant/new/[kind]": "plant.change",
  "/plant/new/device": "device.change",
  "/screens": "screen.read",
  "/sign-in": { open: "for who is not signed in" },
  "/sign-out": { open: "signs out whoever is signed in" },
  "/start": "account.own",
  "/terminal": { open: "a shared terminal's own screen: the names of who may unlock it, in a browser that was registered as one" },
  "/terminals": "terminal.change",
  "/tokens": "token.read",
} as const satisfies Record<string, Door>;

/** By path and method. each: every one of the questions that come by it asks for itself. */
export type HandlerDoor = Door | { each: string };
export const handlerDoors = {
  "GET /api/auth/[...all]": { each: "signing in and out; below" },
  "POST /api/auth/[...all]": { each: "signing in and out; below" },
  "GET /api/health": { open: "for load balancers: whether this web app is fit to serve, nothing of the plant" },
  "GET /api/plant/import/[sheet]": "plant.change",
  "POST /api/plant/import/[sheet]": "plant.change",
  "GET /api/trpc/[trpc]": { each: "procedures; below" },
  "POST /api/trpc/[trpc]": { each: "procedures; below" },
  "GET /api/v1/[...path]": { each: "procedures that other programs may ask; docs/api.md" },
  "GET /api/v1/openapi.json": { open: "says what can be asked, and nothing of the plant" },
  "GET /audit/export": "audit.read",
  "GET /plant/export": "plant.read",
  "GET /display/[link]": { open: "a wall display's link: leaves it as a cookie in the display's browser" },
  "GET /display/api/[trpc]": { each: "procedures, for the display of the cookie alone" },
  "POST /display/api/[trpc]": { each: "procedures, for the display of the cookie alone" },
} as const satisfies Record<string, HandlerDoor>;

/** Below /api/auth, by method and path. */
export const identityDoors = {
  "POST /sign-in/username": { open: "signing in" },
  "POST /sign-in/social": { open: "signing in with a provider" },
  "GET /callback/oidc": { open: "coming back from the provider" },
  "POST /sign-out": { open: "ends the session of the cookie, where there is one" },
  "POST /two-factor/verify-totp": { open: "the second step of signing in; signed in: switches the second factor on" },
  "POST /two-factor/verify-backup-code": { open: "the second step of signing in" },
  "POST /two-factor/enable": "account.own",
  "POST /two-factor/disable": "account.own",
  "POST /two-factor/generate-backup-codes": "account.own",
  "POST /link/read": { open: "what a one-time link is for, to who holds its secret" },
  "POST /link/redeem": { open: "uses a one-time link, once" },
  "POST /link/request": { open: "asks for a mail; the answer is the same whoever there is" },
  "POST /terminal/unlock": { open: "a PIN at a registered terminal" },
  "POST /terminal/register": "terminal.change",
  "POST /terminal/leave": { open: "forgets that this browser was a terminal, where it no longer is one" },
} as const satisfies Record<string, Door>;

const segmentsOf = (path: string): string[] => path.split("/").filter(Boolean);
const isName = (segment: string) => segment.startsWith("[");

function fits(pattern: readonly string[], path: readonly string[]): boolean {
  const isOpenEnded = pattern.at(-1)?.startsWith("[...") === true;
  if (isOpenEnded ? path.length < pattern.length : path.length !== pattern.length) return false;
  return pattern.every((segment, n) => isName(segment) || segment === path[n]);
}

/** The door of a page by its address, without its query; null: there is no such page. What is spelled out goes before what has a name. */
export function pageDoorAt(path: string): Door | null {
  const segments = segmentsOf(path);
  const found = Object.keys(pageDoors).filter((pattern) => fits(segmentsOf(pattern), segments));
  const [best] = found.sort((a, b) => segmentsOf(b).filter((s) => !isName(s)).length - segmentsOf(a).filter((s) => !isName(s)).length);
  return best === undefined ? null : pageDoors[best as keyof typeof pageDoors];
}
