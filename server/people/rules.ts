/** Who may give what to whom. Pure: everything that the people's administration refuses is said here. */
import type { Scope } from "#/server/domain/permission.ts";
import type { FieldFault } from "#/server/errors.ts";
import type { Membership, Place } from "./queries.ts";

export type WantedMembership = Omit<Membership, "fromProvider">;

/** A membership belongs to the scope where its site does; one at all sites only where all are. */
export const isWithin = ({ sites }: Scope, { siteId }: Pick<Membership, "siteId">): boolean => sites === "all" || (siteId !== null && sites.includes(siteId));

/** Somebody is seen by who looks after a site at which they may anything; who holds nothing, by who looks after all sites. */
export const isSeen = (scope: Scope, memberships: readonly Membership[]): boolean =>
  scope.sites === "all" || memberships.some((one) => one.siteId === null || isWithin(scope, one));

/** What the viewer is told of somebody's memberships: those at all sites and at the viewer's. */
export const seenMemberships = (scope: Scope, memberships: readonly Membership[]): Membership[] =>
  memberships.filter((one) => one.siteId === null || isWithin(scope, one));

/**
 * Why the person as a whole (name, address, sign-in) is not the actor's to change: whoever can give somebody a new password can become them, so it takes the
 * right at every site where they hold anything. null: it is.
 */
export function whyNotWhole(scope: Scope, name: string, memberships: readonly Membership[]): string | null {
  if (memberships.every((one) => isWithin(scope, one)) && (memberships.length > 0 || scope.sites === "all")) return null;
  return `${name} has roles at other sites, too: an administrator of all of these can change the person and how they sign in. You can change the roles at your sites.`;
}

/**
 * What is wrong with the wanted memberships, by field of the form. `places`: the actor's sites with their lines. `before`: what the person holds; a line that was
 * retired since may stay, for without its last line a membership would be one in the whole site.
 */
export function membershipFaults(
  scope: Scope,
  wanted: readonly WantedMembership[],
  places: readonly Place[],
  before: readonly WantedMembership[],
): FieldFault[] {
  const faults: FieldFault[] = [];
  const seen = new Set<string>();
  for (const [index, one] of wanted.entries()) {
    const path = `memberships.${index}`;
    const place = places.find(({ siteId }) => siteId === one.siteId);
    if (!isWithin(scope, one) || (one.siteId !== null && !place)) {
      const sentence = one.siteId === null ? "Only an administrator of all sites gives roles at all sites." : "This is none of your sites.";
      faults.push({ path: `${path}.siteId`, sentence });
      continue;
    }
    const same = `${one.role}@${one.siteId}`;
    if (seen.has(same)) faults.push({ path: `${path}.role`, sentence: "This role at this site is in the list twice." });
    seen.add(same);
    if (one.lineIds.length === 0) continue;
    if (one.role !== "operator" || !place) faults.push({ path: `${path}.lineIds`, sentence: "Only operators of one site have lines of their own." });
    else if (one.lineIds.some((id) => !place.lines.some(({ lineId }) => lineId === id) && !hadLine(one, id)))
      faults.push({ path: `${path}.lineIds`, sentence: "A line is not of this site, or no longer in use." });
  }
  return faults;

  function hadLine({ role, siteId }: WantedMembership, lineId: number): boolean {
    return before.some((one) => one.role === role && one.siteId === siteId && one.lineIds.includes(lineId));
  }
}
