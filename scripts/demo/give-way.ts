/**
 * The history takes the same way as the live values, through the same queue: published as fast as it goes, it would hold the boards
 * back by all that waits before them. So it stands still while much of it waits, and goes on when that is stored.
 */
import { setTimeout as wait } from "node:timers/promises";
import type { Child } from "../children.ts";
import { countBacklog } from "./backlog.ts";

/** Values that may wait: at the 60,000 a second and more that a worker stores here beside everything else, live values are a second late at most. */
const stopAbove = 40_000;
const goOnBelow = 15_000;
const lookEveryMs = 100;

/** Looks until the child has ended. `published`: values so far; `metricsUrl`: the worker's own counts. */
export async function giveWay(child: Child, published: () => number, metricsUrl: string): Promise<void> {
  const backlog = countBacklog();
  let isOver = false;
  let isPaused = false;
  child.ended.finally(() => {
    isOver = true;
  });
  while (!isOver) {
    const stored = await storedBy(metricsUrl);
    const waiting = stored === null ? Number.POSITIVE_INFINITY : backlog(published(), stored, performance.now());
    if (!isPaused && waiting > stopAbove) {
      isPaused = true;
      child.pause();
    } else if (isPaused && waiting < goOnBelow) {
      isPaused = false;
      child.goOn();
    }
    await wait(lookEveryMs);
  }
}

/** Values that the worker is done with; null while it does not answer. */
async function storedBy(metricsUrl: string): Promise<number | null> {
  try {
    const text = await (await fetch(metricsUrl, { signal: AbortSignal.timeout(2_000) })).text();
    const value = (name: string) => Number(new RegExp(`^${name} (\\S+)$`, "m").exec(text)?.[1] ?? Number.NaN);
    const stored = value("takt_ingest_values_received_total") - value("takt_ingest_values_held");
    return Number.isNaN(stored) ? null : stored;
  } catch {
    return null; // it is being started again
  }
}
