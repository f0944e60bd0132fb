import type { Metadata } from "next";
import { redirect } from "next/navigation";
import { getTranslations } from "next-intl/server";
import { Awake } from "#/components/frame/awake.tsx";
import { PageHead } from "#/components/frame/page-head.tsx";
import { SecondFactorSetUp } from "#/components/identity/second-factor-set-up.tsx";
import { requirePage } from "#/server/identity/page.ts";
import { api } from "#/server/rsc.ts";

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations("identity.setUp"))("title") };
}

export default async function SecondFactorPage() {
  await requirePage("account.own");
  const t = await getTranslations("identity.setUp");
  const own = await api.account.own();
  // Set up already: a session without it is renewed by signing in again. With a provider's sign-in alone, the provider asks for it.
  if (own.isAtTerminal || !own.hasPassword || (own.hasSecondFactor && !own.isSecondFactorMissing)) redirect("/account");
  return (
    <>
      <PageHead title={t("title")} crumbs={[{ name: t("account"), path: "/account" }]} />
      {own.hasSecondFactor ? (
        <p>{t("signInAgain")}</p>
      ) : (
        <SecondFactorSetUp login={own.email ?? own.username ?? ""} strictSites={own.strictSites} next={own.isSecondFactorMissing ? "/start" : "/account"} />
      )}
      <Awake />
    </>
  );
}
