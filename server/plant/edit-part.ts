/** Which part of the plant must be read to make an edit: what it changes, what refers to that, and what the rules look at beside it. */
import type { Db } from "#/server/db.ts";
import type { Edit, GivenFields } from "./edit-types.ts";
import type { Kind } from "./items.ts";
import { type Part, sourceUses } from "./queries.ts";

/** Everything of a kind below an address: what a list of it shows. */
export async function partBelow(tx: Db, kind: Kind, siteIds: readonly number[], under: string | null): Promise<Part> {
  const machines = kind === "machine" || kind === "signal" ? await machinePaths(tx, siteIds) : [];
  const sources =
    kind === "source"
      ? await tx.rows<{ address: string }>("-- plant.sourcesOfSites\n select address from source where retired_at is null and site_id = any($1::int[])", [
          siteIds,
        ])
      : [];
  return {
    siteIds,
    machineIds: machines.filter(({ path }) => under === null || `${path}/`.startsWith(`${under}/`)).map(({ id }) => id),
    sources: sources.map(({ address }) => address),
  };
}

type MachinePath = { id: number; siteId: number; path: string };

/** What an edit asks for, before it is known which rows that is. machines: address of a machine, or of a line, area or site with all of its machines. */
type Wanted = { sites: Set<string>; machines: Set<string>; sources: Set<string>; sourceUsers: Set<string>; products: Set<string> };

/** items: what is to be read without an edit. */
export async function partOf(tx: Db, edits: readonly Edit[], items: readonly { kind: Kind; address: string }[] = []): Promise<Part> {
  const wanted: Wanted = { sites: new Set(), machines: new Set(), sources: new Set(), sourceUsers: new Set(), products: new Set() };
  for (const edit of edits) want(wanted, edit);
  for (const { kind, address } of items) wantItem(wanted, kind, address);
  const lines = edits.flatMap((edit) => (edit.do === "remove" && edit.kind === "product_line" ? [edit.address] : []));
  if (lines.length > 0) {
    const products = await tx.rows<{ key: string }>(
      "-- plant.productsOfLines\n select p.key from product p join product_line l on l.id = p.product_line_id where l.key = any($1)",
      [lines],
    );
    for (const { key } of products) wanted.products.add(key);
  }
  const sites = await tx.rows<{ id: number; key: string }>("-- plant.siteIds\n select id, key from site");
  const siteIds = new Set(sites.filter(({ key }) => wanted.sites.has(key)).map(({ id }) => id));
  const machineIds = new Set<number>();
  if (wanted.products.size > 0) {
    const used = await tx.rows<{ siteId: number; machineId: number | null }>(
      `-- plant.productUsers
       select a.site_id as "siteId", m.id as "machineId" from ideal_cycle c join product p on p.id = c.product_id join machine m on m.id = c.machine_id
         join line l on l.id = m.line_id join area a on a.id = l.area_id where p.key = any($1)
       union select c.site_id, null from product_cost c join product p on p.id = c.product_id where p.key = any($1)`,
      [[...wanted.products]],
    );
    for (const { siteId, machineId } of used) {
      siteIds.add(siteId);
      if (machineId !== null) machineIds.add(machineId);
    }
  }
  const forced = await usersOfSources(tx, wanted, siteIds, machineIds);
  const paths = wanted.machines.size === 0 ? [] : await machinePaths(tx, [...siteIds]);
  for (const { id, path } of paths) if (isWanted(wanted.machines, path)) machineIds.add(id);
  const named = await namedSources(tx, wanted, machineIds);
  return { siteIds: [...siteIds], machineIds: [...machineIds], sources: [...forced, ...named] };
}

/** The path itself or anything above it. */
function isWanted(wanted: ReadonlySet<string>, path: string): boolean {
  for (let end = path.length; end > 0; end = path.lastIndexOf("/", end - 1)) if (wanted.has(path.slice(0, end))) return true;
  return false;
}

const siteOf = (address: string) => address.split("/")[0] ?? "";
const belowSite: ReadonlySet<Kind> = new Set<Kind>([
  "shift_pattern",
  "shift",
  "reason",
  "team",
  "device",
  "area",
  "line",
  "machine",
  "signal",
  "calendar_entry",
  "site",
]);

