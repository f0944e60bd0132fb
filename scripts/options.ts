/** Words of the command line, checked. */
import { messageOf, Trouble } from "./trouble.ts";

/** A port as given on the command line or in the environment. */
export function portOf(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65535) throw new Trouble(`"${text}" is no port; give a number from 1 to 65535.`);
  return port;
}

/** What `read` makes of the options; where it cannot, a sentence and how it is used. */
export function orUsage<T>(usage: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new Trouble(`${messageOf(error).split(". ")[0]?.replace(/\.$/, "")}. ${usage}`);
  }
}
