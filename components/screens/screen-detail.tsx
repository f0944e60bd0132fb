"use client";
import { useLocale, useTranslations } from "next-intl";
import { ObjectHistory } from "#/components/audit/object-history.tsx";
import { useMay } from "#/components/frame/permissions.tsx";
import { dateAndTime, dayAndTime } from "#/components/ui/clock.ts";
import { useAge } from "#/components/ui/use-age.ts";
import css from "./screens.module.css";
import type { ScreenRow } from "./screens.tsx";

/** Below a row: the rotation, each screen on which the link is open, and the link. Times in the site's zone. */
export function ScreenDetail({ row, build, now }: { row: ScreenRow; build: string; now: number }) {
  const t = useTranslations("screens");
  const age = useAge();
  const locale = useLocale();
  const may = useMay();
  const { zone } = row;
  return (
    <div className={css.detail}>
      <div>
        <h3>{t("rotation")}</h3>
        <ol>
          {row.boards.map((board) => (
            <li key={board.lineId}>
              {`${board.name} · ${board.areaName} · ${t("forSeconds", { s: board.shownS })}`}
              {board.lineId === row.pinnedLineId && (row.pinnedUntilAt === null || row.pinnedUntilAt > now) && (
                <span className={css.sub}>
                  {row.pinnedUntilAt === null ? t("pinnedOpen") : t("pinnedUntil", { at: dayAndTime(row.pinnedUntilAt, zone, locale) })}
                </span>
              )}
            </li>
          ))}
        </ol>
        <p className={css.sub}>
          {row.raiseAfterS === null
            ? t("raisesNot")
            : row.raiseForS === null
              ? t("raisesWhile", { after: row.raiseAfterS })
              : t("raisesFor", { after: row.raiseAfterS, for: row.raiseForS })}
        </p>
      </div>
      <div>
        <h3>{t("screensHead")}</h3>
        {row.screens.length === 0 ? (
          <p className={css.sub}>{t("noScreens")}</p>
        ) : (
          <ul>
            {row.screens.map((screen) => (
              <li key={screen.screenId}>
                {`${screen.address ?? t("addressUnknown")} · ${screen.width} × ${screen.height} · ${screen.pixelRatio}×`}
                <span className={css.sub}>
                  {`${t("ago", { age: age(now - screen.at) })} · ${t("firstSeen", { at: dateAndTime(screen.firstAt, zone) })} · ${screen.build === build ? t("versionNow") : t("versionOld")}`}
                </span>
                <span className={css.sub}>{screen.userAgent ?? t("browserUnknown")}</span>
              </li>
            ))}
          </ul>
        )}
      </div>
      <dl>
        <dt>{t("created")}</dt>
        <dd>{row.createdBy === null ? dateAndTime(row.createdAt, zone) : t("createdBy", { at: dateAndTime(row.createdAt, zone), who: row.createdBy })}</dd>
        <dt>{t("linkMade")}</dt>
        <dd>{dateAndTime(row.linkMadeAt, zone)}</dd>
        <dt>{t("linkGood")}</dt>
        <dd>{row.linkExpiresAt === null ? t("linkOpen") : dateAndTime(row.linkExpiresAt, zone)}</dd>
        {row.revokedAt !== null && (
          <>
            <dt>{t("status.revoked")}</dt>
            <dd>{dateAndTime(row.revokedAt, zone)}</dd>
          </>
        )}
        <dt>{t("zone")}</dt>
        <dd>{zone}</dd>
      </dl>
      {may("history.read", row.siteId) && (
        <details className={css.wide}>
          <summary>{t("history")}</summary>
          <ObjectHistory kind="display" id={`${row.id}`} />
        </details>
      )}
    </div>
  );
}
