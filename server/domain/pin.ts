/** What a PIN opens: short as it is, the work on the floor at the terminal's own site; and one that somebody else gave, no more than that somebody could have done. Pure. */
import { type Actor, actionNames, actions, covers, type Grant, type Role, scopeOf } from "./permission.ts";

export const floorRoles: readonly Role[] = ["operator", "supervisor", "technician", "storekeeper", "quality", "viewer"];

/** What of it a terminal at that site is unlocked for. */
export function atTerminal(grant: Grant, siteId: number): Grant[] {
  if (!floorRoles.includes(grant.role)) return [];
  if (grant.site === "all") return [{ ...grant, site: siteId }];
  return grant.site === siteId ? [grant] : [];
}

/** The duties that a given PIN opens, as they are kept: `operator@3`, by the site's id, or `viewer@*`. */
const dutyOf = ({ role, site }: Pick<Grant, "role" | "site">): string => `${role}@${site === "all" ? "*" : site}`;

/** What a PIN opens whose person chose it and has given their password: all of the floor. */
export const opensAll: readonly string[] = ["*"];

/** Whether a PIN that was given for these duties opens this one at this site. */
export const opens = (given: readonly string[], role: Role, siteId: number): boolean =>
  given.includes("*") || given.includes(dutyOf({ role, site: "all" })) || given.includes(dutyOf({ role, site: siteId }));

/** Whether the actor may everything that somebody with these grants may, at all of the same places: what is done in that name the actor could do in their own. */
export function holdsAllOf(actor: Actor, grants: readonly Grant[]): boolean {
  const other: Actor = { kind: "person", id: "", name: "", grants, sessionId: "", terminalId: null };
  return actionNames.every((action) => actions[action].reach === "self" || covers(scopeOf(actor, action), scopeOf(other, action)));
}

/**
 * What a PIN opens that the actor gives to a person with these grants: their duties of the floor at the actor's sites (where the actor gives PINs). null: the
 * person may do something there that the actor may not, so that a PIN which the actor has had in hand would let the actor do it under that name.
 */
export function whatPinOpens(actor: Actor, grants: readonly Grant[]): string[] | null {
  const { sites } = scopeOf(actor, "terminal.change");
  const floor = grants.filter(({ role }) => floorRoles.includes(role));
  const there = sites === "all" ? floor : sites.flatMap((site) => floor.flatMap((grant) => atTerminal(grant, site)));
  return holdsAllOf(actor, there) ? [...new Set(there.map(dutyOf))] : null;
}
