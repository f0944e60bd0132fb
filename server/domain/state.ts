/**
 * What a state reading means: PackML state numbers and names (ISA-TR88.00.02), or a signal's own value map, to the kind of time that it begins.
 * The map is applied when readings are looked at, never when they are stored: a corrected map corrects the past.
 */

/** What a machine's own state says of its time. `suspended` becomes `blocked` or `starved` once its neighbours have been looked at. */
export type BaseKind = "run" | "down" | "changeover" | "suspended" | "planned_stop";

/** The ledger's kinds: exactly one at any instant of a machine. In order of precedence: the first that holds wins. */
export type IntervalKind = "not_scheduled" | "planned_stop" | "unknown" | "changeover" | "blocked" | "starved" | "micro_stop" | "down" | "run";

/** What a reason says of the time that it is given for, and which loss it is. */
export const lossClasses = ["breakdown", "changeover", "minor_stop", "planned", "external", "quality", "other"] as const;
export type LossClass = (typeof lossClasses)[number];

const baseKinds: ReadonlySet<string> = new Set<BaseKind>(["run", "down", "changeover", "suspended", "planned_stop"]);

/** `known: false`: no map knows the value. It counts as `down` and is to be listed on Data health. `packml`: the state's number, where it has one. */
export type StateMeaning = { kind: BaseKind; packml: number | null; known: boolean };

/** PackML states in the order of their numbers; 0 is "undefined" and nothing is known of it. */
export const packmlStates = [
  "Undefined",
  "Clearing",
  "Stopped",
  "Starting",
  "Idle",
  "Suspended",
  "Execute",
  "Stopping",
  "Aborting",
  "Aborted",
  "Holding",
  "Held",
  "Unholding",
  "Suspending",
  "Unsuspending",
  "Resetting",
  "Completing",
  "Completed",
] as const;

const runStates: ReadonlySet<number> = new Set([3, 6, 12, 14, 16]); // Starting, Execute, Unholding, Unsuspending, Completing
const suspendedStates: ReadonlySet<number> = new Set([5, 13]); // Suspended, Suspending

const plain = (name: string) => name.toLowerCase().replace(/[\s_-]/g, "");
const numberByName: ReadonlyMap<string, number> = new Map(packmlStates.map((name, number) => [plain(name), number]));

const unknownValue: StateMeaning = { kind: "down", packml: null, known: false };

/**
 * The meaning of one reading: a number or a text as it was read (both null: the device said that it has no value).
 * `valueMap`: raw value as text to a PackML number or name or a kind; what it names wins over PackML, what it does not name is read as PackML.
 */
export function stateMeaning(reading: { value: number | null; text: string | null }, valueMap: Readonly<Record<string, unknown>> | null): StateMeaning {
  const raw = reading.text?.trim() ?? (reading.value === null ? null : String(reading.value));
  if (raw === null) return unknownValue;
  const key = valueMap && keyOf(raw, valueMap);
  return meaningOf(key === null ? raw : valueMap?.[key]);
}

function keyOf(raw: string, valueMap: Readonly<Record<string, unknown>>): string | null {
  if (Object.hasOwn(valueMap, raw)) return raw;
  return Object.keys(valueMap).find((name) => name.trim().toLowerCase() === raw.toLowerCase()) ?? null;
}

function meaningOf(word: unknown): StateMeaning {
  if (typeof word !== "string" && typeof word !== "number") return unknownValue;
  const name = String(word).trim();
  const packml = /^\d+(\.0*)?$/.test(name) ? Number(name) : numberByName.get(plain(name));
  if (packml === undefined) {
    const kind = name.toLowerCase();
    return isBaseKind(kind) ? { kind, packml: null, known: true } : unknownValue;
  }
  if (packml === 0 || packml >= packmlStates.length) return unknownValue;
  return { kind: runStates.has(packml) ? "run" : suspendedStates.has(packml) ? "suspended" : "down", packml, known: true };
}

const isBaseKind = (word: string): word is BaseKind => baseKinds.has(word);
