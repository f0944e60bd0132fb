/** Entries that hold from a time on (ideal cycles by instant, shift patterns by day): what the file says about their order. */
import { instantOf } from "#/server/domain/shift.ts";
import type { MachineEntry } from "./file.ts";
import type { Broken, Path } from "./file-rules.ts";

/** What holds since ever: stands in the database where nothing before is meant. */
export const sinceEverAt = new Date(0);
export const sinceEverDate = "1970-01-01";

/** from: undefined says "now" of a lone entry and "before" of one beside others. Comparable as text: ISO instants in UTC, or days. */
export type Bounds = { from: string | undefined; until: string | undefined };
/** Bounds in order of time, each with the index of its entry. until is filled in from the next entry's from. */
export type Period = { index: number; from: string | undefined; until: string | undefined; saysUntil: boolean };

/** Entries in order of their from, the one without it first. */
export function periodsOf(entries: readonly Bounds[]): Period[] {
  const inOrder = entries.map((entry, index) => ({ index, ...entry })).sort((a, b) => compare(a.from ?? "", b.from ?? "") || a.index - b.index);
  return inOrder.map((entry, i) => ({ ...entry, saysUntil: entry.until !== undefined, until: entry.until ?? inOrder[i + 1]?.from }));
}

export function brokenPeriods(periods: readonly Period[], pathOf: (index: number) => Path): Broken[] {
  return periods.flatMap((period, i): Broken[] => {
    const before = periods[i - 1];
    const path = pathOf(period.index);
    if (before && before.from === period.from) {
      const sentence =
        period.from === undefined ? `two entries without "from" for the same thing: only one can hold` : `two entries hold from the same time on`;
      return [{ path, other: pathOf(before.index), sentence }];
    }
    if (period.saysUntil && period.from !== undefined && compare(period.until ?? "", period.from) <= 0)
      return [{ path: [...path, "until"], sentence: `"until" is not later than "from"` }];
    if (before?.saysUntil && compare(before.until ?? "", period.from ?? "") > 0) {
      return [{ path: [...pathOf(before.index), "until"], other: path, sentence: `"until" is later than the "from" of the entry that follows` }];
    }
    return [];
  });
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

type Rate = MachineEntry["ideal_cycles"][number];

/** from and until of an entry as instants in UTC: a day is its midnight at the site, a time without offset is the site's. 1970 is since ever. */
export function rateBounds(entry: { from?: string | undefined; until?: string | undefined }, zone: string): Bounds {
  const from = instantText(entry.from, zone);
  return { from: from !== undefined && from < afterEver ? sinceEverAt.toISOString() : from, until: instantText(entry.until, zone) };
}
/** Midnight of 1970-01-01 is another instant in each zone: all of them are "since ever". */
const afterEver = "1970-01-02T00:00:00.000Z";

export function instantText(raw: string | undefined, zone: string): string | undefined {
  if (raw === undefined) return undefined;
  if (/(Z|[+-]\d{2}:\d{2})$/.test(raw) && raw.includes("T")) return new Date(raw).toISOString();
  const [date = "", time = "00:00"] = raw.split("T");
  const [hours = "0", minutes = "0", seconds = "0"] = time.split(":");
  return new Date(instantOf(date, Number(hours) * 60 + Number(minutes), zone).getTime() + Math.round(Number(seconds) * 1000)).toISOString();
}

/** Rates by product, the machine's default among them, each with its index in the file. */
export function sameProduct(rates: readonly Rate[]): { rate: Rate; index: number }[][] {
  const groups = new Map<string | undefined, { rate: Rate; index: number }[]>();
  for (const [index, rate] of rates.entries()) groups.set(rate.product, [...(groups.get(rate.product) ?? []), { rate, index }]);
  return [...groups.values()];
}
