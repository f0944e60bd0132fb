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

/**
 * The known signal that an unknown name most probably means; null where none is like it.
 * `place`: what else is known of where it came from (the topic): a machine that is named in it comes first.
 */
export function suggestSignal(name: string, place: string, known: readonly KnownSignal[]): KnownSignal | null {
  let best: KnownSignal | null = null;
  let bestScore = 0;
  for (const signal of known) {
    const like = likeness(name, signal.key);
    if (like < leastLikeness) continue;
    const near = placeScore(place, signal.machinePath);
    // Every machine has a "good": where the place does not name this one, pressing the suggestion would mix the counts of two.
    if (near >= machineShare && like + near > bestScore) [best, bestScore] = [signal, like + near];
  }
  return best;
}

/** Of the place's score: the machine itself. */
const machineShare = 0.6;

/** How much of site/area/line/machine the place names: the machine counts most. 0 to 1. */
function placeScore(place: string, machinePath: string): number {
  const words = place.split(/[/.: ]+/).map(plain);
  const levels = machinePath.split("/").map(plain);
  const machine = levels.at(-1) ?? "";
  const above = levels.slice(0, -1).filter((level) => words.includes(level)).length;
  return (words.includes(machine) ? machineShare : 0) + (above / Math.max(1, levels.length - 1)) * (1 - machineShare);
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

export type ScalarPath = { path: string; value: string | number | boolean | null };

/** Where single values lie in a payload: 'a.b.0.c', '' the whole; at most `most`, time stamps left out. A key with a dot in it cannot be named by a path. */
export function scalarPaths(json: unknown, most = 100): ScalarPath[] {
  const found: ScalarPath[] = [];
  const visit = (value: unknown, path: string, depth: number) => {
    if (found.length >= most || depth > 8) return;
    if (value === null || typeof value !== "object") {
      if (value === null || typeof value === "string" || typeof value === "number" || typeof value === "boolean") found.push({ path, value });
      return;
    }
    for (const [key, inner] of Object.entries(value)) {
      if (key.includes(".") || /^(ts|time|timestamp)$/i.test(key)) continue;
      visit(inner, path === "" ? key : `${path}.${key}`, depth + 1);
    }
  };
  visit(json, "", 0);
  return found;
}
