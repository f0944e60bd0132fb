"use client";
import { Select, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useLocale, useTranslations } from "next-intl";
import { useMemo, useState } from "react";
import { useTRPC } from "#/components/frame/trpc.ts";
import { QueryState } from "#/components/ui/query-state.tsx";
import type { Kind } from "#/server/plant/items.ts";
import { clockChanges } from "./clock-changes.ts";
import css from "./shift-preview.module.css";

const daysShown = 10;
const dayText = (at: Date) => at.toISOString().slice(0, 10);
const plusDays = (day: string, days: number) => dayText(new Date(Date.parse(`${day}T00:00:00Z`) + days * 86_400_000));

/** How the shifts fall on real days: with holidays, extra shifts, and the nights on which the clock changes. */
export function ShiftPreview({ kind, address }: { kind: Kind; address: string }) {
  const t = useTranslations("plant");
  const locale = useLocale();
  const trpc = useTRPC();
  const [from, setFrom] = useState(() => dayText(new Date()));
  const site = address.split("/")[0] ?? "";
  const shifts = useQuery(trpc.plant.list.queryOptions({ kind: "shift", under: address }, { enabled: kind === "shift_pattern" }));
  const pattern = kind === "shift_pattern" && shifts.data ? { shifts: shifts.data.rows.map((row) => row.fields) } : undefined;
  const isDay = /^\d{4}-\d{2}-\d{2}$/.test(from);
  const query = useQuery(
    trpc.plant.shifts.queryOptions(
      { site, ...(kind === "line" ? { line: address } : {}), from: isDay ? from : dayText(new Date()), days: daysShown, ...(pattern ? { pattern } : {}) },
      { enabled: isDay && (kind === "line" || pattern !== undefined) },
    ),
  );
  const zone = query.data?.zone ?? "UTC";
  // To look at them before they come.
  const ahead = useMemo(() => clockChanges(zone, Date.now(), 2 * 365), [zone]);
  const time = new Intl.DateTimeFormat(locale, { timeZone: zone, hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const day = new Intl.DateTimeFormat(locale, { timeZone: "UTC", weekday: "short", day: "numeric", month: "short", year: "numeric" });
  const offset = (minutes: number) => `UTC${minutes < 0 ? "−" : "+"}${Math.floor(Math.abs(minutes) / 60)}${minutes % 60 ? `:${Math.abs(minutes % 60)}` : ""}`;
  return (
    <section className={css.below} aria-labelledby="preview">
      <h2 id="preview">{t("previewTitle")}</h2>
      <div className={css.previewTools}>
        <TextInput type="date" label={t("previewFrom")} value={from} onChange={(event) => setFrom(event.currentTarget.value)} />
        <Select
          label={t("previewClock")}
          placeholder={t("previewClockNone")}
          value={null}
          onChange={(value) => value && setFrom(plusDays(value, -2))}
          data={ahead.map((change) => ({
            value: change.day,
            label: `${day.format(new Date(`${change.day}T00:00:00Z`))}: ${offset(change.fromOffsetMin)} → ${offset(change.toOffsetMin)}`,
          }))}
        />
        <p>{t("previewZone", { zone })}</p>
      </div>
      <QueryState query={query} lines={4}>
        {query.data &&
          (query.data.shifts.length === 0 ? (
            <p className={css.empty}>{t("previewEmpty")}</p>
          ) : (
            <div className={css.scroll}>
              <table className={css.preview}>
                <thead>
                  <tr>
                    <th scope="col">{t("businessDay")}</th>
                    <th scope="col">{t("kinds.shift.one")}</th>
                    <th scope="col">{t("fromTo")}</th>
                    <th scope="col">{t("hours")}</th>
                    <th scope="col">{t("field.breaks")}</th>
                  </tr>
                </thead>
                <tbody>
                  {query.data.shifts.map((shift) => (
                    <tr key={`${shift.businessDate} ${shift.name} ${shift.fromAt}`} data-status={shift.status}>
                      <td>{day.format(new Date(`${shift.businessDate}T00:00:00Z`))}</td>
                      <td>
                        {shift.name} {shift.status !== "planned" && <b>{t(`status.${shift.status}`)}</b>}
                      </td>
                      <td>{`${time.format(new Date(shift.fromAt))} – ${time.format(new Date(shift.toAt))}`}</td>
                      <td
                        data-odd={
                          query.data?.clockChanges.some((change) => change.day >= shift.businessDate && change.day <= plusDays(shift.businessDate, 1)) ||
                          undefined
                        }
                      >
                        {new Intl.NumberFormat(locale, { maximumFractionDigits: 2 }).format(shift.hours)} h
                      </td>
                      <td>
                        {shift.breaks.map((pause) => `${pause.name} ${time.format(new Date(pause.fromAt))}–${time.format(new Date(pause.toAt))}`).join(", ") ||
                          "–"}
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          ))}
      </QueryState>
    </section>
  );
}
