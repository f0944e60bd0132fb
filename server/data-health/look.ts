/** What all viewers of Data health see of letters, unknown values and sources: each read once for all of them. */
import { db } from "#/server/db.ts";
import { onWaking } from "#/server/live.ts";
import { type LetterCount, type LetterGroup, type LetterStatus, type LettersDropped, letterCounts, letterGroups, lettersDropped } from "./letter-queries.ts";
import { gapSums } from "./queries.ts";
import { Snapshot } from "./snapshot.ts";
import { type Source, sourcesAt, sumsBySource } from "./sources.ts";
import { type Unknown, unknownSignals } from "./unknown.ts";

/** at: when it was read, ms since 1970. */
export type LettersLook = {
  at: number;
  groups: LetterGroup[];
  counts: LetterCount[];
  dropped: LettersDropped;
  /** Groups beside these, which came longer ago. */
  more: number;
};
export type UnknownLook = Unknown & { at: number };
export type SourcesLook = { at: number; sources: Source[] };

type Looks = {
  letters: Map<LetterStatus, Snapshot<LettersLook>>;
  unknown: Snapshot<UnknownLook>;
  sources: Snapshot<SourcesLook>;
  gaps: Snapshot<Awaited<ReturnType<typeof readGaps>>>;
  isListening: boolean;
};

/** Screens ask when they are told of a change, at most once a second each, and every 5 s. */
const freshForMs = 1_000;
/** Nobody tells of sources: they are asked for every 5 s. */
const sourcesFreshForMs = 4_000;
/** A day's gaps cost a hundred times what the rest of a source does, and change by the minute. */
const gapsFreshForMs = 60_000;

// Next bundles routes apart: without globalThis each would read for itself.
const shared = globalThis as typeof globalThis & { taktHealth?: Looks };
shared.taktHealth ??= {
  letters: new Map(),
  unknown: new Snapshot(readUnknown, { freshForMs }),
  sources: new Snapshot(readSources, { freshForMs: sourcesFreshForMs }),
  gaps: new Snapshot(readGaps, { freshForMs: gapsFreshForMs }),
  isListening: false,
};
const looks = shared.taktHealth;

/** Letters of a status by reason and topic, and how many there are of each status. */
export function lookAtLetters(status: LetterStatus): Promise<LettersLook> {
  listen();
  const known = looks.letters.get(status) ?? new Snapshot(() => readLetters(status), { freshForMs });
  looks.letters.set(status, known);
  return known.get();
}

/** Values that lead to no signal, and the machines and signals that they can be mapped to. */
export function lookAtUnknown(): Promise<UnknownLook> {
  listen();
  return looks.unknown.get();
}

/** Every source in use, with its gaps of the last 24 h as they were at most a minute ago. */
export const lookAtSources = (): Promise<SourcesLook> => looks.sources.get();

/** This process changed letters or the plant: who looks next sees it. */
export function forgetLetters(): void {
  for (const letters of looks.letters.values()) letters.forget();
  looks.unknown.forget();
}

function listen(): void {
  if (looks.isListening) return;
  looks.isListening = true;
  onWaking(({ type }) => {
    if (type !== "dead_letters" && type !== "plant" && type !== "reread") return;
    for (const letters of looks.letters.values()) letters.grewOld();
    looks.unknown.grewOld();
  });
}

async function readLetters(status: LetterStatus): Promise<LettersLook> {
  const at = Date.now();
  const [groups, counts, dropped] = await Promise.all([letterGroups(db, status), letterCounts(db), lettersDropped(db)]);
  const total = counts.find((count) => count.status === status)?.groups ?? 0;
  return { at, groups, counts, dropped, more: Math.max(0, total - groups.length) };
}

async function readUnknown(): Promise<UnknownLook> {
  const at = Date.now();
  return { at, ...(await unknownSignals(db)) };
}

async function readSources(): Promise<SourcesLook> {
  const gaps = await looks.gaps.get().catch((error: Error) => {
    looks.gaps.forget(); // what failed is tried again with the next reading, not a minute later
    throw error;
  });
  const at = new Date();
  return { at: at.getTime(), sources: await sourcesAt(db, at, gaps) };
}

async function readGaps() {
  return sumsBySource(await gapSums(db, new Date()));
}
