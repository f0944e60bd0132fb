/** The part of the identity library that can be reached from outside: a list of what is open, and everything else is not there. */
import { whyNotFromHere } from "#/server/cross-origin.ts";
import { db } from "#/server/db.ts";
import { notKept } from "#/server/domain/kept-text.ts";
import { nobody } from "#/server/domain/permission.ts";
import { isDatabaseAway } from "#/server/errors.ts";
import { mostBytesAt } from "#/server/limits/bodies.ts";
import { logFault } from "#/server/log.ts";
import { personActor } from "#/server/people/service.ts";
import { sayTo } from "#/server/sentences.ts";
import { fromOf } from "./actor.ts";
import { auth, basePath } from "./auth.ts";
import { publicUrl } from "./env.ts";
import { sendNotice } from "./mail.ts";
import { personById } from "./queries.ts";
import { type Asking, whileAsking } from "./store.ts";
import { note } from "./trail.ts";
import { beginTry, type Try } from "./tries.ts";

/**
 * action: what the audit trail calls it. takes: what of a body is handed on; the library knows more (trusting a browser, signing in with a bare token), which
 * stays closed. gives: what of a good answer is handed on: the library's own hold the session's token, which is for the cookie alone. own: for who is signed in, and not with a PIN alone. password: it asks for the own password again.
 */
type Open = { action: string; takes: readonly string[]; gives: readonly string[]; own?: true; password?: true };

export const open: Record<string, Open> = {
  "POST /sign-in/username": { action: "session.begun", takes: ["login", "password", "stay"], gives: ["next"] },
  "POST /sign-in/social": { action: "session.begun", takes: ["provider", "callbackURL", "errorCallbackURL", "disableRedirect"], gives: ["url"] },
  "GET /callback/oidc": { action: "person.from_provider", takes: [], gives: [] },
  "POST /sign-out": { action: "session.ended", takes: [], gives: [] },
  "POST /two-factor/verify-totp": { action: "person.second_factor_on", takes: ["code"], gives: ["next"] },
  "POST /two-factor/verify-backup-code": { action: "session.begun", takes: ["code"], gives: ["next"] },
  "POST /two-factor/enable": { action: "person.second_factor_begun", takes: ["password"], gives: ["totpURI", "backupCodes"], own: true, password: true },
  "POST /two-factor/disable": { action: "person.second_factor_off", takes: ["password"], gives: [], own: true, password: true },
  "POST /two-factor/generate-backup-codes": { action: "person.recovery_codes_made", takes: ["password"], gives: ["backupCodes"], own: true, password: true },
  "POST /link/read": { action: "link.read", takes: ["secret"], gives: ["purpose", "name", "login"] },
  "POST /link/redeem": { action: "link.redeemed", takes: ["secret", "password", "name", "login"], gives: ["purpose", "isSignedIn"] },
  "POST /link/request": { action: "person.password_link", takes: ["login"], gives: ["isAsked"] },
  "POST /terminal/unlock": { action: "session.begun", takes: ["personId", "pin", "newPin", "password"], gives: ["next"] },
  "POST /terminal/register": { action: "terminal.registered", takes: ["siteId", "name", "lineIds", "autoLockS"], gives: ["isRegistered"], own: true },
  "POST /terminal/leave": { action: "terminal.left", takes: [], gives: ["isLeft"] },
};

const largestBody = mostBytesAt(`${basePath}/`);

const refusal = (status: number, code: string, message: string, more: { waitS?: number; errorId?: string; field?: string } = {}): Response => {
  const headers = { "cache-control": "no-store", ...(more.waitS === undefined ? {} : { "retry-after": String(more.waitS) }) };
  return Response.json({ code, message, ...more }, { status, headers });
};

/** Answers a request below /api/auth, in the asker's language. Never throws. */
export const answer = async (request: Request): Promise<Response> => saidTo(request.headers, await safely(request));

async function safely(request: Request): Promise<Response> {
  try {
    return await answered(request);
  } catch (error) {
    const away = isDatabaseAway(error);
    const errorId = logFault(error, away ? "signing in found the database away" : "signing in failed");
    // A person, sent back by the provider, who reads no JSON.
    if (request.method === "GET") return Response.redirect(`${publicUrl()}/sign-in?error=${away ? "database_away" : errorId}`, 302);
    return away
      ? refusal(503, "DATABASE_AWAY", "The database cannot be reached at the moment. Try again soon.", { errorId })
      : refusal(500, "FAULT", "Something went wrong on the server. The error's number is in its log.", { errorId });
  }
}

