"use client";
import Link from "next/link";
import { usePathname } from "next/navigation";
import { useFormatter, useTranslations } from "next-intl";
import { pageDoorAt } from "#/server/domain/doors.ts";
import { pageAt } from "#/server/domain/navigation.ts";
import { actions } from "#/server/domain/permission.ts";
import css from "./page-help.module.css";

/** A page that this person may not open: which it is, whose duty it is, and whom to ask. */
export function NoPermission() {
  const t = useTranslations("noPermission");
  const pageName = useTranslations("pages.name");
  const roleName = useTranslations("roles");
  const words = useFormatter();
  const path = usePathname();
  const page = pageAt(path);
  const door = pageDoorAt(path);
  const duties = typeof door === "string" ? actions[door].roles.map((role) => roleName(role)) : [];
  return (
    <div className={css.help}>
      <h1>{page?.path === path ? t("titleOf", { page: pageName(page.key) }) : t("title")}</h1>
      {duties.length > 0 && <p>{t("whose", { roles: words.list(duties, { type: "disjunction" }) })}</p>}
      <p>{t("ask")}</p>
      <Link href="/start">{t("toStart")}</Link>
    </div>
  );
}
