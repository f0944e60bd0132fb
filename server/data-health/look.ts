/** What viewers of Data health see of letters, unknown values and sources: each read once for all of them, and cut down to where each of them may. */
import { db } from "#/server/db.ts";
import type { Scope } from "#/server/domain/permission.ts";
import { onWaking } from "#/server/live.ts";
import { isInSites } from "#/server/scope.ts";
import {
  type LetterCount,
  type LetterGroup,
  type LetterSearch,
  type LetterStatus,
  type LettersDropped,
  letterCounts,
  letterGroups,
  lettersDropped,
  mostGroups,
  statuses,
} from "./letter-queries.ts";
import { gapSums } from "./queries.ts";
import { Snapshot } from "./snapshot.ts";
import { type Source, sourcesAt, sumsBySource } from "./sources.ts";
import { type AllUnknown, type Unknown, unknownIn, unknownSignals } from "./unknown.ts";

/** at: when it was read, ms since 1970. */
export type LettersLook = {
  at: number;
  groups: LetterGroup[];
  counts: Omit<LetterCount, "siteId">[];
  /** Where it is of the whole plant, for who may see all of it. */
  dropped: LettersDropped;
  /** Groups beside these, which came longer ago. */
  more: number;
};
export type UnknownLook = Unknown & { at: number };
export type SourcesLook = { at: number; sources: Source[] };

type AllLetters = { at: number; groups: LetterGroup[]; counts: LetterCount[]; dropped: LettersDropped };
type Looks = {
  letters: Map<LetterStatus, Snapshot<AllLetters>>;
  unknown: Snapshot<AllUnknown & { at: number }>;
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

/** Those that are looked for, also where they came so long ago that the list of all does not reach them. */
export async function findLetters(status: LetterStatus, search: LetterSearch, scope: Scope): Promise<{ at: number; groups: LetterGroup[] }> {
  const at = Date.now();
  const found = await letterGroups(db, status, search);
  return { at, groups: found.filter(({ siteId }) => isInSites(scope, siteId)).slice(0, mostGroups) };
}

const noneDropped: LettersDropped = { letters: 0, droppedAt: null };

/** Letters of a status by reason and topic where the actor may, and how many there are of each status. */
export async function lookAtLetters(status: LetterStatus, scope: Scope): Promise<LettersLook> {
  listen();
  const known = looks.letters.get(status) ?? new Snapshot(() => readLetters(status), { freshForMs });
  looks.letters.set(status, known);
  return lettersIn(await known.get(), status, scope);
}

function lettersIn({ at, groups: all, counts: bySite, dropped }: AllLetters, status: LetterStatus, scope: Scope): LettersLook {
  const isOurs = ({ siteId }: { siteId: number | null }) => isInSites(scope, siteId);
  const groups = all.filter(isOurs).slice(0, mostGroups);
  const sums = bySite.filter(isOurs);
  const counts = statuses.map((each) => {
    const of = sums.filter((sum) => sum.status === each);
    return { status: each, letters: of.reduce((n, { letters }) => n + letters, 0), groups: of.reduce((n, sum) => n + sum.groups, 0) };
  });
  const total = counts.find((count) => count.status === status)?.groups ?? 0;
  return { at, groups, counts, dropped: isInSites(scope, null) ? dropped : noneDropped, more: Math.max(0, total - groups.length) };
}

/** Values that lead to no signal, and the machines and signals that they can be mapped to, where the actor may. */
export async function lookAtUnknown(scope: Scope): Promise<UnknownLook> {
  listen();
  const all = await looks.unknown.get();
  return { at: all.at, ...unknownIn(all, scope) };
}

/** Every source in use where the actor may, with its gaps of the last 24 h as they were at most a minute ago. */
export async function lookAtSources(scope: Scope): Promise<SourcesLook> {
  const { at, sources } = await looks.sources.get();
  return { at, sources: sources.filter(({ siteId }) => isInSites(scope, siteId)) };
}

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

async function readLetters(status: LetterStatus): Promise<AllLetters> {
  const at = Date.now();
  const [groups, counts, dropped] = await Promise.all([letterGroups(db, status), letterCounts(db), lettersDropped(db)]);
  return { at, groups, counts, dropped };
}

async function readUnknown(): Promise<AllUnknown & { at: number }> {
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
