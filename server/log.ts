/** JSON lines on stdout. `takt web` is the name in every line. */
import { pino } from "pino";
import { env } from "#/server/env.ts";

let logger: pino.Logger | undefined;

/** What helps to find a fault, without what drivers hang on their errors (a whole connection with its settings). */
function inShort(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const code = "code" in error ? error.code : undefined;
  const where = "where" in error ? error.where : undefined;
  const all = error instanceof AggregateError ? error.errors.map(inShort) : undefined;
  return {
    type: error.name,
    message: error.message,
    code,
    where,
    stack: error.stack,
    all,
    cause: error.cause === undefined ? undefined : inShort(error.cause),
  };
}

/** Made on first use, so that a build does not need the environment. */
export const log = (): pino.Logger => {
  logger ??= pino({ name: "takt web", level: env().LOG_LEVEL, base: { pid: process.pid }, serializers: { err: inShort } });
  return logger;
};

/** Logs a fault under a short id that the person at the screen is shown, so that both find each other. */
export function logFault(error: unknown, what: string): string {
  const id = crypto.randomUUID().slice(0, 8);
  log().error({ err: error, errorId: id }, what);
  return id;
}
