/** What workers wrote down in words, in the language of who looks at it. */
import type { Say } from "#/server/sentences.ts";

type WithReason = { reason: string | null };

export const reasonsIn = <Row extends WithReason>(say: Say, rows: readonly Row[]): Row[] =>
  rows.map((row) => (row.reason === null ? row : { ...row, reason: say(row.reason) }));

/** Of an event: several remarks with a comma between them, or values as JSON, which the screen has words for. */
export const detailsIn = <Row extends { detail: string }>(say: Say, rows: readonly Row[]): Row[] =>
  rows.map((row) => (row.detail.startsWith("{") ? row : { ...row, detail: row.detail.split(", ").map(say).join(", ") }));
