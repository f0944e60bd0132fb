"use client";
import { Alert, Button, PasswordInput, TextInput } from "@mantine/core";
import { useTranslations } from "next-intl";
import { type FormEvent, useState } from "react";
import { QrCode } from "#/components/ui/qr-code.tsx";
import css from "./account.module.css";
import { ask, type Fault, useFaultSentence, waitOf } from "./ask.ts";
import door from "./door.module.css";
import { RecoveryCodes } from "./recovery-codes.tsx";
import { useWait, WaitNote } from "./wait-note.tsx";

type SetUp = { totpURI: string; backupCodes: string[] };
type Props = {
  login: string;
  /** Sites that ask their administrators for it; empty: it is one's own wish. */
  strictSites: readonly string[];
  next: string;
};

/** Three steps: the password, the authenticator, the recovery codes. */
export function SecondFactorSetUp({ login, strictSites, next }: Props) {
  const t = useTranslations("identity.setUp");
  const sentence = useFaultSentence();
  const [password, setPassword] = useState("");
  const [code, setCode] = useState("");
  const [setUp, setSetUp] = useState<SetUp | null>(null);
  const [isOn, setOn] = useState(false);
  const [fault, setFault] = useState<Fault | null>(null);
  const [isBusy, setBusy] = useState(false);
  const left = useWait(waitOf(fault));

  const begin = async (event: FormEvent) => {
    event.preventDefault();
    if (password === "" || isBusy || left > 0) return;
    setBusy(true);
    setFault(null);
    const answer = await ask<SetUp>("/two-factor/enable", { password });
    setBusy(false);
    if (answer.fault) return setFault(answer.fault);
    setPassword("");
    setSetUp(answer.body);
  };
  const verify = async (typed: string) => {
    if (typed.length !== 6 || isBusy) return;
    setBusy(true);
    setFault(null);
    const answer = await ask("/two-factor/verify-totp", { code: typed });
    setBusy(false);
    setCode("");
    if (answer.fault) setFault(answer.fault);
    else setOn(true);
  };
  const type = (typed: string) => {
    const digits = typed.replace(/\D/g, "").slice(0, 6);
    setCode(digits);
    if (digits.length === 6) void verify(digits);
  };
  const alert = fault && fault.code !== "INVALID_PASSWORD" && (
    <Alert role="alert" variant="light" color="red">
      {left > 0 ? <WaitNote left={left} /> : sentence(fault)}
    </Alert>
  );

  if (isOn && setUp)
    return (
      <section className={css.section}>
        <h2>{t("onTitle")}</h2>
        <p>{t("onWhat")}</p>
        <RecoveryCodes codes={setUp.backupCodes} onKept={() => location.assign(next)} />
      </section>
    );
  if (setUp) {
    const secret = new URL(setUp.totpURI).searchParams.get("secret") ?? "";
    return (
      <section className={css.section}>
        <h2>{t("scanTitle")}</h2>
        <p>{t("scanWhat")}</p>
        <div className={css.setUp}>
          <QrCode text={uriOf(secret, login)} label={t("qr")} />
          <form
            className={door.form}
            noValidate
            onSubmit={(event) => {
              event.preventDefault();
              void verify(code);
            }}
          >
            <div>
              <p className={css.what} style={{ marginBottom: 4 }}>
                {t("byHand")}
              </p>
              <span className={css.key}>{secret.match(/.{1,4}/g)?.join(" ")}</span>
            </div>
            {alert}
            <TextInput
              label={t("code")}
              size="lg"
              className={`${door.code} ${css.narrow}`}
              inputMode="numeric"
              autoComplete="one-time-code"
              autoFocus
              value={code}
              onChange={(event) => type(event.currentTarget.value)}
            />
            <div className={css.buttons}>
              <Button type="submit" loading={isBusy} disabled={code.length !== 6}>
                {t("verify")}
              </Button>
            </div>
          </form>
        </div>
      </section>
    );
  }
  return (
    <section className={css.section}>
      <h2>{t("beginTitle")}</h2>
      <p>{strictSites.length > 0 ? t("needed", { sites: strictSites.join(", ") }) : t("what")}</p>
      <form onSubmit={begin} noValidate className={`${door.form} ${css.narrow}`}>
        {alert}
        <input type="text" name="username" autoComplete="username" value={login} readOnly hidden />
        <PasswordInput
          label={t("password")}
          size="md"
          autoComplete="current-password"
          autoFocus
          value={password}
          error={fault?.code === "INVALID_PASSWORD" ? sentence(fault) : undefined}
          visibilityToggleButtonProps={{ "aria-label": t("show"), tabIndex: 0 }}
          onChange={(event) => setPassword(event.currentTarget.value)}
        />
        <div className={css.buttons}>
          <Button type="submit" loading={isBusy} disabled={left > 0}>
            {t("begin")}
          </Button>
        </div>
      </form>
    </section>
  );
}

/** What authenticators read; names this Takt and the account, which the library would take from an address alone. */
function uriOf(secret: string, login: string): string {
  const issuer = `Takt ${location.host}`;
  return `otpauth://totp/${encodeURIComponent(issuer)}:${encodeURIComponent(login)}?secret=${secret}&issuer=${encodeURIComponent(issuer)}`;
}
