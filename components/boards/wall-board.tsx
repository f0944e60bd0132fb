"use client";
import Link from "next/link";
import { useTranslations } from "next-intl";
import type { ReactNode } from "react";
import type { BoardEvent } from "#/server/boards/picture-types.ts";
import { BoardFoot } from "./board-foot.tsx";
import { BoardHead } from "./board-head.tsx";
import { ForPeople } from "./board-link.tsx";
import { HourRow } from "./hour-row.tsx";
import { MachineTile } from "./machine-tile.tsx";
import { TroubleBanner, useTroubleSentence } from "./trouble-banner.tsx";
import { type BoardMemory, type LineAddress, useLiveBoard } from "./use-live-board.ts";
import css from "./wall-board.module.css";

export type BoardTheme = "dark" | "light";

type Props = {
  address: LineAddress;
  /** What was known when the page was made; with a memory, when the board was last shown. */
  first: BoardEvent;
  theme: BoardTheme;
  memory?: BoardMemory;
  /** In the place of the ways on. */
  corner?: ReactNode;
};

/** The board of one line, for a wall that nobody touches. */
export function WallBoard({ address, first, theme, memory, corner }: Props) {
  const t = useTranslations("board");
  const { picture, trouble, now, heardAt } = useLiveBoard(address, first, memory);
  const sentence = useTroubleSentence();

  if (!picture) {
    return (
      <main className={css.board} data-theme={theme} data-board>
        <div className={css.waiting} role="status">
          <h1>{`${address.site}/${address.area}/${address.line}`}</h1>
          {trouble ? <p suppressHydrationWarning>{sentence(trouble, now)}</p> : <div className={css.skeleton} role="img" aria-label={t("loading")} />}
          <p className={css.hint}>{t("comesBack")}</p>
          <ForPeople>
            <Link href="/">{t("allLines")}</Link>
          </ForPeople>
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
          <pre>{`npm run plant -- export plant.yaml\nnpm run plant -- apply plant.yaml`}</pre>
          <p>{t("emptyThen", { topic: `takt/v1/${picture.line.address}/…` })}</p>
          <ForPeople>
            <Link href="/data-health#dead-letters">{t("emptyLink")}</Link>
          </ForPeople>
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
      <BoardFoot picture={picture} now={now} heardAt={heardAt} theme={theme} lost={trouble !== null} corner={corner} />
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
