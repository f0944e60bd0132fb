"use client";
import { Alert, Button, Group, PasswordInput } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconShieldCheck, IconShieldOff } from "@tabler/icons-react";
import { useQueryClient } from "@tanstack/react-query";
import Link from "next/link";
import { useTranslations } from "next-intl";
import { type FormEvent, useState } from "react";
import { useTRPC } from "#/components/frame/trpc.ts";
import { FormDialog } from "#/components/ui/form-dialog.tsx";
import { useAskToLeave, useUnsavedWarning } from "#/components/ui/use-unsaved-warning.ts";
import type { OwnAccount } from "#/server/identity/service.ts";
import css from "./account.module.css";
import { ask, type Fault, useFaultSentence, waitOf } from "./ask.ts";
import { RecoveryCodes } from "./recovery-codes.tsx";
import { useWait, WaitNote } from "./wait-note.tsx";

type Doing = "codes" | "off";
const paths = { codes: "/two-factor/generate-backup-codes", off: "/two-factor/disable" } as const;

export function SecondFactorSection({ account }: { account: OwnAccount }) {
  const t = useTranslations("identity.secondFactor");
  const trpc = useTRPC();
  const queries = useQueryClient();
  const [doing, setDoing] = useState<Doing | null>(null);
  const [codes, setCodes] = useState<readonly string[] | null>(null);
  const again = () => void queries.invalidateQueries({ queryKey: trpc.account.own.queryKey() });
  const isNeeded = account.strictSites.length > 0;
  return (
    <section className={css.section}>
      <h2>{t("title")}</h2>
      <p>{isNeeded ? t("needed", { sites: account.strictSites.join(", ") }) : t("what")}</p>
      <p className={css.status}>
        {account.hasSecondFactor ? (
          <>
            <IconShieldCheck size={22} color="var(--state-run)" aria-hidden="true" />
            {t("on", { n: account.codesLeft ?? 0 })}
          </>
        ) : (
          <>
            <IconShieldOff size={22} color="var(--dim)" aria-hidden="true" />
            {t("off")}
          </>
        )}
      </p>
      {codes && (
        <RecoveryCodes
          codes={codes}
          onKept={() => {
            setCodes(null);
            again();
          }}
        />
      )}
      {!codes && (
        <div className={css.buttons}>
          {account.hasSecondFactor ? (
            <>
              <Button variant="default" onClick={() => setDoing("codes")}>
                {t("newCodes")}
              </Button>
              <Button variant="subtle" color="red" onClick={() => setDoing("off")}>
                {t("switchOff")}
              </Button>
            </>
          ) : (
            <Button component={Link} href="/account/second-factor">
              {t("setUp")}
            </Button>
          )}
        </div>
      )}
      {doing && (
        <PasswordDialog
          title={t(`ask.${doing}`)}
          what={t(`askWhat.${doing}`)}
          submit={doing === "off" ? t("switchOff") : t("newCodes")}
          isDangerous={doing === "off"}
          path={paths[doing]}
          onClose={() => setDoing(null)}
          onDone={(body) => {
            setDoing(null);
            if (doing === "codes") setCodes(body.backupCodes ?? []);
            else notifications.show({ color: "teal", message: t("isOff") });
            again();
          }}
        />
      )}
    </section>
  );
}

type DialogProps = {
  title: string;
  what: string;
  submit: string;
  isDangerous: boolean;
  path: string;
  onClose: () => void;
  onDone: (body: { backupCodes?: string[] }) => void;
};

/** The own password again, before something that whoever finds a browser open must not be able to do. */
function PasswordDialog({ title, ...props }: DialogProps) {
  const t = useTranslations("identity.secondFactor");
  return (
    <FormDialog opened onClose={props.onClose} title={title} centered closeButtonProps={{ "aria-label": t("cancel") }}>
      <PasswordForm {...props} />
    </FormDialog>
  );
}

function PasswordForm({ what, submit, isDangerous, path, onClose, onDone }: Omit<DialogProps, "title">) {
  const t = useTranslations("identity.secondFactor");
  const askToLeave = useAskToLeave();
  const sentence = useFaultSentence();
  const [password, setPassword] = useState("");
  const [fault, setFault] = useState<Fault | null>(null);
  const [isBusy, setBusy] = useState(false);
  const left = useWait(waitOf(fault));
  const isUnsaved = password !== "" && !isBusy;
  useUnsavedWarning(isUnsaved);
  const send = async (event: FormEvent) => {
    event.preventDefault();
    if (password === "" || isBusy || left > 0) return;
    setBusy(true);
    setFault(null);
    const answer = await ask<{ backupCodes?: string[] }>(path, { password });
    setBusy(false);
    if (answer.fault) setFault(answer.fault);
    else onDone(answer.body);
  };
  const isWrong = fault?.code === "INVALID_PASSWORD";
  return (
    <form onSubmit={send} noValidate>
      <p className={css.what}>{what}</p>
      {fault && !isWrong && (
        <Alert role="alert" variant="light" color="red" mb="md">
          {left > 0 ? <WaitNote left={left} /> : sentence(fault)}
        </Alert>
      )}
      <PasswordInput
        label={t("password")}
        size="md"
        autoComplete="current-password"
        data-autofocus
        value={password}
        error={isWrong && fault ? sentence(fault) : undefined}
        visibilityToggleButtonProps={{ "aria-label": t("show"), tabIndex: 0 }}
        onChange={(event) => setPassword(event.currentTarget.value)}
      />
      <Group justify="end" mt="lg">
        <Button variant="default" onClick={() => (isUnsaved ? askToLeave(onClose) : onClose())}>
          {t("cancel")}
        </Button>
        <Button type="submit" color={isDangerous ? "red" : undefined} loading={isBusy} disabled={left > 0}>
          {submit}
        </Button>
      </Group>
    </form>
  );
}
