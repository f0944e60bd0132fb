"use client";
import { useTranslations } from "next-intl";
import { useEffect, useState } from "react";
import { useDuration } from "#/components/ui/use-duration.ts";
import type { BoardRow } from "#/server/displays/queries.ts";
import type { Concern, Shown } from "#/server/domain/rotation.ts";
import css from "./rotation-corner.module.css";

type Props = { boards: readonly BoardRow[]; shown: Shown | null; now: () => number };

/** Which board of how many this is, why it is up, and what comes next and when. Nothing where there is one board. */
export function RotationCorner({ boards, shown, now }: Props) {
  const t = useTranslations("display");
  const duration = useDuration();
  const at = useSecond(now);
  if (!shown || boards.length < 2) return <span />;
  const index = boards.findIndex(({ lineId }) => lineId === shown.lineId);
  const next = boards.find(({ lineId }) => lineId === shown.nextLineId);
  const rest = shown.untilAt === null ? null : duration(Math.max(0, shown.untilAt - at));
  const why = shown.why === "pin" ? t("pinned") : shown.concern ? t(raisedBy(shown.concern), { machine: shown.concern.subject }) : null;
  const then = next && rest !== null ? (next.lineId === shown.lineId ? t("until", { rest }) : t("then", { board: next.name, rest })) : null;
  return (
    <p className={css.corner} data-why={shown.concern?.clearedAt === null ? "trouble" : shown.why}>
      {why && <strong>{why}</strong>}
      <span className={css.dots} role="img" aria-label={t("boardOf", { n: index + 1, of: boards.length })}>
        {boards.map((board) => (
          <i key={board.lineId} data-here={board.lineId === shown.lineId || undefined} />
        ))}
      </span>
      {then && <span suppressHydrationWarning>{then}</span>}
    </p>
  );
}

/** What brought the board up: it may be over while the board stays for its time. */
const raisedBy = ({ kind, clearedAt }: Concern) =>
  kind === "down" ? (clearedAt === null ? "raisedDown" : "raisedDownOver") : clearedAt === null ? "raisedUnknown" : "raisedUnknownOver";

function useSecond(now: () => number): number {
  const [at, setAt] = useState(now);
  useEffect(() => {
    const tick = () => setAt(now());
    tick();
    const timer = setInterval(tick, 1_000);
    return () => clearInterval(timer);
  }, [now]);
  return at;
}
