"use client";
import { useEffect, useRef, useState } from "react";
import { useTRPCClient } from "#/components/frame/trpc.ts";
import type { BoardEvent, Picture, Trouble } from "#/server/boards/picture-types.ts";

export type LineAddress = { site: string; area: string; line: string };
export type ShownTrouble = Omit<Trouble, "part"> & { part: Trouble["part"] | "connection" };

/** What the screen knows: the last picture, what is away, and when the server was last heard. Instants by the server's clock. */
export type LiveBoard = { picture: Picture | null; trouble: ShownTrouble | null; now: number; heardAt: number };

/** The server beats every 10 s: after three missed ones the connection is taken for dead and made anew. */
const silentForMs = 32_000;
/** From here on what the screen shows may be wrong. */
const awayAfterMs = 60_000;
const firstWaitMs = 500;
const longestWaitMs = 15_000;
const checkEveryMs = 1_000;

const pictureIn = (event: BoardEvent | null): Picture | null => (event?.picture ? (JSON.parse(event.picture) as Picture) : null);

/** Keeps a board live for months: a lost network, a restarted server, a new version, a stopped tab. `first`: what the page came with. */
export function useLiveBoard(address: LineAddress, first: BoardEvent): LiveBoard {
  const client = useTRPCClient();
  const { site, area, line } = address;
  // first.at, not the viewer's clock, until the page is awake: server and browser then draw the same
  const [shown, setShown] = useState<LiveBoard>(() => ({ picture: pictureIn(first), trouble: first.trouble, now: first.at, heardAt: first.at }));
  const firstRef = useRef(first);

  useEffect(() => {
    const latest = {
      picture: pictureIn(firstRef.current),
      trouble: firstRef.current.trouble,
      heardAt: firstRef.current.at,
      offsetMs: firstRef.current.at - Date.now(),
    };
    const build = firstRef.current.build;
    let lastEventId: string | undefined;
    let stop: (() => void) | null = null;
    let waitMs = firstWaitMs;
    let retry: ReturnType<typeof setTimeout> | undefined;
    let heardAtHere = Date.now();
    let ended = false;

    const now = () => Date.now() + latest.offsetMs;
    const draw = () => {
      const at = now();
      const connection: ShownTrouble | null = at - latest.heardAt > awayAfterMs ? { part: "connection", sinceAt: latest.heardAt } : null;
      setShown({ picture: latest.picture, trouble: connection ?? latest.trouble, now: at, heardAt: latest.heardAt });
    };

    const take = (id: string, event: BoardEvent) => {
      lastEventId = id;
      heardAtHere = Date.now();
      waitMs = firstWaitMs;
      latest.offsetMs = event.at - heardAtHere;
      latest.heardAt = event.at;
      latest.trouble = event.trouble;
      latest.picture = pictureIn(event) ?? latest.picture;
      if (event.build !== build) reloadSoon(event.build);
      draw();
    };

    const connect = () => {
      if (ended) return;
      heardAtHere = Date.now();
      const subscription = client.boards.watch.subscribe(
        { site, area, line, lastEventId },
        {
          onData: (data) => take(data.id, data.data),
          onError: (error) => (error.data?.kind === "NOT_FOUND" ? reloadSoon("gone") : reconnect()),
          onComplete: () => reconnect(),
          onConnectionStateChange: (state) => {
            if (state.state === "connecting" && state.error) reconnect();
          },
        },
      );
      stop = () => subscription.unsubscribe();
    };

    // Full jitter: a hall of displays must not come back at the same instant.
    const reconnect = () => {
      if (ended || retry) return;
      stop?.();
      stop = null;
      retry = setTimeout(
        () => {
          retry = undefined;
          connect();
        },
        waitMs * (0.5 + Math.random()),
      );
      waitMs = Math.min(waitMs * 2, longestWaitMs);
    };

    const tick = setInterval(() => {
      if (!retry && Date.now() - heardAtHere > silentForMs) reconnect();
      draw();
    }, checkEveryMs);
    const hurry = () => {
      if (document.visibilityState !== "visible" || Date.now() - heardAtHere < silentForMs / 2) return;
      clearTimeout(retry);
      retry = undefined;
      stop?.();
      connect();
    };
    document.addEventListener("visibilitychange", hurry);
    window.addEventListener("online", hurry);
    connect();
    return () => {
      ended = true;
      clearInterval(tick);
      clearTimeout(retry);
      document.removeEventListener("visibilitychange", hurry);
      window.removeEventListener("online", hurry);
      stop?.();
    };
  }, [client, site, area, line]);

  return shown;
}

const reloadedKey = "takt-reloaded";
const reloadAgainAfterMs = 5 * 60_000;
let reloading = false;

/** Takes the new version within 15 s, not all displays at once, and only when the server is fit to serve it. Two versions side by side do not make it spin. */
function reloadSoon(build: string): void {
  const [before, at] = (sessionStorage.getItem(reloadedKey) ?? "").split("|");
  if (reloading || (before === build && Date.now() - Number(at) < reloadAgainAfterMs)) return;
  reloading = true;
  setTimeout(
    async () => {
      const answer = await fetch("/api/health", { cache: "no-store" }).catch(() => null); // not reachable: the same as not fit
      reloading = false;
      if (!answer?.ok) return;
      sessionStorage.setItem(reloadedKey, `${build}|${Date.now()}`);
      location.reload();
    },
    1_000 + Math.random() * 14_000,
  );
}
