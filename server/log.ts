/** JSON lines on stdout. `takt web` is the name in every line. */
import { inspect, stripVTControlCharacters } from "node:util";
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

/**
 * Of what the web framework prints of a fault: the fault itself, and the words around it without addresses below their first part (`/display/<link>?x` -> `/display`),
 * where secrets may be.
 */
export function saidIn(words: readonly unknown[]): { error: Error | undefined; text: string } {
  const error = words.find((word) => word instanceof Error);
  const texts = words.filter((word) => word !== error).map((word) => (typeof word === "string" ? word : inspect(word, { depth: 2 })));
  const text = stripVTControlCharacters(texts.join(" ")).replace(/(?<![\w:/])(\/[^\s"'/?#]*)[^\s"']*/g, "$1");
  return { error, text: /\w/.test(text) ? text : "a page failed" }; // else it is the sign that Next puts before a fault
}

/** From now on this comes into the log in the log's form, under the number that the page shows of it (its digest). */
export function takeConsole(): void {
  const into =
    (level: "error" | "warn") =>
    (...words: unknown[]): void => {
      const { error, text } = saidIn(words);
      const errorId = error !== undefined && "digest" in error ? String(error.digest) : undefined;
      log()[level]({ of: "web framework", err: error, errorId }, text);
    };
  console.error = into("error");
  console.warn = into("warn");
}
