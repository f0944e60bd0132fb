/** One's own account: password, PIN, language, sessions. */
import { type Changing, change } from "#/server/audit/change.ts";
import type { Db } from "#/server/db.ts";
import type { Actor } from "#/server/domain/permission.ts";
import { type FieldFault, Refusal } from "#/server/errors.ts";
import { auth } from "./auth.ts";
import { canMail, sendNotice } from "./mail.ts";
import { isPassword, type PasswordFault, whyNotPassword } from "./passwords.ts";
import { providerName } from "./provider.ts";
import { type AccountRow, accountOf, personById, placeNames, type SessionRow, sessionsOf } from "./queries.ts";
import { endSession, setPassword, setPin, signOutEverywhere, takePin } from "./reset.ts";
import { whyNotPin } from "./secrets.ts";
import { recordOf } from "./trail.ts";
import { beginTry } from "./tries.ts";

type Own = Changing & { db: Db };
type Person = Extract<Actor, { kind: "person" }>;

/** @throws Refusal SIGNED_OUT: a token or a display has no account */
export function person({ actor }: { actor: Actor }): Person {
  if (actor.kind !== "person") throw new Refusal("SIGNED_OUT", "You are not signed in. Sign in and try again.");
  return actor;
}

/** Where a PIN was enough to come in, it is not enough to change who may. @throws Refusal FORBIDDEN */
function personWithPassword(ctx: { actor: Actor }): Person {
  const actor = person(ctx);
  if (actor.terminalId !== null) throw new Refusal("FORBIDDEN", "This is not done with a PIN. Sign in with your password, in a browser of your own.");
  return actor;
}

export type OwnAccount = AccountRow & {
  isAtTerminal: boolean;
  isSecondFactorMissing: boolean;
  /** Recovery codes that are left; null: no second factor. */
  codesLeft: number | null;
  providerName: string | null;
  canMail: boolean;
};

/** @throws Refusal SIGNED_OUT */
export async function ownAccount(ctx: Own): Promise<OwnAccount> {
  const actor = person(ctx);
  const row = await accountOf(ctx.db, actor.id);
  if (!row) throw new Refusal("SIGNED_OUT", "This account is not there any more.");
  return {
    ...row,
    isAtTerminal: actor.terminalId !== null,
    isSecondFactorMissing: actor.secondFactorMissing === true,
    codesLeft: row.hasSecondFactor ? await codesLeft(actor.id) : null,
    providerName: providerName(),
    canMail: canMail(),
  };
}

async function codesLeft(personId: string): Promise<number> {
  const { auth: library } = await auth();
  return (await library.api.viewBackupCodes({ body: { userId: personId } })).backupCodes.length;
}

export type OwnSession = SessionRow & { isThis: boolean };

export async function ownSessions(ctx: Own): Promise<OwnSession[]> {
  const actor = person(ctx);
  return (await sessionsOf(ctx.db, actor.id, ctx.now())).map((session) => ({ ...session, isThis: session.id === actor.sessionId }));
}

/** Ends one of the own sessions. @throws Refusal NOT_FOUND */
export function endOwnSession(ctx: Own, sessionId: string): Promise<void> {
  const actor = personWithPassword(ctx);
  return change(ctx, { action: "session.ended" }, async (tx) => {
    if (!(await endSession(tx, actor.id, sessionId))) throw new Refusal("NOT_FOUND", "This session is over already.");
    await recordOf(tx, "session.ended", actor, { sessionId });
  });
}

/** Ends all of the own sessions but this one, and says how many. */
export function endOtherSessions(ctx: Own): Promise<number> {
  const actor = personWithPassword(ctx);
  return change(ctx, { action: "session.ended_all" }, async (tx) => {
    const ended = await signOutEverywhere(tx, actor.id, actor.sessionId);
    await recordOf(tx, "session.ended_all", actor, { ended });
    return ended;
  });
}

const fieldRefusal = (path: string, sentence: string): Refusal => new Refusal("INVALID", sentence, { fields: [{ path, sentence }] satisfies FieldFault[] });

/** The present password, once more. Bounded per session: who found it open cannot try for long. @throws Refusal INVALID at `field`, RULE_BROKEN */
export async function reenter(ctx: Own, password: string, field: string): Promise<void> {
  const actor = personWithPassword(ctx);
  const attempt = await beginTry([{ kind: "reentry", of: [actor.sessionId] }], ctx.now());
  if (attempt.blocked) throw new Refusal("RULE_BROKEN", `Too many tries. Wait ${attempt.waitS} seconds, then try again.`);
  const row = await personById(ctx.db, actor.id);
  if (!(await isPassword(row?.password ?? null, password))) throw fieldRefusal(field, "This is not your password.");
  await attempt.succeeded(ctx.db);
}

const passwordSentences: Record<PasswordFault, string> = {
  tooShort: "A password has at least 12 characters. A few words in a row are good.",
  tooLong: "A password has at most 128 characters.",
  common: "This password is one of those that are tried first. Choose another.",
  aboutYou: "This password is mostly your name or address, or your plant's. Choose another.",
  tooSimple: "This password is a simple pattern. Choose another.",
};

/** All other sessions end. @throws Refusal INVALID, RULE_BROKEN */
export async function changePassword(ctx: Own, { present, password }: { present: string; password: string }): Promise<{ ended: number }> {
  const actor = personWithPassword(ctx);
  await reenter(ctx, present, "present");
  const row = await personById(ctx.db, actor.id);
  const why = whyNotPassword(password, [actor.name, row?.email ?? null, row?.username ?? null, ...(await placeNames(ctx.db))]);
  if (why !== null) throw fieldRefusal("password", passwordSentences[why]);
  if (password === present) throw fieldRefusal("password", "This is the password that you have. Choose another.");
  const ended = await change(ctx, { action: "person.password_changed" }, async (tx) => {
    await setPassword(tx, actor.id, password);
    await recordOf(tx, "person.password_changed", actor);
    return signOutEverywhere(tx, actor.id, actor.sessionId);
  });
  if (row) sendNotice(row, "password_changed");
  return { ended };
}

/** @throws Refusal INVALID, RULE_BROKEN */
export async function choosePin(ctx: Own, { present, pin }: { present: string; pin: string }): Promise<void> {
  const actor = personWithPassword(ctx);
  await reenter(ctx, present, "present");
  const why = whyNotPin(pin);
  if (why !== null) throw fieldRefusal("pin", why === "shape" ? "A PIN has four to eight digits." : "This PIN is easy to guess. Choose another.");
  await change(ctx, { action: "person.pin_changed" }, async (tx) => {
    await setPin(tx, actor.id, pin);
    await recordOf(tx, "person.pin_changed", actor);
  });
}

/** No terminal is unlocked by this person any more. */
export function removePin(ctx: Own): Promise<void> {
  const actor = personWithPassword(ctx);
  return change(ctx, { action: "person.pin_removed" }, async (tx) => {
    if (await takePin(tx, actor.id)) await recordOf(tx, "person.pin_removed", actor);
  });
}

/** Of mails, and of browsers in which the person signs in. null: the browser's own. */
export function chooseLocale(ctx: Own, locale: string | null): Promise<void> {
  const actor = person(ctx);
  return change(ctx, { action: "person.language_chosen" }, async (tx) => {
    await tx.rows("-- account.locale\n update person set locale = $2, updated_at = now() where id = $1", [actor.id, locale]);
  });
}
