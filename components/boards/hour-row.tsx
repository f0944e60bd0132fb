"use client";
import { useFormatter, useTranslations } from "next-intl";
import { hourMinute } from "#/components/ui/clock.ts";
import type { HourCell, Picture } from "#/server/boards/picture-types.ts";
import css from "./hour-row.module.css";

/** Planned and made for each clock hour of the shift. */
export function HourRow({ picture, now, lost }: { picture: Picture; now: number; lost: boolean }) {
  const t = useTranslations("board");
  const number = useFormatter();
  const most = Math.max(1, ...picture.hours.map((cell) => Math.max(cell.expected ?? 0, cell.made ?? 0)));
  const count = (n: number) => number.number(Math.round(n));
  return (
    <ol className={css.hours} aria-label={t("hourByHour")} data-lost={lost || undefined} style={{ "--cells": picture.hours.length } as React.CSSProperties}>
      {picture.hours.map((cell) => (
        <li key={cell.from} className={css.hour} data-phase={phaseOf(cell, now)}>
          <p className={css.when}>
            <span>{hourMinute(cell.from, picture.line.zone)}</span>
            {cell.made === null && cell.expected !== null && <small>{t("planned")}</small>}
            {cell.made !== null && cell.due !== null && (
              <em data-short={isShort(cell) || undefined}>{number.number(Math.round(cell.made) - Math.round(cell.due), { signDisplay: "exceptZero" })}</em>
            )}
          </p>
          <p>
            <b>{cell.made !== null ? count(cell.made) : cell.expected !== null ? count(cell.expected) : "–"}</b>
          </p>
          <div className={css.column} aria-hidden="true">
            {cell.expected !== null && <u style={{ height: `${(cell.expected / most) * 100}%` }} />}
            {cell.made !== null && <i data-short={isShort(cell) || undefined} style={{ height: `${(cell.made / most) * 100}%` }} />}
          </div>
        </li>
      ))}
    </ol>
  );
}

const isShort = (cell: HourCell) => cell.made !== null && cell.due !== null && Math.round(cell.made) < Math.round(cell.due);
const phaseOf = (cell: HourCell, now: number) => (cell.to <= now ? "past" : cell.from <= now ? "present" : "coming");
