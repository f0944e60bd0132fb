/** Signing in with a password and, where the person has one, a second factor. */
import { setTimeout as wait } from "node:timers/promises";
import type { BetterAuthPlugin, GenericEndpointContext } from "better-auth";
import { createAuthEndpoint, createAuthMiddleware } from "better-auth/api";
import { setSessionCookie } from "better-auth/cookies";
import { z } from "zod";
import { db } from "#/server/db.ts";
import { log } from "#/server/log.ts";
import { networkOf } from "./address.ts";
import { isSecure } from "./env.ts";
import { fault } from "./faults.ts";
import { normalLogin } from "./logins.ts";
import { isPassword } from "./passwords.ts";
import { personById, personByLogin, type SignInRow } from "./queries.ts";
import { cookieOf, keyed } from "./secrets.ts";
import { cookieName, sessionLimits } from "./session.ts";
import { afterSigningIn, deviceOf } from "./signed-in.ts";
import { type Asking, asked } from "./store.ts";
import { note, personally } from "./trail.ts";
import { beginTry, type Count, type Counted, inCrowd, slowDownMs, usedUpAmong } from "./tries.ts";
import { takeTurn } from "./turns.ts";

const network = ({ from }: Asking): string => (from.address === null ? "unknown" : networkOf(from.address));

/** Seconds to wait as an answer. Who is blocked is not told whether the password was right: it was not looked at. */
const blocked = (waitS: number) => fault("WAIT", { waitS });

/** The place in the row, held by the browser for as long as it stands there. */
const turnCookie = () => cookieName("turn");
const turnCookieS = 60;
/** Seconds that the next in a row is kept waiting with its answer, instead of being asked to come back: one at a time, so that no flood takes the connections. */
const longestHoldS = 5;

/** When the try's turn has come. Who has to stand longer in the row is told so, and given a ticket for it. @throws APIError */
async function inTurn(
  ctx: Pick<GenericEndpointContext, "setCookie">,
  request: Asking,
  who: Omit<Parameters<typeof takeTurn>[0], "ticket" | "now">,
): Promise<Counted> {
  let ticket = cookieOf(request.headers, turnCookie());
  const attributes = { path: "/api/auth", sameSite: "lax", secure: isSecure(), httpOnly: true } as const;
  for (let heldS = 0; ; ) {
    const turn = await takeTurn({ ...who, ticket, now: request.now() });
    if (turn.isOn) {
      if (ticket !== null) ctx.setCookie(turnCookie(), "", { ...attributes, maxAge: 0 });
      return turn.counted;
    }
    ticket = turn.ticket;
    if (!turn.isNext || heldS + turn.waitS > longestHoldS) {
      ctx.setCookie(turnCookie(), ticket, { ...attributes, maxAge: turnCookieS });
      throw fault("WAIT", { waitS: Math.ceil(turn.waitS), leftS: Math.ceil(turn.leftS) });
    }
    heldS += turn.waitS;
    await wait(turn.waitS * 1000);
  }
}

// The path is that of the library's plugin for user names, so that its second factor steps in after it. Ours takes an address as well, takes the same time for
// every refusal, and asks the limits first.
const signIn = createAuthEndpoint(
  "/sign-in/username",
  { method: "POST", body: z.object({ login: z.string().max(1000), password: z.string().max(1000), stay: z.boolean().default(false) }) },
  async (ctx) => {
    const request = asked();
    const { password, stay } = ctx.body;
    const login = normalLogin(ctx.body.login);
    const device = deviceOf(request.headers);
    const person = login === null ? null : await personByLogin(db, login, device);
    const account = keyed("login", person?.id ?? login ?? "").toString("base64");
    const byNetwork: Count = { kind: "network", of: [network(request)] };
    const isKnown = person?.isKnownDevice === true;
    const isCrowd = !isKnown && (await usedUpAmong(db, [byNetwork], request.now())).length > 0;
    const counted = await inTurn(
      ctx,
      request,
      isKnown
        ? { row: { kind: "device", of: [account, device?.toString("hex") ?? ""] } }
        : {
            row: { kind: "pair", of: [account, network(request)] },
            ...(isCrowd ? { limit: inCrowd } : {}),
            others: [byNetwork, { kind: "account", of: [account] }],
          },
    );
    const from = performance.now();
    await wait(slowDownMs(counted.failures.account ?? 0));
    // In a crowd no work is done for names that nobody has: thousands of them would take the machine. Its refusals come at full seconds, whatever was done.
    const isRight = isCrowd && !person ? false : await isPassword(person?.password ?? null, password);
    if (!person || !isRight || person.isDisabled) {
      if (!isCrowd || person || (await isNews(request, byNetwork)))
        await noteFailure(request, person, "session.refused", { isDisabled: isRight && person?.isDisabled === true });
      if (isCrowd) await wait(toFullSecondMs(performance.now() - from));
      throw fault("WRONG");
    }
    await counted.succeeded(db);
    const { absoluteS, idleS } = stay ? sessionLimits.kept : sessionLimits.usual;
    const begin = { method: "password", secondFactor: false, idleS, expiresAt: new Date(request.now().getTime() + absoluteS * 1000) };
    const session = await ctx.context.internalAdapter.createSession(person.id, !stay, begin, true);
    const user = await ctx.context.internalAdapter.findUserById(person.id);
    if (!user) throw fault("WRONG");
    await setSessionCookie(ctx, { session, user }, !stay);
    return ctx.json({ next: "in" });
  },
);

