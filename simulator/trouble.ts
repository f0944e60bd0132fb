/** Expected trouble (a wrong option, no broker, a file that cannot be read): the message is a sentence that says what to do. */
export class Trouble extends Error {
  override name = "Trouble";
}

export const messageOf = (error: unknown): string => {
  if (error instanceof AggregateError && error.errors.length > 0) return error.errors.map(messageOf).join("; ");
  return error instanceof Error ? error.message : String(error);
};
