import type { Metadata } from "next";
import { getTranslations } from "next-intl/server";
import { Devices } from "#/components/devices/devices.tsx";
import { Awake } from "#/components/frame/awake.tsx";
import { requirePage } from "#/server/identity/page.ts";
import { Hydrate, prefetch, trpc } from "#/server/rsc.ts";

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations("devices"))("title") };
}

export default async function DevicesPage() {
  await requirePage("plant.read");
  await Promise.all([prefetch(trpc.devices.list.queryOptions()), prefetch(trpc.plant.tree.queryOptions())]);
  return (
    <Hydrate>
      <Devices />
      <Awake />
    </Hydrate>
  );
}
