import type { SiteData } from "./entry.ts";

/** The filters that are typed or chosen on the page, as its address names them. */
export const filterNames = ["from", "to", "who", "action", "kind", "id", "text"] as const;
export type FilterName = (typeof filterNames)[number];
export type TrailFilter = { site: string | null; zone: string } & Record<FilterName, string | null>;

/** What the page's address asks for; the same on the server and in the browser, so that the first page comes with the first paint. */
export function filterOf(parameterOf: (name: string) => string | null, sites: readonly SiteData[]): TrailFilter {
  const site = sites.find(({ key }) => key === parameterOf("site"));
  const { from, to, who, action, kind, id, text } = Object.fromEntries(filterNames.map((name) => [name, parameterOf(name) || null])) as Record<
    FilterName,
    string | null
  >;
  return { site: site?.key ?? null, zone: site?.zone ?? commonZone(sites), from, to, who, action, kind, id, text };
}

/** Of all sites, where they are in one; else times of several sites are told in UTC. */
function commonZone(sites: readonly SiteData[]): string {
  const [zone, ...others] = new Set(sites.map((site) => site.zone));
  return zone !== undefined && others.length === 0 ? zone : "UTC";
}

/** Where the list goes on after a page. */
export const onwards = { getNextPageParam: (page: { next: string | null }) => page.next ?? undefined };
