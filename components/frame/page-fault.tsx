"use client";
import { useTranslations } from "next-intl";
import css from "./page-help.module.css";

/** A page that could not be made. id: the number under which the log has it. */
export function PageFault({ id, onAgain }: { id: string | null; onAgain: () => void }) {
  const t = useTranslations("app");
  return (
    <main className={css.help} style={{ padding: 20 }}>
      <h1>{t("errorTitle")}</h1>
      <p>{t("errorWhat")}</p>
      {id && <p>{t("errorNumber", { id })}</p>}
      <button type="button" className={css.again} onClick={onAgain}>
        {t("again")}
      </button>
      <a href="/">{t("toStart")}</a>
    </main>
  );
}
