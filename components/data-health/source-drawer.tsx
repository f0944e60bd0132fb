"use client";
import { Drawer } from "@mantine/core";
import { keepPreviousData, skipToken, useQuery } from "@tanstack/react-query";
import type { inferRouterOutputs } from "@trpc/server";
import { useFormatter, useLocale, useTranslations } from "next-intl";
import { useTRPC } from "#/components/frame/trpc.ts";
import { dateAndTime, dayAndTime, offsetOf } from "#/components/ui/clock.ts";
import { type Column, DataTable } from "#/components/ui/data-table.tsx";
import { QueryState } from "#/components/ui/query-state.tsx";
import { useAge } from "#/components/ui/use-age.ts";
import { useDuration } from "#/components/ui/use-duration.ts";
import type { AppRouter } from "#/server/router.ts";
import css from "./data-health.module.css";
import type { SourceData } from "./sources-section.tsx";
import { useEventDetail } from "./use-event-detail.ts";
import { useLag } from "./use-lag.ts";
import { useValue } from "./use-value.ts";

type SignalData = inferRouterOutputs<AppRouter>["dataHealth"]["source"]["signals"][number];

/** Flags of a sample, as in the schema: noValue 4, badQuality 8. */
const [noValue, badQuality] = [4, 8];
const againEveryMs = 2_000;

/** One source: its signals with their newest values, its gaps, and what it said of itself. */
export function SourceDrawer({ source, now, onClose }: { source: SourceData | null; now: number; onClose: () => void }) {
  const t = useTranslations("health");
  const locale = useLocale();
  const number = useFormatter();
  const age = useAge();
  const duration = useDuration();
  const lag = useLag();
  const eventDetail = useEventDetail();
  const reading = useValue();
  const trpc = useTRPC();
  const query = useQuery(
    trpc.dataHealth.source.queryOptions(source ? { id: source.id } : skipToken, { refetchInterval: againEveryMs, placeholderData: keepPreviousData }),
  );
  const zone = source?.zone ?? "UTC";
  const severalMachines = (source?.machines.length ?? 0) > 1;

  const columns: Column<SignalData>[] = [
    {
      key: "signal",
      header: t("signal"),
      value: (s) => `${s.key} ${s.machineName}`,
      cell: (s) => (
        <div>
          {s.key}
          <span className={css.sub}>{[severalMachines ? s.machineName : null, t(`role.${s.role}`)].filter(Boolean).join(" · ")}</span>
        </div>
      ),
    },
    { key: "value", header: t("newest"), value: (s) => s.value ?? s.text, isNumber: true, cell: (s) => <b>{shownValue(s)}</b> },
    {
      key: "age",
      header: t("age"),
      value: (s) => s.at,
      isNumber: true,
      cell: (s) =>
        s.at === null ? (
          t("never")
        ) : (
          <span title={`${dateAndTime(s.at, zone)} ${offsetOf(s.at, zone)}`}>
            {age(now - s.at)}
            {s.silentS !== null && <span className={`${css.sub} ${css.bad}`}>{t("silentFor", { length: duration(s.silentS * 1000) })}</span>}
          </span>
        ),
    },
    {
      key: "rate",
      header: t("rate"),
      value: (s) => s.perMinute,
      isNumber: true,
      cell: (s) => (s.perMinute === null ? "–" : t("perMinute", { n: number.number(s.perMinute, { maximumFractionDigits: s.perMinute < 10 ? 1 : 0 }) })),
    },
    { key: "lag", header: t("lag"), value: (s) => s.lagS, isNumber: true, cell: (s) => (s.lagS === null ? "–" : lag(s.lagS)) },
    {
      key: "period",
      header: t("period"),
      value: (s) => s.periodS,
      isNumber: true,
      cell: (s) => (s.periodS === null ? "–" : periodOf(s.periodS)),
    },
    { key: "values", header: t("values"), value: (s) => s.valuesTotal, isNumber: true, cell: (s) => number.number(s.valuesTotal) },
  ];

  return (
    <Drawer
      opened={source !== null}
      onClose={onClose}
      position="right"
      size="min(860px, 100vw)"
      title={source ? source.machines.join(", ") || source.address : ""}
      closeButtonProps={{ "aria-label": t("close") }}
    >
      <div className={css.drawer}>
        {source && (
          <p className={css.none}>
            {t("sourceIs", { address: source.address, form: t(`form.${source.form}`), site: source.siteName, timeout: source.noDataTimeoutS })}
          </p>
        )}
        <QueryState query={query}>
          <DataTable name="signals" label={t("signals")} rows={query.data?.signals ?? []} columns={columns} rowKey={(s) => s.id} empty={t("noSignals")} />
          <div>
            <h3>{t("gapsDay")}</h3>
            {query.data?.gaps.length === 0 && <p className={css.none}>{t("noGaps")}</p>}
            <ul>
              {query.data?.gaps.map((gap) => (
                <li key={gap.from}>{t(gap.filled ? "gapFilled" : "gap", { from: dayAndTime(gap.from, zone, locale), length: duration(gap.to - gap.from) })}</li>
              ))}
            </ul>
          </div>
          <div>
            <h3>{t("linkEvents")}</h3>
            {query.data?.links.length === 0 && <p className={css.none}>{t("noLinkEvents")}</p>}
            <ul>
              {query.data?.links.map((event) => (
                <li key={`${event.at} ${event.kind} ${event.detail}`}>
                  {dayAndTime(event.at, zone, locale)} · <b>{t(`event.${event.kind}`)}</b> {eventDetail(event)}
                </li>
              ))}
            </ul>
          </div>
        </QueryState>
      </div>
    </Drawer>
  );

  function periodOf(periodS: number): string {
    if (periodS < 1) return t("ms", { n: Math.round(periodS * 1000) });
    return periodS < 90 ? `${number.number(periodS, { maximumFractionDigits: 1 })} s` : age(periodS * 1000);
  }

  function shownValue(signal: SignalData): string {
    if (signal.at === null) return "–";
    if (((signal.flags ?? 0) & noValue) !== 0) return t("noValue");
    return `${reading(signal)}${((signal.flags ?? 0) & badQuality) !== 0 ? ` (${t("badQuality")})` : ""}`;
  }
}
