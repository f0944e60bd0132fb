"use client";
import { Menu, UnstyledButton, useComputedColorScheme, useMantineColorScheme } from "@mantine/core";
import { IconCheck, IconChevronDown, IconLanguage, IconLogout, IconMoon, IconSun, IconUser } from "@tabler/icons-react";
import Link from "next/link";
import { useRouter } from "next/navigation";
import { useLocale, useTranslations } from "next-intl";
import css from "./frame.module.css";
import { rememberPreference } from "./preference.ts";

/** Who is signed in. role: their first one, in the words of the catalogue `roles`. */
export type Account = { name: string; roles: readonly string[] };

/** A language in its own words. */
const nameOf = (locale: string) => {
  const name = new Intl.DisplayNames([locale], { type: "language" }).of(locale) ?? locale;
  return name.charAt(0).toLocaleUpperCase(locale) + name.slice(1);
};
const initialsOf = (name: string) =>
  name
    .split(/\s+/)
    .map((word) => [...word][0] ?? "")
    .slice(0, 2)
    .join("")
    .toLocaleUpperCase();

/** The person, their own page, language, light or dark, and the way out. */
export function AccountMenu({ account, locales }: { account: Account | null; locales: readonly string[] }) {
  const t = useTranslations("app");
  const role = useTranslations("roles");
  const router = useRouter();
  const present = useLocale();
  const { setColorScheme } = useMantineColorScheme();
  const scheme = useComputedColorScheme("light", { getInitialValueInEffect: true });
  const choose = (locale: string) => {
    rememberPreference("takt-locale", locale);
    router.refresh();
  };
  const duties = account?.roles.map((name) => role(name as "viewer")).join(", ");
  return (
    <Menu position="bottom-end" width={260} withinPortal>
      <Menu.Target>
        <UnstyledButton
          className={css.account}
          title={account ? t("accountOf", { name: account.name }) : t("preferences")}
          aria-label={account ? undefined : t("preferences")}
        >
          <span className={css.initials} aria-hidden="true">
            {account ? initialsOf(account.name) : <IconUser size={18} />}
          </span>
          {account && (
            <span className={css.person}>
              <b>{account.name}</b>
              <small>{duties}</small>
            </span>
          )}
          <IconChevronDown size={16} aria-hidden="true" />
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        {account && (
          <>
            <Menu.Label>{account.name}</Menu.Label>
            <Menu.Item component={Link} href="/account" leftSection={<IconUser size={18} />}>
              {t("account")}
            </Menu.Item>
            <Menu.Divider />
          </>
        )}
        <Menu.Item
          leftSection={scheme === "dark" ? <IconSun size={18} /> : <IconMoon size={18} />}
          onClick={() => setColorScheme(scheme === "dark" ? "light" : "dark")}
          closeMenuOnClick={false}
        >
          {scheme === "dark" ? t("light") : t("dark")}
        </Menu.Item>
        <Menu.Label>{t("language")}</Menu.Label>
        {locales.map((locale) => (
          <Menu.Item
            key={locale}
            lang={locale}
            leftSection={locale === present ? <IconCheck size={18} /> : <IconLanguage size={18} opacity={0.45} />}
            onClick={() => choose(locale)}
          >
            {nameOf(locale)}
          </Menu.Item>
        ))}
        {account && (
          <>
            <Menu.Divider />
            {/* A page, not a call: signing out works before the page's own program runs, and leaves nothing of it behind. */}
            <Menu.Item component="a" href="/sign-out" leftSection={<IconLogout size={18} />}>
              {t("signOut")}
            </Menu.Item>
          </>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}
