"use client";
import { Alert, Button, CopyButton } from "@mantine/core";
import { useTranslations } from "next-intl";
import css from "./account.module.css";

/** Shown once: each opens once, when the authenticator is lost. */
export function RecoveryCodes({ codes, onKept }: { codes: readonly string[]; onKept: () => void }) {
  const t = useTranslations("identity.recovery");
  const text = `${t("title")}\n${location.host}\n\n${codes.join("\n")}\n`;
  const save = () => {
    const url = URL.createObjectURL(new Blob([text], { type: "text/plain" }));
    const link = document.createElement("a");
    link.href = url;
    link.download = "takt-recovery-codes.txt";
    link.click();
    URL.revokeObjectURL(url);
  };
  return (
    <div>
      <Alert variant="light" color="yellow" mb="md" title={t("title")}>
        {t("what")}
      </Alert>
      <ol className={css.codes} aria-label={t("title")}>
        {codes.map((code) => (
          <li key={code}>{code}</li>
        ))}
      </ol>
      <div className={css.buttons}>
        <CopyButton value={text}>
          {({ copied, copy }) => (
            <Button variant="default" onClick={copy}>
              {copied ? t("copied") : t("copy")}
            </Button>
          )}
        </CopyButton>
        <Button variant="default" onClick={save}>
          {t("save")}
        </Button>
        <Button onClick={onKept}>{t("kept")}</Button>
      </div>
    </div>
  );
}
