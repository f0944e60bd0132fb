/** The plant for screens: the tree, one item with who names it, lists of a kind. */
import type { Db } from "#/server/db.ts";
import type { Scope } from "#/server/domain/permission.ts";
import { itemIn } from "./edit.ts";
import { moneyFields } from "./edit-fields.ts";
import { partBelow, partOf } from "./edit-part.ts";
import { Tree } from "./edit-tree.ts";
import type { How, Item, Kind, PlantTree, Use } from "./edit-types.ts";
import { type Entry, entriesOf } from "./entries.ts";
import { tables } from "./item-fields.ts";
import { addressOf, parentKind } from "./items.ts";
import { type Part, readPlant } from "./queries.ts";

export const siteScope = ({ sites }: Scope): number[] | null => (sites === "all" ? null : [...sites]);

type TreeRow = { tree: Omit<PlantTree, "sites"> & { sites: Omit<PlantTree["sites"][number], "mayChange">[] } };

/** sites: ids; null: all. */
export async function plantTree(db: Db, sites: number[] | null): Promise<TreeRow["tree"]> {
  const [row] = await db.rows<TreeRow>(
    `-- plant.tree
     with counted as (select machine_id, count(*)::int as n from signal where retired_at is null group by machine_id),
     machines as (
       select m.line_id, json_agg(json_build_object('id', m.id, 'address', concat_ws('/', s.key, a.key, l.key, m.key), 'key', m.key, 'name', m.name, 'kind', m.kind,
         'signals', coalesce(c.n, 0)) order by m.position, m.id) as list, count(*)::int as n, sum(coalesce(c.n, 0))::int as signals
       from machine m join line l on l.id = m.line_id join area a on a.id = l.area_id join site s on s.id = a.site_id left join counted c on c.machine_id = m.id
       where m.retired_at is null group by m.line_id),
     lines as (
       select l.area_id, json_agg(json_build_object('id', l.id, 'address', concat_ws('/', s.key, a.key, l.key), 'key', l.key, 'name', l.name, 'topology', l.topology,
         'machines', coalesce(m.list, '[]')) order by l.id) as list, count(*)::int as n, coalesce(sum(m.n), 0)::int as machines, coalesce(sum(m.signals), 0)::int as signals
       from line l join area a on a.id = l.area_id join site s on s.id = a.site_id left join machines m on m.line_id = l.id where l.retired_at is null group by l.area_id),
     areas as (
       select a.site_id, json_agg(json_build_object('address', concat_ws('/', s.key, a.key), 'key', a.key, 'name', a.name, 'lines', coalesce(l.list, '[]')) order by a.id) as list,
         count(*)::int as n, coalesce(sum(l.n), 0)::int as lines, coalesce(sum(l.machines), 0)::int as machines, coalesce(sum(l.signals), 0)::int as signals
       from area a join site s on s.id = a.site_id left join lines l on l.area_id = a.id where a.retired_at is null group by a.site_id)
     select json_build_object(
       'enterprise', (select json_build_object('key', key, 'name', name, 'currency', currency) from enterprise),
       'sites', coalesce((select json_agg(json_build_object('id', s.id, 'address', s.key, 'key', s.key, 'name', s.name, 'zone', s.zone, 'currency', s.currency,
           'areas', coalesce(a.list, '[]'),
           'counts', json_build_object('area', coalesce(a.n, 0), 'line', coalesce(a.lines, 0), 'machine', coalesce(a.machines, 0), 'signal', coalesce(a.signals, 0),
             'shift_pattern', (select count(*) from shift_pattern x where x.site_id = s.id and x.retired_at is null),
             'shift', (select count(*) from shift f join shift_pattern x on x.id = f.shift_pattern_id where x.site_id = s.id and x.retired_at is null),
             'reason', (select count(*) from reason x where x.site_id = s.id and x.retired_at is null),
             'team', (select count(*) from team x where x.site_id = s.id and x.retired_at is null),
             'device', (select count(*) from device x where x.site_id = s.id and x.retired_at is null),
             'source', (select count(*) from source x where x.site_id = s.id and x.retired_at is null),
             'calendar_entry', (select count(*) from calendar_entry x where x.site_id = s.id))) order by s.id)
         from site s left join areas a on a.site_id = s.id where s.retired_at is null and ($1::int[] is null or s.id = any($1))), '[]'),
       'counts', json_build_object('product_line', (select count(*) from product_line where retired_at is null), 'product', (select count(*) from product where retired_at is null),
         'currency_rate', (select count(*) from currency_rate))) as tree`,
    [sites],
  );
  if (!row) throw new Error("A statement without a table gives one row.");
  return row.tree;
}

