/** What a token, by which another program asks, may hold. It acts in the name of the person who made it, and never for more than that person may do at that moment. */
import { type Action, type Actor, actionNames, actions, type Grant, mayAt, scopeOf } from "./permission.ts";

/** Which sites a token is for. */
export type TokenSites = "all" | readonly number[];

/**
 * People give rights to people, and to programs: a token that got into the wrong hands must not make itself a lasting way in. A signature is a person's, who gives
 * their password with it. Displays' own is no person's to give.
 */
const personsAlone: readonly Action[] = ["token.change", "person.change", "terminal.change", "signature.give", "display.own"];

/** Everything that a token may be given. */
export const tokenActions: readonly Action[] = actionNames.filter((action) => actions[action].reach !== "self" && !personsAlone.includes(action));

/** Whether the actor may do this at all of the sites, and so may let a token do it. What concerns all sites is for a token of all sites. */
export function holdsAt(actor: Actor, action: Action, sites: TokenSites): boolean {
  if (sites === "all") return scopeOf(actor, action).sites === "all";
  return actions[action].reach === "site" && sites.every((site) => mayAt(actor, action, site));
}

/** The owner's grants, cut down to the token's sites. */
export function grantsWithin(grants: readonly Grant[], sites: TokenSites): Grant[] {
  if (sites === "all") return [...grants];
  return grants.flatMap((grant) => {
    if (grant.site === "all") return sites.map((site) => ({ ...grant, site }));
    return sites.includes(grant.site) ? [grant] : [];
  });
}

/** Days that a token may be good for: a secret that is never renewed leaks at last. */
export const longestTokenDays = 365;
export const usualTokenDays = 90;
