/** Additive facts: seconds, pieces and money of a machine in one clock hour of one shift, by job, product and rate. Sums of facts are facts; ratios come last (oee.ts). */

import type { Counting, Delta } from "./pieces.ts";
import { share } from "./pieces.ts";
import type { Segment } from "./segments.ts";

/** Losses with time, pieces and money of their own, in the order of the waterfall. */
export const losses = ["changeover", "blocked", "starved", "microStop", "down", "speed", "startupReject", "reject"] as const;
export type Loss = (typeof losses)[number];

const times = ["notScheduledS", "plannedStopS", "unknownS", "unbridgedS", "changeoverS", "blockedS", "starvedS", "microStopS", "downS", "runS"] as const;
const ideals = ["idealS", "goodIdealS", "startupRejectIdealS", "gapGoodIdealS", "gapWithinGoodIdealS", "offGoodIdealS"] as const;
const pieces = ["good", "reject", "rework", "startupReject", "gapGood", "gapReject", "gapRework", "offGood", "offReject", "offRework", "unrated"] as const;
const stops = ["stops", "microStops", "changeovers", "failures", "repairS", "uncostedS"] as const;
const lossPieces = losses.map((loss) => `${loss}Pieces` as const);
const lossMoney = losses.map((loss) => `${loss}Money` as const);

/**
 * Names of all facts.
 * - seconds by kind; unbridgedS: unknown time of which no counter tells what was made; repairS: down time of failures; uncostedS: busy time without a cost
 * - idealS, goodIdealS: pieces made, and good ones, in planned busy time, at their ideal cycles; gap: made in unknown time, gapWithin without those of a gap over the
 *   edge of a shift; off: made in planned stops and unscheduled time
 * - pieces in planned busy time, in gaps and off; unrated: pieces in planned busy time that have no ideal cycle
 * - stops that began: down, microStops, changeovers, failures (down by a breakdown)
 * - losses in pieces at the ideal cycle, and in money of the site
 */
export const factNames = [...times, ...ideals, ...pieces, ...stops, ...lossPieces, ...lossMoney] as const;
export type FactName = (typeof factNames)[number];
export type Facts = Record<FactName, number>;

export const noFacts = (): Facts => Object.fromEntries(factNames.map((name) => [name, 0])) as Facts;

/** The whole of parts, of whatever machines and times. */
export function sumFacts(parts: Iterable<Readonly<Facts>>): Facts {
  const sum = noFacts();
  for (const part of parts) for (const name of factNames) sum[name] += part[name];
  return sum;
}

export type CellKey = { shiftId: string | null; date: string; hourAt: number; job: string | null; product: string | null; rateId: string | null };
export type Cell = CellKey & { idealCycleS: number | null; facts: Facts };

type Effective = { from: number; to: number | null };
/** In the site's currency; value and scrap cost null: none is set. */
export type Money = {
  machine: readonly (Effective & { costPerHour: number })[];
  pieces: readonly (Effective & { product: string; value: number | null; scrapCost: number | null })[];
};
export const noMoney: Money = { machine: [], pieces: [] };

export type FactInput = {
  /** A partition, in order. */
  segments: readonly Segment[];
  /** Of the same time. Those over dead time are left out: segments have them as gaps. */
  deltas: readonly Delta[];
  counting: Counting;
  money: Money;
  isBreakdown: (reason: string) => boolean;
};

const timeOf: Readonly<Record<Segment["kind"], (typeof times)[number]>> = {
  not_scheduled: "notScheduledS",
  planned_stop: "plannedStopS",
  unknown: "unknownS",
  changeover: "changeoverS",
  blocked: "blockedS",
  starved: "starvedS",
  micro_stop: "microStopS",
  down: "downS",
  run: "runS",
};
const lossOfKind: Partial<Record<Segment["kind"], "changeover" | "blocked" | "starved" | "microStop" | "down">> = {
  changeover: "changeover",
  blocked: "blocked",
  starved: "starved",
  micro_stop: "microStop",
  down: "down",
};
export const isOff = (kind: Segment["kind"]) => kind === "not_scheduled" || kind === "planned_stop";

