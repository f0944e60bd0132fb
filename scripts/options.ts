import { Trouble } from "./trouble.ts";

/** A port as given on the command line or in the environment. */
export function portOf(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65535) throw new Trouble(`"${text}" is no port; give a number from 1 to 65535.`);
  return port;
}
