"use client";
import { Button, TextInput } from "@mantine/core";
import { useTranslations } from "next-intl";
import { type FormEvent, useState } from "react";
import { ask, type Fault, useFaultSentence, waitOf } from "./ask.ts";
import css from "./door.module.css";
import { useWait, WaitNote } from "./wait-note.tsx";

/** canMail: whether Takt can send the link; without, an administrator makes one. */
export function ForgotForm({ canMail }: { canMail: boolean }) {
  const t = useTranslations("identity.forgot");
  const sentence = useFaultSentence();
  const [login, setLogin] = useState("");
  const [isMissing, setMissing] = useState(false);
  const [fault, setFault] = useState<Fault | null>(null);
  const [isBusy, setBusy] = useState(false);
  const [isAsked, setAsked] = useState(false);
  const left = useWait(waitOf(fault));
  const back = (
    <a href="/sign-in" className={css.link}>
      {t("back")}
    </a>
  );
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setMissing(login.trim() === "");
    if (login.trim() === "" || isBusy || left > 0) return;
    setBusy(true);
    setFault(null);
    const answer = await ask("/link/request", { login });
    setBusy(false);
    if (answer.fault) setFault(answer.fault);
    else setAsked(true);
  };
  if (!canMail || isAsked)
    return (
      <section className={css.card}>
        <h1>{isAsked ? t("askedTitle") : t("title")}</h1>
        <p className={css.lead} role={isAsked ? "status" : undefined}>
          {isAsked ? t("asked", { login: login.trim() }) : t("noMail")}
        </p>
        {back}
      </section>
    );
  return (
    <section className={css.card}>
      <h1>{t("title")}</h1>
      <p className={css.lead}>{t("what")}</p>
      <form onSubmit={submit} noValidate className={css.form} aria-busy={isBusy}>
        {fault && (
          <p role="alert" className={css.trouble}>
            {left > 0 ? <WaitNote left={left} /> : sentence(fault)}
          </p>
        )}
        <TextInput
          label={t("login")}
          size="md"
          name="username"
          autoComplete="username"
          autoCapitalize="none"
          spellCheck={false}
          autoFocus
          value={login}
          error={isMissing && t("loginMissing")}
          onChange={(event) => setLogin(event.currentTarget.value)}
        />
        <Button type="submit" size="lg" loading={isBusy} disabled={left > 0}>
          {t("submit")}
        </Button>
        {back}
      </form>
    </section>
  );
}
