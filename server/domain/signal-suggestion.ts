/** What an unknown value probably is: which known signal its name means, or what a new signal for it would be. Suggestions only; a person decides. */

export type KnownSignal = { id: number; key: string; machineId: number; machinePath: string };

/** At most one signal of these roles makes sense: a machine is in one state, at one job, on one product. */
export const loneRoles: ReadonlySet<string> = new Set(["state", "job", "product"]);
/** No signal can have this key: in a message with many values it is the time. */
export const timeKey = "ts";

const plain = (name: string) => name.toLowerCase().replace(/[^a-z0-9]/g, "");

/** Likeness of two names, 0 to 1: pairs of neighbouring letters that both have (Sørensen-Dice). */
export function likeness(a: string, b: string): number {
  const [x, y] = [plain(a), plain(b)];
  if (x === "" || y === "") return 0;
  if (x === y) return 1;
  const pairs = (name: string) => Array.from({ length: Math.max(0, name.length - 1) }, (_, i) => name.slice(i, i + 2));
  const left = pairs(x);
  const right = pairs(y);
  if (left.length + right.length === 0) return 0;
  let common = 0;
  const rest = [...right];
  for (const pair of left) {
    const at = rest.indexOf(pair);
    if (at >= 0) {
      common += 1;
      rest.splice(at, 1);
    }
  }
  const dice = (2 * common) / (left.length + right.length);
  // "temp" of "temperature": one begins with the other
  return x.startsWith(y) || y.startsWith(x) ? Math.max(dice, 0.7) : dice;
}

/** Below this two names have nothing to do with each other. */
const leastLikeness = 0.5;

const wordsOf = (place: string): Set<string> => new Set(place.split(/[/.: ]+/).map(plain));

/** Signals by the key of their machine. Every machine has a "good": only one of a machine that the place names is ever suggested. */
export class SignalsByMachine {
  private readonly byMachine: ReadonlyMap<string, KnownSignal[]>;

  constructor(known: readonly KnownSignal[]) {
    this.byMachine = Map.groupBy(known, ({ machinePath }) => plain(machinePath.split("/").at(-1) ?? ""));
  }

  /** Those of machines whose key is one of the words. */
  of(words: Iterable<string>): KnownSignal[] {
    return [...words].flatMap((word) => (word === "" ? [] : (this.byMachine.get(word) ?? [])));
  }
}

/** Longer names are compared by their beginning: they come from outside. */
const mostLetters = 64;

/**
 * The known signal that an unknown name most probably means; null where none is like it, or where the place names no machine.
 * `place`: what else is known of where it came from (the topic): of several machines of one key the one whose line, area or site is named comes first.
 */
export function suggestSignal(name: string, place: string, known: SignalsByMachine): KnownSignal | null {
  const words = wordsOf(place);
  let best: KnownSignal | null = null;
  let bestScore = 0;
  for (const signal of known.of(words)) {
    const like = likeness(name.slice(0, mostLetters), signal.key);
    if (like < leastLikeness) continue;
    const score = like + placeShare(words, signal.machinePath);
    if (score > bestScore) [best, bestScore] = [signal, score];
  }
  return best;
}

/** How much of site, area and line the place names beside the machine. 0 to 0.4: less than a name that is the same is better than one that is only like it. */
function placeShare(words: ReadonlySet<string>, machinePath: string): number {
  const levels = machinePath.split("/").slice(0, -1).map(plain);
  return (0.4 * levels.filter((level) => words.has(level)).length) / Math.max(1, levels.length);
}

export type Role = "state" | "good_count" | "reject_count" | "rework_count" | "total_count" | "fault_code" | "job" | "product" | "measurement" | "energy";

const roleWords: readonly [RegExp, Role, string][] = [
  [/rework/, "rework_count", "1"],
  [/reject|scrap|nok|bad|ausschuss/, "reject_count", "1"],
  [/good|^ok|okcount|gut/, "good_count", "1"],
  [/total|count|pieces|parts|stueck|zaehler/, "total_count", "1"],
  [/fault|alarm|error|stoer/, "fault_code", ""],
  [/state|status|mode|zustand/, "state", ""],
  [/job|order|auftrag/, "job", ""],
  [/product|article|sku|material|artikel/, "product", ""],
  [/energy|kwh|energie/, "energy", "kWh"],
  [/temp/, "measurement", "Cel"],
  [/press|druck/, "measurement", "bar"],
  [/vibration/, "measurement", "mm/s"],
  [/power|leistung/, "measurement", "kW"],
  [/speed|rpm|drehzahl/, "measurement", "1/min"],
  [/current|strom/, "measurement", "A"],
  [/volt|spannung/, "measurement", "V"],
];

