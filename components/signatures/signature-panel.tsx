"use client";
import { Button } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { IconSignature } from "@tabler/icons-react";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useTranslations } from "next-intl";
import { useState } from "react";
import { useTRPC } from "#/components/frame/trpc.ts";
import { errorSentence, QueryState } from "#/components/ui/query-state.tsx";
import { download } from "#/components/ui/table-export.ts";
import { SignDialog, type SignSubject } from "./sign-dialog.tsx";
import { SignatureStamp } from "./signature-stamp.tsx";
import css from "./signatures.module.css";

/** The signatures of one object, whether they still hold, and the way to sign it. zone: of its site. maySign: this person may. */
export function SignaturePanel({ kind, id, zone, maySign }: { kind: SignSubject["kind"]; id: string; zone: string; maySign: boolean }) {
  const t = useTranslations("signatures");
  const app = useTranslations("app");
  const trpc = useTRPC();
  const queries = useQueryClient();
  const query = useQuery(trpc.signatures.of.queryOptions({ kind, id }));
  const [subject, setSubject] = useState<SignSubject | null>(null);
  const data = query.data;
  const save = async (signatureId: string) => {
    try {
      const { fileName, content } = await queries.fetchQuery(trpc.signatures.content.queryOptions({ id: signatureId }));
      download(new Blob([content], { type: "text/plain;charset=utf-8" }), fileName);
    } catch (error) {
      notifications.show({ color: "red", message: errorSentence(error as Parameters<typeof errorSentence>[0], app("unreachable")), withCloseButton: true });
    }
  };
  return (
    <QueryState query={query} lines={3}>
      {data && (
        <>
          <p className={css.sum}>{sumOf()}</p>
          {data.signatures.length > 0 && (
            <ul className={css.stamps}>
              {data.signatures.map((signature) => (
                <li key={signature.id}>
                  <SignatureStamp signature={signature} zone={zone} />
                  <Button variant="subtle" size="compact-sm" onClick={() => void save(signature.id)}>
                    {t("saveSigned")}
                  </Button>
                </li>
              ))}
            </ul>
          )}
          {maySign && (
            <Button leftSection={<IconSignature size={18} />} onClick={() => setSubject({ kind, id, name: data.name, contentHash: data.contentHash })}>
              {t("signThis")}
            </Button>
          )}
          <SignDialog subject={subject === null ? null : { ...subject, contentHash: data.contentHash }} onClose={() => setSubject(null)} />
        </>
      )}
    </QueryState>
  );

  function sumOf(): string {
    const valid = data?.signatures.filter(({ isValid }) => isValid).length ?? 0;
    if (data?.signatures.length === 0) return t("none");
    return valid > 0 ? t("someHold", { n: valid }) : t("noneHolds");
  }
}
