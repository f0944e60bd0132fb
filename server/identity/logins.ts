/** Names of people, and what they sign in with. Pure. */
import { z } from "zod";

/** Names as people have them: of any script, in one line, with something to see in it, and nothing that turns the writing of what stands beside it. */
export const personName = z
  .string()
  .transform((text) => text.normalize("NFC").replace(/\s+/g, " ").trim())
  .refine((text) => text.length > 0 && text.length <= 100 && /[\p{L}\p{N}]/u.test(text) && !/[\p{Cc}\p{Cn}\u202a-\u202e\u2066-\u2069]/u.test(text));

export const usernameShape = /^[a-z0-9][a-z0-9._-]{1,39}$/;

const longestLogin = 254;

/** As logins are kept: in lower case, and what looks the same is the same. null: nobody can have this one. */
export function normalLogin(typed: string): string | null {
  const login = typed.normalize("NFKC").trim().toLowerCase();
  return login === "" || login.length > longestLogin ? null : login;
}

export type Logins = { email: string | null; username: string | null };

/** An address where there is an @ in it, else a user name; null: it is neither. */
export function readLogin(typed: string): Logins | null {
  const login = normalLogin(typed);
  if (login === null) return null;
  if (login.includes("@")) return z.email().safeParse(login).success ? { email: login, username: null } : null;
  return usernameShape.test(login) ? { email: null, username: login } : null;
}
