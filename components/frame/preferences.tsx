"use client";
import { ActionIcon, NativeSelect, useMantineColorScheme } from "@mantine/core";
import { IconMoon, IconSun } from "@tabler/icons-react";
import { useRouter } from "next/navigation";
import { useLocale, useTranslations } from "next-intl";
import { useCallback, useLayoutEffect, useRef } from "react";
import css from "./preferences.module.css";

const oneYearS = 365 * 24 * 3600;

/** A language in its own words. */
const nameOf = (locale: string) => new Intl.DisplayNames([locale], { type: "language" }).of(locale) ?? locale;

/** Language, and light or dark, kept in this browser. Both take what is chosen before the page's program runs. */
export function Preferences({ locales }: { locales: readonly string[] }) {
  const t = useTranslations("app");
  const router = useRouter();
  const locale = useLocale();
  const { setColorScheme } = useMantineColorScheme();
  const language = useRef<HTMLSelectElement>(null);

  const speak = useCallback(
    (chosen: string) => {
      // biome-ignore lint/suspicious/noDocumentCookie: the Cookie Store API is not in every browser
      document.cookie = `takt-locale=${chosen}; path=/; max-age=${oneYearS}; samesite=lax`;
      router.refresh();
    },
    [router],
  );
  // What was chosen while nobody listened is still in the select.
  useLayoutEffect(() => {
    if (language.current && language.current.value !== locale) speak(language.current.value);
  }, [locale, speak]);

  return (
    <div className={css.preferences}>
      <NativeSelect
        ref={language}
        aria-label={t("language")}
        size="sm"
        value={locale}
        autoComplete="off"
        onChange={(event) => speak(event.currentTarget.value)}
        data={locales.map((each) => ({ value: each, label: nameOf(each) }))}
      />
      {/* A form, because React keeps what is submitted before it runs, and a press of a button not. The document knows the scheme, the server does not: both signs are there and the style sheet shows one. */}
      <form action={() => setColorScheme(document.documentElement.dataset.mantineColorScheme === "dark" ? "light" : "dark")}>
        <ActionIcon type="submit" variant="default" size={36} aria-label={t("scheme")}>
          <IconSun size={18} className={css.sun} />
          <IconMoon size={18} className={css.moon} />
        </ActionIcon>
      </form>
    </div>
  );
}
