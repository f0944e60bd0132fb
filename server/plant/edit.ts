/**
 * Changes the plant by edits of single items: each is laid into the plant as its file would say it, checked by the file's rules, and what that changes is
 * compared and written by the file's code. So a screen and a file cannot disagree.
 */
import type { Db } from "#/server/db.ts";
import { Refusal } from "#/server/errors.ts";
import { compare, plainAddresses, word } from "./compare.ts";
import { checkWork } from "./edit-faults.ts";
import { formFields, versionOf } from "./edit-fields.ts";
import { partOf } from "./edit-part.ts";
import { Tree } from "./edit-tree.ts";
import type { Edit, Item, Put, Remove } from "./edit-types.ts";
import { type Fault, newKey, Work } from "./edit-work.ts";
import { entriesOf } from "./entries.ts";
import { plantFile } from "./file.ts";
import { packedMapping, unpackedMapping } from "./item-fields.ts";
import { type Item as FileItem, type FileItems, itemsOf, type Kind } from "./items.ts";
import { type CurrentPlant, type CurrentRow, readPlant } from "./queries.ts";
import { applyPlan, type Plan, planItems } from "./service.ts";
import { timelineNames } from "./timeline-kinds.ts";

/** Edits that cannot be made. */
export class WrongEdits extends Error {
  override name = "WrongEdits";
  readonly faults: readonly Fault[];
  constructor(faults: readonly Fault[]) {
    super(faults.map(({ sentence }) => sentence).join(" "));
    this.faults = faults;
  }
}

/** addresses: where each put's item is afterwards; null for other edits. */
export type EditPlan = Plan & { addresses: (string | null)[] };

/** now: from when on holds what does not say when. sees: whether the person may know of a site, by its id; without it, of all. */
export type Editing = { now: Date; sees?: (siteId: number) => boolean };

/** What the edits would change. Reads only; the caller holds the plant's lock. @throws WrongEdits; Refusal NOT_FOUND, CONFLICT */
export async function planEdits(tx: Db, edits: readonly Edit[], { now, sees = () => true }: Editing): Promise<EditPlan> {
  const current = await readPlant(tx, await partOf(tx, edits));
  const stored = new Tree(entriesOf(current));
  for (const edit of edits) if (edit.do !== "reorder") checkVersion(stored, edit);
  const work = new Work(structuredClone(entriesOf(renamed(current, stored, edits))), stored.root);
  for (const [i, edit] of edits.entries()) work.make(edit, i);
  const { plant, faults } = await checkWork(tx, work, stored, current, sees);
  if (plant === null) throw new WrongEdits(faults);

  const after = itemsOf(plant);
  const { file, among } = difference(itemsBefore(stored), after, current);
  await refuseForeignSources(tx, file, current, sees);
  const plan = await planItems(tx, { file, current, comparison: compare(file, current, among), now, exact: true });
  if (plan.troubles.length > 0) throw new WrongEdits(plan.troubles.map((sentence) => ({ edit: edits.length === 1 ? 0 : null, path: "", sentence })));
  const addresses = work.addresses();
  return { ...plan, addresses: edits.map((_, i) => addresses.get(i) ?? null) };
}

/** Plans and writes. @throws as `planEdits` */
export async function makeEdits(tx: Db, edits: readonly Edit[], editing: Editing): Promise<EditPlan> {
  const plan = await planEdits(tx, edits, editing);
  await applyPlan(tx, plan, editing.now);
  return plan;
}

/** As stored: the item as its form shows it. null: there is none in use. */
export function itemIn(tree: Tree, kind: Kind, address: string): Item | null {
  const found = tree.get(kind, address);
  if (!found) return null;
  const fields = formFields(kind, found.entry, found.above === null ? null : String(found.above.key));
  return { kind, address, parent: found.parent, version: versionOf(kind, found.parent, fields), fields };
}

function checkVersion(stored: Tree, edit: Put | Remove): void {
  if (edit.address === null || (edit.do === "put" && edit.upsert)) return;
  const item = itemIn(stored, edit.kind, edit.address);
  if (!item) throw new Refusal("NOT_FOUND", `There is no ${word(edit.kind)} ${edit.address} any more. Someone may have renamed or removed it.`);
  if (edit.version === null || edit.version === item.version) return;
  throw new Refusal("CONFLICT", `Someone else has changed the ${word(edit.kind)} ${edit.address} in the meantime.`, {
    present: { version: item.version, values: item.fields },
  });
}

