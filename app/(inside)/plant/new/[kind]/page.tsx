import type { Metadata } from "next";
import { notFound } from "next/navigation";
import { getTranslations } from "next-intl/server";
import { requirePage } from "#/server/identity/page.ts";
import { type Kind, kinds } from "#/server/plant/items.ts";
import { NewPage } from "../new-page.tsx";

type Props = PageProps<"/plant/new/[kind]">;

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations("plant"))("title") };
}

export default async function NewPlantItemPage({ params, searchParams }: Props) {
  await requirePage("plant.change");
  const { kind } = await params;
  const { under = "" } = await searchParams;
  if (!kinds.includes(kind as Kind) || Array.isArray(under)) notFound();
  return <NewPage kind={kind as Kind} under={under} />;
}
