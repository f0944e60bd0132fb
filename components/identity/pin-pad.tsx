"use client";
import { Button, PasswordInput } from "@mantine/core";
import { IconBackspace } from "@tabler/icons-react";
import { useTranslations } from "next-intl";
import { useCallback, useEffect, useState } from "react";
import { ask, type Fault, useFaultSentence, waitOf } from "./ask.ts";
import door from "./door.module.css";
import css from "./terminal.module.css";
import type { TerminalPerson } from "./terminal-screen.tsx";
import { useWait, WaitNote } from "./wait-note.tsx";

const longest = 8;
const shortest = 4;
/** Who walks away leaves no name behind. */
const backAfterMs = 30_000;

/**
 * pin: the present one. chosen: the new one, where one must be chosen; again: the same once more. password: where the PIN is not enough: it was tried too often, or
 * somebody else gave it.
 */
type Step = "pin" | "chosen" | "again" | "password";

export function PinPad({ person, onBack }: { person: TerminalPerson; onBack: () => void }) {
  const t = useTranslations("identity.pinPad");
  const sentence = useFaultSentence();
  const [step, setStep] = useState<Step>("pin");
  const [typed, setTyped] = useState("");
  const [kept, setKept] = useState({ pin: "", chosen: "" });
  const [password, setPassword] = useState("");
  const [fault, setFault] = useState<Fault | null>(null);
  const [isBusy, setBusy] = useState(false);
  const left = useWait(waitOf(fault));

  const send = useCallback(
    async (pin: string, newPin: string, withPassword: string) => {
      setBusy(true);
      setFault(null);
      const more = { ...(newPin === "" ? {} : { newPin }), ...(withPassword === "" ? {} : { password: withPassword }) };
      const answer = await ask("/terminal/unlock", { personId: person.id, pin, ...more });
      if (!answer.fault) return location.replace("/start");
      setBusy(false);
      setTyped("");
      const { code } = answer.fault;
      if (code === "PIN_CHANGE") {
        setKept({ pin, chosen: "" });
        return setStep("chosen");
      }
      if (code === "NO_TERMINAL") return location.reload();
      setFault(code === "PIN_PASSWORD" ? null : answer.fault);
      setKept({ pin, chosen: newPin });
      const stays = withPassword !== "" && code === "WAIT"; // with what was typed
      setStep(code === "PIN" ? "chosen" : code === "PIN_PASSWORD" || code === "PASSWORD_WRONG" || stays ? "password" : "pin");
      if (code !== "WAIT") setPassword("");
    },
    [person.id],
  );
  const enter = useCallback(() => {
    if (isBusy || left > 0) return;
    if (step === "password") return void (password !== "" && send(kept.pin, kept.chosen, password));
    if (typed.length < shortest) return;
    if (step === "pin") void send(typed, "", password);
    else if (step === "chosen") {
      setKept({ ...kept, chosen: typed });
      setTyped("");
      setFault(null);
      setStep("again");
    } else if (typed === kept.chosen) void send(kept.pin, typed, password);
    else {
      setTyped("");
      setFault({ code: "NOT_SAME", more: {} });
      setStep("chosen");
    }
  }, [typed, isBusy, left, step, send, kept, password]);
  const press = useCallback((key: string) => setTyped((before) => (before.length < longest ? before + key : before)), []);
  const back = useCallback(() => setTyped((before) => before.slice(0, -1)), []);

  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.target instanceof HTMLInputElement) return; // the password's own
      if (/^\d$/.test(event.key)) press(event.key);
      else if (event.key === "Backspace") back();
      else if (event.key === "Escape") onBack();
      else if (event.key === "Enter" && !(event.target instanceof HTMLButtonElement)) enter();
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, [press, back, onBack, enter]);
  useEffect(() => {
    if (isBusy) return;
    const timer = setTimeout(onBack, typed === "" && password === "" ? backAfterMs : 2 * backAfterMs);
    return () => clearTimeout(timer);
  }, [typed, password, isBusy, onBack]);

  const sentenceOf = (why: Fault): string => {
    if (why.code === "NOT_SAME") return t("notSame");
    if (why.code === "PIN") return t(`fault.${String(why.more.why) as "easy"}`);
    return sentence(why);
  };
  return (
    <section className={css.pinCard} aria-busy={isBusy}>
      <h1>
        <bdi>{person.name}</bdi>
      </h1>
      <p>{!person.hasPin ? t("without") : step === "password" && kept.chosen !== "" ? t("passwordForChosen") : t(step)}</p>
      <div role="alert" className={css.fault}>
        {fault && (left > 0 ? <WaitNote left={left} /> : sentenceOf(fault))}
      </div>
      {step === "password" ? (
        <form
          className={css.passwordForm}
          onSubmit={(event) => {
            event.preventDefault();
            enter();
          }}
        >
          <PasswordInput
            label={t("passwordOf")}
            size="lg"
            autoFocus
            autoComplete="off"
            visibilityToggleButtonProps={{ "aria-label": t("showPassword"), tabIndex: 0 }}
            value={password}
            onChange={(event) => setPassword(event.currentTarget.value)}
          />
          <Button type="submit" size="lg" loading={isBusy} disabled={password === "" || left > 0}>
            {t("unlock")}
          </Button>
        </form>
      ) : (
        <>
          <output className={css.dots} aria-label={t("digits", { n: typed.length })}>
            {Array.from({ length: Math.max(shortest, typed.length) }, (_, n) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: dots are alike
              <i key={n} data-full={n < typed.length || undefined} />
            ))}
          </output>
          <div className={css.keys}>
            {["1", "2", "3", "4", "5", "6", "7", "8", "9"].map((key) => (
              <button key={key} type="button" onClick={() => press(key)}>
                {key}
              </button>
            ))}
            <button type="button" aria-label={t("delete")} onClick={back}>
              <IconBackspace size={28} aria-hidden="true" style={{ verticalAlign: "middle" }} />
            </button>
            <button type="button" onClick={() => press("0")}>
              0
            </button>
            <button type="button" data-main="" data-word="" disabled={typed.length < shortest || isBusy || left > 0} onClick={enter}>
              {step === "pin" ? t("unlock") : t("next")}
            </button>
          </div>
        </>
      )}
      <button type="button" className={door.link} style={{ marginTop: 14 }} onClick={onBack}>
        {t("other")}
      </button>
    </section>
  );
}