async function answered(request: Request): Promise<Response> {
  const path = new URL(request.url).pathname.slice(basePath.length);
  const rule = Object.hasOwn(open, `${request.method} ${path}`) ? open[`${request.method} ${path}`] : undefined;
  if (!rule) return refusal(404, "NOT_FOUND", "There is nothing at this address.");
  const foreign = whyNotFromHere(request.method, request.headers);
  if (foreign) return refusal(403, "FORBIDDEN", foreign);
  const text = request.method === "POST" ? await request.text() : null;
  if (text !== null && Buffer.byteLength(text) > largestBody) return refusal(413, "INVALID", "This is more than is taken here.");
  const body = text === null ? null : handedOn(text, rule.takes);
  if (body === undefined) return refusal(400, "INVALID", "This is no JSON.");
  const [unkept] = notKept({ ...(body === null ? {} : JSON.parse(body)), query: [...new URL(request.url).searchParams] });
  if (unkept) return refusal(422, "INVALID", unkept.sentence, { field: unkept.path });

  const actor = (await personActor(request.headers)) ?? nobody;
  if (rule.own && actor.kind !== "person") return refusal(401, "SIGNED_OUT", "You are not signed in. Sign in and try again.");
  if (rule.own && actor.kind === "person" && actor.terminalId !== null)
    return refusal(403, "FORBIDDEN", "This is not done with a PIN. Sign in with your password, in a browser of your own.");
  const asking: Asking = { actor, from: fromOf(request.headers), now: () => new Date(), action: rule.action, headers: request.headers, claims: null };

  let attempt: Try | null = null;
  if (rule.password && actor.kind === "person") {
    attempt = await beginTry([{ kind: "reentry", of: [actor.sessionId] }], asking.now());
    if (attempt.blocked) return refusal(429, "WAIT", "Too many tries. Wait, then try again.", { waitS: attempt.waitS });
  }
  const { auth: library } = await auth();
  const said = await whileAsking(asking, () => library.handler(new Request(request.url, { method: request.method, headers: request.headers, body })));
  const response = said.ok ? await cutDown(said, rule.gives) : said;
  if (response.ok && attempt && !attempt.blocked) await attempt.succeeded(db);
  if (response.ok && actor.kind === "person") await tell(path, asking, actor);
  response.headers.set("cache-control", "no-store");
  if (response.status === 429) response.headers.set("retry-after", String(await waitSOf(response)));
  return response;
}

/** A refusal's sentences: why, and of a form what is wrong with what was put in. */
async function saidTo(headers: Headers, response: Response): Promise<Response> {
  if (response.status < 400 || !response.headers.get("content-type")?.includes("json")) return response;
  const said: unknown = await response.clone().json();
  if (typeof said !== "object" || said === null) return response;
  const say = sayTo(headers);
  const body = Object.entries(said).map(([name, value]) => [
    name,
    (name === "message" || name === "sentence") && typeof value === "string" ? say(value) : value,
  ]);
  const kept = new Headers(response.headers);
  kept.delete("content-length");
  return new Response(JSON.stringify(Object.fromEntries(body)), { status: response.status, headers: kept });
}

/** Seconds that a refused try asks to wait: in the body for the pages, in Retry-After for programs. */
async function waitSOf(response: Response): Promise<number> {
  const said: unknown = await response.clone().json();
  return typeof said === "object" && said !== null && "waitS" in said && typeof said.waitS === "number" ? said.waitS : 60;
}

/** A good answer with the fields that are given out, and with all that it sets. */
async function cutDown(said: Response, gives: readonly string[]): Promise<Response> {
  const body: unknown = JSON.parse((await said.text()) || "{}");
  const fields = typeof body === "object" && body !== null ? Object.entries(body).filter(([name]) => gives.includes(name)) : [];
  const headers = new Headers(said.headers);
  headers.delete("content-length");
  return Response.json(Object.fromEntries(fields), { status: said.status, headers });
}

/** Of a JSON object, the fields that are taken; undefined: it is no JSON. */
function handedOn(text: string, takes: readonly string[]): string | undefined {
  try {
    const given: unknown = text.trim() === "" ? {} : JSON.parse(text);
    const fields = typeof given === "object" && given !== null ? Object.entries(given).filter(([name]) => takes.includes(name)) : [];
    return JSON.stringify(Object.fromEntries(fields));
  } catch {
    return undefined;
  }
}

type Person = Extract<Asking["actor"], { kind: "person" }>;

/** What the person should know of, whoever did it with their session. */
async function tell(path: string, asking: Asking, actor: Person): Promise<void> {
  if (path === "/two-factor/generate-backup-codes") await note(asking, asking.action, actor);
  const kind = path === "/two-factor/verify-totp" ? "second_factor_on" : path === "/two-factor/disable" ? "second_factor_off" : null;
  if (kind === null) return;
  const person = await personById(db, actor.id);
  if (person) sendNotice(person, kind);
}
