"use client";
import { useTranslations } from "next-intl";
import { useEffect, useState } from "react";

/** Seconds left of a wait that began when `waitS` came; 0: it is over. */
export function useWait(waitS: number | null): number {
  const [left, setLeft] = useState(0);
  useEffect(() => {
    if (waitS === null) return setLeft(0);
    const until = Date.now() + waitS * 1000;
    const count = () => setLeft(Math.max(0, Math.ceil((until - Date.now()) / 1000)));
    count();
    const timer = setInterval(count, 250);
    return () => clearInterval(timer);
  }, [waitS]);
  return left;
}

const clock = (left: number): string => `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;

/** That the browser stands in a row, and about how long. Read out once, not at every step. */
export function RowNote({ left }: { left: number }) {
  const t = useTranslations("identity.fault");
  return (
    <>
      {t("row")} <span aria-hidden="true">{t("rowLeft", { time: clock(left) })}</span>
    </>
  );
}

/** That there were too many tries, and when the next is looked at. Read out once, not every second. */
export function WaitNote({ left }: { left: number }) {
  const t = useTranslations("identity.fault");
  return (
    <>
      {t("WAIT")} <span aria-hidden="true">{t("waitLeft", { time: clock(left) })}</span>
    </>
  );
}
