/** By whom a line's topics are read: a board is as alive as the workers that bring its values, however well others fare. Pure. */
import { filterCovers, filtersOverlap } from "#/server/domain/topic-filter.ts";
import type { WorkerHealth } from "#/server/workers/service.ts";
import type { Trouble } from "./picture-types.ts";
import type { WayRow } from "./queries.ts";

/** A topic filter on which values of a source come. */
export type Way = { sourceId: number; filter: string; isSparkplug: boolean; shown: boolean };
export type Reader = Pick<WorkerHealth, "name" | "seenAt" | "filters" | "leased" | "mqttConnected" | "subscribed" | "sparkplugConnected" | "writtenTo">;
/** Since when something has been so that may pass within seconds: `broker berlin`, `reader takt/v1/...`. */
export type Since = ReadonlyMap<string, number>;
/** trouble: why nothing comes on a way. vouchedTo: nothing that its sources said of themselves holds beyond that; null: beyond their last word. */
export type Loss = { trouble: Trouble; vouchedTo: number | null };

/** A worker gives a sign of life about once a second; it counts as away after 15 s without one. */
export const workerAwayAfterMs = 15_000;
/** A broker that restarts is back within seconds, and so is the reader of a topic that was just mapped: only a longer loss greys a board. */
const passesWithinMs = 15_000;

/** Where the values of a signal come; null: nothing leads to it. pattern: of its mapping (MQTT topic filter, or group/node[/device]). */
export function wayOf({ sourceId, form, address, pattern, shown }: WayRow): Way | null {
  if (form === "sparkplug") {
    const [group, node] = (pattern ?? address).split("/");
    return { sourceId, filter: `spBv1.0/${group}/+/${node}/#`, isSparkplug: true, shown };
  }
  const filter = pattern ?? (form === "json" ? `takt/v1/${address}/#` : null);
  return filter === null ? null : { sourceId, filter, isSparkplug: false, shown };
}

const lives = (worker: Reader, nowMs: number) => nowMs - worker.seenAt <= workerAwayAfterMs;
const reads = (worker: Reader, nowMs: number) => lives(worker, nowMs) && worker.leased;
const isWild = (filter: string) => filter.includes("+") || filter.includes("#");
/** What is told as "since" must not differ from one reading to the next. */
export const wholeSecond = (at: number) => Math.round(at / 1000) * 1000;
/** A worker may read thousands of topics by name, and is asked about at each event of each display. */
const named = new WeakMap<Reader, ReadonlySet<string>>();
function namesOf(worker: Reader): ReadonlySet<string> {
  const known = named.get(worker) ?? new Set(worker.filters);
  named.set(worker, known);
  return known;
}
const inWay = (worker: Reader, way: Way) => worker.filters.filter((filter) => filtersOverlap(filter, way.filter));

/** Whether this worker reads all that comes on the way. */
const covers = (worker: Reader, way: Way): boolean =>
  namesOf(worker).has(way.filter) || worker.filters.some((filter) => isWild(filter) && filterCovers(filter, way.filter));

/** Answers for one state of the workers; `since` from `passing` of that state. */
export function lossesBy(workers: readonly Reader[], since: Since, nowMs: number): (way: Way) => Loss | null {
  const living = workers.filter((worker) => reads(worker, nowMs));
  const dead = workers.filter((worker) => !lives(worker, nowMs));
  const passed = (what: string) => {
    const at = since.get(what);
    return at !== undefined && nowMs - at > passesWithinMs ? at : null;
  };
  return (way) => {
    const readers = living.filter((worker) => covers(worker, way));
    if (readers.length === 0) {
      const parts = living.flatMap((worker) => inWay(worker, way));
      // What a dead worker read and no living one does. Its topics may have gone to another since.
      const left = dead.filter((worker) => inWay(worker, way).some((filter) => !parts.some((part) => filtersOverlap(part, filter))));
      const last = left.sort((a, b) => b.seenAt - a.seenAt)[0];
      if (last) return { trouble: { part: "worker", sinceAt: wholeSecond(last.seenAt) }, vouchedTo: Math.min(last.seenAt, last.writtenTo ?? last.seenAt) };
      const sinceAt = passed(`reader ${way.filter}`);
      if (parts.length === 0) return sinceAt === null || !way.shown ? null : { trouble: { part: "reader", sinceAt: null }, vouchedTo: null };
      readers.push(...living.filter((worker) => inWay(worker, way).length > 0));
    }
    for (const part of ["broker", "subscriptions"] as const)
      for (const { name } of readers) {
        const sinceAt = passed(`${part} ${way.isSparkplug && part === "broker" ? "sparkplug " : ""}${name}`);
        if (sinceAt !== null) return { trouble: { part, sinceAt }, vouchedTo: sinceAt };
      }
    return null;
  };
}

/** What is amiss now and may pass; what was so before keeps its instant. */
export function passing(workers: readonly Reader[], ways: Iterable<Way>, before: Since, nowMs: number): Map<string, number> {
  const now = new Map<string, number>();
  const note = (what: string) => now.set(what, before.get(what) ?? nowMs);
  const living = workers.filter((worker) => reads(worker, nowMs));
  for (const worker of living) {
    if (!worker.mqttConnected) note(`broker ${worker.name}`);
    else if (!worker.subscribed) note(`subscriptions ${worker.name}`);
    if (worker.sparkplugConnected !== true) note(`broker sparkplug ${worker.name}`);
  }
  for (const way of ways) if (!living.some((worker) => covers(worker, way) || inWay(worker, way).length > 0)) note(`reader ${way.filter}`);
  return now;
}

/** Of several what to tell: who is gone before what is not connected, the oldest first. */
export function worstOf(troubles: readonly Trouble[]): Trouble | null {
  const rank: Record<Trouble["part"], number> = { database: 0, worker: 1, reader: 2, broker: 3, subscriptions: 4, server: 5 };
  const sorted = [...troubles].sort((a, b) => rank[a.part] - rank[b.part] || (a.sinceAt ?? 0) - (b.sinceAt ?? 0));
  return sorted[0] ?? null;
}
