/** Where in messages a value and its time may lie: choices for whoever maps them. Pure. */
import { instant } from "#/server/domain/payload.ts";
import { scalarPaths } from "#/server/domain/signal-suggestion.ts";

/** path: as a mapping names it. sample: what lies there now. */
export type PathChoice = { path: string; sample: string };

/** Messages that are looked at: those of one topic are mostly alike. */
const messagesLookedAt = 5;

/** payloads: newest first; null: no text. What is no JSON, or cut off, holds nothing to choose. The whole message needs no path and is not among them. */
export function pathChoices(payloads: readonly (string | null)[]): { values: PathChoice[]; times: PathChoice[] } {
  const values = new Map<string, PathChoice>();
  const times = new Map<string, PathChoice>();
  for (const payload of payloads.slice(0, messagesLookedAt)) {
    const json = jsonIn(payload);
    const own = new Set(scalarPaths(json).map(({ path }) => path));
    for (const { path, value } of scalarPaths(json, { withTimes: true })) {
      if (path === "") continue;
      const choice = { path, sample: String(value) };
      if (own.has(path) && !values.has(path)) values.set(path, choice);
      if (typeof instant(value) === "number" && !times.has(path)) times.set(path, choice);
    }
  }
  return { values: [...values.values()], times: [...times.values()] };
}

function jsonIn(payload: string | null): unknown {
  try {
    return payload === null ? null : JSON.parse(payload);
  } catch {
    return null; // a bare word, or cut off
  }
}

/** A filter for topics like this one: + in the place of the machine where the topic names it, else of the level before the last. */
export function filterLike(topic: string, machine: string | null): string {
  const levels = topic.split("/");
  const key = machine?.split("/").at(-1)?.toLowerCase();
  const named = key === undefined ? -1 : levels.findLastIndex((level) => level.toLowerCase() === key);
  const at = named >= 0 ? named : levels.length - 2;
  return at < 0 ? topic : levels.map((level, i) => (i === at ? "+" : level)).join("/");
}
