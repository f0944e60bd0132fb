/** Rates and line patterns: what the file says of each machine and line against what the database holds, as steps. Pure. */
import { addDays, localDateOf } from "#/server/domain/shift.ts";
import type { Comparison } from "./compare.ts";
import type { FileItems } from "./items.ts";
import type { CurrentPlant } from "./queries.ts";
import { mergeTimeline, type Span, type SpanRow, type Stated, sinceEver, type TimelineSteps, timelineSteps } from "./timeline.ts";

/** before and after: all spans, for people to read. product: its key, '' the machine's default. */
export type RatePlan = { machine: string; product: string; before: Span[]; after: Span[]; steps: TimelineSteps };
export type PatternPlan = { line: string; before: Span[]; after: Span[]; steps: TimelineSteps };
export type TimelinePlan = { rates: RatePlan[]; patterns: PatternPlan[] };

export function planTimelines(file: FileItems, current: CurrentPlant, { addressById, rowAt }: Comparison, now: Date): TimelinePlan {
  return { rates: planRates(), patterns: planPatterns() };

  function planRates(): RatePlan[] {
    const rows = new Map<string, Map<string, SpanRow[]>>();
    for (const { id, machineId, productId, from, to, seconds } of current.rates) {
      const machine = addressById.machine.get(machineId) ?? "";
      const product = productId === null ? "" : (addressById.product.get(productId) ?? "");
      const of = rows.get(machine) ?? new Map<string, SpanRow[]>();
      rows.set(machine, of.set(product, [...(of.get(product) ?? []), { id, from, to: to ?? Number.POSITIVE_INFINITY, value: String(seconds) }]));
    }
    const plans: RatePlan[] = [];
    for (const [machine, stated] of file.rates) {
      const held = rows.get(machine) ?? new Map<string, SpanRow[]>();
      const hasHistory = current.machinesWithHistory.has(rowAt.machine.get(machine)?.id ?? 0);
      const bounds = { strongFrom: now.getTime(), fillFrom: hasHistory ? now.getTime() : sinceEver };
      for (const product of new Set([...stated.keys(), ...held.keys()])) {
        const before = held.get(product) ?? [];
        const after = mergeTimeline(before, stated.get(product) ?? [], bounds);
        const steps = timelineSteps(before, after);
        if (steps) plans.push({ machine, product, before, after, steps });
      }
    }
    return plans;
  }

  function planPatterns(): PatternPlan[] {
    const rows = Map.groupBy(current.patterns, (row) => addressById.line.get(row.lineId) ?? "");
    const linesWithHistory = new Set(current.rows.machine.filter((row) => current.machinesWithHistory.has(row.id)).map((row) => row.parentId));
    const plans: PatternPlan[] = [];
    for (const [line, stated] of file.patterns) {
      const before: SpanRow[] = (rows.get(line) ?? []).map(({ id, patternId, from, to }) => ({
        id,
        from,
        to: to ?? Number.POSITIVE_INFINITY,
        value: addressById.shift_pattern.get(patternId) ?? "",
      }));
      // Today's shifts have begun or been promised: another pattern begins tomorrow, and today only where there is none.
      const today = localDateOf(now, file.zones.get(line.split("/")[0] ?? "") ?? "UTC");
      const hasHistory = linesWithHistory.has(rowAt.line.get(line)?.id ?? 0);
      const after = mergeTimeline(before, stated as Stated[], { strongFrom: dayMs(addDays(today, 1)), fillFrom: hasHistory ? dayMs(today) : sinceEver });
      const steps = timelineSteps(before, after);
      if (steps) plans.push({ line, before, after, steps });
    }
    return plans;
  }
}

const dayMs = (day: string) => Date.parse(`${day}T00:00:00Z`);
