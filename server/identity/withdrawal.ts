/** What stays open (a board, a list that follows changes) ends when the right to it is taken away: at once by the database's word, within 30 s without it. */
import type { Actor } from "#/server/domain/permission.ts";
import { isDatabaseAway, type Refusal } from "#/server/errors.ts";
import { onWaking } from "#/server/live.ts";
import { logFault } from "#/server/log.ts";

/** The database's word may be missed while its connection is made anew. With the time that looking takes this stays well below the minute that is promised. */
const lookEveryMs = 30_000;

type Open = { actor: Actor; again?: () => Promise<Actor>; whyNoMore(actor: Actor): Refusal | null };

/** What `open` yields, for as long as the right is there. `end` is aborted when it ends, for whatever reason. @throws Refusal why the right is no longer there */
export async function* whileAllowed(open: AsyncIterable<unknown>, right: Open, end: AbortController): AsyncGenerator<unknown> {
  const iterator = open[Symbol.asyncIterator]();
  let refused: Refusal | null = null;
  let interrupt: ((refusal: Refusal) => void) | null = null;
  const stop = watch(right, (refusal) => {
    refused = refusal;
    interrupt?.(refusal);
  });
  try {
    for (;;) {
      if (refused) throw refused;
      // A promise of its own for each value: a race against one that lasts for months would keep every value.
      const next = await new Promise<IteratorResult<unknown>>((resolve, reject) => {
        interrupt = reject;
        iterator.next().then(resolve, reject);
      });
      interrupt = null;
      if (next.done) return;
      yield next.value;
    }
  } finally {
    stop();
    end.abort();
    // Not waited for: it may be in the midst of its own wait.
    iterator.return?.().catch((error: unknown) => logFault(error, "a subscription could not be closed"));
  }
}

/** Tells once why the right has gone. Returns what stops the watching. */
function watch({ actor, again, whyNoMore }: Open, onGone: (refusal: Refusal) => void): () => void {
  if (!again) return () => undefined;
  let looking = false;
  let lookAgain = false;
  let stopped = false;
  const look = async () => {
    lookAgain = looking;
    if (looking || stopped) return;
    looking = true;
    try {
      const refusal = whyNoMore(await again());
      if (refusal && !stopped) {
        stop();
        onGone(refusal);
      }
    } catch (error) {
      // While the database is away nobody can know; the next look comes by itself.
      if (!isDatabaseAway(error)) logFault(error, "the right to what is open could not be looked at again");
    }
    looking = false;
    if (lookAgain) await look();
  };
  const timer = setInterval(() => void look(), lookEveryMs * (0.8 + Math.random() / 5));
  const stopWaking = onWaking((waking) => {
    if (waking.type === "reread" || (waking.type === "permission" && (waking.who === "" || waking.who === `${actor.kind}:${actor.id}`))) void look();
  });
  const stop = () => {
    stopped = true;
    clearInterval(timer);
    stopWaking();
  };
  return stop;
}
