/**
 * Whose topics are whose. A site's are those below takt/v1/<site>, those that its sources and mappings read, and those that its devices may write. Who has no right
 * there neither reads them into a machine of their own, nor lets a device of their own write to them, nor reads what another site's device may write: that device
 * would speak for the machine.
 */
import type { z } from "zod";
import { headTopic } from "#/server/audit/env.ts";
import type { Db } from "#/server/db.ts";
import { type Action, type Actor, mayAt, scopeOf } from "#/server/domain/permission.ts";
import { FilterIndex, filterCovers, filtersOverlap } from "#/server/domain/topic-filter.ts";
import { whyNotToPublish, whyOwn } from "#/server/domain/topic-rules.ts";
import { Refusal } from "#/server/errors.ts";
import { asSentence } from "./edit-faults.ts";
import { laidOver } from "./edit-fields.ts";
import type { Edit, Put } from "./edit-types.ts";
import { entryShapes } from "./file.ts";

const namespace = "takt/v1";

/**
 * Filters of everything that speaks for a source. A Sparkplug node's own messages say whether its devices are there, and any of them may be made by whoever is that
 * node, so the node is one whole. A mapped source is a name; its topics are those of its signals.
 */
export function filtersOfSource(form: string | null, address: string): string[] {
  const [group = "", node = ""] = address.split("/");
  const sparkplug = `spBv1.0/${group}/+/${node}/#`;
  const json = `${namespace}/${address}/#`;
  if (form === "sparkplug") return [sparkplug];
  if (form === "json") return [json];
  return form === "mapped" ? [] : [sparkplug, json]; // a form that is not said: either
}

/** A field as the file's shape takes it, so that what is judged is what is stored, however it was sent. null: not given, or refused by the shape. */
function given<Of>(edit: Put, field: string, shape: z.ZodType<Of>): Of | null {
  const value = laidOver({}, edit.fields)[field];
  return value === undefined ? null : (shape.safeParse(value).data ?? null);
}

type SourceName = { form: string | null; address: string };

/** The publisher that an edit makes, or moves to another address. */
function sourceOf(edit: Put): SourceName | null {
  if (edit.kind === "source") {
    const form = given(edit, "form", entryShapes.source.shape.form);
    const address = given(edit, "address", entryShapes.source.shape.address) ?? (form === null ? null : edit.address);
    return address === null ? null : { form, address };
  }
  if (edit.kind !== "machine") return null;
  const source = given(edit, "source", entryShapes.machine.shape.source);
  return source?.address === undefined ? null : { form: source.form, address: source.address };
}

/** Filters that an edit gives to a device to write, or to a signal, machine or source to read. */
function filtersOf(edit: Edit): string[] {
  if (edit.do !== "put") return [];
  if (edit.kind === "device") return given(edit, "topics", entryShapes.device.shape.topics) ?? [];
  if (edit.kind === "signal")
    return (given(edit, "mapping", entryShapes.signal.shape.mapping) ?? []).flatMap(({ topic, descriptor }) => [
      ...(topic === undefined ? [] : [topic]),
      ...(descriptor === undefined ? [] : filtersOfSource("sparkplug", descriptor)),
    ]);
  const source = sourceOf(edit);
  return source === null ? [] : filtersOfSource(source.form, source.address);
}

/** A filter that whatever comes to be named later may fall under: without the two levels that tell one publisher from others. */
function isWide(filter: string): boolean {
  const levels = filter.split("/");
  const isOpen = (level: string | undefined) => level === "+" || level === "#";
  if (levels[0] === "spBv1.0") return levels.length < 4 || isOpen(levels[1]) || isOpen(levels[3]);
  if (filter.startsWith(`${namespace}/`)) return isOpen(levels[2]);
  const [first, second] = levels[0] === "" ? levels.slice(1) : levels;
  return isOpen(first) || isOpen(second);
}

/** Below takt/v1/ of a site that there is not, or not yet. */
const isOfNoSite = (filter: string, sites: ReadonlyMap<string, number>): boolean => {
  const site = filter.startsWith(`${namespace}/`) ? filter.split("/")[2] : undefined;
  return site !== undefined && site !== "+" && site !== "#" && !sites.has(site);
};

type Claim = { siteId: number; by: "source" | "device" };
type Check = (edit: Edit, siteId: number | null, rights: readonly Action[]) => void;

