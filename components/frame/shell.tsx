import Link from "next/link";
import { getTranslations } from "next-intl/server";
import type { ReactNode } from "react";
import { PageLinks } from "./page-links.tsx";
import { Preferences } from "./preferences.tsx";
import css from "./shell.module.css";

/** Head and frame of every page that is no wall board. */
export async function Shell({ locales, children }: { locales: readonly string[]; children: ReactNode }) {
  const t = await getTranslations("app");
  return (
    <div className={css.shell}>
      <a href="#content" className={css.skip}>
        {t("skip")}
      </a>
      <header className={css.head}>
        <Link href="/" className={css.brand}>
          <svg viewBox="0 0 26 26" aria-hidden="true">
            <rect x="1" y="14" width="6" height="11" fill="var(--state-run)" />
            <rect x="10" y="8" width="6" height="17" fill="var(--state-run)" />
            <rect x="19" y="1" width="6" height="24" fill="var(--state-down)" />
          </svg>
          Takt
        </Link>
        <PageLinks />
        <Preferences locales={locales} />
      </header>
      <main id="content" className={css.main}>
        {children}
      </main>
    </div>
  );
}
