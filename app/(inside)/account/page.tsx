import type { Metadata } from "next";
import { getTranslations } from "next-intl/server";
import { Awake } from "#/components/frame/awake.tsx";
import { PageHead } from "#/components/frame/page-head.tsx";
import { AccountPage } from "#/components/identity/account-page.tsx";
import { requirePage } from "#/server/identity/page.ts";
import { locales } from "#/server/locale.ts";
import { Hydrate, prefetch, trpc } from "#/server/rsc.ts";

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations("identity.account"))("title") };
}

export default async function OwnAccountPage() {
  await requirePage("account.own");
  const t = await getTranslations("identity.account");
  await Promise.all([prefetch(trpc.account.own.queryOptions()), prefetch(trpc.account.sessions.queryOptions())]);
  return (
    <>
      <PageHead title={t("title")} what={t("what")} />
      <Hydrate>
        <AccountPage locales={locales()} />
        <Awake />
      </Hydrate>
    </>
  );
}
