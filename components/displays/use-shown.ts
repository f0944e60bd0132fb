"use client";
import { useEffect, useState } from "react";
import type { DisplayEvent } from "#/server/displays/watch.ts";
import { type OnScreen, onScreenAt } from "./on-screen.ts";

const lookEveryMs = 250;

/** What the display shows now, by the clock. Drawn again only when it is another. */
export function useShown(event: DisplayEvent, now: () => number): OnScreen {
  const [onScreen, setOnScreen] = useState(() => onScreenAt(event, event.at));
  useEffect(() => {
    const look = () => {
      const next = onScreenAt(event, now());
      setOnScreen((before) => (JSON.stringify(before) === JSON.stringify(next) ? before : next));
    };
    look();
    const timer = setInterval(look, lookEveryMs);
    return () => clearInterval(timer);
  }, [event, now]);
  return onScreen;
}
