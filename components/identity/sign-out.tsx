"use client";
import { Button, Loader } from "@mantine/core";
import { useTranslations } from "next-intl";
import { useCallback, useEffect, useRef, useState } from "react";
import { ask, type Fault, useFaultSentence } from "./ask.ts";
import css from "./door.module.css";

/** atOnce: one came here by a link of Takt's own. Otherwise it is asked for: an address on another site signs nobody out. */
export function SignOut({ atOnce, onTo }: { atOnce: boolean; onTo: string }) {
  const t = useTranslations("identity.signOut");
  const sentence = useFaultSentence();
  const [fault, setFault] = useState<Fault | null>(null);
  const [isBusy, setBusy] = useState(atOnce);
  const begun = useRef(false);
  const signOut = useCallback(async () => {
    setBusy(true);
    const answer = await ask("/sign-out");
    setBusy(false);
    if (answer.fault) setFault(answer.fault);
    else location.replace(onTo);
  }, [onTo]);
  useEffect(() => {
    if (!atOnce || begun.current) return;
    begun.current = true;
    void signOut();
  }, [atOnce, signOut]);
  return (
    <section className={css.card}>
      <h1>{isBusy ? t("busy") : t("title")}</h1>
      <div className={css.form}>
        {fault && (
          <p role="alert" className={css.trouble}>
            {sentence(fault)}
          </p>
        )}
        {isBusy ? (
          <Loader size="sm" />
        ) : (
          <Button size="lg" onClick={() => void signOut()}>
            {t("submit")}
          </Button>
        )}
        {!isBusy && (
          <a href="/" className={css.link}>
            {t("stay")}
          </a>
        )}
      </div>
    </section>
  );
}
