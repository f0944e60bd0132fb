"use client";
import { useEffect, useRef, useState } from "react";
import { useTRPCClient } from "#/components/frame/trpc.ts";
import type { BoardEvent, Picture, Trouble } from "#/server/boards/picture-types.ts";
import { reloadSoon } from "./reload-soon.ts";
import { stayConnected } from "./stay-connected.ts";

export type LineAddress = { site: string; area: string; line: string };
/** right: whoever looks may not see this board any more. */
export type ShownTrouble = Omit<Trouble, "part"> & { part: Trouble["part"] | "connection" | "right" };

/** What the screen knows: the last picture, what is away, and when the server was last heard. Instants by the server's clock. */
export type LiveBoard = { picture: Picture | null; trouble: ShownTrouble | null; now: number; heardAt: number };

/** From here on what the screen shows may be wrong. */
const awayAfterMs = 60_000;
const drawEveryMs = 1_000;

const pictureIn = (event: BoardEvent | null): Picture | null => (event?.picture ? (JSON.parse(event.picture) as Picture) : null);

/** Of a display, which shows a board again and again: the same object each time. */
export type BoardMemory = {
  /** The server's time; the board may begin with a picture that is not of now. */
  now(): number;
  /** What the display itself knows to be away, while the board's own stream cannot be opened. */
  trouble(): Trouble | null;
  /** What was heard last, with its picture. */
  onPicture(event: BoardEvent): void;
};

/** Keeps a board live for months: a lost network, a restarted server, a new version, a stopped tab. `first`: what it begins with, the page's own unless there is a memory. */
export function useLiveBoard(address: LineAddress, first: BoardEvent, memory?: BoardMemory): LiveBoard {
  const client = useTRPCClient();
  const { site, area, line } = address;
  // first.at, not the viewer's clock, until the page is awake: server and browser then draw the same
  const [shown, setShown] = useState<LiveBoard>(() => ({
    picture: pictureIn(first),
    trouble: first.trouble,
    now: memory?.now() ?? first.at,
    heardAt: first.at,
  }));
  const firstRef = useRef(first);

  useEffect(() => {
    const latest = {
      event: firstRef.current,
      picture: pictureIn(firstRef.current),
      offsetMs: (memory?.now() ?? firstRef.current.at) - Date.now(),
    };
    const build = firstRef.current.build;
    let lastEventId: string | undefined;
    let refusedAt: number | null = null;

    const draw = () => {
      const at = Date.now() + latest.offsetMs;
      // What may no longer be seen goes at once; the page that is loaded anew says what to do.
      if (refusedAt !== null) return setShown({ picture: null, trouble: { part: "right", sinceAt: refusedAt }, now: at, heardAt: latest.event.at });
      const { at: heardAt, trouble } = latest.event;
      const connection: ShownTrouble | null = at - heardAt > awayAfterMs ? { part: "connection", sinceAt: heardAt } : null;
      setShown({ picture: latest.picture, trouble: connection ?? trouble ?? memory?.trouble() ?? null, now: at, heardAt });
    };

    const take = (id: string, event: BoardEvent) => {
      refusedAt = null;
      lastEventId = id;
      latest.offsetMs = event.at - Date.now();
      latest.picture = pictureIn(event) ?? latest.picture;
      latest.event = { ...event, picture: event.picture ?? latest.event.picture };
      memory?.onPicture(latest.event);
      if (event.build !== build) reloadSoon(event.build);
      draw();
    };

    const end = stayConnected((connection) =>
      client.boards.watch.subscribe(
        { site, area, line, lastEventId },
        {
          onData: (data) => {
            connection.heard();
            take(data.id, data.data);
          },
          onError: (error) => {
            const kind = error.data?.kind;
            if (kind === "SIGNED_OUT" || kind === "FORBIDDEN") {
              refusedAt ??= Date.now() + latest.offsetMs;
              draw();
            }
            // A display hears of it by itself.
            if ((kind === "NOT_FOUND" || refusedAt !== null) && !memory) reloadSoon(kind ?? "refused");
            if (kind !== "NOT_FOUND" || memory) connection.broke();
          },
          onComplete: () => connection.broke(),
          onConnectionStateChange: (state) => {
            if (state.state === "connecting" && state.error) connection.broke();
          },
        },
      ),
    );
    if (memory) draw(); // what it begins with may be old
    const tick = setInterval(draw, drawEveryMs);
    return () => {
      clearInterval(tick);
      end();
    };
  }, [client, site, area, line, memory]);

  return shown;
}
