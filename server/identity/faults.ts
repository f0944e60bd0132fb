/** Why signing in and its like were refused: a code that the screens have words for in every language, and an English sentence for programs. */
import { APIError } from "better-auth/api";

const sentences = {
  WRONG: "This user name or password is not right.",
  WAIT: "Too many tries. Wait, then try again.",
  LINK_GONE: "This link opens nothing any more. Ask for a new one.",
  PASSWORD: "This is no password that Takt takes.",
  PIN: "This is no PIN that Takt takes.",
  PIN_WRONG: "This PIN is not right.",
  PIN_CHANGE: "Choose a PIN of your own.",
  PIN_PASSWORD: "Give your password with the PIN this once.",
  PIN_NOT_HERE: "This PIN was given for other duties. Ask a supervisor for a new one, or choose one yourself under My account.",
  PASSWORD_WRONG: "This is not your password.",
  LOGIN_TAKEN: "This address or user name cannot be used here. Choose another.",
  INVALID: "Something that is needed was not given, or not as it must be.",
  NO_MAIL: "Takt cannot send mail here. Ask an administrator for a link.",
  NO_TERMINAL: "This browser is not registered as a shared terminal.",
  CODE_WRONG: "This code is not right.",
  CODE_USED: "This code was used already. Wait for the next one.",
  SIGN_IN_AGAIN: "This took too long. Sign in again.",
  SIGNED_OUT: "You are not signed in. Sign in and try again.",
  FORBIDDEN: "You may not do this.",
} as const;

export type FaultCode = keyof typeof sentences;

const statusOf: Partial<Record<FaultCode, "UNAUTHORIZED" | "TOO_MANY_REQUESTS" | "NOT_FOUND" | "FORBIDDEN" | "CONFLICT" | "GONE">> = {
  WRONG: "UNAUTHORIZED",
  PIN_WRONG: "UNAUTHORIZED",
  PASSWORD_WRONG: "UNAUTHORIZED",
  PIN_NOT_HERE: "FORBIDDEN",
  CODE_WRONG: "UNAUTHORIZED",
  CODE_USED: "UNAUTHORIZED",
  SIGN_IN_AGAIN: "UNAUTHORIZED",
  SIGNED_OUT: "UNAUTHORIZED",
  WAIT: "TOO_MANY_REQUESTS",
  LINK_GONE: "GONE",
  LOGIN_TAKEN: "CONFLICT",
  NO_MAIL: "NOT_FOUND",
  NO_TERMINAL: "FORBIDDEN",
  FORBIDDEN: "FORBIDDEN",
};

/** To be thrown inside an endpoint of the identity library. more: what the sentence on screen needs (seconds to wait, which field). */
export const fault = (code: FaultCode, more: Record<string, unknown> = {}): APIError =>
  new APIError(statusOf[code] ?? "UNPROCESSABLE_ENTITY", { code, message: sentences[code], ...more });