/** The plant with the new keys of what the edits rename, so that everything that names them does so by the new ones. */
function renamed(current: CurrentPlant, stored: Tree, edits: readonly Edit[]): CurrentPlant {
  const keys = new Map<string, string>();
  const touched = new Set<Kind>();
  for (const edit of edits) {
    const key = newKey(edit);
    if (key === null || edit.do !== "put" || edit.address === null || !stored.get(edit.kind, edit.address)) continue;
    keys.set(`${edit.kind} ${edit.address}`, key);
    touched.add(edit.kind);
  }
  if (keys.size === 0) return current;
  const addresses = plainAddresses(current);
  const rows = { ...current.rows };
  for (const kind of touched) {
    rows[kind] = rows[kind].map((row) => {
      const key = row.retired ? undefined : keys.get(`${kind} ${addresses[kind].get(row.id)}`);
      if (key === undefined) return row;
      // Without a name of its own it is called by its key.
      return { ...row, key, fields: row.fields.name === row.key ? { ...row.fields, name: key } : row.fields };
    });
  }
  // A machine's own publisher goes along with it.
  const after = plainAddresses({ ...current, rows });
  const moved = new Map(current.rows.machine.map((row) => [addresses.machine.get(row.id), after.machine.get(row.id)]));
  rows.source = rows.source.map((row) => {
    const key = row.retired || row.fields.form !== "json" ? undefined : moved.get(row.key);
    return key === undefined ? row : { ...row, key };
  });
  const newKeys = new Map(current.rows.source.map(({ key }, i) => [key, rows.source[i]?.key ?? key]));
  // Metrics of a Sparkplug publisher are mapped by its address.
  if (touched.has("source"))
    rows.signal = rows.signal.map((row) => ({
      ...row,
      fields: { ...row.fields, mapping: (row.fields.mapping as string[]).map((mapping) => readdressed(mapping, newKeys)) },
    }));
  const part = current.part === "all" ? current.part : { ...current.part, sources: current.part.sources.map((address) => newKeys.get(address) ?? address) };
  return { ...current, rows, part };
}

function readdressed(mapping: string, newKeys: ReadonlyMap<string, string>): string {
  const { form, pattern, path, tsPath } = unpackedMapping(mapping);
  return form === "sparkplug" ? packedMapping(form, newKeys.get(pattern) ?? pattern, path, tsPath) : mapping;
}

const nothing = (): FileItems => ({
  items: [],
  timelines: Object.fromEntries(timelineNames.map((name) => [name, new Map()])) as FileItems["timelines"],
  zones: new Map(),
});

/** @throws Refusal where what is stored is not what a file may say: by someone with a database tool, or before a rule was made */
function itemsBefore(stored: Tree): FileItems {
  if (stored.root.enterprise === undefined) return nothing();
  const read = plantFile.safeParse(stored.root);
  if (read.success) return itemsOf(read.data);
  throw new Refusal("RULE_BROKEN", "The stored plant has mistakes that its file would not allow. Export it, correct it and apply it.");
}

/** What is other afterwards, as a file that says only that; and the rows that can be gone. */
function difference(before: FileItems, after: FileItems, current: CurrentPlant): { file: FileItems; among: ReadonlySet<CurrentRow> } {
  const name = ({ kind, address }: FileItem) => `${kind} ${address}`;
  const face = ({ parent, key, fields }: FileItem) => JSON.stringify([parent, key, fields]);
  const faces = new Map(before.items.map((item) => [name(item), face(item)]));
  const same = new Set(after.items.filter((item) => item.was === undefined && faces.get(name(item)) === face(item)).map(name));
  const file: FileItems = { ...nothing(), items: after.items.filter((item) => !same.has(name(item))), zones: after.zones };
  for (const timeline of timelineNames) {
    for (const [owner, subs] of after.timelines[timeline])
      if (JSON.stringify([...subs]) !== JSON.stringify([...(before.timelines[timeline].get(owner) ?? [])])) file.timelines[timeline].set(owner, subs);
  }
  const addresses = plainAddresses(current);
  const rows = new Map<string, CurrentRow>();
  for (const row of Object.values(current.rows).flat()) rows.set(`${row.kind} ${addresses[row.kind].get(row.id)}`, row);
  const among = new Set(before.items.filter((item) => !same.has(name(item))).flatMap((item) => rows.get(name(item)) ?? []));
  return { file, among };
}

/** An address is unique in the plant; what another site, or a machine outside the part, has for its own cannot be made again here. */
async function refuseForeignSources(tx: Db, file: FileItems, current: CurrentPlant, sees: (siteId: number) => boolean): Promise<void> {
  const known = new Set(current.rows.source.map(({ key }) => key));
  const fresh = file.items.filter(({ kind, address }) => kind === "source" && !known.has(address)).map(({ address }) => address);
  if (fresh.length === 0) return;
  const [taken] = await tx.rows<{ address: string; site: string; siteId: number }>(
    '-- plant.foreignSources\n select c.address, s.key as site, s.id as "siteId" from source c join site s on s.id = c.site_id where c.address = any($1)',
    [fresh],
  );
  if (taken)
    throw new Refusal(
      "RULE_BROKEN",
      `The source ${taken.address} belongs to ${sees(taken.siteId) ? `the site ${taken.site}` : "another site"}. A source has one site.`,
    );
}
