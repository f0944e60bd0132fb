"use client";
import { useTranslations } from "next-intl";
import { useEffect, useRef, useState } from "react";
import type { ImportPreview } from "#/server/plant/import.ts";

type Step = { is: "waiting" } | { is: "reading" | "writing" } | { is: "previewed"; preview: ImportPreview } | { is: "written"; preview: ImportPreview };

/** One file on its way into the plant: looked through first, then written. The file stays until another is chosen, whatever goes wrong. */
export function useImport(sheet: string, onWritten: () => void) {
  const t = useTranslations("plant");
  const [file, setFile] = useState<File | null>(null);
  const [step, setStep] = useState<Step>({ is: "waiting" });
  const [fault, setFault] = useState<string | null>(null);
  const under = useRef<AbortController | null>(null);
  useEffect(() => () => under.current?.abort(), []);

  const send = async (what: File, why: string | null): Promise<void> => {
    under.current?.abort();
    const mine = new AbortController();
    under.current = mine;
    const before = step;
    const unreached = why === null ? "importUnread" : "importUnsure";
    setFault(null);
    setStep({ is: why === null ? "reading" : "writing" });
    try {
      const query = why === null ? "" : `?${new URLSearchParams({ apply: "yes", why })}`;
      const answer = await fetch(`/api/plant/import/${sheet}${query}`, {
        method: "POST",
        body: what,
        headers: { "content-type": "application/octet-stream" },
        signal: mine.signal,
      });
      const said = (await answer.json().catch(() => null)) as ImportPreview | { error: { message: string; errorId: string | null } } | null; // a proxy's page is no answer of ours
      if (said && !("error" in said)) {
        setStep({ is: why === null ? "previewed" : "written", preview: said });
        if (why !== null) onWritten();
        return;
      }
      const { message, errorId } = said?.error ?? { message: t(unreached), errorId: null };
      setFault(errorId === null ? message : t("importFault", { message, id: errorId }));
      setStep(why === null ? { is: "waiting" } : before);
    } catch (error) {
      if (mine.signal.aborted) return;
      setFault((error as Error).name === "NotReadableError" ? (error as Error).message : t(unreached));
      setStep(why === null ? { is: "waiting" } : before);
    }
  };

  return {
    file,
    step,
    fault,
    choose: (chosen: File | null) => {
      setFile(chosen);
      if (chosen) void send(chosen, null);
      else {
        under.current?.abort();
        setFault(null);
        setStep({ is: "waiting" });
      }
    },
    /** Looks through the same file once more; a browser lets go of one that was saved anew meanwhile, and says so. */
    again: () => file && void send(file, null),
    write: (why: string) => file && void send(file, why),
  };
}
