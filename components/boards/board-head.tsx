"use client";
import { useFormatter, useLocale, useTranslations } from "next-intl";
import { dayOf, hourMinute, hourMinuteSecond, offsetOf, placeOf } from "#/components/ui/clock.ts";
import type { Picture } from "#/server/boards/picture-types.ts";
import css from "./board-head.module.css";

/** Which line, which shift, how many pieces against how many by now, and what time it is there. */
export function BoardHead({ picture, now, lost }: { picture: Picture; now: number; lost: boolean }) {
  const t = useTranslations("board");
  const number = useFormatter();
  const locale = useLocale();
  const { line, shift, nextShift, output } = picture;
  const count = (n: number) => number.number(Math.round(n));
  const behind = output.made === null || output.expected === null ? null : Math.round(output.expected) - Math.round(output.made);
  const behindMin = behind === null || !output.perHour ? null : Math.round((Math.abs(behind) / output.perHour) * 60);
  const share = (n: number) => `${Math.min(100, (n / (output.planned || 1)) * 100)}%`;

  return (
    <header className={css.head} data-lost={lost || undefined}>
      <div className={css.line}>
        <h1 style={{ "--letters": Math.max(8, line.name.length) } as React.CSSProperties}>{line.name}</h1>
        <p>
          {shift
            ? t("shift", { name: shift.name, from: hourMinute(shift.from, line.zone), to: hourMinute(shift.to, line.zone) })
            : nextShift
              ? t("noShift", { name: nextShift.name, at: hourMinute(nextShift.from, line.zone) })
              : t("noShiftPlan")}
          <span>{` · ${output.of === null ? line.areaName : t("countedAt", { machine: output.of })}`}</span>
        </p>
      </div>
      {output.made !== null && (
        <div className={css.goal}>
          <p>
            <b>{count(output.made)}</b>
            <small>
              {output.expected === null ? (shift ? t("piecesThisShift") : t("piecesLastHours")) : t("ofByNow", { n: count(output.expected) })}
            </small>
            {behind !== null && behindMin !== null && (
              <em data-behind={behind > 0 || undefined}>
                {behind === 0 ? t("onTarget") : t(behind > 0 ? "behind" : "ahead", { n: count(Math.abs(behind)), minutes: behindMin })}
              </em>
            )}
          </p>
          {output.planned !== null && output.expected !== null && (
            <div className={css.track} aria-hidden="true">
              <u style={{ width: share(output.made) }} />
              <s style={{ left: share(output.expected) }} />
            </div>
          )}
        </div>
      )}
      <div className={css.clock}>
        <time suppressHydrationWarning>{hourMinuteSecond(now, line.zone)}</time>
        <p suppressHydrationWarning>
          {dayOf(now, line.zone, locale)}
          <span>{` · ${placeOf(line.zone)}, ${offsetOf(now, line.zone)}`}</span>
        </p>
      </div>
    </header>
  );
}
