"use client";
import { useTranslations } from "next-intl";

/** Why it was refused: a code of the catalogue `identity.fault`, and what its sentence needs. */
export type Fault = { code: string; more: Record<string, unknown> };
export type Asked<Body> = { fault: null; body: Body } | { fault: Fault; body: null };

/** Asks the part of the server that signs people in and out. Never throws: no answer is a fault, too. */
export async function ask<Body = Record<string, never>>(path: string, body: Record<string, unknown> = {}): Promise<Asked<Body>> {
  try {
    const answer = await fetch(`/api/auth${path}`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
    const said: unknown = await answer.json();
    if (answer.ok) return { fault: null, body: said as Body };
    const { code, ...more } = (typeof said === "object" && said !== null ? said : {}) as Record<string, unknown>;
    return { fault: { code: typeof code === "string" ? code : "FAULT", more }, body: null };
  } catch {
    return { fault: { code: "UNREACHABLE", more: {} }, body: null };
  }
}

/** Codes that have a sentence of their own; the identity library's count as ours that mean the same. */
const known = [
  "WRONG",
  "WAIT",
  "LOGIN_TAKEN",
  "NO_MAIL",
  "NO_TERMINAL",
  "PASSWORD_WRONG",
  "PIN_WRONG",
  "PIN_PASSWORD",
  "PIN_NOT_HERE",
  "CODE_WRONG",
  "CODE_USED",
  "SIGN_IN_AGAIN",
  "SIGNED_OUT",
  "FORBIDDEN",
  "DATABASE_AWAY",
  "UNREACHABLE",
] as const;
type Known = (typeof known)[number];
const same: Record<string, Known> = {
  INVALID_PASSWORD: "PASSWORD_WRONG",
  INVALID_CODE: "CODE_WRONG",
  INVALID_TWO_FACTOR_COOKIE: "SIGN_IN_AGAIN",
};

/** The sentence of a fault. Of a wait it says nothing: that counts down (wait-note.tsx). */
export function useFaultSentence(): (fault: Fault) => string {
  const t = useTranslations("identity.fault");
  return ({ code, more }) => {
    const key = same[code] ?? known.find((one) => one === code);
    if (key) return t(key);
    return typeof more.errorId === "string" ? t("FAULT_ID", { id: more.errorId }) : t("FAULT");
  };
}

/** Seconds until the turn of a try that stands in a row, which the browser asks for by itself; null: it stands in none. */
export const rowOf = (fault: Fault | null): { askAgainS: number; leftS: number } | null =>
  fault?.code === "WAIT" && typeof fault.more.waitS === "number" && typeof fault.more.leftS === "number"
    ? { askAgainS: fault.more.waitS, leftS: fault.more.leftS }
    : null;

/** Seconds that the server asks to wait; null: it does not. */
export const waitOf = (fault: Fault | null): number | null => (fault?.code === "WAIT" && typeof fault.more.waitS === "number" ? fault.more.waitS : null);
