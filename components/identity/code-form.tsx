"use client";
import { Button, TextInput } from "@mantine/core";
import { useTranslations } from "next-intl";
import { type FormEvent, useState } from "react";
import { ask, type Fault, useFaultSentence, waitOf } from "./ask.ts";
import css from "./door.module.css";
import { useWait, WaitNote } from "./wait-note.tsx";

/** The code of the authenticator after the password, or one of the recovery codes. onAgain: the time for it is over, and the password is asked for again. */
export function CodeForm({ onDone, onAgain }: { onDone: () => void; onAgain: (why: Fault | null) => void }) {
  const t = useTranslations("identity.code");
  const sentence = useFaultSentence();
  const [isRecovery, setRecovery] = useState(false);
  const [code, setCode] = useState("");
  const [fault, setFault] = useState<Fault | null>(null);
  const [isBusy, setBusy] = useState(false);
  const left = useWait(waitOf(fault));

  const send = async (typed: string) => {
    if (typed.trim() === "" || isBusy || left > 0) return;
    setBusy(true);
    setFault(null);
    const answer = await ask(isRecovery ? "/two-factor/verify-backup-code" : "/two-factor/verify-totp", { code: typed });
    if (!answer.fault) return onDone();
    setBusy(false);
    setCode("");
    if (answer.fault.code === "SIGN_IN_AGAIN") onAgain(answer.fault);
    else setFault(answer.fault);
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void send(code);
  };
  const type = (typed: string) => {
    const digits = typed.replace(/\D/g, "").slice(0, 6);
    setCode(isRecovery ? typed.slice(0, 40) : digits);
    if (!isRecovery && digits.length === 6) void send(digits);
  };
  return (
    <section className={css.card}>
      <h1>{t("title")}</h1>
      <p className={css.lead}>{isRecovery ? t("whatRecovery") : t("what")}</p>
      <form onSubmit={submit} noValidate className={css.form} aria-busy={isBusy}>
        {fault && (
          <p role="alert" className={css.trouble}>
            {left > 0 ? <WaitNote left={left} /> : sentence(fault)}
          </p>
        )}
        <TextInput
          key={String(isRecovery)}
          label={isRecovery ? t("recovery") : t("code")}
          size="lg"
          className={isRecovery ? css.recovery : css.code}
          inputMode={isRecovery ? "text" : "numeric"}
          autoComplete="one-time-code"
          autoCapitalize="none"
          spellCheck={false}
          autoFocus
          value={code}
          onChange={(event) => type(event.currentTarget.value)}
        />
        <Button type="submit" size="lg" loading={isBusy} disabled={left > 0}>
          {t("submit")}
        </Button>
        <div className={css.row}>
          <button
            type="button"
            className={css.link}
            onClick={() => {
              setRecovery(!isRecovery);
              setCode("");
              setFault(null);
            }}
          >
            {isRecovery ? t("useApp") : t("useRecovery")}
          </button>
          <button type="button" className={css.link} onClick={() => onAgain(null)}>
            {t("back")}
          </button>
        </div>
      </form>
    </section>
  );
}
