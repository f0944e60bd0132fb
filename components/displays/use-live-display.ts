"use client";
import { useCallback, useEffect, useRef, useState } from "react";
import { reloadSoon } from "#/components/boards/reload-soon.ts";
import { stayConnected } from "#/components/boards/stay-connected.ts";
import { useTRPCClient } from "#/components/frame/trpc.ts";
import type { DisplayEvent } from "#/server/displays/watch.ts";
import { screenId } from "./screen-id.ts";

const beatEveryMs = 30_000;
/** What a person at the screens page asked for is done while they look on. */
const soon = { withinMs: 500 };
/** A link that is no longer good: the page that is loaded anew says so. More often than versions, since a screen may be given one link after the other. */
const closedSoon = { withinMs: 500, againAfterMs: 20_000 };

/** What a display goes by. `now`: the server's clock. `say`: tells which board is shown, in the next sign of life. */
export type LiveDisplay = { event: DisplayEvent; now: () => number; say: (page: string) => void };

/** Keeps a display's settings live, says every 30 s that it is there, and loads the page anew for a new version, on request, or when its link is no longer good. */
export function useLiveDisplay(first: DisplayEvent): LiveDisplay {
  const client = useTRPCClient();
  const [event, setEvent] = useState(first);
  const offsetMs = useRef<number | null>(null);
  const page = useRef("");
  const firstRef = useRef(first);

  // Until the page is awake its own instant, so that server and browser draw the same.
  const now = useCallback(() => (offsetMs.current === null ? firstRef.current.at : Date.now() + offsetMs.current), []);
  const say = useCallback((shown: string) => {
    page.current = shown;
  }, []);

  useEffect(() => {
    const { at: loadedAt, build } = firstRef.current;
    offsetMs.current ??= loadedAt - Date.now();

    const closed = () => reloadSoon("closed", closedSoon);
    const beat = () => {
      const { innerWidth: width, innerHeight: height, devicePixelRatio: pixelRatio } = window;
      client.displays.beat.mutate({ screenId: screenId(), width, height, pixelRatio, page: page.current, build }).then(
        (answer) => {
          if (answer.build !== build) reloadSoon(answer.build);
        },
        (error) => {
          if (error.data?.kind === "SIGNED_OUT") closed(); // everything else passes: the next one comes
        },
      );
    };

    const take = (next: DisplayEvent) => {
      offsetMs.current = next.at - Date.now();
      // While the database is away the last settings hold.
      setEvent((before) => (next.display ? next : { ...next, display: before.display, concerns: before.concerns }));
      if (next.build !== build) reloadSoon(next.build);
      const reloadAt = next.display?.reloadAt ?? 0;
      if (reloadAt > loadedAt) reloadSoon(`asked ${reloadAt}`, soon);
    };

    const end = stayConnected(
      (connection) =>
        client.displays.watch.subscribe(undefined, {
          onData: ({ data }) => {
            connection.heard();
            take(data);
          },
          onError: (error) => (error.data?.kind === "SIGNED_OUT" ? closed() : connection.broke()),
          onComplete: () => connection.broke(),
          onConnectionStateChange: (state) => {
            if (state.state === "connecting" && state.error) connection.broke();
          },
        }),
      beat, // its answer says whether the link is still good, which a stream that cannot be opened does not
    );
    // A tenth of jitter: screens that were switched on together drift apart.
    const timer = setInterval(beat, beatEveryMs * (0.95 + Math.random() / 10));
    const firstBeat = setTimeout(beat, soon.withinMs);
    return () => {
      clearInterval(timer);
      clearTimeout(firstBeat);
      end();
    };
  }, [client]);

  return { event, now, say };
}
