/** What sets or reads a terminal's cookie: registering this browser; unlocking it with a PIN is in unlock.ts. */
import type { BetterAuthPlugin } from "better-auth";
import { createAuthEndpoint } from "better-auth/api";
import { deleteSessionCookie } from "better-auth/cookies";
import { z } from "zod";
import { change } from "#/server/audit/change.ts";
import { nameField } from "#/server/domain/naming.ts";
import { Refusal } from "#/server/errors.ts";
import { fault } from "#/server/identity/faults.ts";
import { permit } from "#/server/identity/permit.ts";
import { endSession } from "#/server/identity/reset.ts";
import { asked } from "#/server/identity/store.ts";
import { recordOf } from "#/server/identity/trail.ts";
import { registerTerminal, terminalCookie, terminalCookieOptions, terminalOf } from "./service.ts";
import { unlock } from "./unlock.ts";

export const terminalName = nameField(100, "Give the terminal a name.");
/** Seconds without touch: from what is enough to put a tool down, to an hour. */
export const autoLock = z.int32().min(15, { error: "At least 15 seconds." }).max(3600, { error: "At most an hour." });
export const lineIds = z.array(z.int32().positive()).max(500);

const registerBody = z.object({ siteId: z.int32().positive(), name: terminalName, lineIds, autoLockS: autoLock });

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
    ctx.setCookie(terminalCookie(), secret, terminalCookieOptions());
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
  ctx.setCookie(terminalCookie(), "", { ...terminalCookieOptions(), maxAge: 0 });
  return ctx.json({ isLeft: true });
});

export const terminalPlugin = {
  id: "takt-terminals",
  endpoints: { unlockTerminal: unlock, registerTerminal: register, leaveTerminal: leave },
} satisfies BetterAuthPlugin;
