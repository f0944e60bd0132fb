/** The fields of one signal, checked by themselves: for what is shown before it has a place in the plant. */
import type { FieldFault } from "#/server/errors.ts";
import { asSentence, formSentence } from "./edit-faults.ts";
import { laidOver } from "./edit-fields.ts";
import type { GivenFields } from "./edit-types.ts";
import { entryShapes, type SignalEntry } from "./file.ts";
import { brokenFields } from "./file-signal-rules.ts";

/** entry is null where faults are not empty. The key may be missing. */
export function whySignalIsWrong(fields: GivenFields): { entry: SignalEntry | null; faults: FieldFault[] } {
  const read = entryShapes.signal.safeParse({ ...laidOver({}, fields), key: "signal", mapping: [] }, { error: formSentence });
  if (!read.success)
    return {
      entry: null,
      faults: read.error.issues.map(({ path, message }) => ({
        path: path.join("."),
        sentence: asSentence(message === "is missing" ? "this is needed" : message),
      })),
    };
  const faults = brokenFields(read.data, []).map(({ path, sentence }) => ({ path: path.join("."), sentence: asSentence(sentence) }));
  return { entry: faults.length === 0 ? read.data : null, faults };
}
