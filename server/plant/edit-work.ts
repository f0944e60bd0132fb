/** Edits laid into the tree of a plant file. Nothing is checked here but whether there is a place for them. */
import { Refusal } from "#/server/errors.ts";
import { word } from "./compare.ts";
import { laidOver } from "./edit-fields.ts";
import { keyAddress, Tree } from "./edit-tree.ts";
import type { Edit, Put, Remove, Reorder } from "./edit-types.ts";
import type { Entry } from "./entries.ts";
import { type Kind, parentKind } from "./items.ts";

/** edit: its index; null: what is wrong stands elsewhere. path: of the field in the form, `ideal_cycles.1.seconds`; '' for none. */
export type Fault = { edit: number | null; path: string; sentence: string };

/** The key that a put gives to what is stored under another one; null: none. A currency's rate of another month is another rate. */
export function newKey(edit: Edit): string | null {
  if (edit.do !== "put" || edit.address === null || edit.kind === "currency_rate") return null;
  const given = edit.kind === "source" ? edit.fields.address : edit.fields.key;
  if (typeof given !== "string" || given.trim() === "") return null;
  return given === keyIn(edit.kind, edit.address) ? null : given;
}

/** The last part of an address; a source's address is its key. */
const keyIn = (kind: Kind, address: string): string => (kind === "source" ? address : (address.split("/").at(-1) ?? ""));

export class Work {
  /** Items are found by their stored addresses; renamed ones, and what names them, have the new keys in it already. */
  readonly tree: Tree;
  /** The entries that were put, with their edits. */
  readonly entries = new Map<Entry, number>();
  readonly faults: Fault[] = [];

  constructor(renamed: Entry, stored: Entry) {
    this.tree = new Tree(renamed, stored);
  }

  make(edit: Edit, i: number): void {
    if (edit.do === "reorder") this.reorder(edit);
    else if (edit.do === "remove") this.remove(edit, i);
    else this.put(edit, i);
  }

  /** Where each put's item is afterwards, by edit. */
  addresses(): Map<number, string> {
    const found = new Map<number, string>();
    for (const [address, entry] of new Tree(this.tree.root).all()) {
      const edit = this.entries.get(entry);
      if (edit !== undefined) found.set(edit, address);
    }
    return found;
  }

  private refuse(edit: number, path: string, sentence: string): void {
    this.faults.push({ edit, path, sentence });
  }

  private put(edit: Put, i: number): void {
    const { kind, address, fields } = edit;
    const { parent: above, ...given } = kind === "reason" ? fields : { parent: undefined, ...fields };
    const known = address === null ? undefined : this.tree.get(kind, address);
    if (known) {
      const key = newKey(edit);
      this.fill(known.entry, laidOver(known.entry, given), i);
      if (key !== null && address !== null) known.entry.was = keyIn(kind, address);
      if (kind === "machine") this.nameSource(known.entry, known.parent);
      if (above !== undefined) this.hang(known.entry, `${known.parent}/${keyIn(kind, address ?? "")}`, known.parent, above, i);
      if (edit.parent !== null && edit.parent !== known.parent) this.move(edit, known.parent, known.entry, edit.parent, i);
      return;
    }
    const entry: Entry = {};
    this.fill(entry, laidOver({}, given), i);
    if (kind === "enterprise") {
      if (this.tree.root.enterprise) this.refuse(i, "key", "There is an enterprise already; a database holds one.");
      this.tree.root.enterprise ??= entry;
      return;
    }
    const parent = edit.parent ?? "";
    const list = this.tree.listBelow(kind, parent);
    if (!list) {
      this.refuse(
        i,
        "parent",
        parent === ""
          ? `A ${word(kind)} stands below a ${word(parentKind[kind] ?? kind)}: say which.`
          : `There is no ${word(parentKind[kind] ?? kind)} "${parent}".`,
      );
      return;
    }
    this.tree.add(kind, parent, list, entry);
    if (kind === "machine") this.nameSource(entry, parent);
    if (kind === "reason" && typeof above === "string" && above !== "") this.hang(entry, keyAddress(kind, parent, entry), parent, above, i);
  }

  private fill(entry: Entry, made: Entry, i: number): void {
    for (const field of Object.keys(entry)) if (!Object.hasOwn(made, field)) delete entry[field];
    Object.assign(entry, made);
    this.entries.set(entry, i);
  }

  /** A source that the site has already is named, not made again. */
  private nameSource(machine: Entry, line: string): void {
    const source = machine.source as Entry | string | undefined;
    if (typeof source !== "object" || typeof source.address !== "string") return;
    if (this.tree.get("source", source.address)?.parent === line.split("/")[0]) machine.source = source.address;
  }

  /** Puts a reason below another one, or at the top. */
  private hang(entry: Entry, address: string, site: string, above: unknown, i: number): void {
    const found = this.tree.get("reason", address);
    const key = typeof above === "string" ? above.trim() : "";
    const host = key === "" ? null : this.tree.get("reason", `${site}/${key}`);
    if (!found || host === undefined) return this.refuse(i, "parent", `This site has no reason "${key}".`);
    const target = host?.entry ?? null;
    if (target === found.above) return;
    if (target !== null && isWithin(target, entry))
      return this.refuse(i, "parent", `A reason cannot stand below itself: "${key}" is part of "${String(entry.key)}".`);
    found.list.splice(found.list.indexOf(entry), 1);
    this.tree.move("reason", address, this.tree.reasonsBelow(site, target), target);
  }

