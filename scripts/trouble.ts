/** Expected trouble (no network, port in use, disk full): the message is one sentence that says what is wrong and what to do. */
export class Trouble extends Error {
  override name = "Trouble";
}

/** Ends a command: expected trouble as its one sentence, everything else with its stack. */
export function failWith(error: unknown): never {
  console.error(error instanceof Trouble ? `takt: ${error.message}` : error);
  process.exit(1);
}

/** The text of an error, whatever was thrown. */
export const messageOf = (error: unknown): string => {
  if (error instanceof AggregateError && error.errors.length > 0) return error.errors.map(messageOf).join("; ");
  return error instanceof Error ? error.message : String(error);
};
