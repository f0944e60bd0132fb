/**
 * Who may do what, and where. One map, so that a screen, a procedure, a page, an export and the documentation cannot disagree.
 * Pure: what an actor holds is read elsewhere (server/people), asked for here.
 */

import { actionWords } from "./permission-words.ts";

/** The duties of ISA-95 level 3 as people hold them, each at one site or at all. A person with two has both. */
export const roles = ["operator", "supervisor", "technician", "storekeeper", "quality", "plant_manager", "executive", "administrator", "viewer"] as const;
export type Role = (typeof roles)[number];

/**
 * Where an action happens. site: at one site, so the actor needs it there. plant: it concerns all sites (people, products, the plant file), so the actor needs
 * it at all of them. self: one's own account; whoever is signed in has it.
 */
export type Reach = "site" | "plant" | "self";

const everyone = roles;
const setUp = ["plant_manager", "administrator"] as const satisfies readonly Role[];

/** Everything that can be asked for: where it happens, whose duty it is, and whether other programs (tokens) and displays may hold it. */
export const actions = {
  "board.read": { reach: "site", roles: everyone, display: true },
  "data_health.read": { reach: "site", roles: ["supervisor", "technician", "plant_manager", "administrator", "viewer"] },
  "dead_letter.retry": { reach: "site", roles: ["technician", "administrator"] },
  "dead_letter.discard": { reach: "site", roles: ["technician", "administrator"] },
  "signal.map": { reach: "site", roles: ["technician", "administrator"] },

  "plant.read": { reach: "site", roles: ["supervisor", "technician", "quality", "plant_manager", "executive", "administrator", "viewer"] },
  "plant.change": { reach: "site", roles: setUp },
  "money.read": { reach: "site", roles: ["plant_manager", "executive", "administrator"] },
  "money.change": { reach: "site", roles: setUp },
  "catalogue.change": { reach: "plant", roles: setUp }, // what all sites share: sites themselves, products, group currency
  "device.change": { reach: "site", roles: ["technician", "administrator"] },

  "display.own": { reach: "site", roles: [], display: true }, // a display's own rotation and sign of life: no person's
  "screen.read": { reach: "site", roles: ["supervisor", "plant_manager", "administrator"] },
  "screen.change": { reach: "site", roles: ["supervisor", "plant_manager", "administrator"] },
  "terminal.change": { reach: "site", roles: ["supervisor", "plant_manager", "administrator"] }, // shared terminals and the PINs' resets

  "person.read": { reach: "site", roles: ["plant_manager", "administrator"] },
  "person.change": { reach: "site", roles: ["administrator"] },
  "token.read": { reach: "site", roles: ["administrator"] },
  "token.change": { reach: "site", roles: ["administrator"] },
  "audit.read": { reach: "site", roles: ["quality", "plant_manager", "administrator"] },
  "signature.read": { reach: "site", roles: ["supervisor", "technician", "quality", "plant_manager", "executive", "administrator", "viewer"] },
  "signature.give": { reach: "site", roles: ["quality", "plant_manager", "administrator"] },
  "history.read": { reach: "site", roles: ["supervisor", "technician", "quality", "plant_manager", "administrator"] }, // of one object

  "account.own": { reach: "self", roles: everyone },
} as const satisfies Record<string, { reach: Reach; roles: readonly Role[]; display?: true }>;

export type Action = keyof typeof actions;
export const actionNames = Object.keys(actions) as Action[];

/** A role at one site (its id) or at all. lines: an operator's own ones; null: all of the site. */
export type Grant = { role: Role; site: number | "all"; lines: readonly number[] | null };

/**
 * Who asks. person: signed in. display: a wall display by its link, read only. token: another program. nobody: not signed in. program: Takt itself (jobs, command line).
 * `only`: what a token was narrowed to, whatever its grants allow.
 */
export type Actor =
  | {
      kind: "person";
      id: string;
      name: string;
      grants: readonly Grant[];
      sessionId: string;
      /** Shared terminal: who unlocked it with a PIN. */
      terminalId: number | null;
      /** An administrator's rights rest until the session has a second factor: a site asks for one. */
      secondFactorMissing?: true;
    }
  | { kind: "token"; id: string; name: string; grants: readonly Grant[]; only: readonly Action[] }
  // siteId, lines: the only boards it may show.
  | { kind: "display"; id: string; name: string; siteId: number; lines: readonly number[] | null }
  | { kind: "program"; id: string; name: string }
  | { kind: "nobody"; id: ""; name: "Nobody" };

