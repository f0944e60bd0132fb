/** Data health: is everything that the plant sends arriving, and what did not? */
import sparkplug from "sparkplug-payload";
import type { Db } from "#/server/db.ts";
import { transaction } from "#/server/db.ts";
import { Refusal } from "#/server/errors.ts";
import { type LetterGroupKey, letterBody, letterStatus, notifyChanged, notifyRetry, type Slice, setLetter, setSlice } from "./letter-queries.ts";
import { forgetLetters } from "./look.ts";
import { type ShownPayload, showPayload } from "./payload.ts";
import { gapRows, linkRows, signalRows } from "./queries.ts";

/** The longest payload that is decoded for a screen. */
const mostDecodedBytes = 1024 * 1024;

export async function sourceDetail(db: Db, id: number, now: Date) {
  const [signals, links, gaps] = await Promise.all([signalRows(db, id, now), linkRows(db, id, now), gapRows(db, id, now)]);
  return { at: now.getTime(), signals, links, gaps };
}

/** @throws Refusal NOT_FOUND */
export async function payloadOf(db: Db, id: string): Promise<ShownPayload> {
  const body = await letterBody(db, id, mostDecodedBytes);
  if (!body) throw new Refusal("NOT_FOUND", "This letter is no longer there.");
  const decodesAs = body.form === "message" && body.topic.startsWith("spBv1.0/") ? sparkplug.get("spBv1.0") : null;
  return showPayload(body.payload, body.payloadSize, decodesAs ? (bytes) => decodesAs.decodePayload(bytes) : null);
}

export type LetterAction = "retry" | "discarded";

/** One letter. @throws Refusal CONFLICT: someone else, or the worker, was quicker; NOT_FOUND */
export function settleLetter(letter: { id: string; statusAt: string }, to: LetterAction): Promise<{ changed: number }> {
  return changing(async (tx) => {
    const changed = await setLetter(tx, letter, to);
    if (changed === 0) throw await whyUnchanged(tx, letter.id);
    await (to === "retry" ? notifyRetry(tx) : notifyChanged(tx));
    return { changed };
  });
}

async function whyUnchanged(tx: Db, id: string): Promise<Refusal> {
  const status = await letterStatus(tx, id);
  if (status === null) return new Refusal("NOT_FOUND", "This letter is no longer there.");
  const became = {
    open: "was tried again meanwhile and is open once more",
    retry: "is being retried already",
    resolved: "has been resolved",
    discarded: "has been discarded",
  }[status];
  return new Refusal("CONFLICT", `Nothing was changed: this letter ${became}. The list has been read again.`);
}

/**
 * All letters of a reason and topic up to the newest that the person saw, a slice after the other, each committed: a worker that sets aside more of them
 * does not wait for all. @throws Refusal CONFLICT: none is open any more
 */
export async function settleGroup(key: LetterGroupKey, lastId: string, to: LetterAction): Promise<{ changed: number }> {
  const changed = await settleFrom(key, { afterId: "0", untilId: lastId, to });
  if (changed === 0) throw new Refusal("CONFLICT", "Nothing was changed: someone else has dealt with these letters already. The list has been read again.");
  return { changed };
}

/** Slices after `afterId`. The number changed. */
export async function settleFrom(key: LetterGroupKey, { afterId, untilId, to }: { afterId: string; untilId: string; to: LetterAction }): Promise<number> {
  let changed = 0;
  for (let after: string | null = afterId; after !== null; ) {
    const from = after;
    const slice: Slice = await changing(async (tx) => {
      const done = await setSlice(tx, key, { afterId: from, untilId, to });
      if (done.changed > 0) await (to === "retry" ? notifyRetry(tx) : notifyChanged(tx));
      return done;
    });
    changed += slice.changed;
    after = slice.lastId;
  }
  return changed;
}

const deadlock = "40P01";

/** A transaction that changes letters. The worker may be changing the same ones in another order: whom the database then gives up tries once more. */
export async function changing<Result>(work: (tx: Db) => Promise<Result>): Promise<Result> {
  try {
    return await transaction(work);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === deadlock)) throw error;
    return await transaction(work);
  } finally {
    forgetLetters();
  }
}
