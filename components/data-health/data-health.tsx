"use client";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useSubscription } from "@trpc/tanstack-react-query";
import { useTranslations } from "next-intl";
import { PageHead } from "#/components/frame/page-head.tsx";
import { useTRPC } from "#/components/frame/trpc.ts";
import css from "./data-health.module.css";
import { againEveryMs, isSilent } from "./freshness.ts";
import { LettersSection } from "./letters-section.tsx";
import { SourcesSection } from "./sources-section.tsx";
import { UnknownSection } from "./unknown-section.tsx";
import { type WorkerState, workerState } from "./worker-state.ts";
import { WorkersSection } from "./workers-section.tsx";

/** Is everything that the plant sends arriving, and what did not? */
export function DataHealth() {
  const t = useTranslations("health");
  const trpc = useTRPC();
  const workers = useQuery(trpc.dataHealth.workers.queryOptions(undefined, { refetchInterval: againEveryMs.workers }));
  const sources = useQuery(trpc.dataHealth.sources.queryOptions(undefined, { refetchInterval: againEveryMs.sources }));
  const letters = useQuery(trpc.dataHealth.letterGroups.queryOptions({ status: "open" }, { refetchInterval: againEveryMs.letters }));

  const unknown = useQuery(trpc.dataHealth.unknown.queryOptions(undefined, { refetchInterval: againEveryMs.letters }));
  const queries = useQueryClient();
  // The polls above stand behind it.
  useSubscription(
    trpc.dataHealth.changes.subscriptionOptions(undefined, {
      onData: () => {
        const { unknown, letterGroups, letters, mappingPreview, mappingProposals } = trpc.dataHealth;
        for (const part of [unknown, letterGroups, letters, mappingPreview, mappingProposals]) void queries.invalidateQueries({ queryKey: part.pathKey() });
      },
    }),
  );

  const states = workers.data?.workers.map(workerState);
  const inState = (...which: WorkerState[]) => states?.filter((state) => which.includes(state)).length ?? 0;
  const silent = sources.data?.sources.filter((source) => isSilent(source, sources.data.at)).length;
  // What is not listed of very many counts as one value a topic.
  const unmapped = unknown.data?.unknown.reduce((n, { paths }) => n + paths.length, unknown.data.more);
  const open = letters.data?.counts.find((count) => count.status === "open")?.letters ?? 0;
  return (
    <>
      <PageHead title={t("title")} what={t("what")} />
      <ul className={css.sums} aria-label={t("inShort")}>
        <Sum href="#workers" bad={states !== undefined && (inState("works") === 0 || inState("hindered", "away") > 0)} word={inWords()} />
        <Sum
          href="#sources"
          bad={(silent ?? 0) > 0}
          word={sources.data ? t("sumSources", { n: sources.data.sources.length - (silent ?? 0), of: sources.data.sources.length }) : "…"}
        />
        <Sum href="#unknown" bad={(unmapped ?? 0) > 0} word={unmapped === undefined ? "…" : t("sumUnknown", { n: unmapped })} />
        <Sum href="#dead-letters" bad={open > 0} word={letters.data ? t("sumLetters", { n: open }) : "…"} />
      </ul>
      <WorkersSection query={workers} />
      <SourcesSection query={sources} />
      <UnknownSection query={unknown} />
      <LettersSection />
    </>
  );

  function inWords(): string {
    if (states === undefined) return "…";
    const n = inState("works", "hindered", "stands_by");
    if (n === 0) return t("sumNoWorker");
    const rest = (["hindered", "stands_by", "away"] as const).filter((state) => inState(state) > 0).map((state) => t(`sum.${state}`, { n: inState(state) }));
    return [t("sumWorkers", { n }), ...rest].join(", ");
  }
}

function Sum({ href, bad, word }: { href: string; bad: boolean; word: string }) {
  return (
    <li>
      <a href={href} data-state={bad ? "down" : "run"}>
        <svg viewBox="0 0 20 20" aria-hidden="true">
          {bad ? (
            <path d="M10 1.500 19.500 18.500H.5zM9 7v6h2V7zm0 7.500v2h2v-2z" fill="currentColor" fillRule="evenodd" />
          ) : (
            <path d="m3 10.500 4.500 4.500L17 5.500" fill="none" stroke="currentColor" strokeWidth="3" />
          )}
        </svg>
        {word}
      </a>
    </li>
  );
}