function want(wanted: Wanted, edit: Edit): void {
  if (edit.do === "reorder") {
    wanted.sites.add(siteOf(edit.line));
    return;
  }
  const { kind, address } = edit;
  const isRemoved = edit.do === "remove";
  const at = address ?? (edit.do === "put" ? edit.parent : null) ?? "";
  wantItem(wanted, kind, at, address === null);
  if (edit.do === "put" && kind === "source" && edit.parent !== null) wanted.sites.add(edit.parent);
  if (isRemoved && kind === "product") wanted.products.add(edit.address);
  const given: GivenFields = edit.do === "put" ? edit.fields : {};
  const isRenamed = address !== null && typeof given.key === "string" && given.key !== address.split("/").at(-1);
  // A machine's own source and its topics follow its address; a site's zone is what its days are read in.
  if ((kind === "site" || kind === "area" || kind === "line") && address !== null && (isRemoved || isRenamed || (kind === "site" && given.zone !== undefined)))
    wanted.machines.add(address);
  // Whether there is money without a currency, its machines say.
  if (kind === "site" && address !== null && (given.currency === null || given.currency === "")) wanted.machines.add(address);
  const source = given.source;
  if (kind === "machine" || kind === "signal") {
    if (typeof source === "string") wanted.sources.add(source);
    else if (typeof source === "object" && source !== null && "address" in source && typeof source.address === "string") wanted.sources.add(source.address);
  }
}

function wantItem(wanted: Wanted, kind: Kind, address: string, isNew = false): void {
  if (kind === "source") {
    if (!isNew) wanted.sourceUsers.add(address);
    return;
  }
  if (!belowSite.has(kind)) return;
  wanted.sites.add(siteOf(address));
  if (kind === "machine" && !isNew) wanted.machines.add(address);
  if (kind === "signal") wanted.machines.add(isNew ? address : address.slice(0, address.lastIndexOf("/")));
}

/** Sources that are edited themselves: written below their site then, and every machine that uses them is read. Their sites are added. */
async function usersOfSources(tx: Db, { sourceUsers }: Wanted, siteIds: Set<number>, machineIds: Set<number>): Promise<string[]> {
  if (sourceUsers.size === 0) return [];
  const rows = await tx.rows<{ address: string; siteId: number; machineIds: number[] }>(
    `-- plant.usersOfSources
     select s.address, s.site_id as "siteId", array(select distinct u.machine_id from ${sourceUses} u where u.source_id = s.id
       union select m.id from machine m join line l on l.id = m.line_id join area a on a.id = l.area_id join site i on i.id = a.site_id
         where s.form = 'json' and concat_ws('/', i.key, a.key, l.key, m.key) = s.address) as "machineIds"
     from source s where s.address = any($1)`,
    [[...sourceUsers]],
  );
  for (const row of rows) {
    siteIds.add(row.siteId);
    for (const id of row.machineIds) machineIds.add(id);
  }
  return rows.map(({ address }) => address);
}

/** Sources that machines or signals are to name from now on, and that one other machine has for its own so far: that machine is read, too. */
async function namedSources(tx: Db, { sources }: Wanted, machineIds: Set<number>): Promise<string[]> {
  if (sources.size === 0) return [];
  const rows = await tx.rows<{ address: string; machineIds: number[] }>(
    `-- plant.namedSources
     select s.address, array(select distinct u.machine_id from ${sourceUses} u where u.source_id = s.id) as "machineIds"
     from source s where s.address = any($1) and s.retired_at is null`,
    [[...sources]],
  );
  const others = rows.filter((row) => row.machineIds.length === 1 && !row.machineIds.every((id) => machineIds.has(id)));
  for (const row of others) for (const id of row.machineIds) machineIds.add(id);
  return others.map(({ address }) => address);
}

const machinePaths = (tx: Db, siteIds: readonly number[]) =>
  tx.rows<MachinePath>(
    `-- plant.machinePaths
     select m.id, s.id as "siteId", concat_ws('/', s.key, a.key, l.key, m.key) as path
     from machine m join line l on l.id = m.line_id join area a on a.id = l.area_id join site s on s.id = a.site_id where s.id = any($1::int[])`,
    [siteIds],
  );
