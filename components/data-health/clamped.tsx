"use client";
import { useTranslations } from "next-intl";
import { type ReactNode, useEffect, useRef, useState } from "react";
import css from "./clamped.module.css";

/** What machines say may be of any length: two lines of it, the whole in its title, and all of it at a press. */
export function Clamped({ text, children = text }: { text: string; children?: ReactNode }) {
  const t = useTranslations("health");
  const shown = useRef<HTMLSpanElement>(null);
  const [isWhole, setWhole] = useState(false);
  const [isLong, setLong] = useState(false);

  useEffect(() => {
    const element = shown.current;
    if (!element || isWhole) return; // whole, it says nothing of whether it would fit
    const look = new ResizeObserver(() => setLong(element.scrollHeight > element.clientHeight + 1));
    look.observe(element);
    return () => look.disconnect();
  }, [isWhole]);

  return (
    <>
      <span ref={shown} className={css.text} data-whole={isWhole || undefined} title={isLong ? text : undefined}>
        {children}
      </span>
      {isLong && (
        <button type="button" className={css.press} aria-expanded={isWhole} onClick={() => setWhole(!isWhole)}>
          {t(isWhole ? "showLess" : "showWhole")}
        </button>
      )}
    </>
  );
}
