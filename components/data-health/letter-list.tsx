"use client";
import { Button, SegmentedControl } from "@mantine/core";
import { skipToken, useQuery } from "@tanstack/react-query";
import { useFormatter, useTranslations } from "next-intl";
import { useState } from "react";
import { useMay } from "#/components/frame/permissions.tsx";
import { useTRPC } from "#/components/frame/trpc.ts";
import { QueryState } from "#/components/ui/query-state.tsx";
import { useAge } from "#/components/ui/use-age.ts";
import { Clamped } from "./clamped.tsx";
import css from "./data-health.module.css";
import type { LetterGroup, LetterStatus } from "./letters-section.tsx";
import type { Letter, Settle } from "./use-settle.tsx";

const againEveryMs = 5_000;
/** As many as the server sends at most. */
const mostLetters = 100;

/** The letters of one group, newest first, each with its payload. */
export function LetterList({ group, status, now, settle }: { group: LetterGroup; status: LetterStatus; now: number; settle: Settle }) {
  const t = useTranslations("health");
  const trpc = useTRPC();
  const { reasonCode, topic, metric } = group;
  const query = useQuery(trpc.dataHealth.letters.queryOptions({ reasonCode, topic, metric, status }, { refetchInterval: againEveryMs }));
  const letters = query.data?.letters ?? [];
  return (
    <QueryState query={query}>
      <div className={css.letters}>
        {letters.length === mostLetters && group.letters > mostLetters && <p className={css.none}>{t("newestOf", { n: mostLetters, of: group.letters })}</p>}
        {letters.map((letter) => (
          <LetterCard key={letter.id} letter={letter} group={group} now={now} settle={settle} />
        ))}
      </div>
    </QueryState>
  );
}

function LetterCard({ letter, group, now, settle }: { letter: Letter; group: LetterGroup; now: number; settle: Settle }) {
  const t = useTranslations("health");
  const may = useMay();
  const number = useFormatter();
  const age = useAge();
  const [open, setOpen] = useState(false);
  return (
    <article className={css.letter} aria-label={t("letterNo", { id: letter.id })}>
      <header>
        <b>{t("ago", { age: age(now - letter.lastReceivedAt) })}</b>
        <span>
          {[t("bytes", { n: number.number(letter.payloadSize) }), letter.repeats > 0 ? t("repeats", { n: letter.repeats }) : null].filter(Boolean).join(" · ")}
        </span>
        <span className={css.buttons}>
          <Button size="xs" variant="default" aria-expanded={open} onClick={() => setOpen(!open)}>
            {open ? t("hidePayload") : t("showPayload")}
          </Button>
          {letter.status === "open" && group.reasonCode !== "payload_too_large" && may("dead_letter.retry") && (
            <Button size="xs" variant="default" onClick={() => settle.askLetter(letter, group, "retry")}>
              {t("retry")}
            </Button>
          )}
          {letter.status === "open" && may("dead_letter.discard") && (
            <Button size="xs" variant="default" onClick={() => settle.askLetter(letter, group, "discard")}>
              {t("discard")}
            </Button>
          )}
        </span>
      </header>
      {letter.reason !== group.reason && (
        <p className={css.sub}>
          <Clamped text={letter.reason} />
        </p>
      )}
      {open ? (
        <PayloadView id={letter.id} />
      ) : (
        <p className={css.mono}>
          {letter.head}
          {letter.payloadSize > 120 ? " …" : ""}
        </p>
      )}
    </article>
  );
}

type Form = "decoded" | "text" | "hex";

function PayloadView({ id }: { id: string }) {
  const t = useTranslations("health");
  const number = useFormatter();
  const trpc = useTRPC();
  const query = useQuery(trpc.dataHealth.payload.queryOptions(id ? { id } : skipToken, { staleTime: Number.POSITIVE_INFINITY }));
  const [wanted, setWanted] = useState<Form | null>(null);
  const payload = query.data;
  const form: Form = wanted ?? (payload?.decoded != null ? "decoded" : payload?.text != null ? "text" : "hex");
  return (
    <QueryState query={query} lines={3}>
      {payload && (
        <>
          <SegmentedControl
            size="xs"
            aria-label={t("shownAs")}
            value={form}
            onChange={(value) => setWanted(value as Form)}
            data={[
              { value: "decoded", label: t("asDecoded") },
              { value: "text", label: t("asText") },
              { value: "hex", label: t("asHex") },
            ]}
            w="fit-content"
          />
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard */}
          <pre className={css.payload} data-hex={form === "hex" || undefined} tabIndex={0}>
            {form === "decoded"
              ? (payload.decoded ?? t("notDecoded", { why: payload.why ?? "" }))
              : form === "text"
                ? (payload.text ?? t("notText"))
                : payload.hex || t("noBytes")}
          </pre>
          {payload.cut && <p className={css.sub}>{t("cut", { n: number.number(payload.shown), of: number.number(payload.size) })}</p>}
        </>
      )}
    </QueryState>
  );
}
