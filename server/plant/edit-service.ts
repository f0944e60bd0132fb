/** Edits of the plant for people: their rights, one audited transaction, and answers that forms understand. */
import { type Changing, change } from "#/server/audit/change.ts";
import { type Db, transaction } from "#/server/db.ts";
import { type Action, type Actor, mayAt, sees, whyMayNot } from "#/server/domain/permission.ts";
import { Refusal } from "#/server/errors.ts";
import { word } from "./compare.ts";
import { type Editing, type EditPlan, makeEdits, planEdits, WrongEdits } from "./edit.ts";
import { moneyFields } from "./edit-fields.ts";
import type { Edit, GivenFields, Item, ItemAnswer, Kind, PlantTree } from "./edit-types.ts";
import type { Fault } from "./edit-work.ts";
import { exportPlant } from "./export.ts";
import { isGlobal } from "./items.ts";
import { listItems, plantTree, readItem, withoutMoney } from "./read.ts";
import { lockPlant } from "./service.ts";
import { topicRights } from "./topic-rights.ts";

type Sites = ReadonlyMap<string, number>;
type Asking = { actor: Actor; scope: { sites: "all" | readonly number[] } };

const sitesOf = async (tx: Db): Promise<Sites> =>
  new Map(
    (await tx.rows<{ id: number; key: string }>("-- plant.sites\n select id, key from site where retired_at is null order by id")).map(({ id, key }) => [
      key,
      id,
    ]),
  );

/** One moment of the plant. */
const looking = <Result>(work: (tx: Db) => Promise<Result>): Promise<Result> => transaction(work, { isSnapshot: true });

export async function tree(db: Db, { actor, scope }: Asking): Promise<PlantTree> {
  const found = await plantTree(db, scope.sites === "all" ? null : [...scope.sites]);
  return { ...found, sites: found.sites.map((site) => ({ ...site, mayChange: mayAt(actor, "plant.change", site.id) })) };
}

/** @throws Refusal NOT_FOUND, FORBIDDEN */
export function item(actor: Actor, kind: Kind, address: string): Promise<ItemAnswer> {
  return looking(async (tx) => {
    const siteId = await siteOfItem(tx, await sitesOf(tx), kind, address, null);
    needThere(actor, "plant.read", siteId, missing(kind, address));
    const found = await readItem(tx, kind, address);
    if (!found) throw new Refusal("NOT_FOUND", missing(kind, address));
    const mayChange = rightsFor({ do: "put", kind, address, parent: null, fields: {}, version: null }).every((action) => allowed(actor, action, siteId));
    const answer: ItemAnswer = { ...found, mayChange, mayMoney: mayChange && allowed(actor, "money.change", siteId) };
    return mayReadMoney(actor, siteId) ? answer : withoutMoney(answer);
  });
}

/** Items of a kind at the sites where the actor may look; under: below this address. */
export function list({ actor, scope }: Asking, kind: Kind, under: string | null): Promise<Item[]> {
  return looking(async (tx) => {
    const sites = await sitesOf(tx);
    const seen = [...sites].filter(([, id]) => scope.sites === "all" || scope.sites.includes(id));
    const at = under === null || isShared(kind) ? seen : seen.filter(([key]) => key === under.split("/")[0]);
    if (under !== null && !isShared(kind) && at.length === 0) throw new Refusal("NOT_FOUND", `There is no site "${under.split("/")[0]}".`);
    const found = await listItems(
      tx,
      kind,
      at.map(([, id]) => id),
      under,
    );
    const ids = new Map(at);
    const visible = isShared(kind)
      ? found
      : found.filter((one) => ids.has(kind === "site" ? one.address : ((one.kind === "source" ? one.parent : one.address.split("/")[0]) ?? "")));
    return visible.map((one) => (mayReadMoney(actor, ids.get(one.address.split("/")[0] ?? "") ?? null) ? one : withoutMoney(one)));
  });
}

/** What all sites share: no site's right is asked for reading it. */
const isShared = (kind: Kind) => isGlobal(kind) && kind !== "site" && kind !== "source";

export type Done = { addresses: (string | null)[]; lines: string[] };

/** action: noun.verbed, for the audit trail. isMany: faults are told as those of `items.3`. */
type How = { action: string; why?: string | undefined; isMany: boolean };

/**
 * Makes edits, all or none. `then` runs in the same transaction, after they are written.
 * @throws Refusal NOT_FOUND, FORBIDDEN, CONFLICT (present: version, values), RULE_BROKEN (fields; those of several edits as `items.3.unit`)
 */
export const edit = <Result>(ctx: Changing, edits: readonly Edit[], how: How, then: (tx: Db, plan: EditPlan) => Promise<Result>): Promise<Result> =>
  perform(ctx, how, async () => edits, needRights, then);

