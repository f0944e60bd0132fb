import type { inferRouterOutputs } from "@trpc/server";
import type { AppRouter } from "#/server/router.ts";

type Outputs = inferRouterOutputs<AppRouter>["audit"];
export type EntryData = Outputs["entries"]["entries"][number];
export type SiteData = Outputs["sites"][number];

/** In which zone an entry's times are shown: its site's; of what concerns all sites, UTC. */
export const zoneOf = (entry: { chain: number }, sites: readonly SiteData[]): string => sites.find(({ id }) => id === entry.chain)?.zone ?? "UTC";
/** `2026-05-04T10:00:00.123456Z` as milliseconds. */
export const instantOf = (entry: { at: string }): number => Date.parse(entry.at);
