"use client";
import { Button } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useTranslations } from "next-intl";
import { useTRPC } from "#/components/frame/trpc.ts";
import { dateAndTime, offsetOf } from "#/components/ui/clock.ts";
import { QueryState } from "#/components/ui/query-state.tsx";
import css from "./audit.module.css";
import { instantOf, zoneOf } from "./entry.ts";
import { EntryDiff } from "./entry-diff.tsx";
import { useAuditWords } from "./words.ts";

/**
 * Who changed one object, when and how, newest first. kind: its table, as `machine`; id: its key there as text. For any page whose object has one; the reader
 * needs the permission history.read.
 */
export function ObjectHistory({ kind, id }: { kind: string; id: string }) {
  const t = useTranslations("audit");
  const words = useAuditWords();
  const trpc = useTRPC();
  const query = useInfiniteQuery(trpc.audit.history.infiniteQueryOptions({ kind, id }, { getNextPageParam: (page) => page.next ?? undefined }));
  const pages = query.data?.pages ?? [];
  const sites = pages[0]?.sites ?? [];
  const names = Object.assign({}, ...pages.map((page) => page.names)) as Record<string, string>;
  const entries = pages.flatMap((page) => page.entries);
  return (
    <QueryState query={query} lines={3}>
      {entries.length === 0 ? (
        <p className={css.none}>{t("noHistory")}</p>
      ) : (
        <ol className={css.history}>
          {entries.map((entry) => {
            const zone = zoneOf(entry, sites);
            const at = instantOf(entry);
            return (
              <li key={`${entry.chain} ${entry.seq}`}>
                <p className={css.line}>
                  <b>{words.action(entry.action)}</b>
                  {(entry.subjectKind !== kind || entry.subjectId !== id) && (
                    <span>{`${words.kind(entry.subjectKind)} ${words.subject(entry.subjectKind, entry.subjectName ?? "")}`.trim()}</span>
                  )}
                  <span className={css.sub}>{`${entry.actorName} · ${dateAndTime(at, zone)} ${offsetOf(at, zone)}`}</span>
                </p>
                {entry.why !== null && <p className={css.why}>{entry.why}</p>}
                {(entry.before !== null || entry.after !== null) && (
                  <details open={entries.length === 1}>
                    <summary>{t("whatChanged")}</summary>
                    <EntryDiff before={entry.before} after={entry.after} zone={zone} names={names} />
                  </details>
                )}
              </li>
            );
          })}
        </ol>
      )}
      {query.hasNextPage && (
        <Button variant="default" loading={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
          {t("older")}
        </Button>
      )}
    </QueryState>
  );
}
