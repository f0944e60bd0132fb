/** Keeps a live stream open for months: a lost network, a restarted server, a stopped tab, a connection that died without saying so. */

/** The server beats every 10 s: after three missed ones the connection is taken for dead and made anew. */
const silentForMs = 32_000;
const firstWaitMs = 500;
const longestWaitMs = 15_000;
const checkEveryMs = 1_000;

/** What the stream says to whoever keeps it: something came; it broke and has to be made anew. */
export type Line = { heard(): void; broke(): void };

/** Calls `open` now and again after each break; never two at once: a browser has six connections to a server, and a wall that used them up would be silent. onBreak: after each break. Returns what ends it. */
export function stayConnected(open: (line: Line) => { unsubscribe(): void }, onBreak?: () => void): () => void {
  let current: { unsubscribe?(): void } | null = null;
  let waitMs = firstWaitMs;
  let retry: ReturnType<typeof setTimeout> | undefined;
  let heardAt = Date.now();

  const connect = () => {
    heardAt = Date.now();
    const mine: typeof current = {};
    current = mine;
    // What a connection says that is not the one any more does not count: also of its own end it tells.
    const opened = open({
      heard: () => {
        if (current !== mine) return;
        heardAt = Date.now();
        waitMs = firstWaitMs;
      },
      broke: () => {
        if (current === mine) again();
      },
    });
    if (current === mine) mine.unsubscribe = () => opened.unsubscribe();
    else opened.unsubscribe();
  };

  const drop = () => {
    clearTimeout(retry);
    retry = undefined;
    const last = current;
    current = null;
    last?.unsubscribe?.();
  };

  // Full jitter: a hall of displays must not come back at the same instant.
  function again() {
    drop();
    retry = setTimeout(connect, waitMs * (0.5 + Math.random()));
    waitMs = Math.min(waitMs * 2, longestWaitMs);
    onBreak?.();
  }

  const tick = setInterval(() => {
    if (current && Date.now() - heardAt > silentForMs) again();
  }, checkEveryMs);
  const hurry = () => {
    if (document.visibilityState !== "visible" || Date.now() - heardAt < silentForMs / 2) return;
    drop();
    connect();
  };
  document.addEventListener("visibilitychange", hurry);
  window.addEventListener("online", hurry);
  connect();
  return () => {
    clearInterval(tick);
    document.removeEventListener("visibilitychange", hurry);
    window.removeEventListener("online", hurry);
    drop();
  };
}
