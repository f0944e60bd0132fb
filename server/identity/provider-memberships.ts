/** What a sign-in provider's claim means here: `plant-admins=administrator@*; line-team=operator@werk-1`. Pure. */
import { type Role, roles } from "#/server/domain/permission.ts";

/** Whoever has `value` in the claim holds the role at the site (its key), or at all (null). */
export type ProviderMembership = { value: string; role: Role; siteKey: string | null };

/** The memberships of OIDC_MEMBERSHIPS; a sentence where they cannot be read. */
export function readMemberships(text: string): ProviderMembership[] | string {
  const read: ProviderMembership[] = [];
  for (const entry of text.split(";").map((part) => part.trim())) {
    if (entry === "") continue;
    const [, value, role, site] = /^(.+?)\s*=\s*([a-z_]+)\s*@\s*(\*|[A-Za-z0-9][A-Za-z0-9._-]*)$/.exec(entry) ?? [];
    if (!value || !role || !site) return `must be entries like group=role@site with semicolons between them, * for all sites; "${entry}" is none`;
    const known = roles.find((name) => name === role);
    if (!known) return `names the role "${role}"; there are ${roles.join(", ")}`;
    read.push({ value, role: known, siteKey: site === "*" ? null : site });
  }
  return read;
}

/** The values that a claim holds: a text, or a list of them. A name with dots leads into objects (realm_access.roles). */
export function claimValues(claims: Record<string, unknown>, claim: string): string[] {
  const held =
    claims[claim] ?? claim.split(".").reduce<unknown>((at, part) => (typeof at === "object" && at !== null ? Reflect.get(at, part) : undefined), claims);
  if (typeof held === "string") return [held];
  return Array.isArray(held) ? held.filter((value) => typeof value === "string") : [];
}

/** The memberships that the claims give. */
export const membershipsOf = (claims: Record<string, unknown>, claim: string, all: readonly ProviderMembership[]): ProviderMembership[] => {
  const values = new Set(claimValues(claims, claim));
  return all.filter(({ value }) => values.has(value));
};
