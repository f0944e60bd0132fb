const reloadedKey = "takt-reloaded";
const reloadAgainAfterMs = 5 * 60_000;
let reloading = false;

/** Not all displays at once. */
const spreadMs = 14_000;

/**
 * Loads the page anew within 15 s (or a second and withinMs), and only when the server is fit to serve it. why: for what, a version for example; the same is
 * done once in five minutes (or againAfterMs), so that two versions side by side do not make it spin.
 */
export function reloadSoon(why: string, { withinMs = spreadMs, againAfterMs = reloadAgainAfterMs } = {}): void {
  const [before, at] = (sessionStorage.getItem(reloadedKey) ?? "").split("|");
  if (reloading || (before === why && Date.now() - Number(at) < againAfterMs)) return;
  reloading = true;
  setTimeout(
    async () => {
      const answer = await fetch("/api/health", { cache: "no-store" }).catch(() => null); // not reachable: the same as not fit
      reloading = false;
      if (!answer?.ok) return;
      sessionStorage.setItem(reloadedKey, `${why}|${Date.now()}`);
      location.reload();
    },
    1_000 + Math.random() * withinMs,
  );
}
