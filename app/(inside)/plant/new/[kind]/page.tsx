import type { Metadata } from "next";
import { notFound } from "next/navigation";
import { getTranslations } from "next-intl/server";
import { Awake } from "#/components/frame/awake.tsx";
import { parentKindOf } from "#/components/plant/forms.ts";
import { NewItem } from "#/components/plant/new-item.tsx";
import { NoParent } from "#/components/plant/no-parent.tsx";
import { requirePage } from "#/server/identity/page.ts";
import { type Kind, kinds } from "#/server/plant/items.ts";
import { fetched, Hydrate, prefetch, trpc } from "#/server/rsc.ts";
import { found } from "../../../../found.ts";

type Props = PageProps<"/plant/new/[kind]">;

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations("plant"))("title") };
}

export default async function NewPlantItemPage({ params, searchParams }: Props) {
  await requirePage("plant.change");
  const { kind } = await params;
  const { under = "" } = await searchParams;
  if (!kinds.includes(kind as Kind) || Array.isArray(under)) notFound();
  const above = parentKindOf(kind as Kind);
  const isBelow = above !== null && above !== "enterprise";
  await Promise.all([
    prefetch(trpc.plant.tree.queryOptions()),
    isBelow && under !== "" ? found(fetched(trpc.plant.item.queryOptions({ kind: above, address: under }))) : null,
  ]);
  return (
    <Hydrate>
      {isBelow && under === "" ? <NoParent kind={kind as Kind} above={above} /> : <NewItem kind={kind as Kind} under={under} />}
      <Awake />
    </Hydrate>
  );
}