/** The same for edits that one right of their own allows at the item's site, whatever it takes otherwise. `make` reads what it needs in the same transaction. */
export const editAs = <Result>(
  ctx: Changing,
  right: Action,
  how: Omit<How, "isMany">,
  make: (tx: Db) => Promise<readonly Edit[]>,
  then: (tx: Db, plan: EditPlan) => Promise<Result>,
): Promise<Result> => perform(ctx, { ...how, isMany: true }, make, (tx, actor, sites, edits) => needRights(tx, actor, sites, edits, () => [right]), then);

function perform<Result>(
  ctx: Changing,
  { action, why, isMany }: How,
  make: (tx: Db) => Promise<readonly Edit[]>,
  needed: (tx: Db, actor: Actor, sites: Sites, edits: readonly Edit[]) => Promise<(number | null)[]>,
  then: (tx: Db, plan: EditPlan) => Promise<Result>,
): Promise<Result> {
  return change(ctx, { action, why: why ?? null }, async (tx) => {
    await lockPlant(tx);
    const edits = await make(tx);
    const siteIds = await needed(tx, ctx.actor, await sitesOf(tx), edits);
    try {
      return await then(tx, await makeEdits(tx, edits, editing(ctx)));
    } catch (error) {
      throw forPeople(error, ctx.actor, edits, siteIds, isMany);
    }
  });
}

/** What an edit would do, and why it cannot be done. @throws Refusal NOT_FOUND, FORBIDDEN */
export function foresee(ctx: Changing, edits: readonly Edit[]): Promise<{ lines: string[]; why: string | null }> {
  return looking(async (tx) => {
    await needRights(tx, ctx.actor, await sitesOf(tx), edits);
    try {
      const { lines } = await planEdits(tx, edits, editing(ctx));
      return { lines, why: null };
    } catch (error) {
      if (error instanceof WrongEdits) return { lines: [], why: sentences(error.faults) };
      throw error;
    }
  });
}

export const editing = ({ actor, now }: Changing): Editing => ({
  now: new Date(Math.floor(now().getTime() / 1000) * 1000), // what holds from now on is read by people: whole seconds
  sees: (siteId) => sees(actor, siteId),
});

export async function put(ctx: Changing, wanted: Omit<Extract<Edit, { do: "put" }>, "do">, why?: string) {
  const verb = wanted.address === null ? "created" : "changed";
  return edit(ctx, [{ do: "put", ...wanted }], { action: `${wanted.kind}.${verb}`, why, isMany: false }, async (tx, plan) => {
    const [address] = plan.addresses;
    const stored = address ? await readItem(tx, wanted.kind, address) : null;
    if (!stored) throw new Error(`${wanted.kind} ${address} was put and is not there.`);
    const siteId = await siteOfItem(tx, await sitesOf(tx), wanted.kind, stored.address, stored.parent);
    const { version, fields } = mayReadMoney(ctx.actor, siteId) ? stored : withoutMoney(stored);
    return { address: stored.address, parent: stored.parent, version, fields, lines: plan.lines };
  });
}

export const remove = (ctx: Changing, wanted: { kind: Kind; address: string; version: string | null }, why?: string) =>
  edit(ctx, [{ do: "remove", ...wanted }], { action: `${wanted.kind}.removed`, why, isMany: false }, async (_tx, { farewell, lines }) => {
    const isRetired = farewell.retire.some(({ row, address }) => row.kind === wanted.kind && address === wanted.address);
    return { outcome: isRetired ? ("retired" as const) : ("deleted" as const), lines };
  });

/** The whole plant as its file, for those who may read all of it. @throws Refusal FORBIDDEN, NOT_FOUND */
export async function exported(actor: Actor): Promise<string> {
  for (const action of ["plant.read", "money.read"] as const) {
    const why = everywhere(actor, action) ? null : (whyMayNot(actor, action) ?? "The plant file holds all sites. You need this right at all of them.");
    if (why !== null) throw new Refusal("FORBIDDEN", why);
  }
  const text = await looking(exportPlant);
  if (text === null) throw new Refusal("NOT_FOUND", "There is no plant yet.");
  return text;
}

const everywhere = (actor: Actor, action: Action) => mayAt(actor, action, anySite);
/** No site has this id: only who may do it at all sites may do it there. */
const anySite = -1;

/** A right of the whole plant is asked for without a site. */
const allowed = (actor: Actor, action: Action, siteId: number | null): boolean => mayAt(actor, action, siteId ?? anySite);
const mayReadMoney = (actor: Actor, siteId: number | null): boolean => siteId === null || mayAt(actor, "money.read", siteId);
const missing = (kind: Kind, address: string) => `There is no ${word(kind)} ${address}.`;

function needThere(actor: Actor, action: Action, siteId: number | null, notHere: string): void {
  if (siteId !== null && !sees(actor, siteId)) throw new Refusal("NOT_FOUND", notHere);
  const isAllowed = siteId === null && action === "plant.read" ? whyMayNot(actor, action) === null : allowed(actor, action, siteId);
  if (!isAllowed) throw new Refusal("FORBIDDEN", whyMayNot(actor, action, siteId ?? undefined) ?? "You may not do this at all sites.");
}

