"use client";
import Link from "next/link";
import { useTranslations } from "next-intl";
import type { BoardEvent } from "#/server/boards/picture-types.ts";
import { BoardFoot } from "./board-foot.tsx";
import { BoardHead } from "./board-head.tsx";
import { HourRow } from "./hour-row.tsx";
import { MachineTile } from "./machine-tile.tsx";
import { TroubleBanner, useTroubleSentence } from "./trouble-banner.tsx";
import { type LineAddress, useLiveBoard } from "./use-live-board.ts";
import css from "./wall-board.module.css";

export type BoardTheme = "dark" | "light";

/** The board of one line, for a wall that nobody touches. `first`: what the server knew when it made the page. */
export function WallBoard({ address, first, theme }: { address: LineAddress; first: BoardEvent; theme: BoardTheme }) {
  const t = useTranslations("board");
  const { picture, trouble, now, heardAt } = useLiveBoard(address, first);
  const sentence = useTroubleSentence();

  if (!picture) {
    return (
      <main className={css.board} data-theme={theme} data-board>
        <div className={css.waiting} role="status">
          <h1>{`${address.site}/${address.area}/${address.line}`}</h1>
          {trouble ? <p suppressHydrationWarning>{sentence(trouble, now)}</p> : <div className={css.skeleton} role="img" aria-label={t("loading")} />}
          <p className={css.hint}>{t("comesBack")}</p>
          <Link href="/">{t("allLines")}</Link>
        </div>
      </main>
    );
  }

  const tiles = picture.tiles;
  const columns = columnsFor(tiles.length);
  return (
    <main className={css.board} data-theme={theme} data-board data-away={trouble?.part}>
      <BoardHead picture={picture} now={now} lost={trouble !== null} />
      {trouble && <TroubleBanner trouble={trouble} now={now} />}
      {tiles.length === 0 ? (
        <section className={css.empty}>
          <h2>{t("emptyTitle")}</h2>
          <p>{t("emptyWhat", { line: picture.line.address })}</p>
          <pre>{`npm run plant -- export > plant.yaml\nnpm run plant -- apply plant.yaml`}</pre>
          <p>{t("emptyThen", { topic: `takt/v1/${picture.line.address}/…` })}</p>
          <Link href="/data-health#dead-letters">{t("emptyLink")}</Link>
        </section>
      ) : (
        <section
          className={css.tiles}
          data-lost={trouble !== null || undefined}
          aria-label={t("machines")}
          style={{ "--columns": columns, "--rows": Math.ceil(tiles.length / columns) } as React.CSSProperties}
        >
          {tiles.map((tile) => (
            <MachineTile key={tile.machineId} tile={tile} picture={picture} now={now} lost={trouble !== null} />
          ))}
        </section>
      )}
      {picture.hours.length > 0 && tiles.length > 0 && <HourRow picture={picture} now={now} lost={trouble !== null} />}
      <BoardFoot picture={picture} now={now} heardAt={heardAt} theme={theme} lost={trouble !== null} />
    </main>
  );
}

/** Columns that leave tiles about 16:9 wide on a 16:9 wall. */
function columnsFor(tiles: number): number {
  if (tiles <= 2) return Math.max(tiles, 1);
  if (tiles <= 4) return 2;
  if (tiles <= 6) return 3;
  if (tiles <= 8) return 4;
  if (tiles === 9) return 3;
  return Math.ceil(Math.sqrt(tiles * 1.25));
}
