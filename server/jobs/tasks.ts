/** What the jobs process does again and again, and how each piece of it is kept going. */
import type { Logger } from "pino";
import type { HeadPublisher } from "#/server/audit/publish.ts";
import { finaliseShifts } from "#/server/ledger/finalise.ts";
import { claimPassedTime } from "#/server/ledger/marks.ts";
import { refreshLedger } from "#/server/ledger/refresh.ts";
import { materializeShiftInstances, shiftsWindow } from "#/server/plant/shift-instances.ts";
import type { JobsDb } from "./database.ts";
import { makeRoom } from "./letter-room.ts";
import { dropOldSignIns } from "./old-sign-ins.ts";
import { type Keep, retain } from "./retention.ts";
import { rollUp } from "./rollup.ts";

/** now: when the run began; clock: for those that go on for long. */
export type Run = { db: JobsDb; now: Date; clock: () => Date; keep: Keep; publishHeads: HeadPublisher; log: Logger; signal: AbortSignal };

export type Job = {
  /** Also its key in the queue: there is one of each, however many processes. */
  name: string;
  everyS: number;
  /** A notice on one of these channels runs it at once. */
  wokenBy?: readonly string[];
  /** Runs all the time: told in the log only when it did something. */
  isFrequent?: boolean;
  /** In what the run came to; `again: true`: there is more to do, and it is done at once. */
  run(run: Run): Promise<{ did: Record<string, unknown>; again: boolean }>;
};

/** One run's time; then others have their turn, and a stop is not kept waiting. */
const budgetMs = 20_000;

export const jobs: readonly Job[] = [
  {
    name: "refresh_ledger",
    everyS: 2,
    wokenBy: ["board", "ledger_claim"], // readings were written; plan, rates, jobs or stops were changed
    isFrequent: true,
    async run({ db, clock, signal }) {
      const { machines, rows, isDone } = await refreshLedger(db, { now: clock, budgetMs, signal });
      return { did: { machines, rows }, again: !isDone };
    },
  },
  {
    name: "pass_time",
    everyS: 60,
    isFrequent: true,
    async run({ db, now }) {
      return { did: { machines: await claimPassedTime(db, now) }, again: false };
    },
  },
  {
    name: "finalise_shifts",
    everyS: 60,
    isFrequent: true,
    async run({ db, now, signal }) {
      return { did: await finaliseShifts(db, now, signal), again: false };
    },
  },
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
      if (did.isBusy) log.info("a chunk is in use and will be dropped later");
      return { did, again: false };
    },
  },
  {
    name: "make_room_for_letters",
    everyS: 60,
    async run({ db, keep, log, signal }) {
      const did = await makeRoom(db, keep.letterBytes, signal);
      if (did.open > 0) log.warn({ letters: did.open }, "letters took more than RETAIN_LETTERS_MB: the oldest open ones of the most frequent kinds went");
      return { did, again: false };
    },
  },
  {
    name: "drop_old_sign_ins",
    everyS: 3_600,
    async run({ db, now }) {
      return { did: await dropOldSignIns(db, now), again: false };
    },
  },
  {
    name: "make_shifts",
    everyS: 86_400,
    async run({ db, now }) {
      return { did: await db.transaction((tx) => materializeShiftInstances(tx, shiftsWindow(now))), again: false };
    },
  },
  {
    name: "publish_audit_heads",
    everyS: 3_600,
    async run({ db, now, publishHeads }) {
      return { did: await publishHeads(db, now), again: false };
    },
  },
];