/** sites: ids by key. @returns a check of each edit that throws Refusal FORBIDDEN; what the edited item has already is not asked about again */
export async function topicRights(tx: Db, actor: Actor, sites: ReadonlyMap<string, number>, edits: readonly Edit[]): Promise<Check> {
  if (edits.every((edit) => filtersOf(edit).length === 0 && (edit.do !== "put" || sourceOf(edit) === null))) return () => undefined;
  const ownTopic = headTopic();
  const { claims, ofItem } = await claimed(tx);
  const keys = new Map([...sites].map(([key, id]) => [id, key]));
  for (const [key, siteId] of sites) claims.add(`${namespace}/${key}/#`, { siteId, by: "source" });
  return (edit, siteId, rights) => {
    if (edit.do !== "put") return;
    const had = edit.kind === "device" ? ofItem.get(`device ${edit.address}`) : edit.kind === "signal" ? ofItem.get(`signal ${edit.address}`) : undefined;
    const ownKey = siteId === null ? undefined : keys.get(siteId);
    const everywhere = rights.every((right) => scopeOf(actor, right).sites === "all");
    const mayAtSite = (id: number) => id === siteId || rights.every((right) => mayAt(actor, right, id));
    const name = sourceOf(edit);
    const named = name?.form === "mapped" ? sites.get(name.address.split("/")[0] ?? "") : undefined;
    if (named !== undefined && !mayAtSite(named))
      throw new Refusal("FORBIDDEN", `The name "${name?.address}" begins as the addresses of another site do, which is not yours.`);
    for (const filter of filtersOf(edit)) {
      if (ownTopic !== null && !had?.has(filter) && (edit.kind === "device" ? filtersOverlap(filter, ownTopic) : filter === ownTopic))
        throw new Refusal("RULE_BROKEN", asSentence(`"${filter}": ${whyOwn}`));
      if (everywhere || had?.has(filter) || (ownKey !== undefined && filterCovers(`${namespace}/${ownKey}/#`, filter))) continue;
      if (isOfNoSite(filter, sites)) throw new Refusal("FORBIDDEN", `The topic "${filter}" reaches another site, which is not yours.`);
      for (const claim of claims.overlapping(filter)) {
        if (mayAtSite(claim.siteId)) continue;
        const sentence =
          claim.by === "device" && edit.kind !== "device"
            ? `A device of another site, which is not yours, may publish to "${filter}": ask who looks after all sites.`
            : `The topic "${filter}" reaches another site, which is not yours.`;
        throw new Refusal("FORBIDDEN", sentence);
      }
      if (edit.kind === "device" && isWide(filter) && whyNotToPublish(filter) === null)
        throw new Refusal(
          "FORBIDDEN",
          `The topic "${filter}" is so wide that what another site sets up later would fall under it. Name the publisher's own topics, or ask who looks after all sites.`,
        );
    }
  };
}

type ClaimRow = { siteId: number; kind: "source" | "mapping" | "device"; form: string; address: string; pattern: string };

/** What is read and written, of all sites; ofItem: the filters of each device and signal, by kind and address. */
async function claimed(tx: Db): Promise<{ claims: FilterIndex<Claim>; ofItem: Map<string, Set<string>> }> {
  const rows = await tx.rows<ClaimRow>(
    `-- plant.topicsOfSites
     select s.site_id as "siteId", 'source' as kind, s.form, s.address, s.address as pattern from source s where s.retired_at is null
     union all
     select i.id, 'mapping', t.form, concat_ws('/', i.key, a.key, l.key, m.key, g.key), t.pattern
     from topic_mapping t join signal g on g.id = t.signal_id and g.retired_at is null join machine m on m.id = g.machine_id join line l on l.id = m.line_id
       join area a on a.id = l.area_id join site i on i.id = a.site_id
     union all
     select d.site_id, 'device', 'json', concat_ws('/', i.key, d.key), unnest(d.topics) from device d join site i on i.id = d.site_id where d.retired_at is null`,
  );
  const claims = new FilterIndex<Claim>();
  const ofItem = new Map<string, Set<string>>();
  for (const { siteId, kind, form, address, pattern } of rows) {
    const filters = kind === "source" || form === "sparkplug" ? filtersOfSource(form, pattern) : [pattern];
    for (const filter of filters) claims.add(filter, { siteId, by: kind === "device" ? "device" : "source" });
    if (kind === "source") continue;
    const name = `${kind === "device" ? "device" : "signal"} ${address}`;
    ofItem.set(name, new Set([...(ofItem.get(name) ?? []), ...filters]));
  }
  return { claims, ofItem };
}
