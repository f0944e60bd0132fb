/** Tells the screens when letters or the plant changed. */
import { onWaking } from "#/server/live.ts";

const atMostEveryMs = 1_000;

/** Yields the instant of each change (ms since 1970) until the viewer goes; many changes within a second are one. */
export async function* letterChanges(signal: AbortSignal | undefined): AsyncGenerator<number> {
  let slot = Promise.withResolvers<void>();
  const stop = onWaking((waking) => {
    if (waking.type === "dead_letters" || waking.type === "plant" || waking.type === "reread") slot.resolve();
  });
  const end = () => slot.resolve();
  signal?.addEventListener("abort", end, { once: true });
  try {
    yield Date.now(); // what changed between the page's own reading and now
    for (;;) {
      await slot.promise;
      if (signal?.aborted) return;
      slot = Promise.withResolvers<void>();
      yield Date.now();
      await new Promise((resolve) => setTimeout(resolve, atMostEveryMs));
    }
  } finally {
    signal?.removeEventListener("abort", end);
    stop();
  }
}
