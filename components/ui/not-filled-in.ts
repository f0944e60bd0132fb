import type { FieldFault } from "#/server/errors.ts";

/** Said at fields before the server is asked, in the form of its answers. */
export class NotFilledIn extends Error {
  readonly data: { kind: "INVALID"; errorId: null; present: null; fields: FieldFault[] };
  constructor(paths: readonly string[], sentence: string) {
    super(sentence);
    this.data = { kind: "INVALID", errorId: null, present: null, fields: paths.map((path) => ({ path, sentence })) };
  }
}
