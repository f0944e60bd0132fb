"use client";
import { useTranslations } from "next-intl";
import { useAge } from "#/components/ui/use-age.ts";

/** How late a value came, in words; ahead where the device's clock is. Takes s. */
export function useLag(): (lagS: number) => string {
  const t = useTranslations("health");
  const age = useAge();
  return (lagS) => {
    if (Math.abs(lagS) < 1) return t("ms", { n: Math.round(lagS * 1000) });
    return lagS < 0 ? t("clockAhead", { age: age(-lagS * 1000) }) : age(lagS * 1000);
  };
}
