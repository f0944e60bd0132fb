/** Data health: is everything that the plant sends arriving, and what did not? */
import sparkplug from "sparkplug-payload";
import { type Changing, change, type What } from "#/server/audit/change.ts";
import { record } from "#/server/audit/record.ts";
import type { Db } from "#/server/db.ts";
import { Refusal } from "#/server/errors.ts";
import type { Permitted } from "#/server/identity/permit.ts";
import {
  type LetterGroupKey,
  type LetterSearch,
  letterBody,
  letterPlace,
  notifyChanged,
  notifyRetry,
  type Range,
  type Slice,
  setLetter,
  setSlice,
  siteOfTopic,
} from "./letter-queries.ts";
import { findLetters, forgetLetters } from "./look.ts";
import { type ShownPayload, showPayload } from "./payload.ts";
import { gapRows, linkRows, signalRows, sourcePlace } from "./queries.ts";

/** The longest payload that is decoded for a screen. */
const mostDecodedBytes = 1024 * 1024;

/** What comes to Data health: who asks, and what they may. */
export type Asking = Permitted<Changing & { db: Db }>;

/** A topic of no site is for those who look after all of them. @throws Refusal NOT_FOUND with `missing`, FORBIDDEN */
export function needTopicSite(ctx: Permitted, siteId: number | null, missing: string): void {
  if (siteId !== null) ctx.need(siteId, null, missing);
  else if (ctx.scope.sites !== "all") throw new Refusal("NOT_FOUND", missing);
}

/** @throws Refusal NOT_FOUND */
export async function sourceDetail(ctx: Asking, id: number) {
  const { db } = ctx;
  const now = ctx.now();
  ctx.found(await sourcePlace(db, id), "There is no such source.");
  const [signals, links, gaps] = await Promise.all([signalRows(db, id, now), linkRows(db, id, now), gapRows(db, id, now)]);
  return { at: now.getTime(), signals, links, gaps };
}

const noLetter = "This letter is no longer there.";

/** @throws Refusal NOT_FOUND */
export async function payloadOf(ctx: Asking, id: string): Promise<ShownPayload> {
  const [place, body] = await Promise.all([letterPlace(ctx.db, id), letterBody(ctx.db, id, mostDecodedBytes)]);
  if (!place || !body) throw new Refusal("NOT_FOUND", noLetter);
  needTopicSite(ctx, place.siteId, noLetter);
  const decodesAs = body.form === "message" && body.topic.startsWith("spBv1.0/") ? sparkplug.get("spBv1.0") : null;
  return showPayload(body.payload, body.payloadSize, decodesAs ? (bytes) => decodesAs.decodePayload(bytes) : null);
}

export type LetterAction = "retry" | "discarded";
const actionOf = { retry: "dead_letter.retried", discarded: "dead_letter.discarded" } as const;

/** One letter. @throws Refusal CONFLICT: someone else, or the worker, was quicker; NOT_FOUND; FORBIDDEN */
export function settleLetter(ctx: Asking, letter: { id: string; statusAt: string }, to: LetterAction): Promise<{ changed: number }> {
  return changing(ctx, { action: actionOf[to] }, async (tx) => {
    const place = await letterPlace(tx, letter.id);
    if (!place) throw new Refusal("NOT_FOUND", noLetter);
    needTopicSite(ctx, place.siteId, noLetter);
    if (to === "retry" && place.isCut) throw new Refusal("RULE_BROKEN", notWhole);
    const changed = await setLetter(tx, letter, to);
    if (changed === 0) throw await whyUnchanged(tx, letter.id);
    await record(tx, { siteId: place.siteId, action: actionOf[to], subject: { kind: "dead_letter", id: letter.id, name: place.topic } });
    await (to === "retry" ? notifyRetry(tx) : notifyChanged(tx));
    return { changed };
  });
}

async function whyUnchanged(tx: Db, id: string): Promise<Refusal> {
  const place = await letterPlace(tx, id);
  if (place === null) return new Refusal("NOT_FOUND", noLetter);
  const became = {
    open: "was tried again meanwhile and is open once more",
    retry: "is being retried already",
    resolved: "has been resolved",
    discarded: "has been discarded",
  }[place.status];
  return new Refusal("CONFLICT", `Nothing was changed: this letter ${became}. The list has been read again.`);
}