export const nobody: Actor = { kind: "nobody", id: "", name: "Nobody" };

/** Where an action may be done: everywhere, or at these sites; in them on all lines (null) or these. */
export type Scope = {
  sites: "all" | readonly number[];
  /** By site; a site that is not in it: all of its lines. */
  linesOf: ReadonlyMap<number, readonly number[]>;
};

const nowhere: Scope = { sites: [], linesOf: new Map() };

/** Where the actor may do it. Nowhere: `sites` is empty. */
export function scopeOf(actor: Actor, action: Action): Scope {
  const { reach, roles: duty, ...rule } = actions[action];
  if (actor.kind === "nobody") return nowhere;
  if (actor.kind === "program") return { sites: "all", linesOf: new Map() };
  if (actor.kind === "display") {
    if (!("display" in rule)) return nowhere;
    return { sites: [actor.siteId], linesOf: actor.lines === null ? new Map() : new Map([[actor.siteId, actor.lines]]) };
  }
  if (actor.kind === "token" && (!actor.only.includes(action) || reach === "self")) return nowhere;
  const held = actor.grants.filter((grant) => (duty as readonly Role[]).includes(grant.role));
  if (reach === "self") return actor.kind === "person" ? { sites: "all", linesOf: new Map() } : nowhere;
  const all = held.some((grant) => grant.site === "all" && grant.lines === null);
  if (all) return { sites: "all", linesOf: new Map() };
  if (reach === "plant") return nowhere;
  const sites = new Map<number, readonly number[] | null>();
  for (const { site, lines } of held) {
    if (site === "all") continue; // lines belong to a site: membership at all sites has none
    const before = sites.get(site);
    sites.set(site, before === null || lines === null ? null : [...new Set([...(before ?? []), ...lines])]);
  }
  const linesOf = new Map<number, readonly number[]>();
  for (const [site, lines] of sites) if (lines !== null) linesOf.set(site, lines);
  return { sites: [...sites.keys()], linesOf };
}

/** At all, anywhere: whether a page or a button is offered. */
export const mayAnywhere = (actor: Actor, action: Action): boolean => {
  const { sites } = scopeOf(actor, action);
  return sites === "all" || sites.length > 0;
};

/** There, and on that line where one is given. */
export function mayAt(actor: Actor, action: Action, siteId: number, lineId: number | null = null): boolean {
  const { sites, linesOf } = scopeOf(actor, action);
  if (sites !== "all" && !sites.includes(siteId)) return false;
  const lines = linesOf.get(siteId);
  return lineId === null || lines === undefined || lines.includes(lineId);
}

/** Anything at all of that site (and line): what it may not do there is forbidden; what is of another site does not exist for it. */
export function sees(actor: Actor, siteId: number, lineId: number | null = null): boolean {
  if (actor.kind === "program") return true;
  if (actor.kind === "nobody") return false;
  const grants: readonly Pick<Grant, "site" | "lines">[] = actor.kind === "display" ? [{ site: actor.siteId, lines: actor.lines }] : actor.grants;
  return grants.some(({ site, lines }) => (site === "all" ? lines === null : site === siteId && (lines === null || lineId === null || lines.includes(lineId))));
}

/** Everything of `before` is still in `now`: nothing was taken away. */
export function covers(now: Scope, before: Scope): boolean {
  if (now.sites === "all" && now.linesOf.size === 0) return true;
  if (before.sites === "all") return now.sites === "all";
  return before.sites.every((site) => {
    if (now.sites !== "all" && !now.sites.includes(site)) return false;
    const lines = now.linesOf.get(site);
    return lines === undefined || (before.linesOf.get(site)?.every((line) => lines.includes(line)) ?? false);
  });
}

/** Why not, in words; null where the actor may (anywhere, or at `siteId`). */
export function whyMayNot(actor: Actor, action: Action, siteId: number | null = null): string | null {
  if (siteId === null ? mayAnywhere(actor, action) : mayAt(actor, action, siteId)) return null;
  if (actor.kind === "nobody") return "You are not signed in. Sign in and try again.";
  if (actor.kind === "display") return "This is a display: it shows its boards and does nothing else.";
  if (actor.kind === "token") return `The token "${actor.name}" does not allow this (${action}${siteId === null ? "" : ", at this site"}).`;
  return `${actor.name} may not do this${siteId === null ? "" : " at this site"}: "${actionWords[action]}". Ask an administrator for the permission.`;
}
