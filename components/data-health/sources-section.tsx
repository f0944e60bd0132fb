"use client";
import { SegmentedControl } from "@mantine/core";
import { useFormatter, useTranslations } from "next-intl";
import { useEffect } from "react";
import { StateMark } from "#/components/states/state-mark.tsx";
import { dateAndTime, offsetOf } from "#/components/ui/clock.ts";
import { type Column, DataTable } from "#/components/ui/data-table.tsx";
import { QueryState } from "#/components/ui/query-state.tsx";
import { useAge } from "#/components/ui/use-age.ts";
import { useDuration } from "#/components/ui/use-duration.ts";
import { useNow } from "#/components/ui/use-now.ts";
import { useUrlState } from "#/components/ui/use-url-state.ts";
import { Clamped } from "./clamped.tsx";
import css from "./data-health.module.css";
import { isSilent } from "./freshness.ts";
import { SourceDrawer } from "./source-drawer.tsx";
import { useLag } from "./use-lag.ts";
import type { HealthQuery } from "./workers-section.tsx";

export type SourceData = NonNullable<HealthQuery<"sources">["data"]>["sources"][number];

/** Every publisher: last seen, how much, how late, and where its link failed in the last day. */
export function SourcesSection({ query }: { query: HealthQuery<"sources"> }) {
  const t = useTranslations("health");
  const number = useFormatter();
  const age = useAge();
  const duration = useDuration();
  const lag = useLag();
  const now = useNow(query.data?.at ?? 0);
  const [only, setOnly] = useUrlState("sources.only");
  const [selected, setSelected] = useUrlState("source");
  // What needs a look comes first; the server has them in the order of their addresses.
  const rank = (source: SourceData) => (!isSilent(source, query.data?.at ?? 0) ? 2 : source.lastAt === null ? 1 : 0);
  const sources = [...(query.data?.sources ?? [])].sort((a, b) => rank(a) - rank(b));
  const chosen = sources.find((source) => source.address === selected) ?? null;

  // A link from a board names the section in its hash; what is above it comes later and pushes it down.
  const loaded = query.data !== undefined;
  useEffect(() => {
    if (loaded && window.location.hash === "#sources") document.getElementById("sources")?.scrollIntoView();
  }, [loaded]);

  const columns: Column<SourceData>[] = [
    {
      key: "source",
      header: t("source"),
      value: (s) => `${s.machines.join(", ")} ${s.address} ${s.siteName}`,
      cell: (s) => (
        <div>
          <button type="button" className={css.link} onClick={() => setSelected(s.address)}>
            {s.machines.length === 0
              ? s.address
              : s.machines.length > 2
                ? t("machinesMore", { first: s.machines[0] ?? "", n: s.machines.length - 1 })
                : s.machines.join(", ")}
          </button>
          <span className={css.sub}>
            <Clamped text={`${s.address} · ${t(`form.${s.form}`)}`} />
          </span>
        </div>
      ),
    },
    {
      key: "link",
      header: t("link"),
      value: (s) => linkWord(s),
      cell: (s) => (
        <span className={css.flag} data-state={s.lastAt === null ? "planned_stop" : isSilent(s, now) ? "down" : "run"}>
          <StateMark kind={s.lastAt === null ? "not_scheduled" : isSilent(s, now) ? "unknown" : "run"} />
          {linkWord(s)}
        </span>
      ),
    },
    {
      key: "seen",
      header: t("lastValue"),
      value: (s) => s.lastAt,
      isNumber: true,
      cell: (s) =>
        s.lastAt === null ? (
          t("never")
        ) : (
          <span title={`${dateAndTime(s.lastAt, s.zone)} ${offsetOf(s.lastAt, s.zone)}`}>{t("ago", { age: age(now - s.lastAt) })}</span>
        ),
    },
    {
      key: "rate",
      header: t("rate"),
      value: (s) => s.perMinute,
      isNumber: true,
      cell: (s) => t("perMinute", { n: number.number(s.perMinute, { maximumFractionDigits: s.perMinute < 10 ? 1 : 0 }) }),
    },
    { key: "lag", header: t("lag"), value: (s) => s.lagS, isNumber: true, cell: (s) => (s.lagS === null ? "–" : lag(s.lagS)) },
    {
      key: "gaps",
      header: t("gaps"),
      value: (s) => s.gapTotalS,
      isNumber: true,
      cell: (s) =>
        s.gaps === 0 && s.gapsFilled === 0 ? (
          t("none")
        ) : (
          <span>
            {s.gaps === 0 ? t("none") : t("gapsOf", { n: s.gaps })}
            {s.gaps > 0 && <span className={css.sub}>{t("longest", { length: duration((s.gapLongestS ?? 0) * 1000) })}</span>}
            {s.gapsFilled > 0 && <span className={css.sub}>{t("gapsFilled", { n: s.gapsFilled })}</span>}
          </span>
        ),
    },
    {
      key: "sequence",
      header: t("sequence"),
      value: (s) => (s.form === "sparkplug" ? s.sequenceGaps : null),
      isNumber: true,
      cell: (s) =>
        s.form !== "sparkplug" ? (
          "–"
        ) : (
          <span>
            {s.sequenceGaps}
            <span className={css.sub}>{t("rebirths", { n: s.rebirths })}</span>
          </span>
        ),
    },
  ];
  const shown =
    only === "silent" ? sources.filter((s) => isSilent(s, now)) : only === "gaps" ? sources.filter((s) => s.gaps > 0 || s.sequenceGaps > 0) : sources;

  return (
    <section id="sources" className={css.section}>
      <h2>{t("sources")}</h2>
      <p>{t("sourcesWhat")}</p>
      <QueryState query={query} lines={6}>
        <DataTable
          name="sources"
          label={t("sources")}
          rows={shown}
          columns={columns}
          rowKey={(s) => s.id}
          isAlert={(s) => s.lastAt !== null && isSilent(s, now)}
          filters={
            <SegmentedControl
              size="sm"
              aria-label={t("only")}
              value={only ?? "all"}
              onChange={(value) => setOnly(value === "all" ? null : value)}
              data={[
                { value: "all", label: t("onlyAll") },
                { value: "silent", label: t("onlySilent") },
                { value: "gaps", label: t("onlyGaps") },
              ]}
            />
          }
          empty={only ? t("noneSuch") : t("noSources")}
        />
      </QueryState>
      <SourceDrawer source={chosen} now={now} onClose={() => setSelected(null)} />
    </section>
  );

  function linkWord(source: SourceData): string {
    if (source.lastAt === null) return t("linkNever");
    if (source.announced === false) return t("linkDead");
    return isSilent(source, now) ? t("linkSilent") : source.announced ? t("linkAnnounced") : t("linkAlive");
  }
}