const notWhole =
  "This message was too large to be read, or had too many values in it: it cannot be tried again. Let its sender put fewer values into a message.";
const noneOpen = "Nothing was changed: someone else has dealt with these letters already. The list has been read again.";

/**
 * All letters of a reason and topic up to the newest that the person saw, a slice after the other, each committed: a worker that sets aside more of them
 * does not wait for all. @throws Refusal CONFLICT: none is open any more; NOT_FOUND, FORBIDDEN: not of their sites
 */
export async function settleGroup(ctx: Asking, key: LetterGroupKey, lastId: string, to: LetterAction): Promise<{ changed: number }> {
  if (to === "retry" && key.reasonCode === "payload_too_large") throw new Refusal("RULE_BROKEN", notWhole);
  const changed = await settleFrom(ctx, key, { afterId: "0", untilId: lastId, to });
  if (changed === 0) throw new Refusal("CONFLICT", noneOpen);
  return { changed };
}

/** Slice after slice, each a change of its own. The number changed. */
export async function settleFrom(ctx: Asking, key: LetterGroupKey, { afterId, untilId, to }: Range): Promise<number> {
  let changed = 0;
  for (let after: string | null = afterId; after !== null; ) {
    const range: Range = { afterId: after, untilId, to };
    const slice: Slice = await changing(ctx, { action: actionOf[to] }, (tx) => settleSlice(ctx, tx, key, range));
    changed += slice.changed;
    after = slice.isLast ? null : slice.lastId;
  }
  return changed;
}

/** The next letters of a range, inside of a change: written to the audit trail, and told to the worker and the screens. @throws Refusal NOT_FOUND, FORBIDDEN: not of their sites */
export async function settleSlice(ctx: Asking, tx: Db, key: LetterGroupKey, range: Range): Promise<Slice> {
  const siteId = await siteOfTopic(tx, key.topic, key.metric);
  needTopicSite(ctx, siteId, "There are no such letters.");
  const slice = await setSlice(tx, key, range);
  if (slice.changed === 0) return slice;
  const subject = { kind: "dead_letter", id: `…${slice.lastId}`, name: key.topic };
  const after = { letters: slice.changed, reason: key.reasonCode, metric: key.metric };
  await record(tx, { siteId, action: actionOf[range.to], subject, after });
  await (range.to === "retry" ? notifyRetry(tx) : notifyChanged(tx));
  return slice;
}

/**
 * All open letters that are looked for, up to the newest that the person saw, kind after kind. A kind that cannot be tried again is left.
 * @throws Refusal CONFLICT: none is open any more; NOT_FOUND: none is found
 */
export async function settleFound(ctx: Asking, search: LetterSearch, lastId: string, to: LetterAction): Promise<{ changed: number }> {
  let changed = 0;
  const done = new Set<string>();
  const nameOf = ({ reasonCode, topic, metric }: LetterGroupKey) => JSON.stringify([reasonCode, topic, metric]);
  for (;;) {
    const { groups } = await findLetters("open", search, ctx.scope);
    const next = groups.filter((group) => !done.has(nameOf(group)) && !(to === "retry" && group.reasonCode === "payload_too_large"));
    if (next.length === 0) break;
    for (const group of next) {
      done.add(nameOf(group));
      changed += await settleFrom(ctx, group, { afterId: "0", untilId: lastId, to });
    }
  }
  if (done.size === 0) throw new Refusal("NOT_FOUND", "There are no such letters.");
  if (changed === 0) throw new Refusal("CONFLICT", noneOpen);
  return { changed };
}

const deadlock = "40P01";

/** A change of letters. */
export const changing = <Result>(ctx: Changing, what: What, work: (tx: Db) => Promise<Result>): Promise<Result> =>
  changingLetters(() => change(ctx, what, work));

/** The same for one that is made elsewhere. The worker may be changing the same letters in another order: whom the database then gives up tries once more. */
export async function changingLetters<Result>(make: () => Promise<Result>): Promise<Result> {
  try {
    return await make();
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === deadlock)) throw error;
    return await make();
  } finally {
    forgetLetters();
  }
}