/** One item as its form shows it, with all that names it. null: there is none in use. id: of its row. */
export async function readItem(tx: Db, kind: Kind, address: string): Promise<(Item & { id: number; usedBy: Use[] }) | null> {
  const current = await readPlant(tx, await partOf(tx, [], [{ kind, address }]));
  const tree = new Tree(entriesOf(current));
  const item = itemIn(tree, kind, address);
  if (!item) return null;
  const id = await idOf(tx, kind, item.parent, address);
  const usedBy = kind === "product" ? await productUsers(tx, address) : usersIn(tree, kind, address);
  return { ...item, id, usedBy };
}

async function idOf(tx: Db, kind: Kind, parent: string, address: string): Promise<number> {
  const { table, keyColumn, parentColumn } = tables[kind];
  const above = parentKind[kind];
  const isByKey = above === null || addressOf(kind, parent, "") === "";
  const key = isByKey ? address : address.slice(parent.length + 1);
  const parentId = isByKey || above === null ? null : await idOf(tx, above, parent.slice(0, Math.max(0, parent.lastIndexOf("/"))), parent);
  const [row] = await tx.rows<{ id: number }>(
    `-- plant.idOf ${kind}\n select id from ${table} where ${keyColumn} = $1 ${parentId === null ? "" : `and ${parentColumn} = $2`}`,
    parentId === null ? [key] : [key, parentId],
  );
  return row?.id ?? 0;
}

function usersIn(tree: Tree, kind: Kind, address: string): Use[] {
  const users: Use[] = [];
  const [site = ""] = address.split("/");
  const below = address.slice(site.length + 1);
  const key = address.slice(address.lastIndexOf("/") + 1);
  const add = (of: Kind, at: string, entry: Entry, how: How) => users.push({ kind: of, address: at, name: String(entry.name ?? entry.key), how });
  if (kind === "machine") {
    const line = address.slice(0, address.lastIndexOf("/"));
    const found = tree.get("line", line);
    if (found?.entry.constraint_machine === key) add("line", line, found.entry, "paces");
    if (found?.entry.last_machine === key) add("line", line, found.entry, "counts");
    for (const [at, { entry }] of tree.of("machine"))
      for (const side of ["upstream", "downstream"] as const)
        if (entry[side] === below || (entry[side] === key && at.startsWith(`${line}/`))) add("machine", at, entry, side);
  }
  if (kind === "shift_pattern")
    for (const [at, { entry }] of tree.of("line")) {
      const patterns = Array.isArray(entry.shift_pattern) ? entry.shift_pattern.map((one: Entry) => one.pattern) : [entry.shift_pattern];
      if (at.startsWith(`${site}/`) && patterns.includes(key)) add("line", at, entry, "works_by");
    }
  if (kind === "source")
    for (const owner of ["machine", "signal"] as const)
      for (const [at, { entry }] of tree.of(owner)) if (entry.source === address) add(owner, at, entry, "takes_values");
  if (kind === "shift" || kind === "line")
    for (const [at, { entry }] of tree.of("calendar_entry"))
      if (at.startsWith(`${site}/`) && entry[kind] === below) add("calendar_entry", at, entry, kind === "shift" ? "cancels" : "only_for");
  return users;
}

const productUsers = (tx: Db, product: string) =>
  tx.rows<Use>(
    `-- plant.usersOfProduct
     select distinct 'machine' as kind, concat_ws('/', s.key, a.key, l.key, m.key) as address, m.name, 'rate' as how
     from ideal_cycle c join product p on p.id = c.product_id join machine m on m.id = c.machine_id join line l on l.id = m.line_id join area a on a.id = l.area_id
       join site s on s.id = a.site_id
     where p.key = $1 and m.retired_at is null and (c.to_at is null or c.to_at > now())
     union select 'site', s.key, s.name, 'cost' from product_cost c join product p on p.id = c.product_id join site s on s.id = c.site_id
     where p.key = $1 and s.retired_at is null and (c.to_at is null or c.to_at > now()) order by kind, address`,
    [product],
  );

/** Items of a kind, in the order of the file. siteIds: those to look in. under: an address above them; null: all there are in these sites. */
export async function listItems(tx: Db, kind: Kind, siteIds: readonly number[], under: string | null): Promise<Item[]> {
  const part: Part = await partBelow(tx, kind, siteIds, under);
  const tree = new Tree(entriesOf(await readPlant(tx, part)));
  const items: Item[] = [];
  for (const [address, found] of tree.of(kind)) {
    if (under !== null && !isUnder(kind, address, found.parent, under)) continue;
    const item = itemIn(tree, kind, address);
    if (item) items.push(item);
  }
  return items;
}

const isUnder = (kind: Kind, address: string, parent: string, under: string) =>
  parent === under || (kind !== "source" && kind !== "product" && `${address}/`.startsWith(`${under}/`));

/** The fields without those that are money. */
export function withoutMoney<Of extends Item>(item: Of): Of {
  const money = moneyFields[item.kind];
  if (!money) return item;
  return { ...item, fields: Object.fromEntries(Object.entries(item.fields).filter(([field]) => !money.includes(field))) };
}
