/** Keeps a live stream open for months: a lost network, a restarted server, a stopped tab, a connection that died without saying so. */

/** The server beats every 10 s: after three missed ones the connection is taken for dead and made anew. */
const silentForMs = 32_000;
const firstWaitMs = 500;
const longestWaitMs = 15_000;
const checkEveryMs = 1_000;

/** What the stream says to whoever keeps it: something came; it broke and has to be made anew. */
export type Line = { heard(): void; broke(): void };

/** Calls `open` now and again after each break. Returns what ends it. */
export function stayConnected(open: (line: Line) => { unsubscribe(): void }): () => void {
  let stop: (() => void) | null = null;
  let waitMs = firstWaitMs;
  let retry: ReturnType<typeof setTimeout> | undefined;
  let heardAt = Date.now();
  let ended = false;

  const heard = () => {
    heardAt = Date.now();
    waitMs = firstWaitMs;
  };

  const connect = () => {
    if (ended) return;
    heardAt = Date.now();
    const opened = open({ heard, broke });
    stop = () => opened.unsubscribe();
  };

  // Full jitter: a hall of displays must not come back at the same instant.
  function broke() {
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
  }

  const tick = setInterval(() => {
    if (!retry && Date.now() - heardAt > silentForMs) broke();
  }, checkEveryMs);
  const hurry = () => {
    if (document.visibilityState !== "visible" || Date.now() - heardAt < silentForMs / 2) return;
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
}
