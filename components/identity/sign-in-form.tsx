"use client";
import { Button, Checkbox, Divider, PasswordInput, TextInput } from "@mantine/core";
import { useTranslations } from "next-intl";
import { type FormEvent, useEffect, useRef, useState } from "react";
import { ask, type Fault, rowOf, useFaultSentence, waitOf } from "./ask.ts";
import { CodeForm } from "./code-form.tsx";
import css from "./door.module.css";
import { RowNote, useWait, WaitNote } from "./wait-note.tsx";

type Props = {
  /** Where to go on to: a path of this app. */
  next: string;
  /** The sign-in provider's name on its button; null: there is none. */
  provider: string | null;
  /** A sentence about what was before: signed out, a new password set. */
  notice: string | null;
  /** What went wrong with the provider. */
  trouble: string | null;
  isTerminal: boolean;
};

export function SignInForm({ next, provider, notice, trouble, isTerminal }: Props) {
  const t = useTranslations("identity.signIn");
  const sentence = useFaultSentence();
  const [login, setLogin] = useState("");
  const [password, setPassword] = useState("");
  const [stay, setStay] = useState(false);
  const [fault, setFault] = useState<Fault | null>(null);
  const [missing, setMissing] = useState({ login: false, password: false });
  const [isBusy, setBusy] = useState<"password" | "provider" | null>(null);
  const [isCodeAsked, setCodeAsked] = useState(false);
  const passwordField = useRef<HTMLInputElement>(null);
  const inRow = rowOf(fault);
  const left = useWait(inRow?.leftS ?? waitOf(fault));

  const goOn = () => location.assign(next);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const lacks = { login: login.trim() === "", password: password === "" };
    setMissing(lacks);
    if (!lacks.login && !lacks.password && isBusy === null && left === 0) void send();
  };
  const send = async () => {
    setBusy("password");
    const answer = await ask<{ next: "in" | "code" }>("/sign-in/username", { login, password, stay });
    setFault(answer.fault);
    if (answer.fault) {
      setBusy(null);
      if (!rowOf(answer.fault)) passwordField.current?.select();
    } else if (answer.body.next === "code") {
      setBusy(null);
      setCodeAsked(true);
    } else goOn();
  };
  // Who stands in a row comes back by itself when told; who changes the name leaves it.
  const latest = useRef(send);
  latest.current = send;
  useEffect(() => {
    const row = rowOf(fault);
    if (row === null) return;
    const timer = setTimeout(() => void latest.current(), row.askAgainS * 1000);
    return () => clearTimeout(timer);
  }, [fault]);
  const toProvider = async () => {
    setBusy("provider");
    setFault(null);
    const answer = await ask<{ url: string }>("/sign-in/social", { provider: "oidc", callbackURL: next, errorCallbackURL: "/sign-in", disableRedirect: true });
    if (answer.fault) {
      setFault(answer.fault.code === "PROVIDER_NOT_FOUND" ? { code: "PROVIDER_AWAY", more: {} } : answer.fault);
      setBusy(null);
    } else location.assign(answer.body.url);
  };

  if (isCodeAsked)
    return (
      <CodeForm
        onDone={goOn}
        onAgain={(why) => {
          setCodeAsked(false);
          setPassword("");
          setFault(why);
        }}
      />
    );
  return (
    <section className={css.card}>
      <h1>{t("title")}</h1>
      <p className={css.lead}>{t("what")}</p>
      <form onSubmit={submit} noValidate className={css.form} aria-busy={isBusy !== null}>
        {notice && !fault && (
          <p role="status" className={css.notice}>
            {notice}
          </p>
        )}
        {(fault || trouble) && (
          <p role="alert" className={css.trouble}>
            {fault === null ? (
              trouble
            ) : inRow !== null ? (
              <RowNote left={left} />
            ) : left > 0 ? (
              <WaitNote left={left} />
            ) : fault.code === "PROVIDER_AWAY" ? (
              t("providerAway", { provider: provider ?? "" })
            ) : (
              sentence(fault)
            )}
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
          error={missing.login && t("loginMissing")}
          onChange={(event) => {
            setLogin(event.currentTarget.value);
            if (inRow !== null) setFault(null);
          }}
        />
        <PasswordInput
          ref={passwordField}
          label={t("password")}
          size="md"
          name="password"
          autoComplete="current-password"
          value={password}
          error={missing.password && t("passwordMissing")}
          visibilityToggleButtonProps={{ "aria-label": t("showPassword"), tabIndex: 0 }}
          onChange={(event) => setPassword(event.currentTarget.value)}
        />
        <Checkbox label={t("stay")} size="md" checked={stay} onChange={(event) => setStay(event.currentTarget.checked)} />
        <Button type="submit" size="lg" loading={isBusy === "password" || inRow !== null} disabled={left > 0}>
          {t("submit")}
        </Button>
        {provider && (
          <>
            <Divider label={t("or")} labelPosition="center" />
            <Button type="button" size="lg" variant="default" loading={isBusy === "provider"} onClick={toProvider}>
              {t("with", { provider })}
            </Button>
          </>
        )}
        <div className={css.ways}>
          <a href="/forgot-password" className={css.link}>
            {t("forgot")}
          </a>
          {isTerminal && (
            <a href="/terminal" className={css.link}>
              {t("toTerminal")}
            </a>
          )}
        </div>
      </form>
    </section>
  );
}
