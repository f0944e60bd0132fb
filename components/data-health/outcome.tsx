"use client";
import { CloseButton } from "@mantine/core";
import { useTranslations } from "next-intl";
import css from "./outcome.module.css";

/** What became of something that a person asked for; stays until it is closed or the next thing is asked for. */
export function Outcome({ ok, sentence, onClose }: { ok: boolean; sentence: string; onClose: () => void }) {
  const t = useTranslations("health");
  return (
    <div className={css.outcome} data-state={ok ? "run" : "down"} role={ok ? "status" : "alert"}>
      <p>{sentence}</p>
      <CloseButton aria-label={t("close")} onClick={onClose} />
    </div>
  );
}