export const toFullSecondMs = (tookMs: number): number => 1_000 - (tookMs % 1_000);

/** Whether nothing was said for a while of a network that tries many names. The trail, which is kept for ever, is not filled by a flood. */
async function isNews(request: Asking, byNetwork: Count): Promise<boolean> {
  const isOne = !(await beginTry([{ ...byNetwork, kind: "crowdNoted" }], request.now())).blocked;
  if (isOne) log().warn({ network: byNetwork.of[0] }, "many passwords are tried from one network, with names that nobody has");
  return isOne;
}

/** Of an account that there is not, only that somebody tried: not what was typed. */
function noteFailure(request: Asking, person: SignInRow | null, action: string, after: Record<string, unknown>): Promise<void> {
  return note(request, action, person ?? { id: "", name: "" }, after);
}

const codePaths = ["/two-factor/verify-totp", "/two-factor/verify-backup-code"];

/** Between password and code: whose code is asked for; null where the time for it is over. */
async function personOfChallenge(ctx: Parameters<Parameters<typeof createAuthMiddleware>[0]>[0]): Promise<SignInRow | null> {
  const cookie = ctx.context.createAuthCookie("two_factor");
  const identifier = await ctx.getSignedCookie(cookie.name, ctx.context.secret);
  const challenge = identifier ? await ctx.context.internalAdapter.findVerificationValue(identifier) : null;
  if (!challenge || challenge.expiresAt <= new Date()) return null;
  return personById(db, challenge.value, deviceOf(asked().headers));
}

/** Before a code is looked at while signing in: the limits, and that no code opens twice. */
const beforeCode = createAuthMiddleware(async (ctx) => {
  const request = asked();
  if (request.actor.kind === "person") return; // setting it up, signed in
  const person = await personOfChallenge(ctx);
  if (!person || person.isDisabled) throw fault("SIGN_IN_AGAIN");
  const code: unknown = ctx.body?.code;
  if (typeof code !== "string" || code.length > 40) throw fault("CODE_WRONG");
  ctx.body.code = code.replace(/\s/g, "");
  const counts: Count[] = person.isKnownDevice
    ? [{ kind: "codeDevice", of: [person.id, deviceOf(request.headers)?.toString("hex") ?? ""] }]
    : [
        { kind: "codePair", of: [person.id, network(request)] },
        { kind: "codeAccount", of: [person.id] },
      ];
  const attempt = await beginTry(counts, request.now());
  if (attempt.blocked) throw blocked(attempt.waitS);
  if ((await beginTry([{ kind: "codeUsed", of: [person.id, ctx.body.code] }], request.now())).blocked) throw fault("CODE_USED");
  attempts.set(request, { person, attempt });
});

type CodeAttempt = { person: SignInRow; attempt: Extract<Awaited<ReturnType<typeof beginTry>>, { blocked: false }> };
const attempts = new WeakMap<Asking, CodeAttempt>();

const afterCode = createAuthMiddleware(async (ctx) => {
  const request = asked();
  const code = attempts.get(request);
  if (!code) return;
  if (ctx.context.newSession) return code.attempt.succeeded(db);
  await noteFailure(request, code.person, "session.code_refused", {});
  const { returned } = ctx.context;
  // The library has used up the challenge: a further code would not be looked at.
  const isOver = returned instanceof Error && "body" in returned && /COOKIE|TOO_MANY/.test(String((returned.body as { code?: unknown } | undefined)?.code));
  throw fault(isOver ? "SIGN_IN_AGAIN" : "CODE_WRONG");
});

const signInPaths = ["/sign-in/username", "/callback/:id", "/link/redeem", "/terminal/unlock", ...codePaths];

/** After any way of signing in that came to its end. Comes after the second factor's own step, which takes the session back until the code is given. */
const afterSignIn = createAuthMiddleware(async (ctx) => {
  const request = asked();
  const { newSession } = ctx.context;
  if (request.actor.kind === "person" && codePaths.includes(ctx.path)) return;
  if (newSession) await afterSigningIn(ctx, newSession);
  if (newSession && codePaths.includes(ctx.path)) return ctx.json({ next: "in" }); // and not the library's answer, which holds the token
  if (ctx.path === "/sign-in/username" && !newSession && isChallenge(ctx.context.returned)) return ctx.json({ next: "code" });
});

const isChallenge = (returned: unknown): boolean => typeof returned === "object" && returned !== null && "twoFactorRedirect" in returned;

/** Who signs out is known before the session is gone. */
const afterSignOut = createAuthMiddleware(async () => {
  const { actor, ...request } = asked();
  if (actor.kind === "person") await note({ ...request, actor: personally(actor) }, "session.ended", actor);
});

export const signInPlugin = {
  id: "takt-sign-in",
  endpoints: { signIn },
  hooks: {
    before: [{ matcher: ({ path }) => path !== undefined && codePaths.includes(path), handler: beforeCode }],
    after: [
      { matcher: ({ path }) => path !== undefined && codePaths.includes(path), handler: afterCode },
      { matcher: ({ path }) => path !== undefined && signInPaths.includes(path), handler: afterSignIn },
      { matcher: ({ path }) => path === "/sign-out", handler: afterSignOut },
    ],
  },
} satisfies BetterAuthPlugin;
