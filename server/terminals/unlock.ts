/** Unlocking a shared terminal with a PIN. */
import { createAuthEndpoint } from "better-auth/api";
import { setSessionCookie } from "better-auth/cookies";
import { z } from "zod";
import { change } from "#/server/audit/change.ts";
import { type Db, db } from "#/server/db.ts";
import { opens } from "#/server/domain/pin.ts";
import { fault } from "#/server/identity/faults.ts";
import { leaveNotice } from "#/server/identity/notices.ts";
import { isPassword } from "#/server/identity/passwords.ts";
import { chosenPin, setPin } from "#/server/identity/reset.ts";
import { isPin, keyed, whyNotPin } from "#/server/identity/secrets.ts";
import { sessionLimits } from "#/server/identity/session.ts";
import { type Asking, asked } from "#/server/identity/store.ts";
import { note, personally, recordOf } from "#/server/identity/trail.ts";
import { beginTry, forgetTries, limits, usedUpAmong } from "#/server/identity/tries.ts";
import { supervisorsAt, type TerminalPersonRow, type TerminalRow } from "./queries.ts";
import { pinCount, terminalCookie, terminalCookieOptions, terminalOf, terminalSecret, whoUnlocks } from "./service.ts";

const secret = z.string().max(1000);
/** password: where the PIN alone is not enough (too many wrong ones here), or where a PIN that somebody gave is replaced. */
const body = z.object({ personId: z.uuid(), pin: secret, newPin: secret.optional(), password: secret.optional() });
type Body = z.infer<typeof body>;

export const unlock = createAuthEndpoint("/terminal/unlock", { method: "POST", body }, async (ctx) => {
  const request = asked();
  const terminal = await terminalOf(request.headers, request.now());
  if (!terminal) throw fault("NO_TERMINAL");
  const person = await whoHasPin(request, terminal, ctx.body);
  if (!opensAnything(person, terminal)) throw fault("PIN_NOT_HERE");
  if (person.mustChange || ctx.body.newPin !== undefined) await replacePin(request, terminal, person, ctx.body);
  const expiresAt = new Date(request.now().getTime() + sessionLimits.terminal.absoluteS * 1000);
  const begin = { method: "pin", secondFactor: false, idleS: terminal.autoLockS, terminalId: terminal.id, expiresAt };
  const session = await ctx.context.internalAdapter.createSession(person.id, true, begin, true);
  const user = await ctx.context.internalAdapter.findUserById(person.id);
  if (!user) throw fault("PIN_WRONG");
  await setSessionCookie(ctx, { session, user }, true);
  const kept = terminalSecret(request.headers);
  if (kept !== null) ctx.setCookie(terminalCookie(), kept, terminalCookieOptions());
  return ctx.json({ next: "in" });
});

/**
 * Whose PIN it is. A wrong one costs all who stand at the terminal a pause of seconds. Too many in one name, and who has a password gives it with the PIN once; who has
 * none waits, five minutes at most: the tries of others take nobody's own way in away. Owner and supervisors are told. @throws APIError
 */
async function whoHasPin(request: Asking, terminal: TerminalRow, { personId, pin, password }: Body): Promise<TerminalPersonRow> {
  const pause = await beginTry([{ kind: "terminal", of: [String(terminal.id)] }], request.now());
  if (pause.blocked) throw fault("WAIT", { waitS: pause.waitS });
  const count = pinCount(terminal.id, personId);
  const person = await whoUnlocks(terminal, personId);
  const isProven = typeof person?.password === "string" && (await usedUpAmong(db, [count], request.now())).length > 0;
  if (person && isProven) {
    if (password === undefined) throw fault("PIN_PASSWORD");
    await provePassword(request, terminal, person, password);
  }
  const attempt = isProven ? null : await beginTry([count], request.now());
  if (attempt?.blocked) throw fault("WAIT", { waitS: attempt.waitS });
  if (!person || !(await isPin(person.pinHash, personId, pin))) {
    const isUsedUp = attempt !== null && Math.round(attempt.failures.pin ?? 0) >= limits.pin.free;
    await change(request, { action: "session.pin_refused" }, async (tx) => {
      await recordOf(tx, "session.pin_refused", person ?? { id: "", name: "" }, { terminalId: terminal.id });
      if (person && isUsedUp) await tellOfTries(tx, terminal, person, request.now());
    });
    throw fault("PIN_WRONG");
  }
  await pause.succeeded(db);
  if (attempt === null) await forgetTries(db, [count]);
  else await attempt.succeeded(db);
  return person;
}

/** Whose PIN is tried, and who is in charge where it is; nobody twice before they have seen it. */
async function tellOfTries(tx: Db, terminal: TerminalRow, person: TerminalPersonRow, now: Date): Promise<void> {
  await leaveNotice(tx, person.id, "pin_closed", terminal.name, now, { once: true });
  for (const id of await supervisorsAt(tx, terminal.siteId))
    if (id !== person.id) await leaveNotice(tx, id, "pin_tried", `${person.name} (${terminal.name})`, now, { once: true });
}

const opensAnything = ({ roles, opens: given }: TerminalPersonRow, { siteId }: TerminalRow): boolean => roles.some((role) => opens(given, role, siteId));

/** Bounded at this terminal like any password from a browser that is not known. @throws APIError */
async function provePassword(request: Asking, terminal: TerminalRow, person: TerminalPersonRow, password: string): Promise<void> {
  const account = keyed("login", person.id).toString("base64");
  const attempt = await beginTry([{ kind: "pair", of: [account, `terminal ${terminal.id}`] }], request.now());
  if (attempt.blocked) throw fault("WAIT", { waitS: attempt.waitS });
  if (!(await isPassword(person.password, password))) {
    await note(request, "session.refused", person, { terminalId: terminal.id });
    throw fault("PASSWORD_WRONG");
  }
  await attempt.succeeded(db);
}

/**
 * Another PIN in the place of the one that was entered. Whoever gave a PIN could choose the next one as well: who has a password gives it with theirs, and the PIN is
 * their own from then on. Who has none goes on with what the PIN was given for. @throws APIError
 */
async function replacePin(request: Asking, terminal: TerminalRow, person: TerminalPersonRow, { pin, newPin, password }: Body): Promise<void> {
  if (newPin === undefined) throw fault("PIN_CHANGE", { needsPassword: person.password !== null });
  const why = newPin === pin ? "same" : whyNotPin(newPin);
  if (why !== null) throw fault("PIN", { field: "newPin", why });
  if (person.password !== null) {
    if (password === undefined) throw fault("PIN_PASSWORD");
    await provePassword(request, terminal, person, password);
  }
  const origin = person.password === null ? { givenBy: person.givenBy, opens: person.opens } : chosenPin;
  await change({ ...request, actor: personally(person) }, { action: "person.pin_changed" }, async (tx) => {
    await setPin(tx, person.id, newPin, { origin });
    await recordOf(tx, "person.pin_changed", person, { terminalId: terminal.id });
  });
}
