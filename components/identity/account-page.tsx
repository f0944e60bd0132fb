"use client";
import { NativeSelect } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useRouter } from "next/navigation";
import { useTranslations } from "next-intl";
import { useTRPC } from "#/components/frame/trpc.ts";
import { QueryState } from "#/components/ui/query-state.tsx";
import type { OwnAccount } from "#/server/identity/service.ts";
import css from "./account.module.css";
import { languageName, rememberLocale } from "./locale-choice.ts";
import { PasswordSection } from "./password-section.tsx";
import { PinSection } from "./pin-section.tsx";
import { SecondFactorSection } from "./second-factor-section.tsx";
import { SessionsSection } from "./sessions-section.tsx";

/** One's own account: who one is here, how one signs in, and where one is signed in. */
export function AccountPage({ locales }: { locales: readonly string[] }) {
  const t = useTranslations("identity.account");
  const trpc = useTRPC();
  const own = useQuery(trpc.account.own.queryOptions());
  return (
    <QueryState query={own} lines={8}>
      {own.data && (
        <div className={css.sections}>
          <You account={own.data} />
          {own.data.isAtTerminal ? (
            <section className={css.section}>
              <h2>{t("atTerminal")}</h2>
              <p style={{ margin: 0 }}>{t("atTerminalWhat")}</p>
            </section>
          ) : (
            <>
              {own.data.hasPassword && <SecondFactorSection account={own.data} />}
              {own.data.hasProvider && !own.data.hasPassword && (
                <section className={css.section}>
                  <h2>{t("provider")}</h2>
                  <p style={{ margin: 0 }}>{t("providerWhat", { provider: own.data.providerName ?? "" })}</p>
                </section>
              )}
              {own.data.hasPassword && <PasswordSection account={own.data} />}
              {own.data.hasPassword && <PinSection account={own.data} />}
              <SessionsSection />
            </>
          )}
          <Language account={own.data} locales={locales} />
        </div>
      )}
    </QueryState>
  );
}

function You({ account }: { account: OwnAccount }) {
  const t = useTranslations("identity.account");
  const role = useTranslations("roles");
  const logins = [account.email, account.username].filter((login) => login !== null);
  return (
    <section className={css.section}>
      <h2>
        <bdi>{account.name}</bdi>
      </h2>
      <p>{t("youWhat")}</p>
      <dl className={css.facts}>
        <dt>{t("login")}</dt>
        <dd>
          <bdi>{logins.join(", ")}</bdi>
        </dd>
        <dt>{t("duties")}</dt>
        <dd>
          {account.duties.length === 0 ? (
            t("noDuties")
          ) : (
            <ul>
              {account.duties.map((duty) => (
                <li key={`${duty.role} ${duty.site}`}>{t("duty", { role: role(duty.role as "viewer"), site: duty.site ?? t("allSites") })}</li>
              ))}
            </ul>
          )}
        </dd>
      </dl>
    </section>
  );
}

function Language({ account, locales }: { account: OwnAccount; locales: readonly string[] }) {
  const t = useTranslations("identity.account");
  const trpc = useTRPC();
  const queries = useQueryClient();
  const router = useRouter();
  const choose = useMutation(
    trpc.account.chooseLocale.mutationOptions({
      onSuccess: (_, { locale }) => {
        if (locale !== null) rememberLocale(locale);
        void queries.invalidateQueries({ queryKey: trpc.account.own.queryKey() });
        router.refresh();
      },
      onError: (error) => notifications.show({ color: "red", message: error.message }),
    }),
  );
  return (
    <section className={css.section}>
      <h2>{t("language")}</h2>
      <p>{t("languageWhat")}</p>
      <NativeSelect
        className={css.narrow}
        size="md"
        aria-label={t("language")}
        value={account.locale ?? ""}
        disabled={choose.isPending}
        onChange={(event) => choose.mutate({ locale: event.currentTarget.value || null })}
        data={[{ value: "", label: t("browserLanguage") }, ...locales.map((locale) => ({ value: locale, label: languageName(locale) }))]}
      />
    </section>
  );
}
