"use client";
import { ActionIcon, NativeSelect, useComputedColorScheme, useMantineColorScheme } from "@mantine/core";
import { IconMoon, IconSun } from "@tabler/icons-react";
import { useRouter } from "next/navigation";
import { useLocale, useTranslations } from "next-intl";
import css from "./preferences.module.css";

const oneYearS = 365 * 24 * 3600;

/** A language in its own words. */
const nameOf = (locale: string) => new Intl.DisplayNames([locale], { type: "language" }).of(locale) ?? locale;

/** Language, and light or dark, kept in this browser. */
export function Preferences({ locales }: { locales: readonly string[] }) {
  const t = useTranslations("app");
  const router = useRouter();
  const { setColorScheme } = useMantineColorScheme();
  const scheme = useComputedColorScheme("light", { getInitialValueInEffect: true });
  return (
    <div className={css.preferences}>
      <NativeSelect
        aria-label={t("language")}
        size="sm"
        value={useLocale()}
        onChange={(event) => {
          // biome-ignore lint/suspicious/noDocumentCookie: the Cookie Store API is not in every browser
          document.cookie = `takt-locale=${event.currentTarget.value}; path=/; max-age=${oneYearS}; samesite=lax`;
          router.refresh();
        }}
        data={locales.map((locale) => ({ value: locale, label: nameOf(locale) }))}
      />
      {/* Both signs are there and the style sheet shows one: only the browser knows the scheme, the server does not. */}
      <ActionIcon variant="default" size={36} aria-label={t("scheme")} onClick={() => setColorScheme(scheme === "dark" ? "light" : "dark")}>
        <IconSun size={18} className={css.sun} />
        <IconMoon size={18} className={css.moon} />
      </ActionIcon>
    </div>
  );
}
