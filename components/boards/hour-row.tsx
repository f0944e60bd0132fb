"use client";
import { useFormatter, useTranslations } from "next-intl";
import { hourMinute } from "#/components/ui/clock.ts";
import type { HourCell, Picture } from "#/server/boards/picture-types.ts";
import { countForm, fullBar } from "./figures.ts";
import css from "./hour-row.module.css";

/** Planned and made for each clock hour of the shift. */
export function HourRow({ picture, now, lost }: { picture: Picture; now: number; lost: boolean }) {
  const t = useTranslations("board");
  const number = useFormatter();
  const full = fullBar(picture.hours.map((cell) => Math.max(cell.expected ?? 0, cell.made ?? 0)));
  const isMany = picture.hours.length > 8;
  const cells = picture.hours.map((cell) => {
    const figure = cell.made ?? (isComing(cell) ? cell.expected : null);
    return {
      cell,
      figure: figure === null ? "–" : number.number(Math.round(figure), countForm(figure)),
      beside: besideTime(cell),
    };
  });
  const sizes = {
    "--cells": cells.length,
    "--first": "00:00 ".length + Math.max(...cells.map(({ beside }) => beside.length)),
    "--second": Math.max(...cells.map(({ figure }) => figure.length)),
  };
  return (
    <ol className={css.hours} aria-label={t("hourByHour")} data-lost={lost || undefined} data-many={isMany || undefined} style={sizes as React.CSSProperties}>
      {cells.map(({ cell, figure, beside }) => (
        <li key={cell.from} className={css.hour} data-phase={phaseOf(cell, now)}>
          <p className={css.when}>
            <span>{hourMinute(cell.from, picture.line.zone)}</span>
            {beside !== "" && (cell.made === null ? <small>{beside}</small> : <em data-short={isShort(cell) || undefined}>{beside}</em>)}
          </p>
          <p>
            <b>{figure}</b>
          </p>
          <div className={css.column} aria-hidden="true">
            {cell.expected !== null && (cell.made !== null || isComing(cell)) && <u {...bar(cell.expected / full)} />}
            {cell.made !== null && <i data-short={isShort(cell) || undefined} {...bar(cell.made / full)} />}
          </div>
        </li>
      ))}
    </ol>
  );

  function isComing(cell: HourCell): boolean {
    return phaseOf(cell, now) === "coming";
  }

  /** How far an hour was off; of one to come that its figure is planned, where there is room for it. */
  function besideTime(cell: HourCell): string {
    if (cell.made === null) return isMany ? "" : !isComing(cell) ? t("notKnown") : cell.expected === null ? "" : t("planned");
    if (cell.due === null) return "";
    const off = Math.round(cell.made) - Math.round(cell.due);
    return number.number(off, { ...countForm(off), signDisplay: "exceptZero" });
  }
}

/** Cut off: it would be higher than there is room; its figure says how much it is. */
const bar = (part: number) => ({ "data-cut": part > 1 || undefined, style: { "--share": `${Math.min(1, part) * 100}%` } as React.CSSProperties });
const isShort = (cell: HourCell) => cell.made !== null && cell.due !== null && Math.round(cell.made) < Math.round(cell.due);
const phaseOf = (cell: HourCell, now: number) => (cell.to <= now ? "past" : cell.from <= now ? "present" : "coming");
