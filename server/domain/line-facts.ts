/** Facts of a line, rows of their own: the sum of its machines, or what its constraint and its last machine tell. Rules in ledger 4 and 7. */

import { type Cell, type Facts, isOff, noFacts, sumFacts } from "./facts.ts";
import { type Counting, type Delta, share } from "./pieces.ts";
import type { Segment } from "./segments.ts";

/** Of a parallel line: cells of its machines added where shift, hour, job and product are the same. A line has no rate of its own. */
export function parallelCells(machines: readonly (readonly Cell[])[]): Cell[] {
  const groups = Map.groupBy(machines.flat(), ({ shiftId, date, hourAt, job, product }) => JSON.stringify([shiftId, date, hourAt, job, product]));
  return [...groups.values()].flatMap(([first, ...others]) =>
    first ? [{ ...first, rateId: null, idealCycleS: null, facts: sumFacts([first, ...others].map(({ facts }) => facts)) }] : [],
  );
}

/** The machine that paces a line: its facts, and what they were made from. */
export type Constraint = { segments: readonly Segment[]; cells: readonly Cell[] };
/** The machine at the line's end. dead gaps are in its segments; deltas are those of known moments. */
export type LastMachine = { segments: readonly Segment[]; deltas: readonly Delta[]; counting: Counting };

/**
 * Time and IDEAL of the constraint, good pieces of the last machine at their own instant, each worth `perPiece` pieces of the constraint at its ideal cycle.
 * What the constraint made and the last machine did not bring out is one signed line, rejects and work in progress: `reject`, in the last machine's pieces.
 * Constraint 1.0 s a bottle, 1,200 bottles in an hour; packer 90 cartons of 12: GOOD = 90 x 12 x 1.0 = 1,080 s; rejects and work in progress 120 s, 10 cartons.
 */
export function constraintCells(constraint: Constraint, last: LastMachine, perPiece: number): Cell[] {
  const cells = new Map<string, Cell>();
  const cellOf = (key: Omit<Cell, "facts" | "rateId" | "idealCycleS">): Cell => {
    const { shiftId, date, hourAt, job, product } = key;
    const name = JSON.stringify([shiftId, date, hourAt, job, product]);
    const known = cells.get(name) ?? { shiftId, date, hourAt, job, product, rateId: null, idealCycleS: null, facts: noFacts() };
    cells.set(name, known);
    return known;
  };
  for (const cell of constraint.cells) {
    const line = cellOf(cell);
    line.facts = sumFacts([line.facts, ofConstraint(cell.facts, perPiece)]);
  }
  const goods = [
    ...last.deltas.map((delta) => ({ at: delta.at, good: share(delta.role, delta.pieces, last.counting).good })),
    ...last.segments.flatMap(({ to, gap }) => (gap ? [{ at: to, good: gap.good }] : [])),
  ].sort((a, b) => a.at - b.at);
  let at = 0;
  for (const piece of goods) {
    while ((constraint.segments[at]?.to ?? Number.POSITIVE_INFINITY) < piece.at) at += 1;
    const segment = constraint.segments[at];
    if (!segment || segment.from >= piece.at || piece.good === 0) continue;
    const ideal = perPiece * (segment.rate?.idealCycleS ?? 0);
    addGood(cellOf(segment).facts, segment.kind, piece.good, ideal);
  }
  return [...cells.values()];
}

function addGood(facts: Facts, kind: Segment["kind"], good: number, ideal: number): void {
  if (isOff(kind)) {
    facts.offGood += good;
    facts.offGoodIdealS += good * ideal;
  } else if (kind === "unknown") {
    facts.gapGood += good;
    facts.gapGoodIdealS += good * ideal;
    facts.gapWithinGoodIdealS += good * ideal;
  } else {
    facts.good += good;
    facts.reject -= good;
    facts.goodIdealS += good * ideal;
  }
}

/** Its pieces are the line's only once they come out at the end: until then they are work in progress. */
function ofConstraint(own: Readonly<Facts>, perPiece: number): Facts {
  const pieces = { good: 0, reject: (own.good + own.reject + own.rework) / perPiece, rework: 0, startupReject: 0, gapGood: 0, gapReject: 0, gapRework: 0 };
  const off = { offGood: 0, offReject: 0, offRework: 0 };
  const ideals = { goodIdealS: 0, startupRejectIdealS: 0, gapGoodIdealS: 0, gapWithinGoodIdealS: 0, offGoodIdealS: 0 };
  const startup = { startupRejectPieces: 0, startupRejectMoney: 0, rejectMoney: own.rejectMoney + own.startupRejectMoney };
  const rejectPieces = own.rejectPieces + own.startupRejectPieces;
  return { ...own, ...pieces, ...off, ...ideals, ...startup, rejectPieces };
}
