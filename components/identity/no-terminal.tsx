"use client";
import { useTranslations } from "next-intl";
import { useEffect } from "react";
import { ask } from "./ask.ts";
import css from "./door.module.css";

/** This browser is no terminal, or is one no longer: what to do about it. */
export function NoTerminal() {
  const t = useTranslations("identity.terminal");
  useEffect(() => {
    void ask("/terminal/leave"); // a cookie that opens nothing any more
  }, []);
  return (
    <section className={css.card}>
      <h1>{t("noneTitle")}</h1>
      <p className={css.lead}>{t("none")}</p>
      <div className={css.row}>
        <a href="/sign-in" className={css.link}>
          {t("withPassword")}
        </a>
        <a href="/terminals" className={css.link}>
          {t("register")}
        </a>
      </div>
    </section>
  );
}
