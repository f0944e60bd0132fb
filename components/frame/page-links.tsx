"use client";
import Link from "next/link";
import { usePathname } from "next/navigation";
import { useTranslations } from "next-intl";

const pages = [
  { path: "/", name: "lines" },
  { path: "/data-health", name: "dataHealth" },
] as const;

/** The pages that there are; the one that is shown is marked. */
export function PageLinks() {
  const t = useTranslations("app");
  const here = usePathname();
  return (
    <nav aria-label={t("pages")}>
      {pages.map(({ path, name }) => (
        <Link key={path} href={path} aria-current={path === here ? "page" : undefined}>
          {t(name)}
        </Link>
      ))}
    </nav>
  );
}
