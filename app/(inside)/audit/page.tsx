import type { Metadata } from "next";
import { getTranslations } from "next-intl/server";
import { AuditTrail } from "#/components/audit/audit-trail.tsx";
import { filterOf, onwards } from "#/components/audit/trail-filter.ts";
import { Awake } from "#/components/frame/awake.tsx";
import { requirePage } from "#/server/identity/page.ts";
import { fetched, Hydrate, prefetchPages, trpc } from "#/server/rsc.ts";

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations("audit"))("title") };
}

export default async function AuditPage({ searchParams }: PageProps<"/audit">) {
  await requirePage("audit.read");
  const parameters = await searchParams;
  const sites = await fetched(trpc.audit.sites.queryOptions());
  const parameterOf = (name: string) => [parameters[name]].flat()[0] ?? null;
  await prefetchPages(trpc.audit.entries.infiniteQueryOptions(filterOf(parameterOf, sites), onwards));
  return (
    <Hydrate>
      <AuditTrail />
      <Awake />
    </Hydrate>
  );
}
