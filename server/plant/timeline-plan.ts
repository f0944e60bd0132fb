/** Rates, money, targets and line patterns: what the file says of each owner against what the database holds, as steps. Pure. */
import { addDays, localDateOf } from "#/server/domain/shift.ts";
import type { Comparison } from "./compare.ts";
import type { FileItems, Kind } from "./items.ts";
import type { CurrentPlant, SpanRecord } from "./queries.ts";
import { type Bounds, mergeTimeline, type Span, type SpanRow, type Stated, sinceEver, type TimelineSteps, timelineSteps } from "./timeline.ts";
import { packed, type TimelineName, timelineKinds, timelineNames } from "./timeline-kinds.ts";

/** before and after: all spans, for people to read. sub: what it is for, '' for all others. Values are packed. */
export type TimelineChange = { name: TimelineName; owner: string; sub: string; before: Span[]; after: Span[]; steps: TimelineSteps };

/**
 * exact: a list in which every entry says from when is taken at its word as a whole, for the past too: what it does not say did not hold.
 * Without it (files) what lies before the first `from` stays as it was.
 */
export function planTimelines(file: FileItems, current: CurrentPlant, comparison: Comparison, now: Date, { exact }: { exact: boolean }): TimelineChange[] {
  return timelineNames.flatMap((name) => {
    const stated = file.timelines[name];
    if (stated.size === 0) return [];
    const held = heldSpans(name, current, comparison);
    const boundsOf = boundsFor(name, file, current, comparison, now);
    const changes: TimelineChange[] = [];
    for (const [owner, subs] of stated) {
      const heldHere = held.get(owner) ?? new Map<string, SpanRow[]>();
      const bounds = boundsOf(owner);
      for (const sub of new Set([...subs.keys(), ...heldHere.keys()])) {
        const before = heldHere.get(sub) ?? [];
        const entries = subs.get(sub) ?? [];
        const after = mergeTimeline(before, entries, exact && isWhole(entries) ? { ...bounds, strongFrom: Number.NEGATIVE_INFINITY } : bounds);
        const steps = timelineSteps(before, after);
        if (steps) changes.push({ name, owner, sub, before, after, steps });
      }
    }
    return changes;
  });
}

const isWhole = (entries: readonly Stated[]) => entries.length > 0 && entries.every((entry) => entry.from !== undefined);

function heldSpans(name: TimelineName, current: CurrentPlant, { addressById }: Comparison): Map<string, Map<string, SpanRow[]>> {
  const { owner: ownerKind, sub: subKind } = timelineKinds[name];
  const held = new Map<string, Map<string, SpanRow[]>>();
  for (const record of current.timelines[name]) {
    const owner = addressById[ownerKind].get(record.ownerId) ?? "";
    const sub = record.subId === null || subKind === null ? "" : (addressById[subKind.kind].get(record.subId) ?? "");
    const of = held.get(owner) ?? new Map<string, SpanRow[]>();
    const rows = of.get(sub) ?? [];
    rows.push({ id: record.id, from: record.from, to: record.to ?? Number.POSITIVE_INFINITY, value: packed(valuesOf(name, record, addressById)) });
    held.set(owner, of.set(sub, rows));
  }
  return held;
}

/** Values as files say them: references are addresses. */
export const valuesOf = (
  name: TimelineName,
  { values }: Pick<SpanRecord, "values">,
  addressById: Record<Kind, Map<number, string>>,
): (number | string | null)[] =>
  timelineKinds[name].values.map(({ refersTo }, i) => {
    const value = values[i] ?? null;
    return refersTo === undefined || value === null ? value : (addressById[refersTo].get(value) ?? null);
  });

function boundsFor(name: TimelineName, file: FileItems, current: CurrentPlant, { rowAt }: Comparison, now: Date): (owner: string) => Bounds {
  const { owner: ownerKind, unit } = timelineKinds[name];
  const withHistory = ownersWithHistory(ownerKind, current);
  return (owner) => {
    const hasHistory = withHistory.has(rowAt[ownerKind].get(owner)?.id ?? 0);
    if (unit === "instant") return { strongFrom: now.getTime(), fillFrom: hasHistory ? now.getTime() : sinceEver };
    // Today's shifts have begun or been promised: another pattern begins tomorrow, and today only where there is none.
    const today = localDateOf(now, file.zones.get(owner.split("/")[0] ?? "") ?? "UTC");
    return { strongFrom: dayMs(addDays(today, 1)), fillFrom: hasHistory ? dayMs(today) : sinceEver };
  };
}

/** Ids of the machines that have sent anything, or of the lines or sites that have such a machine. */
function ownersWithHistory(kind: Kind, current: CurrentPlant): Set<number> {
  const up = (ids: Set<number>, of: Kind) => new Set(current.rows[of].filter((row) => ids.has(row.id)).map((row) => row.parentId ?? 0));
  const machines = current.machinesWithHistory;
  if (kind === "machine") return machines;
  const lines = up(machines, "machine");
  return kind === "line" ? lines : up(up(lines, "line"), "area");
}

const dayMs = (day: string) => Date.parse(`${day}T00:00:00Z`);
