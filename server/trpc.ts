/** The one place where HTTP and procedures meet: context, permission, errors. */
import { initTRPC, TRPCError } from "@trpc/server";
import superjson from "superjson";
import { z } from "zod";
import { type Db, db } from "#/server/db.ts";
import { notKept } from "#/server/domain/kept-text.ts";
import type { Action, Actor } from "#/server/domain/permission.ts";
import { type FieldFault, isDatabaseAway, Refusal, type RefusalCode } from "#/server/errors.ts";
import { actorOf } from "#/server/identity/actor.ts";
import { type Permitted, permit } from "#/server/identity/permit.ts";
import { whileAllowed } from "#/server/identity/withdrawal.ts";
import { log, logFault } from "#/server/log.ts";
import { localeOf } from "./locale.ts";
import { sayIn } from "./sentences.ts";

/** Where a request came from, for the audit trail and the limits of tries. */
export type RequestFrom = { address: string | null; userAgent: string | null };
/**
 * again: who asks, read anew, for what stays open. Left out: it cannot change (programs).
 * locale: the language that sentences are said in. Left out: English (programs, the command line).
 */
export type Context = { db: Db; actor: Actor; from: RequestFrom; now: () => Date; again?: () => Promise<Actor>; locale?: string };

/** Who asks, by the request's cookies or token. */
export async function contextOf(headers: Headers): Promise<Context> {
  // To look again is nothing that a person does: marked as what a page asks for by itself, it keeps nobody signed in.
  const quiet = new Headers(headers);
  quiet.set("sec-purpose", "prefetch");
  return inLocale(localeOf(headers), async () => ({
    db,
    ...(await actorOf(headers)),
    now: () => new Date(),
    again: async () => (await actorOf(quiet)).actor,
  }));
}

/** The language of whom nobody can tell who they are, because the database is away: an error without a context is said in it. */
const localeOfError = new WeakMap<Error, string>();

/** A context in a language, and what goes wrong in making it, too. */
export async function inLocale(locale: string, make: () => Promise<Context>): Promise<Context> {
  try {
    return { ...(await make()), locale };
  } catch (error) {
    if (error instanceof Error) localeOfError.set(error, locale);
    throw error;
  }
}

type Code = TRPCError["code"];
const codeOf: Record<RefusalCode, Code> = {
  NOT_FOUND: "NOT_FOUND",
  SIGNED_OUT: "UNAUTHORIZED",
  FORBIDDEN: "FORBIDDEN",
  CONFLICT: "CONFLICT",
  RULE_BROKEN: "UNPROCESSABLE_CONTENT",
  INVALID: "BAD_REQUEST",
};

/** What the screen gets of an error: a sentence, never a stack and never SQL. errorId is the one in the log. */
export type ErrorData = {
  /** TOO_MUCH: said by the gate, before any procedure (server/gate/refusal.ts). */
  kind: RefusalCode | "DATABASE_AWAY" | "FAULT" | "TOO_MUCH";
  errorId: string | null;
  /** Which fields of the form are wrong, each with its sentence. */
  fields: readonly FieldFault[];
  /** CONFLICT: what is stored now, so that the form can show both. */
  present: unknown;
};

const faultSentence = "Something went wrong on the server. The error's number is in its log.";
const awaySentence = "The database cannot be reached at the moment. It is tried again by itself.";

const errorIds = new WeakMap<Error, string>();

const t = initTRPC
  .context<Context>()
  .meta<Meta>()
  .create({
    transformer: superjson,
    isDev: false, // never a stack in an answer, whatever NODE_ENV says
    sse: { ping: { enabled: true, intervalMs: 10_000 }, client: { reconnectAfterInactivityMs: 35_000 } },
    errorFormatter({ shape, error, ctx }) {
      const { sentence, data } = describe(error);
      const say = sayIn(ctx?.locale ?? localeOfError.get(error) ?? (error.cause && localeOfError.get(error.cause)));
      const fields = data.fields.map((field) => ({ ...field, sentence: say(field.sentence) }));
      return { ...shape, message: say(sentence), data: { code: shape.data.code, httpStatus: shape.data.httpStatus, ...data, fields } };
    },
  });

