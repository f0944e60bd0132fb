"use client";
import Link from "next/link";
import { useTranslations } from "next-intl";
import type { ReactNode } from "react";
import { useAge } from "#/components/ui/use-age.ts";
import { useDuration } from "#/components/ui/use-duration.ts";
import type { Picture, Tile } from "#/server/boards/picture-types.ts";
import css from "./board-foot.module.css";
import type { BoardTheme } from "./wall-board.tsx";

/** The server beats every 10 s: a screen that has not heard it for longer is reconnecting. */
const heardWithinMs = 15_000;

type Props = { picture: Picture; now: number; heardAt: number; theme: BoardTheme; lost: boolean /** In the place of the ways on. */; corner?: ReactNode };

/** How old the picture is, the one sentence that matters most, and the ways on. */
export function BoardFoot({ picture, now, heardAt, theme, lost, corner }: Props) {
  const t = useTranslations("board");
  const age = useAge();
  const fresh = !lost && now - heardAt <= heardWithinMs;
  // A connection that brings nothing is no reason for a green dot.
  const silent = picture.tiles.every(isWithoutData);
  const dataAt = Math.max(...picture.tiles.map((tile) => tile.dataAt ?? 0));
  return (
    <footer className={css.foot}>
      <p className={css.live} data-fresh={(fresh && !silent) || undefined} suppressHydrationWarning>
        <i aria-hidden="true" />
        {lost
          ? t("notLive")
          : fresh
            ? dataAt > 0
              ? t(silent ? "liveSilent" : "live", { age: age(Math.max(0, now - dataAt)) })
              : t("liveNoData")
            : t("reconnecting", { age: age(now - heardAt) })}
      </p>
      <p className={css.sentence} suppressHydrationWarning>
        <Sentence tiles={picture.tiles} now={now} lost={lost} />
      </p>
      {corner ?? (
        <nav>
          <Link href="/" prefetch={false}>
            {t("allLines")}
          </Link>
          <Link href="/data-health" prefetch={false}>
            {t("dataHealth")}
          </Link>
          <Link href={theme === "dark" ? "?theme=light" : "?theme=dark"} prefetch={false} replace scroll={false}>
            {t(theme === "dark" ? "toLight" : "toDark")}
          </Link>
        </nav>
      )}
    </footer>
  );
}

const isWithoutData = (tile: Tile) => (tile.kind === "unknown" && !tile.saidOffline) || tile.missing !== null;

function Sentence({ tiles, now, lost }: { tiles: readonly Tile[]; now: number; lost: boolean }) {
  const t = useTranslations("board");
  const duration = useDuration();
  if (lost || tiles.length === 0) return null;
  const down = tiles.filter((tile) => tile.kind === "down" && !tile.missing).sort((a, b) => (a.sinceAt ?? 0) - (b.sinceAt ?? 0));
  const first = down[0];
  if (first) {
    const since = duration(now - (first.sinceAt ?? now));
    const sentence = first.reason ? t("downBecause", { machine: first.name, since, reason: first.reason }) : t("downSince", { machine: first.name, since });
    return down.length > 1 ? `${sentence} ${t("andMoreDown", { n: down.length - 1 })}` : sentence;
  }
  const unknown = tiles.filter(isWithoutData).length;
  if (unknown > 0) return t("withoutData", { n: unknown, of: tiles.length });
  const running = tiles.filter((tile) => tile.kind === "run").length;
  return running === tiles.length ? t("allRun") : t("someRun", { n: running, of: tiles.length });
}
