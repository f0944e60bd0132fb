/** Finding and changing entries in the tree of a plant file by the addresses of items. */
import type { Entry } from "./entries.ts";
import type { Path } from "./file-rules.ts";
import { addressOf, type Kind, parentKind } from "./items.ts";

/** Where entries of a kind stand below those of the kind above. */
const lists: Partial<Record<Kind, string>> = {
  currency_rate: "currency_rates",
  product_line: "product_lines",
  product: "products",
  site: "sites",
  shift_pattern: "shift_patterns",
  shift: "shifts",
  reason: "reasons",
  team: "teams",
  device: "devices",
  source: "sources",
  area: "areas",
  line: "lines",
  machine: "machines",
  signal: "signals",
  calendar_entry: "calendar",
};

/** above: a reason's reason; null for all others and at the top. */
export type Found = { entry: Entry; list: Entry[]; parent: string; above: Entry | null };

/** The tree of a file, and every item that has an entry of its own in it, by address. */
export class Tree {
  readonly root: Entry;
  private readonly found = new Map<string, Found>();

  /** as: the same plant under other keys, entry for entry; by them the items are found. */
  constructor(root: Entry, as: Entry = root) {
    this.root = root;
    const [enterprise, enterpriseAs] = [root.enterprise, as.enterprise] as (Entry | undefined)[];
    const at = String(enterpriseAs?.key ?? "");
    if (enterprise) this.found.set(`enterprise ${at}`, { entry: enterprise, list: [], parent: "", above: null });
    for (const kind of ["currency_rate", "product_line", "site"] as const) this.index(kind, root, as, at);
  }

  get(kind: Kind, address: string): Found | undefined {
    return this.found.get(`${kind} ${address}`);
  }

  /** Addresses of all entries of a kind, in the order of the file. */
  *of(kind: Kind): Generator<[address: string, found: Found]> {
    for (const [name, found] of this.found) if (name.startsWith(`${kind} `)) yield [name.slice(kind.length + 1), found];
  }

  /** The list that a new entry below `parent` goes into; null where there is no such parent. */
  listBelow(kind: Kind, parent: string): Entry[] | null {
    const above = parentKind[kind];
    if (above === null) return null;
    const host = above === "enterprise" ? (this.root.enterprise ? this.root : undefined) : this.get(above, parent)?.entry;
    return host ? listIn(host, kind) : null;
  }

  add(kind: Kind, parent: string, list: Entry[], entry: Entry, above: Entry | null = null): void {
    list.push(entry);
    this.found.set(`${kind} ${keyAddress(kind, parent, entry)}`, { entry, list, parent, above });
  }

  /** The list of reasons below another one, or at the top of the site. */
  reasonsBelow(site: string, above: Entry | null): Entry[] {
    return above === null ? (this.listBelow("reason", site) ?? []) : listIn(above, "reason");
  }

  /** Puts an entry that has been taken out of its list into another one. */
  move(kind: Kind, address: string, list: Entry[], above: Entry | null): void {
    const found = this.get(kind, address);
    if (!found) return;
    list.push(found.entry);
    this.found.set(`${kind} ${address}`, { ...found, list, above });
  }

  *all(): Generator<[address: string, entry: Entry]> {
    for (const [name, { entry }] of this.found) yield [name.slice(name.indexOf(" ") + 1), entry];
  }

  private index(kind: Kind, host: Entry, hostAs: Entry, parent: string, above: Entry | null = null): void {
    const list = listIn(host, kind);
    const listAs = listIn(hostAs, kind);
    for (const [i, entry] of list.entries()) {
      const entryAs = listAs[i] ?? entry;
      const address = keyAddress(kind, parent, entryAs);
      this.found.set(`${kind} ${address}`, { entry, list, parent, above });
      if (kind === "reason") this.index("reason", entry, entryAs, parent, entry);
      for (const below of kindsBelow[kind] ?? []) this.index(below, entry, entryAs, address);
    }
  }
}

const kindsBelow: Partial<Record<Kind, Kind[]>> = {};
for (const [below, above] of Object.entries(parentKind) as [Kind, Kind | null][])
  if (above !== null && above !== "enterprise") kindsBelow[above] = [...(kindsBelow[above] ?? []), below];

function listIn(host: Entry, kind: Kind): Entry[] {
  const name = lists[kind] ?? "";
  const list = (host[name] ?? []) as Entry[];
  host[name] = list;
  return list;
}

export function keyAddress(kind: Kind, parent: string, entry: Entry): string {
  const key = kind === "source" ? entry.address : kind === "currency_rate" ? `${entry.currency}-${entry.month}` : entry.key;
  return addressOf(kind, parent, String(key));
}

/** Where each of these entries stands in the tree. */
export function pathsOf(root: unknown, entries: ReadonlySet<unknown>): Map<unknown, Path> {
  const paths = new Map<unknown, Path>();
  const walk = (value: unknown, path: Path) => {
    if (typeof value !== "object" || value === null) return;
    if (entries.has(value)) paths.set(value, path);
    if (Array.isArray(value)) for (const [i, one] of value.entries()) walk(one, [...path, i]);
    else for (const [field, one] of Object.entries(value)) walk(one, [...path, field]);
  };
  walk(root, []);
  return paths;
}
