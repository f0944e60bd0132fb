/** What a person at the screen is told when a request cannot be done. Codes are the API's; the sentence is for the person. */
export type RefusalCode = "SIGNED_OUT" | "NOT_FOUND" | "FORBIDDEN" | "CONFLICT" | "RULE_BROKEN" | "INVALID";

/** What is wrong with one field of a form. path: as the form names it, `signals.2.key`; sentence: for the person at the screen. */
export type FieldFault = { path: string; sentence: string };

/**
 * An answer of no that the person can understand. Not logged as a fault; everything else that is thrown is.
 * fields: which fields of the form are wrong (INVALID, RULE_BROKEN). present: what is stored now, for a form that someone else saved first (CONFLICT).
 */
export class Refusal extends Error {
  override name = "Refusal";
  readonly code: RefusalCode;
  readonly fields: readonly FieldFault[];
  readonly present: unknown;
  constructor(code: RefusalCode, sentence: string, { fields = [], present = null }: { fields?: readonly FieldFault[]; present?: unknown } = {}) {
    super(sentence);
    this.code = code;
    this.fields = fields;
    this.present = present;
  }
}

/** SQLSTATE classes that say the database is away or busy rather than that our query is wrong: 08 connection, 53 resources, 57P operator. */
const awayStates = /^(08|53|57P)/;
const awaySystemCodes = new Set(["ECONNREFUSED", "ECONNRESET", "EPIPE", "ETIMEDOUT", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH", "ENOENT"]);

/** True where an error means that the database cannot be reached at the moment, whatever layer it comes from. */
export function isDatabaseAway(error: unknown): boolean {
  if (error instanceof AggregateError) return error.errors.some(isDatabaseAway);
  if (!(error instanceof Error)) return false;
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  if (awayStates.test(code) || awaySystemCodes.has(code)) return true;
  // pg gives these two no code
  if (/timeout exceeded when trying to connect|Connection terminated|Query read timeout/i.test(error.message)) return true;
  return error.cause !== undefined && isDatabaseAway(error.cause);
}
