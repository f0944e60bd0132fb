/** The plant of the database as a plant file. What is retired is left out; applied to an empty database, the file exports the same again. */
import { Document, isCollection, isMap, isSeq, type Pair, visit } from "yaml";
import type { Db } from "#/server/db.ts";
import { type Entry, entriesOf } from "./entries.ts";
import { readPlant } from "./queries.ts";

/** YAML text; null while the database holds no plant. tx: one moment of the plant (repeatable read). */
export async function exportPlant(tx: Db): Promise<string | null> {
  const plant = entriesOf(await readPlant(tx));
  return plant.enterprise === undefined ? null : yamlOf(plant);
}

/**
 * What decides how a site's figures are made, for signing: its lines, machines, signals, rates, patterns of shifts, reasons, targets. Money, calendar, devices
 * and teams are left out: they change by the day, and money is not everybody's to see. null: no such site in use.
 */
export async function siteText(tx: Db, siteKey: string): Promise<string | null> {
  const current = await readPlant(tx);
  const { sites } = entriesOf({ ...current, timelines: { ...current.timelines, machine_cost: [], product_cost: [], energy_price: [] } });
  const site = (sites as Entry[]).find(({ key }) => key === siteKey);
  if (!site) return null;
  const { currency: _currency, calendar: _calendar, devices: _devices, teams: _teams, ...signed } = site;
  return yamlOf({ sites: [signed] });
}

/** Entries without anything below them stand on one line. Empty lists and fields without a value are left out. */
export function yamlOf(plant: Entry): string {
  const document = new Document(withoutEmpty(plant));
  visit(document, {
    Collection: (_, node) => {
      const inner = isSeq(node) ? node.items : isMap(node) ? (node.items as Pair[]).map((pair) => pair.value) : [];
      const isLeaf = isMap(node) && node.items.length <= 12 && !inner.some((value) => isSeq(value) || (isCollection(value) && value.items.length > 6));
      if (isLeaf && node !== document.contents) node.flow = true;
    },
  });
  return document.toString({ lineWidth: 0, flowCollectionPadding: true });
}

function withoutEmpty(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutEmpty);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, inner]) => inner !== undefined && !(Array.isArray(inner) && inner.length === 0))
      .map(([field, inner]) => [field, withoutEmpty(inner)]),
  );
}
