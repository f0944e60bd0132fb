/** JSON lines on stdout. `takt web` is the name in every line. */
import { pino } from "pino";
import { env } from "#/server/env.ts";

let logger: pino.Logger | undefined;

/** Made on first use, so that a build does not need the environment. */
export const log = (): pino.Logger => {
  logger ??= pino({ name: "takt web", level: env().LOG_LEVEL, base: { pid: process.pid } });
  return logger;
};

/** Logs a fault under a short id that the person at the screen is shown, so that both find each other. */
export function logFault(error: unknown, what: string): string {
  const id = crypto.randomUUID().slice(0, 8);
  log().error({ err: error, errorId: id }, what);
  return id;
}
