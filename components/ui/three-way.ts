/** What two people made of the same fields, beside what both began with. */

type Values = Readonly<Record<string, unknown>>;

export type ThreeWay = {
  /** Fields that both changed, and not to the same. */
  both: string[];
  /** Fields that only the other changed. */
  theirs: string[];
  /** Fields that only this person changed. */
  mine: string[];
};

/** Fields of one form, sorted by who changed them. What neither changed, or both to the same, is in none of the lists. Of what `theirs` lacks, nothing was changed. */
export function threeWay(base: Values, theirs: Values, mine: Values): ThreeWay {
  const sorted: ThreeWay = { both: [], theirs: [], mine: [] };
  for (const path of Object.keys(mine)) {
    const [isTheirs, isMine] = [path in theirs && !isSame(base[path], theirs[path]), !isSame(base[path], mine[path])];
    if (isTheirs && isMine) {
      if (!isSame(theirs[path], mine[path])) sorted.both.push(path);
    } else if (isTheirs) sorted.theirs.push(path);
    else if (isMine) sorted.mine.push(path);
  }
  return sorted;
}

/** What is stored now, with this person's own changes on top: what only the other changed stays theirs. */
export function merged<Whole extends Values>(base: Whole, theirs: Whole, mine: Whole): Whole {
  const { theirs: only } = threeWay(base, theirs, mine);
  return { ...mine, ...Object.fromEntries(only.map((path) => [path, theirs[path]])) };
}

/** Whether two values say the same, however the form or the server wrote them. */
export const isSame = (a: unknown, b: unknown): boolean => JSON.stringify(meant(a)) === JSON.stringify(meant(b));

/** rowKey: the form's own name for a row, made anew each time. Nothing is written as '' or null; a number as 60 or '60'; the order of an object's parts says nothing. */
function meant(value: unknown): unknown {
  if (value === null || value === undefined) return "";
  if (typeof value === "number") return String(value);
  if (typeof value === "string") return value.trim();
  if (Array.isArray(value)) return value.map(meant);
  if (typeof value !== "object") return value;
  return Object.entries(value)
    .filter(([name, part]) => name !== "rowKey" && part !== undefined)
    .map(([name, part]): [string, unknown] => [name, meant(part)])
    .filter(([, part]) => part !== "")
    .sort(([a], [b]) => (a < b ? -1 : 1));
}
