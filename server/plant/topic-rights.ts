/** Topics below takt/v1/<site> belong to that site: who has no right there neither reads them into a machine of their own, nor lets a device of their own write to them. */
import { type Action, type Actor, mayAt } from "#/server/domain/permission.ts";
import { filtersOverlap } from "#/server/domain/topic-filter.ts";
import { Refusal } from "#/server/errors.ts";
import type { Edit } from "./edit-types.ts";

const strings = (value: unknown): string[] => (Array.isArray(value) ? value : []).filter((one) => typeof one === "string");

/** Topic filters that an edit gives to a signal (to read) or a device (to write). */
function topicsOf(edit: Edit): string[] {
  if (edit.do !== "put") return [];
  if (edit.kind === "device") return strings(edit.fields.topics);
  if (edit.kind !== "signal" || !Array.isArray(edit.fields.mapping)) return [];
  return strings(edit.fields.mapping.map((way: unknown) => (typeof way === "object" && way !== null && "topic" in way ? way.topic : null)));
}

/** sites: ids by key. siteId: of the edit. @throws Refusal FORBIDDEN */
export function needTopics(actor: Actor, sites: ReadonlyMap<string, number>, edit: Edit, siteId: number | null, rights: readonly Action[]): void {
  for (const topic of topicsOf(edit))
    for (const [key, id] of sites)
      if (id !== siteId && filtersOverlap(topic, `takt/v1/${key}/#`) && !rights.every((right) => mayAt(actor, right, id)))
        throw new Refusal("FORBIDDEN", `The topic "${topic}" reaches another site, which is not yours.`);
}
