/** What a board shows: made once for all who look at it. Instants are ms since 1970; null: not known. */

import type { Interval } from "#/server/domain/intervals.ts";

/** Kinds of time as a board shows them: those of the ledger. */
export type ShownKind = Interval["kind"];

/** A stretch of a machine's time in the strip: kind, from, to. */
export type StripPart = [kind: ShownKind, from: number, to: number];

export type Tile = {
  machineId: number;
  key: string;
  name: string;
  kind: ShownKind;
  sinceAt: number | null;
  /** It began before the board's window: sinceAt is not its beginning. */
  sinceEarlier: boolean;
  /** Of a stop, what the machine or a person said of it. */
  reason: string | null;
  /** The neighbour that keeps it blocked or starved, where it is on this board. */
  waitsFor: string | null;
  /** It runs though nothing is scheduled. */
  running: boolean;
  /** Unknown because a source of it said that it went offline, though values still come from there. */
  saidOffline: boolean;
  /** The machine's own word for its state (PackML), where it says one. */
  stateName: string | null;
  /** A value came that no map knows. */
  stateUnknown: boolean;
  /** Why there is nothing to show; null where there is. */
  missing: "no_signals" | "never_sent" | null;
  piecesHour: number | null;
  piecesShift: number | null;
  rejectsShift: number | null;
  expectedShift: number | null;
  lastCycleS: number | null;
  idealCycleS: number | null;
  product: string | null;
  dataAt: number | null;
  /** The addresses of the sources behind the machine. */
  sources: string[];
  strip: StripPart[];
};

/** A clock hour of the shift. made: null where it has not begun, or where nobody watched it. expected: in all of it; due: of that by now, null where `made` is. */
export type HourCell = { from: number; to: number; made: number | null; expected: number | null; due: number | null };

export type Picture = {
  at: number;
  line: { id: number; name: string; siteName: string; areaName: string; zone: string; address: string };
  shift: { name: string; from: number; to: number } | null;
  nextShift: { name: string; from: number } | null;
  /** What strips and "this shift" cover: the shift, or where none is in force the hours before now. */
  window: { from: number; to: number };
  /**
   * Pieces of the line in the window. of: the machine that they are counted at; null: the sum of all machines.
   * withoutCycle: the machines whose missing ideal cycle leaves `expected` null.
   */
  output: { made: number | null; expected: number | null; planned: number | null; perHour: number | null; of: string | null; withoutCycle: string[] };
  hours: HourCell[];
  tiles: Tile[];
};

/**
 * Something that a board hangs on is away. sinceAt null: nobody has ever seen it. worker: the one that reads the line; reader: there is none;
 * subscriptions: the broker refuses them.
 */
export type Trouble = { part: "database" | "worker" | "reader" | "broker" | "subscriptions" | "server"; sinceAt: number | null };

/** One message of the live stream. picture: a Picture as JSON, made once for all viewers; null where the last one still holds. */
export type BoardEvent = { at: number; build: string; trouble: Trouble | null; picture: string | null };
