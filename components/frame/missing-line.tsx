"use client";
import { useParams } from "next/navigation";
import { useTranslations } from "next-intl";

/** The line that the address names. */
export function MissingLine() {
  const t = useTranslations("app");
  const { site, area, line } = useParams<{ site: string; area: string; line: string }>();
  return <h1>{t("noLineTitle", { address: `${site}/${area}/${line}` })}</h1>;
}
