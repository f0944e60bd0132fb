/** What the jobs process does again and again, and how each piece of it is kept going. */
import type { Logger } from "pino";
import { materializeShiftInstances, shiftsWindow } from "#/server/plant/shift-instances.ts";
import type { JobsDb } from "./database.ts";
import { type Keep, retain } from "./retention.ts";
import { rollUp } from "./rollup.ts";

export type Run = { db: JobsDb; now: Date; keep: Keep; log: Logger; signal: AbortSignal };

export type Job = {
  /** Also its key in the queue: there is one of each, however many processes. */
  name: string;
  everyS: number;
  /** In what the run came to; `again: true`: there is more to do, and it is done at once. */
  run(run: Run): Promise<{ did: Record<string, unknown>; again: boolean }>;
};

/** One run's time; then others have their turn, and a stop is not kept waiting. */
const budgetMs = 20_000;

export const jobs: readonly Job[] = [
  {
    name: "roll_up_measurements",
    everyS: 120,
    async run({ db, now, signal }) {
      const { hours, isDone } = await rollUp(db, { now, budgetMs, signal });
      return { did: { hours }, again: !isDone && hours > 0 };
    },
  },
  {
    name: "drop_what_is_old",
    everyS: 900,
    async run({ db, now, keep, log, signal }) {
      const did = await retain(db, { now, keep, signal });
      if (did.waitingHours > 0) log.info({ hours: did.waitingHours }, "raw measurements are kept until their hours have been rolled up");
      if (did.openLetters > 0) log.warn({ letters: did.openLetters }, "open letters took more than RETAIN_OPEN_LETTERS_MB: the oldest of their kind went");
      if (did.isBusy) log.info("a chunk is in use and will be dropped later");
      return { did, again: false };
    },
  },
  {
    name: "make_shifts",
    everyS: 86_400,
    async run({ db, now }) {
      return { did: await db.transaction((tx) => materializeShiftInstances(tx, shiftsWindow(now))), again: false };
    },
  },
];
