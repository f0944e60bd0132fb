/** Secrets that Takt gives out, and what it keeps of them. */
import { createHash, createHmac, randomBytes, randomInt } from "node:crypto";
import { hashPassword, verifyPassword } from "better-auth/crypto";
import { identityEnv } from "./env.ts";

/** 256 random bits, as a link or a cookie carries them: 43 letters, digits, - and _. */
export const newSecret = (): string => randomBytes(32).toString("base64url");
export const isSecretShaped = (text: string): boolean => /^[A-Za-z0-9_-]{43}$/.test(text);

/** What is kept of such a secret. It is random, so it needs no salt. Looked up as it is: the time of an index look-up says nothing of the secret behind the hash. */
export const hashOfSecret = (secret: string): Buffer => createHash("sha256").update(secret).digest();

/** A hash that nobody can make or test without the application's secret. purpose: keeps equal texts of different meaning apart. */
export const keyed = (purpose: string, ...texts: readonly string[]): Buffer =>
  createHmac("sha256", identityEnv().AUTH_SECRET)
    .update(JSON.stringify(["takt", purpose, ...texts]))
    .digest();

/** A PIN is short: whoever read its plain hash would find it by trying all. So it is keyed first. */
const pinKey = (personId: string, pin: string): string => keyed("pin", personId, pin).toString("base64");
export const hashOfPin = (personId: string, pin: string): Promise<string> => hashPassword(pinKey(personId, pin));

let nobodysHash: Promise<string> | undefined;

/** Whether it is the PIN. Without a hash it takes as long and is false. */
export async function isPin(hash: string | null, personId: string, pin: string): Promise<boolean> {
  nobodysHash ??= hashPassword(crypto.randomUUID());
  const isRight = await verifyPassword({ hash: hash ?? (await nobodysHash), password: pinKey(personId, pin) });
  return isRight && hash !== null;
}

/** Keys of the sentences in the catalogue `identity.pinFault`. */
export type PinFault = "shape" | "easy";

/** Why this is no PIN; null: it is one. Four to eight digits: fewer are seen over a shoulder at once, more nobody types with gloves. */
export function whyNotPin(pin: string): PinFault | null {
  if (!/^\d{4,8}$/.test(pin)) return "shape";
  const digits = [...pin].map(Number);
  const steps = digits.slice(1).map((digit, n) => digit - (digits[n] ?? 0));
  const isRun = steps.every((step) => step === steps[0] && Math.abs(step) <= 1);
  return isRun || new Set(digits).size < 2 || /^(?:19|20)\d\d$/.test(pin) || /^(\d\d)\1+$/.test(pin) ? "easy" : null;
}

/** A PIN to begin with: six digits that are no easy ones. */
export function newPin(): string {
  for (;;) {
    const pin = String(randomInt(1_000_000)).padStart(6, "0");
    if (whyNotPin(pin) === null) return pin;
  }
}

/** A cookie's value; null where there is none of that name. */
export function cookieOf(headers: Headers, name: string): string | null {
  for (const part of (headers.get("cookie") ?? "").split(";")) {
    const at = part.indexOf("=");
    if (at > 0 && part.slice(0, at).trim() === name) return part.slice(at + 1).trim();
  }
  return null;
}
