"use client";
import { NativeSelect } from "@mantine/core";
import { useTranslations } from "next-intl";
import css from "./frame.module.css";
import { useSite, useSites } from "./sites.tsx";

/** Narrows the page to one site. Whoever has one site has nothing to choose. */
export function SiteSwitcher() {
  const t = useTranslations("app");
  const sites = useSites();
  const [site, choose] = useSite();
  if (sites.length === 0) return null;
  if (sites.length === 1) return <span className={css.oneSite}>{sites[0]?.name}</span>;
  return (
    <NativeSelect
      className={css.sites}
      aria-label={t("site")}
      size="sm"
      value={site ?? ""}
      onChange={(event) => choose(event.currentTarget.value || null)}
      data={[{ value: "", label: t("allSites") }, ...sites.map(({ key, name }) => ({ value: key, label: name }))]}
    />
  );
}
