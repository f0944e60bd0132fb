/** The one place where HTTP and procedures meet: context, permission, errors. */
import { initTRPC, TRPCError } from "@trpc/server";
import superjson from "superjson";
import { z } from "zod";
import { type Db, db } from "#/server/db.ts";
import { type Action, type Actor, whyMayNot } from "#/server/domain/permission.ts";
import { isDatabaseAway, Refusal, type RefusalCode } from "#/server/errors.ts";
import { log, logFault } from "#/server/log.ts";

export type Context = { db: Db; actor: Actor; now: () => Date };

/** Sign-in changes this function alone. */
export const createContext = (): Context => ({ db, actor: { role: "local_user", name: "The local user" }, now: () => new Date() });

type Code = TRPCError["code"];
const codeOf: Record<RefusalCode, Code> = {
  NOT_FOUND: "NOT_FOUND",
  FORBIDDEN: "FORBIDDEN",
  CONFLICT: "CONFLICT",
  RULE_BROKEN: "UNPROCESSABLE_CONTENT",
  INVALID: "BAD_REQUEST",
};

/** What the screen gets of an error: a sentence, never a stack and never SQL. errorId is the one in the log. */
export type ErrorData = { kind: RefusalCode | "DATABASE_AWAY" | "FAULT"; errorId: string | null };

const faultSentence = "Something went wrong on the server. The error's number is in its log.";
const awaySentence = "The database cannot be reached at the moment. It is tried again by itself.";

const errorIds = new WeakMap<Error, string>();

const t = initTRPC.context<Context>().create({
  transformer: superjson,
  isDev: false, // never a stack in an answer, whatever NODE_ENV says
  sse: { ping: { enabled: true, intervalMs: 10_000 }, client: { reconnectAfterInactivityMs: 35_000 } },
  errorFormatter({ shape, error }) {
    const { sentence, data } = describe(error);
    return { ...shape, message: sentence, data: { code: shape.data.code, httpStatus: shape.data.httpStatus, ...data } };
  },
});

function describe(error: TRPCError): { sentence: string; data: ErrorData } {
  const { cause } = error;
  if (cause instanceof Refusal) return { sentence: cause.message, data: { kind: cause.code, errorId: null } };
  if (cause instanceof z.ZodError) return { sentence: cause.issues.map((issue) => issue.message).join(" "), data: { kind: "INVALID", errorId: null } };
  if (error.code === "NOT_FOUND") return { sentence: "There is no such procedure.", data: { kind: "NOT_FOUND", errorId: null } };
  if (error.code !== "INTERNAL_SERVER_ERROR") return { sentence: "The request could not be understood.", data: { kind: "INVALID", errorId: null } };
  const kind = isDatabaseAway(cause ?? error) ? "DATABASE_AWAY" : "FAULT";
  return { sentence: kind === "FAULT" ? faultSentence : awaySentence, data: { kind, errorId: faultId(error) } };
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

/** A procedure that only actors with the permission reach. There is no other kind. */
export const may = (action: Action) =>
  t.procedure.use(toTrpc).use(({ ctx, next }) => {
    const reason = whyMayNot(ctx.actor, action);
    if (reason) throw new Refusal("FORBIDDEN", reason);
    return next();
  });