export function cellsOf(input: FactInput): Cell[] {
  const { segments, deltas, counting, money, isBreakdown } = input;
  const cells = new Map<string, Cell>();
  const cellOf = ({ shiftId, date, hourAt, job, product, rate }: Segment): Cell => {
    const key = JSON.stringify([shiftId, date, hourAt, job, product, rate?.id ?? null]);
    const known = cells.get(key);
    if (known) return known;
    const cell: Cell = { shiftId, date, hourAt, job, product, rateId: rate?.id ?? null, idealCycleS: rate?.idealCycleS ?? null, facts: noFacts() };
    cells.set(key, cell);
    return cell;
  };

  for (const segment of segments) {
    const { facts } = cellOf(segment);
    const { kind, from, to, reason } = segment;
    const seconds = (to - from) / 1000;
    facts[timeOf[kind]] += seconds;
    if (kind === "unknown" && !segment.isBridged) facts.unbridgedS += seconds;
    const isFailure = kind === "down" && reason !== null && isBreakdown(reason);
    if (isFailure) facts.repairS += seconds;
    if (segment.isStopStart) {
      if (kind === "down") facts.stops += 1;
      if (isFailure) facts.failures += 1;
      if (kind === "micro_stop") facts.microStops += 1;
      if (kind === "changeover") facts.changeovers += 1;
    }
    if (kind !== "unknown" && !isOff(kind)) {
      const { amount, uncostedS } = costOf(money.machine, from, to);
      facts.uncostedS += uncostedS;
      facts[`${lossOfKind[kind] ?? "speed"}Money`] += amount;
    }
    if (segment.gap) addGap(facts, segment, segment.gap);
  }

  let at = 0;
  for (const delta of [...deltas].sort((a, b) => a.at - b.at)) {
    while ((segments[at]?.to ?? Number.POSITIVE_INFINITY) < delta.at) at += 1;
    const segment = segments[at];
    if (!segment || segment.from >= delta.at) continue; // of another time
    // Of a row's end, too: it was made before. Rows are cut where job, product and rate change, and a changeover has no piece but its last.
    addPieces(cellOf(segment).facts, segment, delta);
  }
  for (const cell of cells.values()) settleLosses(cell);
  return [...cells.values()];

  function addPieces(facts: Facts, segment: Segment, delta: Delta): void {
    const { good, reject, rework } = share(delta.role, delta.pieces, counting);
    const { rate, product } = segment;
    const ideal = rate?.idealCycleS ?? 0;
    if (segment.kind === "unknown") {
      addGap(facts, segment, { good, reject, rework, isWithin: true });
      return;
    }
    if (isOff(segment.kind)) {
      facts.offGood += good;
      facts.offReject += reject;
      facts.offRework += rework;
      facts.offGoodIdealS += good * ideal;
      return;
    }
    facts.good += good;
    facts.reject += reject;
    facts.rework += rework;
    const made = good + reject + rework;
    if (rate === null) facts.unrated += made;
    facts.idealS += made * ideal;
    facts.goodIdealS += good * ideal;
    const scrap = reject + rework;
    const { amount } = costOf(money.machine, delta.at - 1, delta.at);
    const perS = amount * 1000;
    facts.speedMoney -= made * ideal * perS;
    const value = money.pieces.find((one) => one.product === product && one.from < delta.at && (one.to === null || delta.at <= one.to));
    const lost = scrap * ideal * perS + reject * (value?.scrapCost ?? value?.value ?? 0);
    if (segment.isStartup) {
      facts.startupReject += reject;
      facts.startupRejectIdealS += scrap * ideal;
      facts.startupRejectMoney += lost;
    } else facts.rejectMoney += lost;
  }
}

function addGap(facts: Facts, { kind, rate }: Pick<Segment, "kind" | "rate">, { good, reject, rework, isWithin }: NonNullable<Segment["gap"]>): void {
  const ideal = good * (rate?.idealCycleS ?? 0);
  if (isOff(kind)) {
    facts.offGood += good;
    facts.offReject += reject;
    facts.offRework += rework;
    facts.offGoodIdealS += ideal;
    return;
  }
  facts.gapGood += good;
  facts.gapReject += reject;
  facts.gapRework += rework;
  facts.gapGoodIdealS += ideal;
  if (isWithin) facts.gapWithinGoodIdealS += ideal;
}

/** Losses in pieces: seconds by the ideal cycle of the cell, where it has one. */
function settleLosses({ facts, idealCycleS }: Cell): void {
  if (idealCycleS === null) return;
  const seconds = lossSeconds(facts);
  for (const loss of losses) facts[`${loss}Pieces`] = seconds[loss] / idealCycleS;
}

/** Seconds of each loss; together with the good ideal seconds they are the planned busy time. */
export const lossSeconds = (f: Readonly<Facts>): Record<Loss, number> => ({
  changeover: f.changeoverS,
  blocked: f.blockedS,
  starved: f.starvedS,
  microStop: f.microStopS,
  down: f.downS,
  speed: f.runS - f.idealS,
  startupReject: f.startupRejectIdealS,
  reject: f.idealS - f.goodIdealS - f.startupRejectIdealS,
});

/** Of a time, by the machine-hour costs in force; uncostedS: seconds for which there is none. */
function costOf(costs: Money["machine"], from: number, to: number): { amount: number; uncostedS: number } {
  let amount = 0;
  let costedMs = 0;
  for (const cost of costs) {
    const ms = Math.min(to, cost.to ?? Number.POSITIVE_INFINITY) - Math.max(from, cost.from);
    if (ms <= 0) continue;
    costedMs += ms;
    amount += (ms / 3_600_000) * cost.costPerHour;
  }
  return { amount, uncostedS: (to - from - costedMs) / 1000 };
}
