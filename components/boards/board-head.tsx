"use client";
import { useFormatter, useLocale, useTranslations } from "next-intl";
import { dayOf, hourMinute, hourMinuteSecond, offsetOf, placeOf } from "#/components/ui/clock.ts";
import type { Picture } from "#/server/boards/picture-types.ts";
import css from "./board-head.module.css";
import { countForm } from "./figures.ts";

/** Which line, which shift, how many pieces against how many by now, and what time it is there. */
export function BoardHead({ picture, now, lost }: { picture: Picture; now: number; lost: boolean }) {
  const t = useTranslations("board");
  const number = useFormatter();
  const locale = useLocale();
  const { line, shift, nextShift, output } = picture;
  const count = (n: number) => number.number(Math.round(n), countForm(n));
  const behind = output.made === null || output.expected === null ? null : Math.round(output.expected) - Math.round(output.made);
  const behindMin = behind === null || !output.perHour ? null : Math.round((Math.abs(behind) / output.perHour) * 60);
  const difference = behind === null || behindMin === null ? null : differenceOf(behind, behindMin);
  const made = output.made === null ? "" : count(output.made);
  const against = output.expected === null ? t(shift ? "piecesThisShift" : "piecesLastHours") : t("ofByNow", { n: count(output.expected) });
  // A target that is missing is not passed over: one machine without an ideal cycle takes it from the whole line.
  const [without, ...more] = shift && output.expected === null ? output.withoutCycle : [];
  // Six figures, or a longer language, in the same width: 50 letters of middle size fit.
  const fit = Math.min(1, 50 / (made.length * 2.6 + against.length + (difference?.length ?? 0) * 1.2 + 3));
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
        <div className={css.goal} style={{ "--fit": fit } as React.CSSProperties}>
          <p>
            <b>{made}</b>
            <small>{against}</small>
            {difference !== null && <em data-behind={(behind ?? 0) > 0 || undefined}>{difference}</em>}
          </p>
          {without !== undefined && <p className={css.missing}>{t("noTarget", { machine: without, n: more.length })}</p>}
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

  function differenceOf(pieces: number, minutes: number): string {
    if (pieces === 0) return t("onTarget");
    const n = count(Math.abs(pieces));
    // Beyond a week it is no time that anybody could catch up.
    if (minutes < 1 || minutes > 7 * 24 * 60) return t(pieces > 0 ? "behindLittle" : "aheadLittle", { n });
    return t(pieces > 0 ? "behind" : "ahead", { n, minutes });
  }
}
