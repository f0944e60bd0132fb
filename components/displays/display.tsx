"use client";
import { useQueryClient } from "@tanstack/react-query";
import { useTranslations } from "next-intl";
import { useEffect, useRef, useState } from "react";
import { OnDisplay } from "#/components/boards/board-link.tsx";
import { WallBoard } from "#/components/boards/wall-board.tsx";
import { makeTrpcClient, TRPCProvider } from "#/components/frame/trpc.ts";
import type { DisplayEvent } from "#/server/displays/watch.ts";
import css from "./display.module.css";
import { Identify } from "./identify.tsx";
import { RotationCorner } from "./rotation-corner.tsx";
import { useLiveDisplay } from "./use-live-display.ts";
import { addressOf, type FirstBoard, troubleOn, useMemories } from "./use-memories.ts";
import { useShown } from "./use-shown.ts";

/** A wall display: its boards in turn, with nobody signed in. */
export function Display({ first, firstBoard }: { first: DisplayEvent; firstBoard: FirstBoard | null }) {
  const queryClient = useQueryClient();
  const [client] = useState(() => makeTrpcClient("/display/api"));
  return (
    <TRPCProvider trpcClient={client} queryClient={queryClient}>
      <OnDisplay value={true}>
        <Boards first={first} firstBoard={firstBoard} />
      </OnDisplay>
    </TRPCProvider>
  );
}

/** As long as one board fades into the next (display.module.css), and a little. */
const fadeMs = 900;

function Boards({ first, firstBoard }: { first: DisplayEvent; firstBoard: FirstBoard | null }) {
  const t = useTranslations("display");
  const { event, now, say } = useLiveDisplay(first);
  const { display } = event;
  const { shown, coming, isIdentifying } = useShown(event, now);
  const leaving = useLeaving(shown?.lineId ?? null);
  const boards = display?.boards ?? [];
  const memory = useMemories(boards, firstBoard, event, now);
  const address = boards.find(({ lineId }) => lineId === shown?.lineId)?.address ?? "";
  useEffect(() => say(address), [say, address]);

  const layers = boards.filter(({ lineId }) => lineId === shown?.lineId || lineId === coming || lineId === leaving);
  const theme = display?.theme ?? "dark";
  return (
    <div className={css.display} data-display={display?.id} data-theme={theme}>
      {layers.map((board) => {
        const isFront = board.lineId === shown?.lineId;
        return (
          <div key={board.lineId} className={css.layer} data-front={isFront || undefined} inert={!isFront} data-line={board.address}>
            <WallBoard
              address={addressOf(board)}
              first={memory.of(board.lineId) ?? { at: event.at, build: first.build, trouble: troubleOn(event, board.lineId), picture: null }}
              theme={theme}
              memory={memory.at(board.lineId)}
              corner={<RotationCorner boards={boards} shown={shown} now={now} />}
            />
          </div>
        );
      })}
      {layers.length === 0 && (
        <main className={css.empty} role="status">
          <h1>{display ? display.name : t("waitingTitle")}</h1>
          <p>{display ? t("noBoards") : t("waiting")}</p>
        </main>
      )}
      {isIdentifying && display && <Identify name={display.name} number={display.id} />}
    </div>
  );
}

/** The board before this one, for as long as it fades away. */
function useLeaving(lineId: number | null): number | null {
  const [leaving, setLeaving] = useState<number | null>(null);
  const before = useRef(lineId);
  useEffect(() => {
    if (before.current === lineId) return;
    setLeaving(before.current);
    before.current = lineId;
    const timer = setTimeout(() => setLeaving(null), fadeMs);
    return () => clearTimeout(timer);
  }, [lineId]);
  return leaving;
}
