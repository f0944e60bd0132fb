"use client";
import { useLocale, useTranslations } from "next-intl";
import { useAge } from "#/components/ui/use-age.ts";

/** When a device was last heard, and when its certificate ends, in words. now: ms since 1970. */
export function useDeviceWords(now: number) {
  const t = useTranslations("devices");
  const age = useAge();
  const locale = useLocale();
  return {
    seen: ({ lastSeenAt }: { lastSeenAt: number | null }): string => (lastSeenAt === null ? t("never") : t("ago", { age: age(now - lastSeenAt) })),
    ends: ({ expiresAt, zone }: { expiresAt: number | null; zone: string }): string =>
      expiresAt === null
        ? "–"
        : t(expiresAt <= now ? "endedOn" : "endsOn", { day: new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeZone: zone }).format(expiresAt) }),
  };
}
