"use client";
import { Loader, Progress } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useTranslations } from "next-intl";
import { useTRPC } from "#/components/frame/trpc.ts";
import css from "./import.module.css";

const againEveryMs = 1_000;

/** What is being done with the file, and how far that is: small ones are done before it can be asked. */
export function ImportBusy({ isWriting }: { isWriting: boolean }) {
  const t = useTranslations("plant");
  const trpc = useTRPC();
  const { data } = useQuery(trpc.plant.importProgress.queryOptions(undefined, { refetchInterval: againEveryMs, gcTime: 0 }));
  const progress = data?.progress;
  const sentence = () => {
    switch (progress?.step) {
      case "checking":
        return t("importChecking", { n: progress.rows });
      case "writing":
        return t("importRowsWritten", { done: progress.done, of: progress.of });
      case "recording":
        return t("importRecording");
      default:
        return t(isWriting ? "importWriting" : "importReading");
    }
  };
  return (
    <div role="status" className={css.busy}>
      <p>
        <Loader size="sm" /> {sentence()}
      </p>
      {isWriting && progress && <Progress value={partOf(progress)} aria-label={t("importHowFar")} />}
    </div>
  );
}

/** Of the whole, in %: looking through takes about a third of the time, and writing down in the audit trail another. */
function partOf(progress: { step: "reading" | "recording" | "checking" } | { step: "writing"; done: number; of: number }): number {
  switch (progress.step) {
    case "reading":
      return 2;
    case "checking":
      return 10;
    case "writing":
      return 25 + (40 * progress.done) / Math.max(1, progress.of);
    case "recording":
      return 70;
  }
}
