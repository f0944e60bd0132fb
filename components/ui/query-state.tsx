"use client";
import { Button, Skeleton } from "@mantine/core";
import type { TRPCClientErrorLike } from "@trpc/client";
import { useTranslations } from "next-intl";
import type { ReactNode } from "react";
import type { AppRouter } from "#/server/router.ts";
import css from "./query-state.module.css";

type ApiError = TRPCClientErrorLike<AppRouter>;
type Query = { isPending: boolean; error: ApiError | null; data: unknown; refetch: () => unknown };

/** Of a skeleton's lines, in percent. */
const widths = [92, 75, 58, 81, 64, 87, 70, 53];

/** What stands in the place of data that is not there: a skeleton, or what went wrong and what to try. Old data stays, with its error above it. */
export function QueryState({ query, lines = 4, children }: { query: Query; lines?: number; children: ReactNode }) {
  const t = useTranslations("app");
  if (query.data === undefined && query.isPending) {
    return (
      <div role="status" aria-label={t("loading")} className={css.skeletons}>
        {widths.slice(0, lines).map((width) => (
          <Skeleton key={width} height={22} width={`${width}%`} />
        ))}
      </div>
    );
  }
  return (
    <>
      {query.error && (
        <div role="alert" className={css.error}>
          <p>
            {errorSentence(query.error, t("unreachable"))} {query.data !== undefined && t("oldShown")}
          </p>
          <Button size="xs" variant="default" onClick={() => void query.refetch()}>
            {t("again")}
          </Button>
        </div>
      )}
      {query.data !== undefined && children}
    </>
  );
}

/** The server's sentence, with the number under which the log has the fault. `unreachable`: what is said where no answer came at all. */
export const errorSentence = (error: ApiError, unreachable: string): string => {
  if (!error.data) return unreachable;
  return error.data.errorId ? `${error.message} (${error.data.errorId})` : error.message;
};
