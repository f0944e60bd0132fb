/** The way down to a thing of the plant, by the parts of its address. */
import type { Crumb } from "#/components/frame/page-head.tsx";
import type { PlantTree } from "#/server/plant/edit-types.ts";
import type { Kind } from "#/server/plant/items.ts";
import { pathOf } from "./forms.ts";
import type { Place } from "./use-lookup.ts";

/** Kinds whose address begins with the site's key, and how many parts of it lead to the thing above them. */
const onSite: readonly Kind[] = ["area", "line", "machine", "signal", "shift_pattern", "shift", "reason", "team", "calendar_entry", "device"];

export function placeOf(kind: Kind, address: string, tree: PlantTree | undefined): Place {
  const parts = address.split("/");
  if (kind !== "site" && !onSite.includes(kind)) return { site: null, line: null, zone: null };
  const site = parts[0] ?? null;
  const hasLine = kind === "line" || kind === "machine" || kind === "signal";
  return { site, line: hasLine ? parts.slice(0, 3).join("/") : null, zone: tree?.sites.find((one) => one.address === site)?.zone ?? null };
}

/** What stands above a thing and is not in the tree: its own page has the name. */
export function aboveOf(kind: Kind, address: string, parent: string): { kind: Kind; address: string } | null {
  if (kind === "product" && parent) return { kind: "product_line", address: parent };
  if (kind === "shift") return { kind: "shift_pattern", address: address.split("/").slice(0, 2).join("/") };
  return null;
}

/** parent: of a thing whose address does not tell. The names come from the tree; the key stands in until it is there. aboveName: of `aboveOf`. */
export function crumbsOf(kind: Kind, address: string, parent: string, tree: PlantTree | undefined, plant: string, aboveName?: string): Crumb[] {
  const crumbs: Crumb[] = [{ name: plant, path: "/plant" }];
  const parts = address.split("/");
  const site = onSite.includes(kind) ? parts[0] : kind === "source" ? parent : undefined;
  if (site) crumbs.push({ name: tree?.sites.find((one) => one.address === site)?.name ?? site, path: pathOf("site", site) });
  const above = aboveOf(kind, address, parent);
  if (above) crumbs.push({ name: aboveName ?? above.address.split("/").at(-1) ?? "", path: pathOf(above.kind, above.address) });
  if (kind === "line" || kind === "machine" || kind === "signal") {
    const steps: Kind[] = ["area", "line", "machine"];
    const found = tree?.sites.find((one) => one.address === site);
    for (const [index, step] of steps.entries()) {
      if (parts.length <= index + 2) break;
      const at = parts.slice(0, index + 2).join("/");
      crumbs.push({ name: nameIn(found, step, at) ?? parts[index + 1] ?? "", path: pathOf(step, at) });
    }
  }
  return crumbs;
}

function nameIn(site: PlantTree["sites"][number] | undefined, step: Kind, address: string): string | undefined {
  const areas = site?.areas ?? [];
  if (step === "area") return areas.find((area) => area.address === address)?.name;
  const lines = areas.flatMap((area) => area.lines);
  if (step === "line") return lines.find((line) => line.address === address)?.name;
  return lines.flatMap((line) => line.machines).find((machine) => machine.address === address)?.name;
}
