"use client";
import Link from "next/link";
import { useTranslations } from "next-intl";
import type { ReactNode } from "react";
import css from "./page-head.module.css";

export type Crumb = { name: string; path: string };

/** Where one is (the way down the hierarchy), what the page is, what it is for, and what can be done with all of it. */
export function PageHead({ crumbs = [], title, what, actions }: { crumbs?: readonly Crumb[]; title: ReactNode; what?: ReactNode; actions?: ReactNode }) {
  const t = useTranslations("app");
  return (
    <div className={css.head}>
      <div className={css.words}>
        {crumbs.length > 0 && (
          <nav aria-label={t("way")} className={css.crumbs}>
            <ol>
              {crumbs.map((crumb) => (
                <li key={crumb.path}>
                  <Link href={crumb.path}>{crumb.name}</Link>
                </li>
              ))}
            </ol>
          </nav>
        )}
        <h1>{title}</h1>
        {what && <p>{what}</p>}
      </div>
      {actions && <div className={css.actions}>{actions}</div>}
    </div>
  );
}
