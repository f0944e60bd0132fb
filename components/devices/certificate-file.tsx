"use client";
import { Alert, Button, FileButton } from "@mantine/core";
import { IconCertificate } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import { useTranslations } from "next-intl";
import { useState } from "react";
import { useTRPC } from "#/components/frame/trpc.ts";
import type { ItemForm } from "#/components/plant/field-words.ts";
import { localText } from "#/components/plant/local-time.ts";
import { certificateIn } from "./certificate-text.ts";
import css from "./devices.module.css";

const typed = (value: unknown): string => (typeof value === "string" ? value.trim() : "");

/** In a device's form: its certificate's file, read on the server, fills in what the certificate says. */
export function CertificateFile({ form, zone }: { form: ItemForm; zone: string | null }) {
  const t = useTranslations("devices");
  const trpc = useTRPC();
  const [said, setSaid] = useState<{ isFault: boolean; text: string } | null>(null);
  const read = useMutation(trpc.devices.readCertificate.mutationOptions());
  const take = async (file: File | null) => {
    if (!file) return;
    setSaid(null);
    try {
      const found = certificateIn(new Uint8Array(await file.arrayBuffer()));
      if (found === "key" || found === "none") return setSaid({ isFault: true, text: t(found === "key" ? "fileIsKey" : "fileIsNone", { file: file.name }) });
      const facts = await read.mutateAsync({ pem: found.pem });
      form.setFieldValue("fingerprint", facts.fingerprint);
      form.setFieldValue("expires", localText(facts.expires, zone));
      form.setFieldValue("certificate_name", facts.identity);
      if (typed(form.getValues().identity) === "") form.setFieldValue("identity", facts.identity);
      setSaid({ isFault: false, text: t("fileRead", { name: facts.identity, issuer: facts.issuer }) });
    } catch (error) {
      setSaid({ isFault: true, text: error instanceof Error ? error.message : String(error) });
    }
  };
  const { identity, certificate_name: name } = form.getValues();
  const isOther = typed(name) !== "" && typed(identity) !== typed(name);
  return (
    <div className={css.file}>
      <FileButton onChange={(file) => void take(file)} accept=".pem,.crt,.cer,.der,application/x-x509-ca-cert,application/x-pem-file">
        {(button) => (
          <Button {...button} variant="default" leftSection={<IconCertificate size={18} />} loading={read.isPending}>
            {t("readFile")}
          </Button>
        )}
      </FileButton>
      <p>{t("readFileWhat")}</p>
      {said && (
        <Alert role={said.isFault ? "alert" : "status"} color={said.isFault ? "red" : "green"} variant="light">
          {said.text}
        </Alert>
      )}
      {isOther && (
        <Alert role="alert" color="yellow" variant="light" title={t("otherTitle")} className={css.other}>
          <p>{t("otherWhat", { name: typed(name), identity: typed(identity) || "–" })}</p>
          <Button mt="sm" size="sm" variant="default" onClick={() => form.setFieldValue("identity", typed(name))}>
            {t("takeName", { name: typed(name) })}
          </Button>
        </Alert>
      )}
    </div>
  );
}
