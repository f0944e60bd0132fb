/**
 * Whose topics are whose. A site's are those below takt/v1/<site>, those that its sources and mappings read, and those that its devices may write. Who has no right
 * there neither reads them into a machine of their own, nor lets a device of their own write to them, nor reads what another site's device may write: that device
 * would speak for the machine.
 */
import type { Db } from "#/server/db.ts";
import { type Action, type Actor, mayAt, scopeOf } from "#/server/domain/permission.ts";
import { FilterIndex, filterCovers } from "#/server/domain/topic-filter.ts";
import { Refusal } from "#/server/errors.ts";
import type { Edit } from "./edit-types.ts";

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

const text = (value: unknown): string | null => (typeof value === "string" && value.trim() !== "" ? value.trim() : null);
const strings = (value: unknown): string[] => (Array.isArray(value) ? value : []).filter((one) => typeof one === "string");
const record = (value: unknown): Record<string, unknown> | null => (typeof value === "object" && value !== null ? { ...value } : null);

/** Filters that an edit gives to a device to write, or to a signal, machine or source to read. */
function filtersOf(edit: Edit): string[] {
  if (edit.do !== "put") return [];
  const { kind, fields, address } = edit;
  const source = (form: unknown, at: unknown) => (text(at) === null ? [] : filtersOfSource(text(form), text(at) ?? ""));
  if (kind === "device") return strings(fields.topics);
  if (kind === "source") return source(fields.form, fields.address ?? (fields.form === undefined ? null : address));
  if (kind === "machine") {
    const given = record(fields.source);
    return given === null ? [] : source(given.form ?? "json", given.address);
  }
  if (kind !== "signal" || !Array.isArray(fields.mapping)) return [];
  return fields.mapping.flatMap((way: unknown) => {
    const { topic, descriptor } = record(way) ?? {};
    return [...strings([topic]), ...source("sparkplug", descriptor)];
  });
}

/** A filter that whatever comes to be named later may fall under: without the two levels that tell one publisher from others. */
function isWide(filter: string): boolean {
  const levels = filter.split("/");
  const isOpen = (level: string | undefined) => level === "+" || level === "#";
  if (levels[0] === "spBv1.0") return levels.length < 4 || isOpen(levels[1]) || isOpen(levels[3]);
  if (filter.startsWith(`${namespace}/`)) return isOpen(levels[2]);
  return isOpen(levels[0]) || isOpen(levels[1]);
}

type Claim = { siteId: number; by: "source" | "device" };
type Check = (edit: Edit, siteId: number | null, rights: readonly Action[]) => void;

/** sites: ids by key. @returns a check of each edit that throws Refusal FORBIDDEN; what the edited item has already is not asked about again */
export async function topicRights(tx: Db, actor: Actor, sites: ReadonlyMap<string, number>, edits: readonly Edit[]): Promise<Check> {
  if (edits.every((edit) => filtersOf(edit).length === 0)) return () => undefined;
  const { claims, ofItem } = await claimed(tx);
  const keys = new Map([...sites].map(([key, id]) => [id, key]));
  for (const [key, siteId] of sites) claims.add(`${namespace}/${key}/#`, { siteId, by: "source" });
  return (edit, siteId, rights) => {
    if (edit.do !== "put") return;
    const had = edit.kind === "device" ? ofItem.get(`device ${edit.address}`) : edit.kind === "signal" ? ofItem.get(`signal ${edit.address}`) : undefined;
    const ownKey = siteId === null ? undefined : keys.get(siteId);
    const everywhere = rights.every((right) => scopeOf(actor, right).sites === "all");
    for (const filter of filtersOf(edit)) {
      if (everywhere || had?.has(filter) || (ownKey !== undefined && filterCovers(`${namespace}/${ownKey}/#`, filter))) continue;
      for (const claim of claims.overlapping(filter)) {
        if (claim.siteId === siteId || rights.every((right) => mayAt(actor, right, claim.siteId))) continue;
        const sentence =
          claim.by === "device" && edit.kind !== "device"
            ? `A device of another site, which is not yours, may publish to "${filter}": ask who looks after all sites.`
            : `The topic "${filter}" reaches another site, which is not yours.`;
        throw new Refusal("FORBIDDEN", sentence);
      }
      if (edit.kind === "device" && isWide(filter))
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
