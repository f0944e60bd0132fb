/** What must hold for money, targets, the calendar and devices. */

import { isTimeZone } from "#/server/domain/shift.ts";
import { whyNoFilter, whyNoIdentity, whyNotToPublish } from "#/server/domain/topic-rules.ts";
import type { CalendarEntry, PlantFile, SiteEntry, TargetEntry } from "./file.ts";
import { type Bounds, brokenPeriods, periodsOf, rateBounds } from "./file-periods.ts";
import type { Broken, Path } from "./file-rules.ts";
import { didYouMean } from "./file-sentences.ts";
import { brokenShift, timesOf } from "./file-shift-rules.ts";

export function brokenCurrencies({ enterprise, currency_rates }: PlantFile): Broken[] {
  const broken: Broken[] = [];
  const taken = new Map<string, Path>();
  for (const [i, { currency, month }] of currency_rates.entries()) {
    const path = ["currency_rates", i];
    const other = taken.get(`${currency} ${month}`);
    if (other) broken.push({ path: [...path, "month"], other, sentence: `there are two rates of ${currency} for ${month}` });
    taken.set(`${currency} ${month}`, path);
    if (currency === enterprise.currency)
      broken.push({ path: [...path, "currency"], sentence: `${currency} is the group's own currency, of which one unit is always 1` });
  }
  if (currency_rates.length > 0 && enterprise.currency === undefined)
    broken.push({ path: ["currency_rates", 0], sentence: `these rates need the group's currency: give the enterprise a "currency"` });
  return broken;
}

export function brokenMoney(site: SiteEntry, path: Path, products: ReadonlyMap<string, Path>): Broken[] {
  const zone = isTimeZone(site.zone) ? site.zone : "UTC";
  const broken: Broken[] = [];
  const missing = (at: Path) => {
    if (site.currency === undefined) broken.push({ path: at, sentence: `the money of this site needs a currency: give the site a "currency", such as EUR` });
  };
  for (const [i, cost] of site.product_costs.entries()) {
    const at = [...path, "product_costs", i];
    if (!products.has(cost.product))
      broken.push({
        path: [...at, "product"],
        reference: true,
        sentence: `there is no product "${cost.product}"${didYouMean(cost.product, [...products.keys()])}`,
      });
    if (cost.value === undefined && cost.scrap === undefined)
      broken.push({ path: at, sentence: `"value" or "scrap" is missing: what a good piece is worth, what a rejected one costs` });
  }
  const byProduct = Map.groupBy(
    site.product_costs.map((entry, index) => ({ entry, index })),
    ({ entry }) => entry.product,
  );
  for (const group of byProduct.values()) broken.push(...brokenBounds(group, zone, [...path, "product_costs"]));
  broken.push(...brokenBounds(indexed(site.energy_prices), zone, [...path, "energy_prices"]));
  if (site.product_costs.length > 0) missing([...path, "product_costs", 0]);
  if (site.energy_prices.length > 0) missing([...path, "energy_prices", 0]);
  for (const { machine, at } of machinesIn(site, path)) {
    broken.push(...brokenBounds(indexed(machine.hourly_costs), zone, [...at, "hourly_costs"]));
    if (machine.hourly_costs.length > 0) missing([...at, "hourly_costs", 0]);
  }
  return broken;
}

const indexed = <Of>(entries: readonly Of[]) => entries.map((entry, index) => ({ entry, index }));

function brokenBounds(
  entries: readonly { entry: { from?: string | undefined; until?: string | undefined }; index: number }[],
  zone: string,
  path: Path,
): Broken[] {
  const bounds: Bounds[] = entries.map(({ entry }) => rateBounds(entry, zone));
  return brokenPeriods(periodsOf(bounds), (i) => [...path, entries[i]?.index ?? 0]);
}

function* machinesIn(site: SiteEntry, path: Path) {
  for (const [a, area] of site.areas.entries())
    for (const [l, line] of area.lines.entries())
      for (const [m, machine] of line.machines.entries()) yield { machine, at: [...path, "areas", a, "lines", l, "machines", m] };
}

export function brokenTargets(site: SiteEntry, path: Path): Broken[] {
  const zone = isTimeZone(site.zone) ? site.zone : "UTC";
  const of = (targets: readonly TargetEntry[], at: Path): Broken[] => {
    const empty = indexed(targets).filter(({ entry }) =>
      [entry.oee, entry.availability, entry.performance, entry.quality, entry.pieces_per_hour].every((value) => value === undefined),
    );
    return [
      ...empty.map(({ index }) => ({
        path: [...at, index],
        sentence: "a target says at least one of oee, availability, performance, quality, pieces_per_hour",
      })),
      ...brokenBounds(indexed(targets), zone, at),
    ];
  };
  return [
    ...of(site.targets, [...path, "targets"]),
    ...site.areas.flatMap((area, a) => area.lines.flatMap((line, l) => of(line.targets, [...path, "areas", a, "lines", l, "targets"]))),
    ...[...machinesIn(site, path)].flatMap(({ machine, at }) => of(machine.targets, [...at, "targets"])),
  ];
}

const longestDays = 366;

