"use client";
import { useTranslations } from "next-intl";
import { useCallback } from "react";

/** A length of time as people say it: 0:07, 7:41, 1 h 52 min, 3 d 4 h. Takes ms. */
export function useDuration(): (ms: number) => string {
  const t = useTranslations("time");
  return useCallback(
    (ms: number) => {
      const s = Math.max(0, Math.floor(ms / 1000));
      if (s < 3600) return `${Math.floor(s / 60)}:${String(s % 60).padStart(2, "0")}`;
      const min = Math.floor(s / 60);
      if (min < 24 * 60) return t("hoursMinutes", { hours: Math.floor(min / 60), minutes: min % 60 });
      return t("daysHours", { days: Math.floor(min / 1440), hours: Math.floor((min % 1440) / 60) });
    },
    [t],
  );
}
