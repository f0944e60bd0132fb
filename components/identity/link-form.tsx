"use client";
import { Button, Skeleton, TextInput } from "@mantine/core";
import { useTranslations } from "next-intl";
import { type FormEvent, useEffect, useState } from "react";
import { ask, type Fault, useFaultSentence } from "./ask.ts";
import css from "./door.module.css";
import { NewPassword } from "./new-password.tsx";

type Purpose = "first_administrator" | "invitation" | "password_reset";
type Opened = { purpose: Purpose; name: string | null; login: string | null };

/** What a one-time link opens. Its secret stands behind the # of the address, which browsers send nowhere. */
export function LinkForm() {
  const t = useTranslations("identity.link");
  const sentence = useFaultSentence();
  const [secret, setSecret] = useState<string | null>(null);
  const [opened, setOpened] = useState<Opened | null>(null);
  const [gone, setGone] = useState<Fault | null>(null);
  const [values, setValues] = useState({ name: "", login: "", password: "" });
  const [errors, setErrors] = useState<Partial<Record<keyof typeof values, string>>>({});
  const [fault, setFault] = useState<Fault | null>(null);
  const [isBusy, setBusy] = useState(false);

  useEffect(() => {
    const read = async () => {
      const typed = location.hash.slice(1);
      setSecret(typed);
      setGone(null);
      setOpened(null);
      const answer = await ask<Opened>("/link/read", { secret: typed });
      if (answer.fault) setGone(answer.fault);
      else setOpened(answer.body);
    };
    void read();
    // The same page with another link: a browser only changes what is behind the #.
    window.addEventListener("hashchange", read);
    return () => window.removeEventListener("hashchange", read);
  }, []);

  const set = (field: keyof typeof values) => (value: string) => {
    setValues({ ...values, [field]: value });
    setErrors({ ...errors, [field]: undefined });
  };
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (isBusy || secret === null || opened === null) return;
    setBusy(true);
    setFault(null);
    setErrors({});
    const isFirst = opened.purpose === "first_administrator";
    const answer = await ask<{ isSignedIn: boolean }>("/link/redeem", {
      secret,
      password: values.password,
      ...(isFirst ? { name: values.name, login: values.login } : {}),
    });
    if (!answer.fault) return location.replace(answer.body.isSignedIn ? "/start" : "/sign-in?password");
    setBusy(false);
    const { code, more } = answer.fault;
    if (code === "LINK_GONE") setGone(answer.fault);
    else if (code === "PASSWORD") setErrors({ password: t(`passwordFault.${String(more.why) as "common"}`) });
    else if (code === "INVALID" && (more.field === "name" || more.field === "login")) setErrors({ [more.field]: t(`fieldFault.${more.field}`) });
    else if (code === "LOGIN_TAKEN") setErrors({ login: sentence(answer.fault) });
    else setFault(answer.fault);
  };

  if (gone)
    return (
      <section className={css.card}>
        <h1>{t("goneTitle")}</h1>
        <p className={css.lead} role="alert">
          {gone.code === "LINK_GONE" ? t(`gone.${String(gone.more.why) as "used"}`) : sentence(gone)}
        </p>
        <a href="/sign-in" className={css.link}>
          {t("toSignIn")}
        </a>
      </section>
    );
  if (!opened)
    return (
      <section className={css.card} role="status">
        <h1>{t("opening")}</h1>
        <Skeleton height={18} mb={32} />
        <Skeleton height={44} mb={18} />
        <Skeleton height={50} />
      </section>
    );
  const { purpose, name, login } = opened;
  return (
    <section className={css.card}>
      <h1>{t(`${purpose}.title`, { name: name ?? "" })}</h1>
      <p className={css.lead}>{t(`${purpose}.what`, { login: login ?? "" })}</p>
      <form onSubmit={submit} noValidate className={css.form} aria-busy={isBusy}>
        {fault && (
          <p role="alert" className={css.trouble}>
            {sentence(fault)}
          </p>
        )}
        {purpose === "first_administrator" ? (
          <>
            <TextInput
              label={t("name")}
              size="md"
              autoComplete="name"
              autoFocus
              value={values.name}
              error={errors.name}
              onChange={(event) => set("name")(event.currentTarget.value)}
            />
            <TextInput
              label={t("login")}
              description={t("loginWhat")}
              size="md"
              autoComplete="username"
              autoCapitalize="none"
              spellCheck={false}
              value={values.login}
              error={errors.login}
              onChange={(event) => set("login")(event.currentTarget.value)}
            />
          </>
        ) : (
          <input type="text" name="username" autoComplete="username" value={login ?? ""} readOnly hidden />
        )}
        <NewPassword
          label={t("password")}
          value={values.password}
          error={errors.password}
          autoFocus={purpose !== "first_administrator"}
          onChange={set("password")}
        />
        <Button type="submit" size="lg" loading={isBusy}>
          {t(`${purpose}.submit`)}
        </Button>
      </form>
    </section>
  );
}