  /** Only what has a key of the whole plant can move to another parent; the address of all else is its place. */
  private move(edit: Put, from: string, entry: Entry, to: string, i: number): void {
    if (edit.kind !== "product" || edit.address === null)
      return this.refuse(i, "parent", `A ${word(edit.kind)} cannot move to another place: its address is its place. Make a new one there.`);
    const [before, after] = [this.tree.listBelow("product", from), this.tree.listBelow("product", to)];
    if (!before || !after) return this.refuse(i, "parent", `There is no product line "${to}".`);
    before.splice(before.indexOf(entry), 1);
    this.tree.move("product", edit.address, after, null);
  }

  private remove({ kind, address }: Remove, i: number): void {
    const found = this.tree.get(kind, address);
    if (!found?.list.includes(found.entry)) {
      if (kind === "enterprise") this.refuse(i, "", "The enterprise cannot be removed. It can be renamed.");
      return; // gone with what it stood below
    }
    const why = this.whyStays(kind, address);
    if (why !== null) return this.refuse(i, "", why);
    found.list.splice(found.list.indexOf(found.entry), 1);
    if (kind === "product") this.dropUses([found.entry]);
    if (kind === "product_line") this.dropUses((found.entry.products ?? []) as Entry[]);
    if (kind === "machine") this.dropNeighbours(address);
    if (kind === "line" || kind === "area") this.dropCalendar(address);
  }

  /** Who needs it, in a sentence; null: nobody does. */
  private whyStays(kind: Kind, address: string): string | null {
    const key = keyIn(kind, address);
    if (kind === "machine") {
      const [line, { entry }] = [above(address), this.tree.get("line", above(address)) ?? { entry: {} as Entry }];
      const [isPace, isCount] = [entry.constraint_machine === key, entry.last_machine === key];
      if (isPace || isCount)
        return `It ${isPace && isCount ? "paces and counts for" : isPace ? "paces" : "counts for"} the line ${line}. Choose another machine there first.`;
    }
    if (kind === "shift_pattern") {
      const lines = [...this.tree.of("line")].filter(([, { entry }]) => patternsOf(entry).includes(key)).map(([line]) => line);
      const inSite = lines.filter((line) => line.startsWith(`${above(address)}/`));
      if (inSite.length > 0) return `${listed(inSite)} ${inSite.length === 1 ? "works" : "work"} by it. Choose another pattern there first.`;
    }
    if (kind === "shift") {
      const [site = ""] = address.split("/");
      const entries = [...this.tree.of("calendar_entry")].filter(([at, { entry }]) => at.startsWith(`${site}/`) && `${site}/${entry.shift}` === address);
      if (entries.length > 0) return `The calendar cancels it (${listed(entries.map(([at]) => at))}). Remove that first.`;
    }
    if (kind === "source") {
      const machines = [...this.tree.of("machine")].filter(([, { entry }]) => entry.source === address).map(([at]) => at);
      const signals = [...this.tree.of("signal")].filter(([, { entry }]) => entry.source === address).map(([at]) => at);
      if (machines.length + signals.length > 0)
        return `${listed([...machines, ...signals])} ${machines.length + signals.length === 1 ? "takes" : "take"} values from it. Choose another source there first.`;
    }
    return null;
  }

  /** Rates and costs of products that are no longer made end with them. */
  private dropUses(products: readonly Entry[]): void {
    const keys = new Set(products.map(({ key }) => key));
    for (const [kind, field] of [
      ["machine", "ideal_cycles"],
      ["site", "product_costs"],
    ] as const)
      for (const [, { entry }] of this.tree.of(kind)) entry[field] = ((entry[field] ?? []) as Entry[]).filter((one) => !keys.has(one.product));
  }

  /** Machines beside one that is taken away have no neighbour on that side any more. */
  private dropNeighbours(address: string): void {
    const [site, area, line, key] = address.split("/");
    for (const [other, { entry }] of this.tree.of("machine")) {
      if (!other.startsWith(`${site}/`)) continue;
      const names = [`${area}/${line}/${key}`, ...(other.startsWith(`${site}/${area}/${line}/`) ? [key] : [])];
      for (const side of ["upstream", "downstream"]) if (names.includes(entry[side] as string)) delete entry[side];
    }
  }

  /** What the calendar says of a line alone goes with it. */
  private dropCalendar(address: string): void {
    const [site = "", ...rest] = address.split("/");
    const calendar = this.tree.listBelow("calendar_entry", site) ?? [];
    const kept = calendar.filter(({ line }) => typeof line !== "string" || !`${line}/`.startsWith(`${rest.join("/")}/`));
    calendar.splice(0, calendar.length, ...kept);
  }

  private reorder({ line, keys }: Reorder): void {
    const machines = this.tree.listBelow("machine", line);
    if (!machines) throw new Refusal("NOT_FOUND", `There is no line ${line} any more.`);
    const order = new Map(keys.map((key, n) => [key, n]));
    if (order.size !== machines.length || machines.some(({ key }) => !order.has(String(key))))
      throw new Refusal("CONFLICT", "The line has other machines by now. Reload and put them in order again.");
    machines.sort((a, b) => (order.get(String(a.key)) ?? 0) - (order.get(String(b.key)) ?? 0));
  }
}

const above = (address: string) => address.slice(0, address.lastIndexOf("/"));
const isWithin = (entry: Entry, tree: Entry): boolean => entry === tree || ((tree.reasons ?? []) as Entry[]).some((below) => isWithin(entry, below));
const patternsOf = ({ shift_pattern }: Entry): unknown[] => (Array.isArray(shift_pattern) ? shift_pattern.map((one: Entry) => one.pattern) : [shift_pattern]);

/** At most a few of many. */
const listed = (names: readonly string[]) => (names.length <= 4 ? names.join(", ") : `${names.slice(0, 3).join(", ")} and ${names.length - 3} more`);
