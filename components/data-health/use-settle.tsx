"use client";
import { Button, Modal } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { inferRouterOutputs } from "@trpc/server";
import { useTranslations } from "next-intl";
import { type ReactNode, useState } from "react";
import { useTRPC } from "#/components/frame/trpc.ts";
import { errorSentence } from "#/components/ui/query-state.tsx";
import type { AppRouter } from "#/server/router.ts";
import css from "./data-health.module.css";
import type { LetterGroup } from "./letters-section.tsx";
import { Outcome } from "./outcome.tsx";

export type Letter = inferRouterOutputs<AppRouter>["dataHealth"]["letters"]["letters"][number];
type Action = "retry" | "discard";
type Asked = { action: Action; letters: number; topic: string; run: () => Promise<{ changed: number }> };

/** What is looked for in the list. */
export type LetterSearch = { words: string[]; codes: string[] };

export type Settle = {
  /** All open letters that are looked for; letters: of those that are shown. */
  askFound: (search: LetterSearch, groups: readonly LetterGroup[], action: Action) => void;
  askGroup: (group: LetterGroup, action: Action) => void;
  askLetter: (letter: Letter, group: LetterGroup, action: Action) => void;
  dialog: ReactNode;
  outcome: ReactNode;
};

/** Retry and discard of letters: asks first, says what became of it, and reads the lists again. */
export function useSettle(): Settle {
  const t = useTranslations("health");
  const app = useTranslations("app");
  const trpc = useTRPC();
  const queries = useQueryClient();
  const [asked, setAsked] = useState<Asked | null>(null);
  const [said, setSaid] = useState<{ ok: boolean; sentence: string } | null>(null);
  const retryGroup = useMutation(trpc.dataHealth.retryGroup.mutationOptions());
  const discardGroup = useMutation(trpc.dataHealth.discardGroup.mutationOptions());
  const retryFound = useMutation(trpc.dataHealth.retryFound.mutationOptions());
  const discardFound = useMutation(trpc.dataHealth.discardFound.mutationOptions());
  const retryLetter = useMutation(trpc.dataHealth.retryLetter.mutationOptions());
  const discardLetter = useMutation(trpc.dataHealth.discardLetter.mutationOptions());

  const run = useMutation({
    mutationFn: (wanted: Asked) => wanted.run(),
    onSuccess: ({ changed }, { action }) => setSaid({ ok: true, sentence: t(action === "retry" ? "retried" : "discarded", { n: changed }) }),
    onError: (error: Parameters<typeof errorSentence>[0]) => setSaid({ ok: false, sentence: errorSentence(error, app("unreachable")) }),
    onSettled: () => {
      setAsked(null);
      return queries.invalidateQueries({ queryKey: trpc.dataHealth.pathKey() });
    },
  });

  const ask = (action: Action, letters: number, topic: string, work: Asked["run"]) => {
    setSaid(null);
    setAsked({ action, letters, topic, run: work });
  };
  return {
    askGroup: (group, action) => {
      const { reasonCode, topic, metric, lastId } = group;
      ask(action, group.letters, topic, () => (action === "retry" ? retryGroup : discardGroup).mutateAsync({ reasonCode, topic, metric, lastId }));
    },
    askFound: (search, groups, action) => {
      const letters = groups.reduce((n, group) => n + group.letters, 0);
      const lastId = groups.reduce((last, group) => (BigInt(group.lastId) > BigInt(last) ? group.lastId : last), "0");
      ask(action, letters, search.words.join(" "), () => (action === "retry" ? retryFound : discardFound).mutateAsync({ ...search, lastId }));
    },
    askLetter: ({ id, statusAt }, group, action) =>
      ask(action, 1, group.topic, () => (action === "retry" ? retryLetter : discardLetter).mutateAsync({ id, statusAt })),
    outcome: said && <Outcome ok={said.ok} sentence={said.sentence} onClose={() => setSaid(null)} />,
    dialog: (
      <Modal
        opened={asked !== null}
        onClose={() => setAsked(null)}
        title={asked ? t(asked.action === "retry" ? "askRetry" : "askDiscard", { n: asked.letters }) : ""}
        centered
        closeButtonProps={{ "aria-label": t("close") }}
      >
        {asked && (
          <div className={css.form}>
            <p className={css.none}>{t(asked.action === "retry" ? "askRetryWhat" : "askDiscardWhat")}</p>
            <p className={css.mono}>{asked.topic}</p>
            <div className={css.buttons}>
              <Button variant="default" onClick={() => setAsked(null)}>
                {t("cancel")}
              </Button>
              <Button color={asked.action === "discard" ? "red.9" : undefined} loading={run.isPending} onClick={() => run.mutate(asked)} data-autofocus>
                {t(asked.action === "retry" ? "doRetry" : "doDiscard")}
              </Button>
            </div>
          </div>
        )}
      </Modal>
    ),
  };
}
