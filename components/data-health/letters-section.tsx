"use client";
import { Button, SegmentedControl } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import type { inferRouterOutputs } from "@trpc/server";
import { useFormatter, useTranslations } from "next-intl";
import { useMay } from "#/components/frame/permissions.tsx";
import { useTRPC } from "#/components/frame/trpc.ts";
import { type Column, DataTable } from "#/components/ui/data-table.tsx";
import { QueryState } from "#/components/ui/query-state.tsx";
import { useAge } from "#/components/ui/use-age.ts";
import { useNow } from "#/components/ui/use-now.ts";
import { useUrlState } from "#/components/ui/use-url-state.ts";
import type { AppRouter } from "#/server/router.ts";
import { Clamped } from "./clamped.tsx";
import css from "./data-health.module.css";
import { againEveryMs } from "./freshness.ts";
import { LetterList } from "./letter-list.tsx";
import { Topic } from "./topic.tsx";
import { useReason, useReasonCodes } from "./use-reason.ts";
import { useSettle } from "./use-settle.tsx";

export type LetterGroup = inferRouterOutputs<AppRouter>["dataHealth"]["letterGroups"]["groups"][number];
export const statuses = ["open", "retry", "resolved", "discarded"] as const;
export type LetterStatus = (typeof statuses)[number];

const none: LetterGroup[] = [];
const nameOf = (group: LetterGroup) => [group.reasonCode, group.topic, group.metric ?? ""].join("|");

/** What could not be written, by reason and topic, until someone has it tried again or throws it away. */
export function LettersSection() {
  const t = useTranslations("health");
  const may = useMay();
  const number = useFormatter();
  const age = useAge();
  const reason = useReason();
  const trpc = useTRPC();
  const [wanted, setWanted] = useUrlState("letters");
  const [opened, setOpened] = useUrlState("letters.of");
  const status: LetterStatus = statuses.find((s) => s === wanted) ?? "open";
  const query = useQuery(trpc.dataHealth.letterGroups.queryOptions({ status }, { refetchInterval: againEveryMs.letters, placeholderData: keepPreviousData }));
  // The list of all reaches only so far back: what is looked for is looked for in all of them.
  const [typed] = useUrlState("letters.q");
  const [sought] = useDebouncedValue((typed ?? "").trim(), 300);
  const words = sought.split(/\s+/).filter(Boolean).slice(0, 12);
  const codes = useReasonCodes().filter((code) => words.every((word) => reason(code).toLowerCase().includes(word.toLowerCase())));
  const search = { words, codes };
  const more = query.data?.more ?? 0;
  const isSearching = words.length > 0 && more > 0;
  const found = useQuery(
    trpc.dataHealth.findLetterGroups.queryOptions(
      { status, ...search },
      { enabled: isSearching, refetchInterval: againEveryMs.letters, placeholderData: keepPreviousData },
    ),
  );
  const groups = (isSearching && found.data?.groups) || query.data?.groups || none;
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
          <span className={css.sub}>
            <Clamped text={g.reason} />
          </span>
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
          {g.metric !== null && (
            <span className={css.sub}>
              <Clamped text={t("metric", { name: g.metric })} />
            </span>
          )}
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
            {may("dead_letter.retry") && g.reasonCode !== "payload_too_large" && (
              <Button size="xs" variant="default" onClick={() => settle.askGroup(g, "retry")}>
                {t("retryAll")}
              </Button>
            )}
            {may("dead_letter.discard") && (
              <Button size="xs" variant="default" onClick={() => settle.askGroup(g, "discard")}>
                {t("discardAll")}
              </Button>
            )}
          </span>
        ),
    },
  ];

  const isFound = (g: LetterGroup) => {
    const text = `${reason(g.reasonCode)} ${g.reasonCode} ${g.reason} ${g.topic} ${g.metric ?? ""}`.toLowerCase();
    return words.every((word) => text.includes(word.toLowerCase()));
  };
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
          rows={groups}
          columns={columns}
          rowKey={nameOf}
          filters={
            <SegmentedControl
              size="sm"
              aria-label={t("status")}
              value={status}
              onChange={(value) => setWanted(value === "open" ? null : value)}
              data={statuses.map((s) => ({ value: s, label: [t(`statusIs.${s}`), number.number(countOf(s))].join(" ") }))}
            />
          }
          empty={status === "open" ? t("noLetters") : t("noneSuch")}
          detail={(g) => opened === nameOf(g) && <LetterList group={g} status={status} now={now} settle={settle} />}
        />
        {more > 0 && !isSearching && <p>{t("lettersMore", { n: more })}</p>}
        {status === "open" && words.length > 0 && groups.length > 1 && (
          <p className={css.found}>
            {t("lettersFound")}
            {may("dead_letter.retry") && (
              <Button size="xs" variant="default" onClick={() => settle.askFound(search, groups.filter(isFound), "retry")}>
                {t("retryFound")}
              </Button>
            )}
            {may("dead_letter.discard") && (
              <Button size="xs" variant="default" onClick={() => settle.askFound(search, groups.filter(isFound), "discard")}>
                {t("discardFound")}
              </Button>
            )}
          </p>
        )}
      </QueryState>
      {settle.dialog}
    </section>
  );
}