/** Role and unit that a name and a value point to. A text is never a number's role. */
export function suggestRole(name: string, value: unknown): { role: Role; unit: string } {
  const word = plain(name);
  for (const [pattern, role, unit] of roleWords) {
    if (!pattern.test(word)) continue;
    const needsNumber = role.endsWith("_count") || role === "measurement" || role === "energy";
    if (needsNumber && typeof value === "string") continue;
    return { role, unit };
  }
  return { role: typeof value === "string" ? "state" : "measurement", unit: "" };
}

/** A plant key out of any name: letters, digits, '.', '_' and '-', beginning with a letter or digit. */
export function keyOf(name: string): string {
  const key = name
    .normalize("NFKD")
    .replace(/[^A-Za-z0-9._-]+/g, "_")
    .replace(/^[^A-Za-z0-9]+/, "")
    .replace(/_+$/, "")
    .slice(0, 64);
  return key === "" ? "signal" : key;
}

/** Names of keys that say nothing of the value beneath them. */
const namesNothing = /^(\d*|value|val|v|wert)$/i;

/** What a value is called where it comes from: by the last step of its path that says something, else its metric, else the last level of its topic. */
export const valueName = (topic: string, metric: string | null, path: string): string =>
  path.split(".").findLast((step) => !namesNothing.test(step)) ?? metric ?? topic.split("/").at(-1) ?? "";

export type ScalarPath = { path: string; value: string | number | boolean | null };

/** Where single values lie in a payload: 'a.b.0.c', '' the whole; at most a hundred, time stamps left out unless asked for. A key with a dot in it cannot be named by a path. */
export function scalarPaths(json: unknown, { withTimes = false }: { withTimes?: boolean } = {}): ScalarPath[] {
  const most = 100;
  const found: ScalarPath[] = [];
  const visit = (value: unknown, path: string, depth: number) => {
    if (found.length >= most || depth > 8) return;
    if (value === null || typeof value !== "object") {
      if (value === null || typeof value === "string" || typeof value === "number" || typeof value === "boolean") found.push({ path, value });
      return;
    }
    for (const [key, inner] of Object.entries(value)) {
      if (key.includes(".") || (!withTimes && /^(ts|time|timestamp)$/i.test(key))) continue;
      visit(inner, path === "" ? key : `${path}.${key}`, depth + 1);
    }
  };
  visit(json, "", 0);
  return found;
}

/** Machines by what topics call them. path: site/area/line/machine. */
export class MachinesByName<Machine extends { path: string }> {
  private readonly byPath: ReadonlyMap<string, Machine>;
  private readonly byKey: ReadonlyMap<string, Machine[]>;

  constructor(machines: readonly Machine[]) {
    this.byPath = new Map(machines.map((machine) => [machine.path, machine]));
    this.byKey = Map.groupBy(machines, ({ path }) => path.slice(path.lastIndexOf("/") + 1).toLowerCase());
  }

  /** The one below whose topic (takt/v1/...) this one lies, or the only one whose key the topic names. */
  of(topic: string): Machine | null {
    const exact = topic.startsWith("takt/v1/") ? this.byPath.get(topic.split("/").slice(2, 6).join("/")) : undefined;
    if (exact) return exact;
    const words = new Set(topic.toLowerCase().split(/[/.: ]+/));
    const named = [...words].flatMap((word) => this.byKey.get(word) ?? []);
    if (named.length <= 1) return named[0] ?? null;
    // Of several of one key, the one whose line, area or site is named, too.
    const score = (machine: Machine) =>
      machine.path
        .toLowerCase()
        .split("/")
        .filter((level) => words.has(level)).length;
    const best = Math.max(...named.map(score));
    const nearest = named.filter((machine) => score(machine) === best);
    return nearest.length === 1 ? (nearest[0] ?? null) : null;
  }
}
