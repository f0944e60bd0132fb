import { setTimeout as wait } from "node:timers/promises";

/** Waits until `isSo` holds and returns what it gave; after `maxWaitMs` an error that says what did not come true. */
export async function until<T>(
  what: string | (() => string),
  isSo: () => Promise<T | null | undefined | false> | T | null | undefined | false,
  maxWaitMs = 20_000,
): Promise<T> {
  const end = performance.now() + maxWaitMs;
  for (;;) {
    const got = await isSo();
    if (got !== null && got !== undefined && got !== false) return got;
    if (performance.now() > end) throw new Error(`Not so after ${maxWaitMs / 1000} s: ${typeof what === "string" ? what : what()}.`);
    await wait(20);
  }
}

/** Makes sure that `isSo` holds all the time for `ms`. */
export async function stays(what: string, isSo: () => Promise<boolean> | boolean, ms: number): Promise<void> {
  const end = performance.now() + ms;
  while (performance.now() < end) {
    if (!(await isSo())) throw new Error(`No longer so: ${what}.`);
    await wait(20);
  }
}
