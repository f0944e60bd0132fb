/** Cuts what a query finds down to where the actor may: conditions for `where`, on SQL of the row's ids, with parameters from $first on; or in memory. */
import type { Scope } from "#/server/domain/permission.ts";

/** Of what belongs to a site as a whole. One parameter: `sitesIn(scope)`. */
export const inSites = (first: number, site: string): string => `($${first}::int[] is null or ${site} = any($${first}))`;
/** null: all. */
export const sitesIn = ({ sites }: Scope): number[] | null => (sites === "all" ? null : [...sites]);

/** Of what belongs to a line. Three parameters: `...linesIn(scope)`. */
export const inLines = (first: number, site: string, line: string): string =>
  `${inSites(first, site)} and (${site} <> all($${first + 1}::int[]) or ${line} = any($${first + 2}::int[]))`;
/** The sites (null: all), those of them in which only some lines are meant, and these lines. */
export const linesIn = (scope: Scope): [sites: number[] | null, narrowed: number[], lines: number[]] => [
  sitesIn(scope),
  [...scope.linesOf.keys()],
  [...scope.linesOf.values()].flat(),
];

export const everywhere: Scope = { sites: "all", linesOf: new Map() };

/** The same of what has been read for all viewers. null: nobody can say the site; then it is for those who look after all sites. */
export const isInSites = ({ sites }: Scope, site: number | null): boolean => sites === "all" || (site !== null && sites.includes(site));
export const isInLines = (scope: Scope, site: number, line: number): boolean => isInSites(scope, site) && (scope.linesOf.get(site)?.includes(line) ?? true);
