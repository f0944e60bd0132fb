/** Who asks, by what the request carries: a token, a person's session, or a display's cookie. In that order; a wrong token is nobody, never somebody else. */
import { displayActor } from "#/server/displays/service.ts";
import { type Actor, nobody } from "#/server/domain/permission.ts";
import { personActor } from "#/server/people/service.ts";
import { tokenActor } from "#/server/tokens/service.ts";
import { addressOf } from "./address.ts";

export type Asking = { actor: Actor; from: { address: string | null; userAgent: string | null } };

const longestUserAgent = 300;

export const fromOf = (headers: Headers): Asking["from"] => ({
  address: addressOf(headers),
  userAgent: headers.get("user-agent")?.slice(0, longestUserAgent) ?? null,
});

/** Each of the three looks at the headers for what is its own and answers null where there is none of it. */
export async function actorOf(headers: Headers): Promise<Asking> {
  const from = fromOf(headers);
  if (headers.get("authorization") !== null) return { actor: (await tokenActor(headers)) ?? nobody, from };
  const person = await personActor(headers);
  if (person) return { actor: person, from: fromTerminal(from, person.terminalId) };
  return { actor: (await displayActor(headers)) ?? nobody, from };
}

/** What is done on a shared terminal is written down with the person and the terminal. */
const fromTerminal = (from: Asking["from"], terminalId: number | null): Asking["from"] =>
  terminalId === null ? from : { ...from, userAgent: `Shared terminal ${terminalId}, ${from.userAgent ?? "unknown browser"}` };
