"use client";
import { Button, SegmentedControl } from "@mantine/core";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import type { inferRouterOutputs } from "@trpc/server";
import { useFormatter, useTranslations } from "next-intl";
import { useTRPC } from "#/components/frame/trpc.ts";
import { type Column, DataTable } from "#/components/ui/data-table.tsx";
import { QueryState } from "#/components/ui/query-state.tsx";
import { useAge } from "#/components/ui/use-age.ts";
import { useNow } from "#/components/ui/use-now.ts";
import { useUrlState } from "#/components/ui/use-url-state.ts";
import type { AppRouter } from "#/server/router.ts";
import css from "./data-health.module.css";
import { againEveryMs } from "./freshness.ts";
import { LetterList } from "./letter-list.tsx";
import { Topic } from "./topic.tsx";
import { useReason } from "./use-reason.ts";
import { useSettle } from "./use-settle.tsx";

export type LetterGroup = inferRouterOutputs<AppRouter>["dataHealth"]["letterGroups"]["groups"][number];
export const statuses = ["open", "retry", "resolved", "discarded"] as const;
export type LetterStatus = (typeof statuses)[number];

const nameOf = (group: LetterGroup) => [group.reasonCode, group.topic, group.metric ?? ""].join("|");

/** What could not be written, by reason and topic, until someone has it tried again or throws it away. */
export function LettersSection() {
  const t = useTranslations("health");
  const number = useFormatter();
  const age = useAge();
  const reason = useReason();
  const trpc = useTRPC();
  const [wanted, setWanted] = useUrlState("letters");
  const [opened, setOpened] = useUrlState("letters.of");
  const status: LetterStatus = statuses.find((s) => s === wanted) ?? "open";
  const query = useQuery(trpc.dataHealth.letterGroups.queryOptions({ status }, { refetchInterval: againEveryMs.letters, placeholderData: keepPreviousData }));
  const now = useNow(query.data?.at ?? 0);
  const settle = useSettle();

  const columns: Column<LetterGroup>[] = [
    {
      key: "reason",
      header: t("reason"),
      value: (g) => `${reason(g.reasonCode)} ${g.reasonCode} ${g.reason}`,
      cell: (g) => (
        <div>
          <button type="button" className={css.link} aria-expanded={opened === nameOf(g)} onClick={() => setOpened(opened === nameOf(g) ? null : nameOf(g))}>
            {reason(g.reasonCode)}
          </button>
          <span className={css.sub}>{g.reason}</span>
        </div>
      ),
    },
    {
      key: "topic",
      header: t("topic"),
      value: (g) => `${g.topic} ${g.metric ?? ""}`,
      isWide: true,
      cell: (g) => (
        <div>
          <Topic topic={g.topic} />
          {g.metric !== null && <span className={css.sub}>{t("metric", { name: g.metric })}</span>}
        </div>
      ),
    },
    {
      key: "letters",
      header: t("letters"),
      value: (g) => g.letters,
      isNumber: true,
      cell: (g) => (
        <span>
          {number.number(g.letters)}
          {g.values > g.letters && <span className={css.sub}>{t("valuesIn", { n: number.number(g.values) })}</span>}
        </span>
      ),
    },
    { key: "last", header: t("newestLetter"), value: (g) => g.lastAt, isNumber: true, cell: (g) => t("ago", { age: age(now - g.lastAt) }) },
    {
      key: "do",
      header: t("actions"),
      value: () => null,
      isAction: true,
      cell: (g) =>
        status === "open" && (
          <span className={css.buttons}>
            <Button size="xs" variant="default" onClick={() => settle.askGroup(g, "retry")}>
              {t("retryAll")}
            </Button>
            <Button size="xs" variant="default" onClick={() => settle.askGroup(g, "discard")}>
              {t("discardAll")}
            </Button>
          </span>
        ),
    },
  ];

  const countOf = (s: LetterStatus) => query.data?.counts.find((count) => count.status === s)?.letters ?? 0;
  return (
    <section id="dead-letters" className={css.section}>
      <h2>{t("deadLetters")}</h2>
      <p>{t("deadLettersWhat")}</p>
      {typeof query.data?.dropped.droppedAt === "number" && (
        <p>{t("lettersDropped", { n: query.data.dropped.letters, age: age(now - query.data.dropped.droppedAt) })}</p>
      )}
      {settle.outcome}
      <QueryState query={query} lines={6}>
        <DataTable
          name="letters"
          label={t("deadLetters")}
          rows={query.data?.groups ?? []}
          columns={columns}
          rowKey={nameOf}
          filters={
            <SegmentedControl
              size="sm"
              aria-label={t("status")}
              value={status}
              onChange={(value) => setWanted(value === "open" ? null : value)}
              data={statuses.map((s) => ({ value: s, label: `${t(`statusIs.${s}`)} ${number.number(countOf(s))}` }))}
            />
          }
          empty={status === "open" ? t("noLetters") : t("noneSuch")}
          detail={(g) => opened === nameOf(g) && <LetterList group={g} status={status} now={now} settle={settle} />}
        />
        {(query.data?.more ?? 0) > 0 && <p>{t("lettersMore", { n: query.data?.more ?? 0 })}</p>}
      </QueryState>
      {settle.dialog}
    </section>
  );
}
