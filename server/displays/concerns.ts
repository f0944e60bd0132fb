/**
 * What on the boards of displays people should look at. One watch a line, whoever asks, on the picture that is made for its viewers anyway.
 * A concern that is over is remembered for as long as it may keep a board up.
 */
import type { Picture, Tile } from "#/server/boards/picture-types.ts";
import { watchBoard } from "#/server/boards/watch.ts";
import type { Concern } from "#/server/domain/rotation.ts";
import { Refusal } from "#/server/errors.ts";
import { logFault } from "#/server/log.ts";

/** raise_for_s is at most an hour. */
const rememberMs = 3_600_000;
/** A machine that flaps must not fill the memory. */
const mostRemembered = 50;
/** A display that reconnects finds what was known. */
const lingerMs = 60_000;
const againAfterMs = 5_000;

type Watched = { concerns: Concern[]; isPrimed: boolean; followers: Set<() => void>; end: AbortController; closing: NodeJS.Timeout | undefined };

// Next bundles routes apart: without globalThis each would watch for itself.
const shared = globalThis as typeof globalThis & { taktConcerns?: Map<number, Watched> };
shared.taktConcerns ??= new Map();
const watched = shared.taktConcerns;

/** Calls onChange whenever concerns of one of the lines changed, until the returned function is called. */
export function followConcerns(lineIds: readonly number[], onChange: () => void): () => void {
  const followed = lineIds.map((lineId) => ({ lineId, line: watched.get(lineId) ?? watch(lineId) }));
  for (const { line } of followed) {
    clearTimeout(line.closing);
    line.followers.add(onChange);
  }
  return () => {
    for (const { lineId, line } of followed) {
      line.followers.delete(onChange);
      if (line.followers.size > 0) continue;
      clearTimeout(line.closing);
      line.closing = setTimeout(() => {
        line.end.abort();
        watched.delete(lineId);
      }, lingerMs);
      line.closing.unref();
    }
  };
}

/** As far as this process watches these lines. */
export const knownConcerns = (lineIds: readonly number[]): Concern[] => lineIds.flatMap((lineId) => watched.get(lineId)?.concerns ?? []);

function watch(lineId: number): Watched {
  const line: Watched = { concerns: [], isPrimed: false, followers: new Set(), end: new AbortController(), closing: undefined };
  watched.set(lineId, line);
  void keepWatching(lineId, line);
  return line;
}

async function keepWatching(lineId: number, line: Watched): Promise<void> {
  while (!line.end.signal.aborted) {
    try {
      for await (const [, { picture }] of watchBoard(lineId, null, line.end.signal)) if (picture !== null) take(line, JSON.parse(picture) as Picture);
    } catch (error) {
      if (!(error instanceof Refusal)) logFault(error, `the concerns of line ${lineId} could not be followed`);
      put(line, []); // the line is gone
    }
    if (!line.end.signal.aborted) await new Promise((resolve) => setTimeout(resolve, againAfterMs).unref());
  }
}

function take(line: Watched, picture: Picture): void {
  const next = concernsAfter(line.concerns, picture, line.isPrimed);
  line.isPrimed = true;
  put(line, next);
}

function put(line: Watched, next: Concern[]): void {
  const isSame = JSON.stringify(next) === JSON.stringify(line.concerns);
  line.concerns = next;
  if (!isSame) for (const follower of line.followers) follower();
}

/**
 * The concerns after a picture. isPrimed: pictures came before, so what is new became known now; of the first picture it has been known for as long as it lasts.
 */
export function concernsAfter(before: readonly Concern[], picture: Picture, isPrimed: boolean): Concern[] {
  const open = picture.tiles.flatMap((tile) => {
    const kind = kindOf(tile);
    if (kind === null || tile.sinceAt === null) return [];
    const known = before.find((concern) => concern.clearedAt === null && concern.kind === kind && concern.key.startsWith(`${tile.machineId}:`));
    if (known && (tile.sinceEarlier || tile.sinceAt <= known.sinceAt)) return [known];
    const key = `${tile.machineId}:${kind}:${tile.sinceAt}`;
    return [{ key, lineId: picture.line.id, kind, subject: tile.name, sinceAt: tile.sinceAt, knownAt: isPrimed ? picture.at : tile.sinceAt, clearedAt: null }];
  });
  const over = before
    .filter((concern) => !open.some(({ key }) => key === concern.key))
    .map((concern) => ({ ...concern, clearedAt: concern.clearedAt ?? picture.at }))
    .filter(({ clearedAt }) => clearedAt > picture.at - rememberMs)
    .slice(-mostRemembered);
  return [...over, ...open];
}

const kindOf = (tile: Tile): Concern["kind"] | null => (tile.missing === null && (tile.kind === "down" || tile.kind === "unknown") ? tile.kind : null);
