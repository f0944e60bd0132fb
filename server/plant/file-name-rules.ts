/** Keys and names of one list that an eye cannot tell apart. */
import { isLookAlike, readingOf } from "#/server/domain/naming.ts";
import type { Broken, Path } from "./file-rules.ts";

type Named = { key: string; name?: string | undefined };

/**
 * Keys differ by more than capitals: addresses on screen, file names and some programs do not tell these apart. Names that read the same are written the same.
 * word: what the entries are called. entries: all of one list, in which path lies.
 */
export function brokenLookAlikes(word: string, entries: readonly Named[], path: Path): Broken[] {
  const broken: Broken[] = [];
  const keys = new Map<string, { key: string; path: Path }>();
  const names = new Map<string, { name: string; path: Path }>();
  for (const [i, { key, name }] of entries.entries()) {
    const other = keys.get(key.toLowerCase());
    if (other === undefined) keys.set(key.toLowerCase(), { key, path: [...path, i, "key"] });
    else if (other.key !== key) {
      const sentence = `the ${word}s "${other.key}" and "${key}" differ by capitals alone; choose another key`;
      broken.push({ path: [...path, i, "key"], other: other.path, sentence });
    }
    if (name === undefined) continue;
    const same = names.get(readingOf(name));
    if (same === undefined) names.set(readingOf(name), { name, path: [...path, i, "name"] });
    else if (isLookAlike(name, same.name)) {
      const sentence = `the name "${name}" reads as that of another ${word} and is written with other letters; type it anew, or choose another name`;
      broken.push({ path: [...path, i, "name"], other: same.path, sentence });
    }
  }
  return broken;
}