export function brokenCalendar(site: SiteEntry, path: Path): Broken[] {
  const lines = new Set(site.areas.flatMap((area) => area.lines.map((line) => `${area.key}/${line.key}`)));
  const shifts = new Set(site.shift_patterns.flatMap((pattern) => pattern.shifts.map((shift) => `${pattern.key}/${shift.key}`)));
  const broken: Broken[] = [];
  for (const [i, entry] of site.calendar.entries()) {
    const at = [...path, i];
    if (entry.line !== undefined && !lines.has(entry.line))
      broken.push({
        path: [...at, "line"],
        reference: true,
        sentence: `this site has no line "${entry.line}"; lines are named area/line${didYouMean(entry.line, [...lines])}`,
      });
    if (entry.last_date !== undefined && entry.last_date < entry.date) broken.push({ path: [...at, "last_date"], sentence: `"last_date" is before "date"` });
    else if (daysOf(entry) > longestDays) broken.push({ path: [...at, "last_date"], sentence: `an entry of the calendar lasts ${longestDays} days at most` });
    broken.push(...brokenOfKind(entry, at, shifts));
  }
  return [...broken, ...overlappingExtras(site.calendar, path)];
}

const daysOf = ({ date, last_date = date }: CalendarEntry) => (Date.parse(last_date) - Date.parse(date)) / 86_400_000 + 1;

function brokenOfKind(entry: CalendarEntry, at: Path, shifts: ReadonlySet<string>): Broken[] {
  const broken: Broken[] = [];
  const { kind, start, end, shift } = entry;
  if (kind === "cancelled_shift") {
    if (shift === undefined)
      broken.push({ path: at, sentence: `"shift" is missing: the one that does not take place, as pattern/shift; for all shifts of a day use kind: holiday` });
    else if (!shifts.has(shift))
      broken.push({
        path: [...at, "shift"],
        reference: true,
        sentence: `this site has no shift "${shift}"; shifts are named pattern/shift${didYouMean(shift, [...shifts])}`,
      });
  } else if (shift !== undefined) broken.push({ path: [...at, "shift"], sentence: `"shift" goes with kind: cancelled_shift` });
  if (kind === "extra_shift") {
    if (start === undefined || end === undefined)
      broken.push({ path: at, sentence: `"${start === undefined ? "start" : "end"}" is missing: an extra shift has a start and an end` });
    else broken.push(...brokenShift(extraShift(entry, start, end), at));
  } else {
    for (const field of ["start", "end"] as const)
      if (entry[field] !== undefined) broken.push({ path: [...at, field], sentence: `"${field}" goes with kind: extra_shift` });
    if (entry.breaks.length > 0) broken.push({ path: [...at, "breaks"], sentence: `"breaks" go with kind: extra_shift` });
  }
  return broken;
}

const extraShift = ({ key, name, breaks }: CalendarEntry, start: number, end: number) => ({ key, name, days: [1], start, end, breaks });

/** Two extra shifts at the same time on one line. */
function overlappingExtras(calendar: readonly CalendarEntry[], path: Path): Broken[] {
  const broken: Broken[] = [];
  const extras = calendar.flatMap((entry, index) => {
    const { start, end } = entry;
    if (entry.kind !== "extra_shift" || start === undefined || end === undefined || daysOf(entry) > longestDays) return [];
    const times = timesOf(extraShift(entry, start, end));
    const first = Date.parse(entry.date) / 60_000;
    return Array.from({ length: Math.max(0, daysOf(entry)) }, (_, day) => ({
      line: entry.line,
      index,
      from: first + day * 1440 + times.startMin,
      to: first + day * 1440 + times.endMin,
    }));
  });
  extras.sort((a, b) => a.from - b.from || a.index - b.index);
  const told = new Set<string>();
  for (const [i, extra] of extras.entries()) {
    for (let j = i + 1; j < extras.length; j++) {
      const next = extras[j];
      if (!next || next.from >= extra.to) break;
      const pair = [extra.index, next.index].sort((a, b) => a - b);
      if ((extra.line !== undefined && next.line !== undefined && extra.line !== next.line) || told.has(pair.join())) continue;
      told.add(pair.join());
      const [first = 0, second = 0] = pair;
      broken.push({
        path: [...path, second, "start"],
        other: [...path, first],
        sentence:
          first === second
            ? `the extra shift "${calendar[first]?.key}" overlaps itself on the next day`
            : `the extra shifts "${calendar[first]?.key}" and "${calendar[second]?.key}" overlap`,
      });
    }
  }
  return broken;
}

export function brokenDevices(sites: readonly SiteEntry[]): Broken[] {
  const broken: Broken[] = [];
  const identities = new Map<string, Path>();
  const fingerprints = new Map<string, Path>();
  for (const [s, site] of sites.entries()) {
    for (const [d, device] of site.devices.entries()) {
      const path = ["sites", s, "devices", d];
      for (const [field, value, taken] of [
        ["identity", device.identity, identities],
        ["fingerprint", device.fingerprint, fingerprints],
      ] as const) {
        if (value === undefined) continue;
        const other = taken.get(value);
        // The other one may be of a site that whoever reads this may not know of: nothing is said of it.
        if (other) broken.push({ path: [...path, field], other, sentence: field === "identity" ? takenIdentity(value) : takenFingerprint });
        else taken.set(value, [...path, field]);
      }
      const noIdentity = whyNoIdentity(device.identity);
      if (noIdentity !== null) broken.push({ path: [...path, "identity"], sentence: `"${device.identity}": ${noIdentity}` });
      for (const [t, topic] of device.topics.entries()) {
        const trouble = whyNoFilter(topic) ?? whyNotToPublish(topic);
        if (trouble !== null) broken.push({ path: [...path, "topics", t], sentence: `"${topic}": ${trouble}` });
      }
    }
  }
  return broken;
}

const takenIdentity = (identity: string) => `the identity "${identity}" is taken: a broker knows each name once`;
const takenFingerprint = "this fingerprint is taken: every device has a certificate of its own";
