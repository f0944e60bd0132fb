/** What sets or reads a terminal's cookie: registering this browser, and unlocking it with a PIN. */
import type { BetterAuthPlugin } from "better-auth";
import { createAuthEndpoint } from "better-auth/api";
import { deleteSessionCookie, setSessionCookie } from "better-auth/cookies";
import { z } from "zod";
import { change } from "#/server/audit/change.ts";
import { db } from "#/server/db.ts";
import { nameField } from "#/server/domain/naming.ts";
import { Refusal } from "#/server/errors.ts";
import { isSecure } from "#/server/identity/env.ts";
import { fault } from "#/server/identity/faults.ts";
import { permit } from "#/server/identity/permit.ts";
import { endSession, setPin } from "#/server/identity/reset.ts";
import { isPin, whyNotPin } from "#/server/identity/secrets.ts";
import { sessionLimits } from "#/server/identity/session.ts";
import { asked } from "#/server/identity/store.ts";
import { note, personally, recordOf } from "#/server/identity/trail.ts";
import { beginTry } from "#/server/identity/tries.ts";
import { registerTerminal, terminalCookie, terminalCookieS, terminalOf, terminalSecret, whoUnlocks } from "./service.ts";

const cookie = () => ({ path: "/", httpOnly: true, sameSite: "lax", secure: isSecure(), maxAge: terminalCookieS }) as const;

const unlockBody = z.object({ personId: z.uuid(), pin: z.string().max(100), newPin: z.string().max(100).optional() });

const unlock = createAuthEndpoint("/terminal/unlock", { method: "POST", body: unlockBody }, async (ctx) => {
  const request = asked();
  const { personId, pin, newPin } = ctx.body;
  const terminal = await terminalOf(request.headers, request.now());
  if (!terminal) throw fault("NO_TERMINAL");
  const attempt = await beginTry([{ kind: "pin", of: [String(terminal.id), personId] }], request.now());
  if (attempt.blocked) throw fault("WAIT", { waitS: attempt.waitS });
  const person = await whoUnlocks(terminal, personId);
  const isRight = await isPin(person?.pinHash ?? null, personId, pin);
  if (!person || !isRight) {
    await note(request, "session.pin_refused", person ?? { id: "", name: "" }, { terminalId: terminal.id });
    throw fault("PIN_WRONG");
  }
  await attempt.succeeded(db);
  if (person.mustChange || newPin !== undefined) {
    if (newPin === undefined) throw fault("PIN_CHANGE");
    const why = newPin === pin ? "same" : whyNotPin(newPin);
    if (why !== null) throw fault("PIN", { field: "newPin", why });
    await change({ ...request, actor: personally(person) }, { action: "person.pin_changed" }, async (tx) => {
      await setPin(tx, person.id, newPin);
      await recordOf(tx, "person.pin_changed", person, { terminalId: terminal.id });
    });
  }
  const expiresAt = new Date(request.now().getTime() + sessionLimits.terminal.absoluteS * 1000);
  const begin = { method: "pin", secondFactor: false, idleS: terminal.autoLockS, terminalId: terminal.id, expiresAt };
  const session = await ctx.context.internalAdapter.createSession(person.id, true, begin, true);
  const user = await ctx.context.internalAdapter.findUserById(person.id);
  if (!user) throw fault("PIN_WRONG");
  await setSessionCookie(ctx, { session, user }, true);
  const secret = terminalSecret(request.headers);
  if (secret !== null) ctx.setCookie(terminalCookie(), secret, cookie());
  return ctx.json({ next: "in" });
});

export const terminalName = nameField(100, "Give the terminal a name.");
/** Seconds without touch: from what is enough to put a tool down, to an hour. */
export const autoLock = z.int().min(15, { error: "At least 15 seconds." }).max(3600, { error: "At most an hour." });
export const lineIds = z.array(z.int().positive()).max(500);

const registerBody = z.object({ siteId: z.int().positive(), name: terminalName, lineIds, autoLockS: autoLock });

/** This browser becomes a terminal, and the supervisor who made it one is signed out of it. */
const register = createAuthEndpoint("/terminal/register", { method: "POST", body: registerBody }, async (ctx) => {
  const request = asked();
  try {
    const { secret } = await registerTerminal(permit(request, "terminal.change"), ctx.body);
    if (request.actor.kind === "person") {
      const { id, sessionId, name } = request.actor;
      await change(request, { action: "session.ended" }, async (tx) => {
        await endSession(tx, id, sessionId);
        await recordOf(tx, "session.ended", { id, name });
      });
    }
    deleteSessionCookie(ctx);
    ctx.setCookie(terminalCookie(), secret, cookie());
    return ctx.json({ isRegistered: true });
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    throw fault(error.code === "SIGNED_OUT" ? "SIGNED_OUT" : error.code === "INVALID" ? "INVALID" : "FORBIDDEN", { sentence: error.message });
  }
});

/** The browser stops being a terminal by itself: for who has it in hand and knows that it was revoked, or takes it elsewhere. */
const leave = createAuthEndpoint("/terminal/leave", { method: "POST" }, async (ctx) => {
  const terminal = await terminalOf(asked().headers, asked().now());
  if (terminal) throw fault("FORBIDDEN");
  ctx.setCookie(terminalCookie(), "", { ...cookie(), maxAge: 0 });
  return ctx.json({ isLeft: true });
});

export const terminalPlugin = {
  id: "takt-terminals",
  endpoints: { unlockTerminal: unlock, registerTerminal: register, leaveTerminal: leave },
} satisfies BetterAuthPlugin;
