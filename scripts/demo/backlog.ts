/** How many values of the history wait in the broker: what its publisher says it published, less what the worker says it stored. */

/** Without a value stored for so long, while the worker answers, nothing waits: what is missing in the sum was never on its way. */
const idleMs = 2_000;

/** Told both counts whenever they were looked at; either may begin again from 0 (the worker was started again). Pure: the clock is a parameter. */
export function countBacklog() {
  let lastPublished = 0;
  let lastStored: number | null = null;
  let grewAt = 0;
  let waiting = 0;
  return (published: number, stored: number, nowMs: number): number => {
    waiting += published < lastPublished ? published : published - lastPublished;
    lastPublished = published;
    if (lastStored !== null) {
      const storedNow = stored < lastStored ? stored : stored - lastStored;
      waiting = Math.max(0, waiting - storedNow);
      if (storedNow > 0) grewAt = nowMs;
      else if (nowMs - grewAt > idleMs) waiting = 0;
    } else grewAt = nowMs;
    lastStored = stored;
    return waiting;
  };
}
