import type { Metadata } from "next";
import { getTranslations } from "next-intl/server";
import { Awake } from "#/components/frame/awake.tsx";
import { PlantHome } from "#/components/plant/plant-home.tsx";
import { requirePage } from "#/server/identity/page.ts";
import { Hydrate, prefetch, trpc } from "#/server/rsc.ts";

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations("plant"))("title") };
}

export default async function PlantPage() {
  await requirePage("plant.read");
  await prefetch(trpc.plant.tree.queryOptions());
  return (
    <Hydrate>
      <PlantHome />
      <Awake />
    </Hydrate>
  );
}
