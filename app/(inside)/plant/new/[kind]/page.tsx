import type { Metadata } from "next";
import { notFound } from "next/navigation";
import { getTranslations } from "next-intl/server";
import { Awake } from "#/components/frame/awake.tsx";
import { NewItem } from "#/components/plant/new-item.tsx";
import { requirePage } from "#/server/identity/page.ts";
import { type Kind, kinds } from "#/server/plant/items.ts";
import { Hydrate, prefetch, trpc } from "#/server/rsc.ts";

type Props = PageProps<"/plant/new/[kind]">;

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations("plant"))("title") };
}

export default async function NewPlantItemPage({ params, searchParams }: Props) {
  await requirePage("plant.change");
  const { kind } = await params;
  const { under = "" } = await searchParams;
  if (!kinds.includes(kind as Kind) || Array.isArray(under)) notFound();
  await prefetch(trpc.plant.tree.queryOptions());
  return (
    <Hydrate>
      <NewItem kind={kind as Kind} under={under} />
      <Awake />
    </Hydrate>
  );
}
