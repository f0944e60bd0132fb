import type { Metadata } from "next";
import { getTranslations } from "next-intl/server";
import { Awake } from "#/components/frame/awake.tsx";
import { PageHead } from "#/components/frame/page-head.tsx";
import { TerminalsPage } from "#/components/identity/terminals-page.tsx";
import { requirePage } from "#/server/identity/page.ts";
import { Hydrate, prefetch, trpc } from "#/server/rsc.ts";

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations("identity.terminals"))("title") };
}

export default async function SharedTerminalsPage() {
  await requirePage("terminal.change");
  const t = await getTranslations("identity.terminals");
  await Promise.all([prefetch(trpc.terminals.list.queryOptions()), prefetch(trpc.terminals.pins.queryOptions())]);
  return (
    <>
      <PageHead title={t("title")} what={t("what")} />
      <Hydrate>
        <TerminalsPage />
        <Awake />
      </Hydrate>
    </>
  );
}
