/** Looking into the audit trail: the whole of it, and the history of one object. */
import type { Db } from "#/server/db.ts";
import { type Actor, type Scope, scopeOf } from "#/server/domain/permission.ts";
import { Refusal } from "#/server/errors.ts";
import { sitesIn } from "#/server/scope.ts";
import { maySee, maySeeInHistory, moneyKinds, partsOf } from "./kinds.ts";
import { type Names, namesIn } from "./names.ts";
import { type EntryFilter, type EntryKey, type EntryRow, entrySlice, historyRows, keyOf, type SiteName, siteNames } from "./queries.ts";

/** isVeiled: what changed is not this person's to see (money); that it did, is. */
export type Entry = EntryRow & { isVeiled: boolean };
export type { EntryKey, SiteName };

/** site: its key; "all": the chain of what concerns all sites; null: every chain that the actor may see. */
export type Asked = Omit<EntryFilter, "chains" | "veiled" | "unveiledChains"> & { site: string | null };
type Asking = { db: Db; actor: Actor; scope: Scope };

const entriesAPage = 50;
/** Looked through at once where a text is looked for; without one, a page is a slice. */
const entriesASlice = 10_000;
/** After this time a page is what was found until then, and how far back that is. */
const lookForMs = 2_500;

export type Page = {
  entries: Entry[];
  names: Names;
  /** Where the next page goes on; null: nothing further. */
  next: EntryKey | null;
  /** The page is not full, and older entries have not been looked at yet: how far back this one reaches. */
  lookedBackTo: string | null;
};

/** Newest first. @throws Refusal NOT_FOUND: no such site, or not the actor's */
export async function searchEntries(asking: Asking, asked: Asked, after: EntryKey | null): Promise<Page> {
  const filter = await filterOf(asking, asked);
  const size = asked.who === null && asked.action === null && asked.text === null ? entriesAPage + 1 : entriesASlice;
  const until = performance.now() + lookForMs;
  const found: EntryRow[] = [];
  let key = after;
  do {
    const slice = await entrySlice(asking.db, filter, key, size);
    found.push(...slice.rows);
    key = slice.end;
  } while (key !== null && found.length < entriesAPage && performance.now() < until);
  const entries = found.slice(0, entriesAPage).map((row) => veil(asking.actor, row));
  const names = await namesIn(asking.db, entries);
  const last = entries.at(-1);
  if (found.length >= entriesAPage && last)
    return { entries, names, next: found.length > entriesAPage || key !== null ? keyOf(last) : null, lookedBackTo: null };
  return { entries, names, next: key, lookedBackTo: key === null ? null : (key.split("|")[0] ?? null) };
}

/** All that match, slice by slice, for a file. */
export async function* allEntries(asking: Asking, asked: Asked): AsyncGenerator<Entry[]> {
  const filter = await filterOf(asking, asked);
  let key: EntryKey | null = null;
  do {
    const slice = await entrySlice(asking.db, filter, key, 2_000);
    yield slice.rows.map((row) => veil(asking.actor, row));
    key = slice.end;
  } while (key !== null);
}

async function filterOf({ db, actor, scope }: Asking, { site, ...asked }: Asked): Promise<EntryFilter> {
  const money = scopeOf(actor, "money.read").sites;
  const veil = money === "all" ? { veiled: [], unveiledChains: null } : { veiled: moneyKinds, unveiledChains: money };
  if (site === null) return { ...asked, ...veil, chains: sitesIn(scope) };
  if (site === "all" && scope.sites === "all") return { ...asked, ...veil, chains: [0] };
  const found = (await siteNames(db, sitesIn(scope))).find(({ key }) => key === site);
  if (!found) throw new Refusal("NOT_FOUND", `There is no site ${site}, or it is not one of yours.`);
  return { ...asked, ...veil, chains: [found.id] };
}

function veil(actor: Actor, row: EntryRow): Entry {
  const isVeiled = moneyKinds.includes(row.subjectKind) && !maySee(actor, "money.read", row.chain);
  return isVeiled ? { ...row, before: null, after: null, isVeiled } : { ...row, isVeiled };
}

/** The sites whose chains the actor may look into, for choosing and for naming. */
export const auditSites = ({ db, scope }: Asking): Promise<SiteName[]> => siteNames(db, sitesIn(scope));

const historyAPage = 30;

export type History = { entries: Entry[]; names: Names; next: EntryKey | null; sites: SiteName[] };

/** Of one object with its parts, newest first; what is not the actor's to see is left out. */
export async function historyOf({ db, actor, scope }: Asking, subject: { kind: string; id: string }, after: EntryKey | null): Promise<History> {
  const parts = partsOf(subject.kind);
  const entries: Entry[] = [];
  let key = after;
  // What is left out must not make a page look like the last one.
  do {
    const rows = await historyRows(db, { ...subject, parts }, key, historyAPage + 1);
    for (const row of rows.slice(0, historyAPage)) if (maySeeInHistory(actor, row.subjectKind, row.chain)) entries.push({ ...row, isVeiled: false });
    const last = rows[historyAPage - 1];
    key = rows.length > historyAPage && last ? keyOf(last) : null;
  } while (key !== null && entries.length < historyAPage);
  return { entries, names: await namesIn(db, entries), next: key, sites: await siteNames(db, sitesIn(scope)) };
}
