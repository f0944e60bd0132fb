/** Names of people, and what they sign in with. Pure. */
import { z } from "zod";
import { nameField } from "#/server/domain/naming.ts";

/** Names as people have them: of any script, in one line, with something to see in it, and nothing that turns the writing of what stands beside it. */
export const personName = nameField(100, "The person needs a name.").refine(
  (name) => name === "" || /[\p{L}\p{N}]/u.test(name),
  "A name has at least one letter.",
);

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
