"use client";
import Link from "next/link";
import { useTranslations } from "next-intl";
import css from "./audit.module.css";

const tabs = [
  { key: "trail", path: "/audit" },
  { key: "signatures", path: "/audit/signatures" },
] as const;

/** The two pages of oversight: what was done, and what was signed. */
export function AuditTabs({ here }: { here: (typeof tabs)[number]["key"] }) {
  const t = useTranslations("audit");
  return (
    <nav aria-label={t("title")} className={css.tabs}>
      {tabs.map(({ key, path }) => (
        <Link key={key} href={path} aria-current={key === here ? "page" : undefined}>
          {t(`tab.${key}`)}
        </Link>
      ))}
    </nav>
  );
}