const hasMoney = (kind: Kind, fields: GivenFields) => (moneyFields[kind] ?? []).some((field) => fields[field] !== undefined);

/** What must be allowed at the item's site (of what has none: at all sites). */
export function rightsFor(edit: Edit): Action[] {
  if (edit.do === "reorder") return ["plant.change"];
  const { kind, address } = edit;
  if (isShared(kind)) return ["catalogue.change"];
  if (kind === "device") return ["device.change"];
  const isOfPlant = kind === "site" && (edit.do === "remove" || address === null || (edit.fields.key !== undefined && edit.fields.key !== address));
  const money: Action[] = edit.do === "put" && hasMoney(kind, edit.fields) ? ["money.change"] : [];
  return [isOfPlant ? "catalogue.change" : "plant.change", ...money];
}

/** Keys of the sites that the actor knows of. */
export async function visibleSites(tx: Db, actor: Actor): Promise<ReadonlySet<string>> {
  return new Set([...(await sitesOf(tx))].filter(([, id]) => sees(actor, id)).map(([key]) => key));
}

/** @throws Refusal NOT_FOUND, FORBIDDEN where the actor may not make one of the edits */
export async function needRightsOf(tx: Db, actor: Actor, edits: readonly Edit[]): Promise<void> {
  await needRights(tx, actor, await sitesOf(tx), edits);
}

/** @returns the site of each edit; null: of none, or of one that is to be made */
async function needRights(tx: Db, actor: Actor, sites: Sites, edits: readonly Edit[], rights = rightsFor): Promise<(number | null)[]> {
  const found: (number | null)[] = [];
  const checkTopics = await topicRights(tx, actor, sites, edits);
  for (const edit of edits) {
    const [kind, address, parent] =
      edit.do === "reorder" ? (["line", edit.line, null] as const) : ([edit.kind, edit.address, edit.do === "put" ? edit.parent : null] as const);
    const isNewSite = kind === "site" && (address === null || isNew(edit, sites));
    const siteId = isNewSite ? null : await siteOfItem(tx, sites, kind, address, parent);
    if (siteId !== null && !sees(actor, siteId)) throw new Refusal("NOT_FOUND", missing(kind, address ?? parent ?? ""));
    for (const action of isNewSite ? ["catalogue.change" as const] : rights(edit))
      needThere(actor, action, action === "catalogue.change" ? null : siteId, missing(kind, address ?? parent ?? ""));
    checkTopics(edit, siteId, rights(edit));
    found.push(siteId);
  }
  return found;
}

const isNew = (edit: Edit, sites: Sites) => edit.do === "put" && edit.upsert === true && edit.address !== null && !sites.has(edit.address);

/** null: of all sites. @throws Refusal NOT_FOUND */
async function siteOfItem(tx: Db, sites: Sites, kind: Kind, address: string | null, parent: string | null): Promise<number | null> {
  if (isShared(kind)) return null;
  const at = address ?? parent ?? "";
  if (kind === "source" && address !== null) {
    const [row] = await tx.rows<{ siteId: number }>('-- plant.siteOfSource\n select site_id as "siteId" from source where address = $1', [address]);
    if (!row && parent !== null) return siteOfItem(tx, sites, "team", null, parent);
    if (!row) throw new Refusal("NOT_FOUND", missing(kind, address));
    return row.siteId;
  }
  const siteId = sites.get(at.split("/")[0] ?? "");
  if (siteId === undefined) throw new Refusal("NOT_FOUND", missing(kind, at));
  return siteId;
}

const mostSentences = 20;
const sentences = (faults: readonly Fault[]) => [...new Set(faults.map(({ sentence }) => sentence))].slice(0, mostSentences).join(" ");

/** What an edit was refused with, as forms understand it; all other errors as they are. */
function forPeople(error: unknown, actor: Actor, edits: readonly Edit[], siteIds: readonly (number | null)[], isMany: boolean): unknown {
  if (error instanceof WrongEdits) {
    const fields = error.faults.flatMap(({ edit: i, path, sentence }) =>
      i === null ? [] : [{ path: isMany ? `items.${i}${path === "" ? "" : `.${path}`}` : path, sentence }],
    );
    return new Refusal("RULE_BROKEN", sentences(error.faults), { fields });
  }
  if (error instanceof Refusal && error.code === "CONFLICT" && error.present !== null) {
    const { version, values } = error.present as { version: string; values: Record<string, unknown> };
    const [first] = edits;
    const hidden = first && first.do !== "reorder" && !mayReadMoney(actor, siteIds[0] ?? null) ? (moneyFields[first.kind] ?? []) : [];
    return new Refusal("CONFLICT", error.message, {
      present: { version, values: Object.fromEntries(Object.entries(values).filter(([field]) => !hidden.includes(field))) },
    });
  }
  return error;
}
