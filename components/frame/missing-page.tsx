"use client";
import Link from "next/link";
import { usePathname } from "next/navigation";
import { useTranslations } from "next-intl";
import { pageAt } from "#/server/domain/navigation.ts";
import css from "./page-help.module.css";
import { useMay } from "./permissions.tsx";

/** There is no such page, or nothing of that name: what was looked for, and the ways on. */
export function MissingPage() {
  const t = useTranslations("app");
  const pageName = useTranslations("pages.name");
  const may = useMay();
  const path = usePathname();
  const above = pageAt(path);
  return (
    <>
      <h1>{t("notFoundTitle")}</h1>
      <p>{t("notFoundWhat")}</p>
      <p>
        {t("notFoundLooked")} <code>{readable(path)}</code>
      </p>
      {above && above.path !== "/" && above.path !== path && may(above.action) && (
        <Link href={above.path} className={css.way}>
          {t("toPage", { page: pageName(above.key) })}
        </Link>
      )}
      <Link href="/" className={css.way}>
        {t("toStart")}
      </Link>
    </>
  );
}

/** As it was typed, where it can be decoded. */
function readable(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch (error) {
    if (error instanceof URIError) return path;
    throw error;
  }
}
