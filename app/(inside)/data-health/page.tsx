import type { Metadata } from "next";
import { getTranslations } from "next-intl/server";
import { DataHealth } from "#/components/data-health/data-health.tsx";
import { Awake } from "#/components/frame/awake.tsx";
import { requirePage } from "#/server/identity/page.ts";
import { Hydrate, prefetch, trpc } from "#/server/rsc.ts";

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations("health"))("title") };
}

export default async function DataHealthPage() {
  await requirePage("data_health.read");
  await Promise.all([
    prefetch(trpc.dataHealth.workers.queryOptions()),
    prefetch(trpc.dataHealth.sources.queryOptions()),
    prefetch(trpc.dataHealth.unknown.queryOptions()),
    prefetch(trpc.dataHealth.letterGroups.queryOptions({ status: "open" })),
  ]);
  return (
    <Hydrate>
      <DataHealth />
      <Awake />
    </Hydrate>
  );
}
