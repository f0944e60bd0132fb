"use client";
import { useEffect, useRef, useState } from "react";
import type { BoardMemory, LineAddress } from "#/components/boards/use-live-board.ts";
import { useTRPCClient } from "#/components/frame/trpc.ts";
import type { BoardEvent, Trouble } from "#/server/boards/picture-types.ts";
import type { BoardRow } from "#/server/displays/queries.ts";
import type { DisplayEvent } from "#/server/displays/watch.ts";

/** The board that the page came with. */
export type FirstBoard = { lineId: number; event: BoardEvent };

/** What was last heard of each board: the next time round it begins with that, also while the server is away. One event a board, however long the display is on. */
class Memories {
  private readonly events = new Map<number, BoardEvent>();
  private readonly memories = new Map<number, BoardMemory>();
  private readonly now: () => number;
  private readonly troubleOf: (lineId: number) => Trouble | null;

  constructor(first: FirstBoard | null, now: () => number, troubleOf: (lineId: number) => Trouble | null) {
    this.now = now;
    this.troubleOf = troubleOf;
    if (first) this.events.set(first.lineId, first.event);
  }

  of(lineId: number): BoardEvent | undefined {
    return this.events.get(lineId);
  }

  put(lineId: number, event: BoardEvent): void {
    this.events.set(lineId, event);
  }

  at(lineId: number): BoardMemory {
    const known = this.memories.get(lineId) ?? {
      now: this.now,
      trouble: () => this.troubleOf(lineId),
      onPicture: (event: BoardEvent) => this.put(lineId, event),
    };
    this.memories.set(lineId, known);
    return known;
  }

  keepOnly(lineIds: readonly number[]): void {
    for (const known of [this.events, this.memories]) for (const lineId of known.keys()) if (!lineIds.includes(lineId)) known.delete(lineId);
  }
}

/** A board that has not been shown yet is asked for once, so that the round has something of each when the server goes away. */
const askEveryMs = 5_000;

/** Why what the board of a line shows may be of before, as far as the display itself knows. */
export const troubleOn = ({ trouble, lineTroubles }: DisplayEvent, lineId: number): Trouble | null =>
  lineTroubles.find((one) => one.lineId === lineId)?.trouble ?? trouble;

export function useMemories(boards: readonly BoardRow[], first: FirstBoard | null, event: DisplayEvent, now: () => number): Memories {
  const client = useTRPCClient();
  const eventRef = useRef(event);
  eventRef.current = event;
  const [memories] = useState(() => new Memories(first, now, (lineId) => troubleOn(eventRef.current, lineId)));
  const boardsRef = useRef(boards);
  boardsRef.current = boards;
  useEffect(() => {
    const timer = setInterval(() => {
      memories.keepOnly(boardsRef.current.map(({ lineId }) => lineId));
      const missing = boardsRef.current.find(({ lineId }) => !memories.of(lineId));
      if (!missing) return;
      client.boards.line.query(addressOf(missing)).then(
        (event) => memories.put(missing.lineId, event),
        () => undefined, // asked for again
      );
    }, askEveryMs);
    return () => clearInterval(timer);
  }, [client, memories]);
  return memories;
}

export function addressOf(board: BoardRow): LineAddress {
  const [site = "", area = "", line = ""] = board.address.split("/");
  return { site, area, line };
}
