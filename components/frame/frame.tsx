"use client";
import { ActionIcon, Drawer, MantineThemeProvider } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { ModalsProvider } from "@mantine/modals";
import { Notifications } from "@mantine/notifications";
import { IconLayoutSidebar, IconMenu2 } from "@tabler/icons-react";
import Link from "next/link";
import { usePathname } from "next/navigation";
import { useTranslations } from "next-intl";
import { type ReactNode, useEffect } from "react";
import { type Account, AccountMenu } from "./account-menu.tsx";
import { CommandPalette, SearchButton } from "./command-palette.tsx";
import css from "./frame.module.css";
import { pageIcons } from "./page-icons.ts";
import { rememberPreference } from "./preference.ts";
import { SiteSwitcher } from "./site-switcher.tsx";
import { type OfferedSite, SitesProvider } from "./sites.tsx";

/** A page that this person is offered. key: of its name in the catalogue and of its sign. */
export type OfferedPage = { key: keyof typeof pageIcons; path: string; group: "production" | "setup" | "oversight" };

type Props = {
  pages: readonly OfferedPage[];
  sites: readonly OfferedSite[];
  account: Account | null;
  locales: readonly string[];
  /** The sidebar shows signs only; kept in this browser. */
  narrow: boolean;
  children: ReactNode;
};

/** Head, navigation and content of every page but the wall's and the sign-in's. */
export function Frame({ pages, sites, account, locales, narrow, children }: Props) {
  const t = useTranslations("app");
  const [isOpen, drawer] = useDisclosure(false);
  const [isNarrow, sidebar] = useDisclosure(narrow);
  const path = usePathname();
  // biome-ignore lint/correctness/useExhaustiveDependencies: the drawer closes when another page has come
  useEffect(() => drawer.close(), [path]);
  const toggleSidebar = () => {
    sidebar.toggle();
    rememberPreference("takt-sidebar", isNarrow ? "wide" : "narrow");
  };
  return (
    <ModalsProvider modalProps={{ closeButtonProps: { "aria-label": t("close") } }}>
      <SitesProvider sites={sites}>
        <div className={css.frame} data-narrow={isNarrow || undefined}>
          <a href="#content" className={css.skip}>
            {t("skip")}
          </a>
          <header className={css.head}>
            <ActionIcon className={css.burger} variant="subtle" color="gray" size={48} aria-label={t("openMenu")} aria-expanded={isOpen} onClick={drawer.open}>
              <IconMenu2 />
            </ActionIcon>
            <Brand />
            <SiteSwitcher />
            <span className={css.space} />
            <SearchButton />
            <AccountMenu account={account} locales={locales} />
          </header>
          <aside className={css.side}>
            <Pages pages={pages} isNarrow={isNarrow} />
            <ActionIcon
              className={css.fold}
              variant="subtle"
              color="gray"
              size={40}
              aria-label={isNarrow ? t("widenMenu") : t("narrowMenu")}
              aria-pressed={isNarrow}
              onClick={toggleSidebar}
            >
              <IconLayoutSidebar size={20} />
            </ActionIcon>
          </aside>
          <Drawer opened={isOpen} onClose={drawer.close} size={300} title={<Brand />} closeButtonProps={{ "aria-label": t("close"), size: 48 }}>
            <Pages pages={pages} isNarrow={false} />
          </Drawer>
          <main id="content" className={css.main} tabIndex={-1}>
            {children}
          </main>
        </div>
        <CommandPalette pages={pages} />
      </SitesProvider>
      {/* The cross of a notice has no name by itself. */}
      <MantineThemeProvider inherit theme={{ components: { Notification: { defaultProps: { closeButtonProps: { "aria-label": t("close") } } } } }}>
        <Notifications position="bottom-right" />
      </MantineThemeProvider>
    </ModalsProvider>
  );
}

export function Brand() {
  return (
    <Link href="/" className={css.brand}>
      <svg viewBox="0 0 26 26" aria-hidden="true">
        <rect x="1" y="14" width="6" height="11" fill="var(--state-run)" />
        <rect x="10" y="8" width="6" height="17" fill="var(--state-run)" />
        <rect x="19" y="1" width="6" height="24" fill="var(--state-down)" />
      </svg>
      Takt
    </Link>
  );
}

const groups = ["production", "setup", "oversight"] as const;

function Pages({ pages, isNarrow }: { pages: readonly OfferedPage[]; isNarrow: boolean }) {
  const t = useTranslations("pages");
  const path = usePathname();
  // The longest: a page may lie below another.
  const here = pages
    .filter((page) => (page.path === "/" ? path === "/" || path.startsWith("/board") : path === page.path || path.startsWith(`${page.path}/`)))
    .sort((a, b) => b.path.length - a.path.length)[0];
  return (
    <nav aria-label={t("label")} className={css.pages}>
      {groups.map((group) => {
        const inGroup = pages.filter((page) => page.group === group);
        if (inGroup.length === 0) return null;
        return (
          <div key={group} className={css.group}>
            <p>{t(`group.${group}`)}</p>
            {inGroup.map((page) => {
              const Sign = pageIcons[page.key];
              return (
                <Link key={page.key} href={page.path} aria-current={page === here ? "page" : undefined} title={isNarrow ? t(`name.${page.key}`) : undefined}>
                  <Sign size={20} stroke={1.75} aria-hidden="true" />
                  <span>{t(`name.${page.key}`)}</span>
                </Link>
              );
            })}
          </div>
        );
      })}
    </nav>
  );
}
