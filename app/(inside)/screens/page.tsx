import type { Metadata } from "next";
import { getTranslations } from "next-intl/server";
import { Awake } from "#/components/frame/awake.tsx";
import { Screens } from "#/components/screens/screens.tsx";
import { requirePage } from "#/server/identity/page.ts";
import { Hydrate, prefetch, trpc } from "#/server/rsc.ts";

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations("screens"))("title") };
}

export default async function ScreensPage() {
  await requirePage("screen.read");
  await prefetch(trpc.displays.list.queryOptions());
  return (
    <Hydrate>
      <Screens />
      <Awake />
    </Hydrate>
  );
}
