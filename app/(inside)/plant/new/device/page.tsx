import type { Metadata } from "next";
import { notFound } from "next/navigation";
import { getTranslations } from "next-intl/server";
import { requirePage } from "#/server/identity/page.ts";
import { NewPage } from "../new-page.tsx";

type Props = PageProps<"/plant/new/device">;

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations("plant"))("title") };
}

/** A page of its own: devices are set up by who may not change the rest of the plant, and not by all who may. */
export default async function NewDevicePage({ searchParams }: Props) {
  await requirePage("device.change");
  const { under = "" } = await searchParams;
  if (Array.isArray(under)) notFound();
  return <NewPage kind="device" under={under} />;
}