function describe(error: TRPCError): { sentence: string; data: ErrorData } {
  const { cause } = error;
  const plain = { errorId: null, fields: [], present: null };
  if (cause instanceof Refusal) return { sentence: cause.message, data: { ...plain, kind: cause.code, fields: cause.fields, present: cause.present } };
  if (cause instanceof z.ZodError) {
    const fields = cause.issues.map((issue) => ({ path: issue.path.join("."), sentence: issue.message }));
    return { sentence: fields.map(({ sentence }) => sentence).join(" "), data: { ...plain, kind: "INVALID", fields } };
  }
  if (error.code === "NOT_FOUND") return { sentence: "There is no such procedure.", data: { ...plain, kind: "NOT_FOUND" } };
  if (error.code !== "INTERNAL_SERVER_ERROR") return { sentence: "The request could not be understood.", data: { ...plain, kind: "INVALID" } };
  const kind = isDatabaseAway(cause ?? error) ? "DATABASE_AWAY" : "FAULT";
  return { sentence: kind === "FAULT" ? faultSentence : awaySentence, data: { ...plain, kind, errorId: faultId(error) } };
}

/** Logs a fault once and gives the number that the log has it under. */
function faultId(error: TRPCError): string {
  const known = errorIds.get(error);
  if (known) return known;
  const fault = error.cause ?? error;
  const id = logFault(fault, isDatabaseAway(fault) ? "a procedure found the database away" : "a procedure failed");
  errorIds.set(error, id);
  return id;
}

/** Refusals get the status that their code means. Faults pass as they are and become INTERNAL_SERVER_ERROR. */
const toTrpc = t.middleware(async ({ next, path }) => {
  const result = await next();
  if (result.ok) return result;
  if (!(result.error.cause instanceof Refusal)) {
    if (result.error.code === "INTERNAL_SERVER_ERROR") faultId(result.error); // also where a page asks, which formats nothing
    return result;
  }
  const refusal = result.error.cause;
  log().info({ path, code: refusal.code, refused: refusal.message }, "refused");
  throw new TRPCError({ code: codeOf[refusal.code], message: refusal.message, cause: refusal });
});

export const router = t.router;
export const createCaller = t.createCallerFactory;

export type Meta = { action: Action };

/**
 * A procedure that only actors with the permission reach. There is no other kind. Where the action's reach is a site, this lets in whoever has it at any site:
 * lists are then cut down to `ctx.scope`, and what names one object asks `ctx.need` with that object's site before it reads or writes.
 * A subscription is open for as long as the right is there; `ctx.until` says when it or the viewer has gone.
 */
export const may = (action: Action) =>
  t.procedure
    .meta({ action })
    .use(toTrpc)
    .use(async ({ ctx, type, signal, next, getRawInput }) => {
      const permitted = permit(ctx, action);
      needKept(await getRawInput());
      if (type !== "subscription") return next({ ctx: { ...permitted, until: signal } });
      const end = new AbortController();
      const result = await next({ ctx: { ...permitted, until: signal ? AbortSignal.any([signal, end.signal]) : end.signal } });
      return result.ok && isIterable(result.data) ? { ...result, data: translated(whileAllowed(result.data, permitted, end)) } : result;
    });

/** Of every procedure, before its schema: text that the database cannot keep is no fault of the server's. @throws Refusal INVALID */
function needKept(input: unknown): void {
  // The plant's forms name their fields without what they are sent in.
  const fields = notKept(input).map(({ path, sentence }) => ({ path: path.replace(/(^|\.)fields\./, "$1"), sentence }));
  const [first] = fields;
  if (first) throw new Refusal("INVALID", first.sentence, { fields });
}

const isIterable = (data: unknown): data is AsyncIterable<unknown> => typeof data === "object" && data !== null && Symbol.asyncIterator in data;

/** A refusal in the midst of a subscription gets the status that its code means, or the browser would ask again for ever. */
async function* translated(open: AsyncIterable<unknown>) {
  try {
    yield* open;
  } catch (error) {
    throw error instanceof Refusal ? new TRPCError({ code: codeOf[error.code], message: error.message, cause: error }) : error;
  }
}

/** What a permitted procedure gets: the context, and where the actor may do this. */
export type { Permitted };
