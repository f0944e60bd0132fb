"use client";
import { useTranslations } from "next-intl";
import { useEffect } from "react";
import type { WhyClosed } from "#/server/displays/service.ts";
import css from "./display.module.css";

const lookEveryMs = 30_000;

/** Why there is nothing to see here, for whoever stands before the screen. Looks from time to time whether its browser has a good link by now. */
export function ClosedDisplay({ why }: { why: WhyClosed }) {
  const t = useTranslations("display");
  useEffect(() => {
    const timer = setInterval(async () => {
      const answer = await fetch("/display/api/displays.own", { cache: "no-store" }).catch(() => null); // not reachable: looked for again
      if (answer?.ok) location.replace("/display");
    }, lookEveryMs);
    return () => clearInterval(timer);
  }, []);
  return (
    <div className={css.display} data-theme="dark" data-closed={why}>
      <main className={css.empty}>
        <h1>{t(`closed.${why}`)}</h1>
        <p>{t(`closedWhat.${why}`)}</p>
      </main>
    </div>
  );
}
