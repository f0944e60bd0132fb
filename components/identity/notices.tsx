"use client";
import { Button } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useMutation } from "@tanstack/react-query";
import { useTranslations } from "next-intl";
import { useState } from "react";
import { useTRPC } from "#/components/frame/trpc.ts";
import type { Notice } from "#/server/identity/notices.ts";
import css from "./notices.module.css";

/** What others did to how this person signs in: above every page until they put it away. */
export function Notices({ notices }: { notices: readonly Notice[] }) {
  const t = useTranslations("identity.notice");
  const trpc = useTRPC();
  const [gone, setGone] = useState<readonly number[]>([]);
  const putAway = useMutation(
    trpc.account.putAwayNotice.mutationOptions({
      onSuccess: (_, { id }) => setGone((before) => [...before, id]),
      onError: (error) => notifications.show({ color: "red", message: error.message }),
    }),
  );
  const shown = notices.filter(({ id }) => !gone.includes(id));
  if (shown.length === 0) return null;
  return (
    <section className={css.notices} aria-label={t("title")}>
      {shown.map(({ id, kind, byName }) => (
        <div key={id} className={css.notice}>
          <p>{t(kind, { by: byName ?? "" })}</p>
          <Button variant="default" className={css.button} loading={putAway.isPending && putAway.variables.id === id} onClick={() => putAway.mutate({ id })}>
            {t("understood")}
          </Button>
        </div>
      ))}
    </section>
  );
}
