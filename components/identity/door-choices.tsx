"use client";
import { ActionIcon, Menu, useComputedColorScheme, useMantineColorScheme } from "@mantine/core";
import { IconCheck, IconLanguage, IconMoon, IconSun } from "@tabler/icons-react";
import { useRouter } from "next/navigation";
import { useLocale, useTranslations } from "next-intl";
import { languageName, rememberLocale } from "./locale-choice.ts";

/** Language, and light or dark, before anybody is signed in. */
export function DoorChoices({ locales }: { locales: readonly string[] }) {
  const t = useTranslations("app");
  const router = useRouter();
  const present = useLocale();
  const { setColorScheme } = useMantineColorScheme();
  const scheme = useComputedColorScheme("light", { getInitialValueInEffect: true });
  return (
    <div style={{ display: "flex", gap: 4 }}>
      <Menu position="bottom-end">
        <Menu.Target>
          <ActionIcon variant="subtle" color="gray" size={48} aria-label={t("language")}>
            <IconLanguage size={22} stroke={1.75} />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          {locales.map((locale) => (
            <Menu.Item
              key={locale}
              lang={locale}
              leftSection={<IconCheck size={18} opacity={locale === present ? 1 : 0} />}
              onClick={() => {
                rememberLocale(locale);
                router.refresh();
              }}
            >
              {languageName(locale)}
            </Menu.Item>
          ))}
        </Menu.Dropdown>
      </Menu>
      {/* A form, because React keeps what is submitted before it runs, and a press of a button not. The document knows the scheme, the server does not. */}
      <form action={() => setColorScheme(document.documentElement.dataset.mantineColorScheme === "dark" ? "light" : "dark")}>
        <ActionIcon type="submit" variant="subtle" color="gray" size={48} aria-label={scheme === "dark" ? t("light") : t("dark")}>
          {scheme === "dark" ? <IconSun size={22} stroke={1.75} /> : <IconMoon size={22} stroke={1.75} />}
        </ActionIcon>
      </form>
    </div>
  );
}
