"use client";
import { useTranslations } from "next-intl";
import { useCallback } from "react";

/** How old something is, in words: 3 s, 4 min, 5 h, 6 d. Takes ms. */
export function useAge(): (ms: number) => string {
  const t = useTranslations("time");
  return useCallback(
    (ms: number) => {
      const s = Math.max(0, Math.floor(ms / 1000));
      if (s < 90) return t("seconds", { n: s });
      if (s < 90 * 60) return t("minutes", { n: Math.round(s / 60) });
      if (s < 36 * 3600) return t("hours", { n: Math.round(s / 3600) });
      return t("days", { n: Math.round(s / 86400) });
    },
    [t],
  );
}
