/** What people said of stops, in the order in which they said it. Rules in intervals.ts; ledger 7. Whether they may is decided where it is entered. */

import type { Part } from "./calendar.ts";
import type { IntervalKind, LossClass } from "./state.ts";
import { overlay } from "./windows.ts";

/** Stops are named by an instant in them, never by an id that is derived. Instants: ms since 1970. */
export type StopEdit = { id: string } & (
  | { kind: "reclassify"; at: number; reason: string | null }
  /** at: where the second part begins. */
  | { kind: "split"; at: number }
  /** Of the stops at `from` and at `to`, and all that lies between, one. */
  | { kind: "merge"; from: number; to: number }
  /** The stop at `at` lasted from `from` to `to`; the rest of it was run. */
  | { kind: "trim"; at: number; from: number; to: number }
  | { kind: "add"; from: number; to: number; reason: string | null }
  /** It was none. */
  | { kind: "false_stop"; at: number }
  | { kind: "undo"; edit: string }
);

type Piece = Part<IntervalKind>;

/** What a stop is by its reason. null: as it is found. */
export const kindOfLoss: Readonly<Record<LossClass, IntervalKind | null>> = {
  breakdown: "down",
  other: "down",
  quality: "down",
  changeover: "changeover",
  minor_stop: "micro_stop",
  planned: "planned_stop",
  external: "starved", // unless it is blocked or starved already
};

/** Not theirs to say: the calendar's time. */
const isCalendars = ({ kind, isSet }: Piece) => kind === "not_scheduled" || (kind === "planned_stop" && !isSet);
const isExternal = (kind: IntervalKind) => kind === "blocked" || kind === "starved";
const isOwn = (piece: Piece) => piece.stopFrom !== null && !isCalendars(piece);

/** lossOf: the class of a reason; one that is no longer known counts as a breakdown does, `down`. */
export function applyEdits(parts: readonly Piece[], edits: readonly StopEdit[], lossOf: (reason: string) => LossClass | null): Piece[] {
  return effective(edits).reduce<Piece[]>((before, edit) => apply(before, edit, lossOf), [...parts]);
}

/** Those that no later edit took back. An undo can be undone. */
export function effective(edits: readonly StopEdit[]): StopEdit[] {
  const gone = new Set<string>();
  const kept = edits.toReversed().filter((edit) => {
    if (gone.has(edit.id)) return false;
    if (edit.kind === "undo") gone.add(edit.edit);
    return edit.kind !== "undo";
  });
  return kept.reverse();
}

function apply(parts: Piece[], edit: StopEdit, lossOf: (reason: string) => LossClass | null): Piece[] {
  switch (edit.kind) {
    case "reclassify": {
      const stop = stopAt(parts, edit.at);
      return ofStop(parts, stop, (piece) => named(piece, edit.reason, lossOf));
    }
    case "split": {
      const stop = stopAt(parts, edit.at);
      if (stop === null || stop === edit.at) return parts;
      const cut = overlay(parts, [{ from: edit.at, to: Number.POSITIVE_INFINITY }], (piece) => piece);
      return cut.map((piece) => (piece.stopFrom === stop && piece.from >= edit.at ? { ...piece, stopFrom: edit.at } : piece));
    }
    case "merge": {
      const [first, last] = [stopAt(parts, edit.from), stopAt(parts, edit.to)];
      const model = parts.find((piece) => piece.stopFrom === first && isOwn(piece));
      if (first === null || last === null || !model) return parts;
      const to = Math.max(...parts.filter((piece) => piece.stopFrom === last && isOwn(piece)).map((piece) => piece.to));
      const { kind, reason, isSet, changeAt } = model;
      return parts.map((piece) => {
        if (piece.from < first || piece.to > to) return piece;
        if (isCalendars(piece) || piece.kind === "unknown") return { ...piece, stopFrom: first };
        return { ...piece, kind, reason, isSet, changeAt, stopFrom: first };
      });
    }
    case "trim": {
      const stop = stopAt(parts, edit.at);
      const cut = overlay(parts, [{ from: edit.from, to: edit.to }], (piece) => piece);
      const isIn = (piece: Piece) => piece.from >= edit.from && piece.to <= edit.to;
      const first = cut.find((piece) => piece.stopFrom === stop && isOwn(piece) && isIn(piece))?.from ?? null;
      return ofStop(cut, stop, (piece) => (isIn(piece) ? { ...piece, stopFrom: first } : asRun(piece)));
    }
    case "add": {
      const cut = overlay(parts, [{ from: edit.from, to: edit.to }], (piece) => piece);
      const isIn = (piece: Piece) => piece.from >= edit.from && piece.to <= edit.to && !isCalendars(piece);
      const first = cut.find(isIn)?.from ?? null;
      return cut.map((piece) => (isIn(piece) ? named({ ...piece, kind: "down", stopFrom: first, changeAt: null }, edit.reason, lossOf) : piece));
    }
    case "false_stop":
      return ofStop(parts, stopAt(parts, edit.at), asRun);
    case "undo":
      return parts;
  }
}

const asRun = (piece: Piece): Piece => ({ ...piece, kind: "run", stopFrom: null, reason: null, isSet: true, changeAt: null });

function named(piece: Piece, reason: string | null, lossOf: (reason: string) => LossClass | null): Piece {
  if (reason === null) return { ...piece, reason: null };
  const kind = kindOfLoss[lossOf(reason) ?? "other"] ?? piece.kind;
  return { ...piece, reason, kind: kind === "starved" && isExternal(piece.kind) ? piece.kind : kind, isSet: true };
}

/** Start of the stop in which the instant lies; null: in none. */
function stopAt(parts: readonly Piece[], at: number): number | null {
  return parts.find((piece) => piece.from <= at && at < piece.to && isOwn(piece))?.stopFrom ?? null;
}

const ofStop = (parts: readonly Piece[], stop: number | null, change: (piece: Piece) => Piece): Piece[] =>
  stop === null ? [...parts] : parts.map((piece) => (piece.stopFrom === stop && isOwn(piece) ? change(piece) : piece));
