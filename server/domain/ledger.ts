/**
 * The ledger of a line: from readings, calendar, neighbours and what people said to the rows and facts that all screens, reports and programs read.
 *   lineIntervals (intervals.ts) · segments · gaps · facts · line facts
 * One engine, whether a minute is refreshed, a day rebuilt, or a case worked in a test.
 */

import { assignments, changesOf, type Said, withoutJob } from "./assignment.ts";
import type { ShiftWindow } from "./calendar.ts";
import { type Cell, cellsOf, type Money } from "./facts.ts";
import { isOverDead, placeGaps } from "./gaps.ts";
import { type LineMachine, lineIntervals } from "./intervals.ts";
import { constraintCells, parallelCells } from "./line-facts.ts";
import { type Counting, type CountSignal, countingOf, type Delta, deltas } from "./pieces.ts";
import { type CycleRate, type Segment, segments } from "./segments.ts";
import type { Slot } from "./slots.ts";
import type { LossClass } from "./state.ts";
import { union, type Window } from "./windows.ts";

export type LedgerMachine = Omit<LineMachine, "changes" | "pieceInstants" | "lossOf"> & {
  counts: readonly CountSignal[];
  /** Readings of the job and product signals, and what operators said; the last before the window too. */
  jobs: readonly Said[];
  products: readonly Said[];
  productOfJob: ReadonlyMap<string, string>;
  rates: readonly CycleRate[];
  money: Money;
  /** Time without an order is a planned stop: a setting of the site. */
  plansNoOrder: boolean;
  /** Seconds of run after a changeover or a long stand in which rejects are start-up rejects. */
  startupS: number;
};

export type LedgerLine = {
  /** Both edges but `now` must lie in intervals that are longer than every threshold, see `BaseInput`. */
  window: Window;
  now: number;
  shifts: readonly (ShiftWindow & { id: string; businessDate: string })[];
  slots: readonly Slot[];
  machines: readonly LedgerMachine[];
  lossOf: (reason: string) => LossClass | null;
  topology: Topology;
};
/** perPiece: pieces of the constraint in one of the last machine. */
export type Topology = { kind: "parallel" } | { kind: "constraint"; constraintId: number; lastId: number; perPiece: number };

export type MachineLedger = { segments: Segment[]; deltas: Delta[]; cells: Cell[]; counting: Counting };
export type LineLedger = { machines: Map<number, MachineLedger>; cells: Cell[] };

export function lineLedger(line: LedgerLine): LineLedger {
  const { window, now, shifts, slots, lossOf, topology } = line;
  const isBreakdown = (reason: string) => lossOf(reason) === "breakdown";
  const prepared = line.machines.map((machine) => {
    const told = machine.counts.flatMap(deltas);
    const assigned = assignments(machine.jobs, machine.products, machine.productOfJob);
    const pieceInstants = told.filter(({ pieces }) => pieces > 0).map(({ at }) => at);
    const planned = [...(machine.planned ?? []), ...(machine.plansNoOrder ? withoutJob(assigned, window) : [])];
    return { ...machine, told, assigned, pieceInstants, planned, changes: changesOf(assigned), lossOf };
  });
  const times = lineIntervals({ window, now, shifts, machines: prepared });
  const machines = new Map(
    prepared.map((machine): [number, MachineLedger] => {
      const { assigned, rates, startupS, told, money } = machine;
      const { intervals = [], base = [] } = times.get(machine.machineId) ?? {};
      const counting = countingOf(machine.counts.map(({ role }) => role));
      const dead = union(machine.deadWindows);
      const behindGood = machine.counts.filter(({ role }) => counting.goodRoles.has(role)).length;
      const cut = segments({ intervals, now, base, slots, assignments: assigned, rates, startupS, dead });
      const rows = placeGaps(cut, told, dead, counting, behindGood);
      const known = told.filter((delta) => !isOverDead(delta, dead));
      const cells = cellsOf({ segments: rows, deltas: known, counting, money, isBreakdown });
      return [machine.machineId, { segments: rows, deltas: known, cells, counting }];
    }),
  );
  return { machines, cells: lineCells(topology, machines) };
}

function lineCells(topology: Topology, machines: ReadonlyMap<number, MachineLedger>): Cell[] {
  if (topology.kind === "parallel") return parallelCells([...machines.values()].map(({ cells }) => cells));
  const constraint = machines.get(topology.constraintId);
  const last = machines.get(topology.lastId);
  return constraint && last ? constraintCells(constraint, last, topology.perPiece) : [];
}
