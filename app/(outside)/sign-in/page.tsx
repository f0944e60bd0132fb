import type { Metadata } from "next";
import { headers } from "next/headers";
import { redirect } from "next/navigation";
import { getTranslations } from "next-intl/server";
import { Awake } from "#/components/frame/awake.tsx";
import { FirstRun } from "#/components/identity/first-run.tsx";
import { SignInForm } from "#/components/identity/sign-in-form.tsx";
import { safeNext } from "#/server/domain/navigation.ts";
import { doorState } from "#/server/identity/door.ts";
import { pageContext } from "#/server/rsc.ts";

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations("identity.signIn"))("title") };
}

type Search = Promise<Record<string, string | string[] | undefined>>;
const one = (value: string | string[] | undefined): string | null => (typeof value === "string" ? value : null);

/** What the address says of what was before. */
const notices = ["out", "password"] as const;
/** What a provider or Takt refused for; anything else is told as it came. */
const troubles = ["stranger", "disabled", "access_denied", "account_not_linked", "email_not_found", "database_away"] as const;

export default async function SignInPage({ searchParams }: { searchParams: Search }) {
  const search = await searchParams;
  const next = safeNext(one(search.next)) ?? "/start";
  const { actor } = await pageContext();
  if (actor.kind === "person") redirect(next);
  const t = await getTranslations("identity.signIn");
  const { provider, isTerminal, isFirstRun } = await doorState(await headers());
  const notice = notices.find((key) => search[key] !== undefined);
  const error = one(search.error);
  const trouble = troubles.find((key) => key === error);
  return (
    <>
      {isFirstRun && <FirstRun />}
      <SignInForm
        next={next}
        provider={provider}
        notice={notice ? t(`notice.${notice}`) : null}
        trouble={error === null ? null : trouble ? t(`trouble.${trouble}`) : t("trouble.other", { code: error.slice(0, 60) })}
        isTerminal={isTerminal}
      />
      <Awake />
    </>
  );
}
