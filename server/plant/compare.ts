/** A file's items against the database's: which is which, what is new, what changed, what is gone. Pure. */
import { addressOf, type FieldValue, type FileItems, type Item, type Kind, kinds, parentKind, references, sortedByKey } from "./items.ts";
import type { CurrentPlant, CurrentRow } from "./queries.ts";

export type FieldChange = { field: string; from: FieldValue; to: FieldValue };
/** address: as the file has it, after renaming. */
export type Matched = { row: CurrentRow; item: Item; fields: FieldChange[]; wasRetired: boolean };
export type Gone = { row: CurrentRow; address: string };
export type Comparison = {
  added: Item[];
  /** Changed or back again. */
  changed: Matched[];
  /** In the database, not in the file, not retired yet. */
  gone: Gone[];
  /** Address after renaming -> row, of every row. */
  rowAt: Record<Kind, Map<string, CurrentRow>>;
  /** Row's id -> address after renaming. */
  addressById: Record<Kind, Map<number, string>>;
  /** Why the file cannot be applied, in sentences. */
  troubles: string[];
};

/** among: the rows that can be gone, where the file says only a part of the plant; without it, every row that the file does not say is. */
export function compare(file: FileItems, current: CurrentPlant, among?: ReadonlySet<CurrentRow>): Comparison {
  const troubles: string[] = [];
  const { addressById, rowAt } = findAddresses(file, current, troubles);
  const added: Item[] = [];
  const changed: Matched[] = [];
  const inFile = new Set<CurrentRow>();
  for (const item of file.items) {
    const row = rowAt[item.kind].get(item.address);
    if (!row) {
      added.push(item);
      continue;
    }
    inFile.add(row);
    const fields = changedFields(item, row, addressById);
    if (fields.length > 0 || row.retired) changed.push({ row, item, fields, wasRetired: row.retired });
  }
  const gone = kinds.flatMap((kind) =>
    current.rows[kind]
      .filter((row) => !inFile.has(row) && !row.retired && (among?.has(row) ?? true))
      .map((row) => ({ row, address: addressById[kind].get(row.id) ?? row.key })),
  );
  const [enterprise] = current.rows.enterprise;
  if (enterprise && gone.some(({ row }) => row === enterprise)) {
    const key = file.items.find((item) => item.kind === "enterprise")?.key ?? "";
    troubles.push(
      `The database holds the enterprise "${enterprise.key}", and the file says "${key}". If it is the same one with another key, write was: ${enterprise.key} beside it.`,
    );
  }
  return { added, changed, gone, rowAt, addressById, troubles };
}

/** Every row's address in the words of the file: keys that `was` renames are the new ones, all the way down. */
function findAddresses(file: FileItems, current: CurrentPlant, troubles: string[]) {
  const addressById = {} as Record<Kind, Map<number, string>>;
  const rowAt = {} as Record<Kind, Map<string, CurrentRow>>;
  const oldMachine = oldMachineAddresses(current);
  const fileSources = new Set(file.items.filter((item) => item.kind === "source").map((item) => item.address));
  // Sources last: a machine's own follows the machine's address.
  for (const kind of [...kinds.filter((one) => one !== "source"), "source" as const]) {
    const renames = new Map<string, Item>();
    for (const item of file.items) if (item.kind === kind && item.was !== undefined) renames.set(addressOf(kind, item.parent, item.was), item);
    const byId = new Map<number, string>();
    const byAddress = new Map<string, CurrentRow>();
    const above = parentKind[kind];
    const plainAddress = (row: CurrentRow) => addressOf(kind, above === null ? "" : (addressById[above].get(row.parentId ?? 0) ?? ""), row.key);
    const taken = new Set(current.rows[kind].map(plainAddress));
    for (const row of current.rows[kind]) {
      const plain = plainAddress(row);
      const renamed = renames.get(plain);
      if (renamed && taken.has(renamed.address)) {
        const state = current.rows[kind].find((other) => plainAddress(other) === renamed.address)?.retired ? ", retired" : "";
        troubles.push(
          `The ${word(kind)} ${plain} cannot be renamed to ${renamed.key}: there already is one of that key${state}. Choose another key, or leave "was" out.`,
        );
      }
      const machineId = kind === "source" && !fileSources.has(row.key) ? oldMachine.get(row.key) : undefined;
      const followed = machineId === undefined ? undefined : addressById.machine.get(machineId);
      const address = renamed?.address ?? (followed !== undefined && fileSources.has(followed) && !taken.has(followed) ? followed : plain);
      byId.set(row.id, address);
      byAddress.set(address, row);
    }
    addressById[kind] = byId;
    rowAt[kind] = byAddress;
  }
  return { addressById, rowAt };
}

/** Every row's address as the database has it. */
export function plainAddresses(current: CurrentPlant): Record<Kind, Map<number, string>> {
  const found = {} as Record<Kind, Map<number, string>>;
  for (const kind of kinds) {
    const above = parentKind[kind];
    found[kind] = new Map(
      current.rows[kind].map((row) => [row.id, addressOf(kind, above === null ? "" : (found[above].get(row.parentId ?? 0) ?? ""), row.key)]),
    );
  }
  return found;
}

/** Machines' addresses as the database has them now -> id. */
function oldMachineAddresses(current: CurrentPlant): Map<string, number> {
  const site = new Map(current.rows.site.map((row) => [row.id, row.key]));
  const area = new Map(current.rows.area.map((row) => [row.id, `${site.get(row.parentId ?? 0)}/${row.key}`]));
  const line = new Map(current.rows.line.map((row) => [row.id, `${area.get(row.parentId ?? 0)}/${row.key}`]));
  return new Map(current.rows.machine.map((row) => [`${line.get(row.parentId ?? 0)}/${row.key}`, row.id]));
}

function changedFields(item: Item, row: CurrentRow, addressById: Record<Kind, Map<number, string>>): FieldChange[] {
  const changes: FieldChange[] = [];
  if (item.key !== row.key) changes.push({ field: "key", from: row.key, to: item.key });
  const above = parentKind[item.kind];
  const parent = above === null ? "" : (addressById[above].get(row.parentId ?? 0) ?? "");
  if (above !== null && parent !== item.parent) changes.push({ field: above, from: parent, to: item.parent });
  for (const [field, to] of Object.entries(item.fields)) {
    const from = fieldOf(row, field, addressById);
    if (JSON.stringify(from) !== JSON.stringify(to)) changes.push({ field, from, to });
  }
  return changes;
}

/** A row's field in the form that items have: references as addresses, groups in order of their keys. */
export function fieldOf(row: CurrentRow, field: string, addressById: Record<Kind, Map<number, string>>): FieldValue {
  const value = row.fields[field] ?? null;
  const refersTo = references[row.kind]?.[field];
  if (refersTo !== undefined) return typeof value === "number" ? (addressById[refersTo].get(value) ?? null) : null;
  return field === "values" && value !== null && typeof value === "object" ? sortedByKey(value as Record<string, unknown>) : value;
}

/** `product_line` -> `product line` */
export const word = (kind: Kind): string => kind.replaceAll("_", " ");
