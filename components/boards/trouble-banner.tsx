"use client";
import Link from "next/link";
import { useTranslations } from "next-intl";
import { useCallback } from "react";
import { useDuration } from "#/components/ui/use-duration.ts";
import { ForPeople } from "./board-link.tsx";
import css from "./trouble-banner.module.css";
import type { ShownTrouble } from "./use-live-board.ts";

/** What is away and since when, as one sentence. */
export function useTroubleSentence(): (trouble: ShownTrouble, now: number) => string {
  const t = useTranslations("trouble");
  const duration = useDuration();
  return useCallback(
    ({ part, sinceAt }: ShownTrouble, now: number) => (sinceAt === null ? t(`${part}Never`) : t(part, { since: duration(Math.max(0, now - sinceAt)) })),
    [t, duration],
  );
}

export function TroubleBanner({ trouble, now }: { trouble: ShownTrouble; now: number }) {
  const t = useTranslations("trouble");
  const sentence = useTroubleSentence();
  return (
    <div className={css.banner} role="alert">
      <svg viewBox="0 0 28 28" aria-hidden="true">
        <path d="M14 2.5 27 25.500H1z" fill="currentColor" />
        <path d="M12.700 10h2.600v8h-2.600zm0 10h2.600v2.600h-2.600z" fill="var(--state-external)" />
      </svg>
      <p>
        <strong suppressHydrationWarning>{sentence(trouble, now)}</strong> <span>{t("whatYouSee")}</span>
      </p>
      {(trouble.part === "worker" || trouble.part === "reader" || trouble.part === "subscriptions") && (
        <ForPeople>
          <Link href="/data-health#workers" prefetch={false}>
            {trouble.part === "worker" ? t("howToStart") : t("seeWorkers")}
          </Link>
        </ForPeople>
      )}
    </div>
  );
}
