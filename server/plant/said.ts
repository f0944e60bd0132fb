/** What a change of the plant would do, and what is wrong with a table, in the language of who asks. */
import type { Say } from "#/server/sentences.ts";
import type { ImportPreview } from "./import.ts";

export const previewIn = (say: Say, preview: ImportPreview): ImportPreview => ({
  ...preview,
  faults: preview.faults.map((fault) => ({ ...fault, sentence: say(fault.sentence) })),
  lines: preview.lines.map(say),
  summary: listIn(say, preview.summary),
});

/** The lines of what a change does (did). */
export const linesIn = <Answer extends { lines: string[] }>(say: Say, answer: Answer): Answer => ({ ...answer, lines: answer.lines.map(say) });

const listIn = (say: Say, list: string): string => list.split(", ").map(say).join(", ");
