/** What holds for any readings, pieces, dead windows and shifts, in any order and however often they come. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { BaseInterval } from "./base.ts";
import type { ShiftWindow } from "./calendar.ts";
import type { Interval, LineMachine } from "./intervals.ts";
import { baseIntervals, lineIntervals } from "./intervals.ts";
import type { BaseKind } from "./state.ts";
import type { Window } from "./windows.ts";
import { union } from "./windows.ts";

const s = 1000;
const endS = 20_000;
/** Longer than every threshold below. */
const longS = 700;

const second = fc.integer({ min: -2000, max: endS + 2000 }).map((x) => x * s);
const byInstant = <T extends { at: number }>(list: T[]) => [...new Map(list.map((x) => [x.at, x])).values()];
const readings = fc
  .array(fc.record({ at: second, kind: fc.constantFrom<BaseKind>("run", "run", "down", "changeover", "suspended", "planned_stop") }), { maxLength: 25 })
  .map(byInstant);
const windows = fc.array(
  fc.tuple(second, fc.integer({ min: 1, max: 1500 })).map(([from, length]): Window => ({ from, to: from + length * s })),
  { maxLength: 5 },
);
/** Runs of pieces, so that neither silence nor work is rare. */
const pieces = fc
  .array(fc.tuple(second, fc.integer({ min: 5, max: 70 }), fc.integer({ min: 1, max: 60 })), { maxLength: 12 })
  .map((series) => [...new Set(series.flatMap(([from, step, n]) => Array.from({ length: n }, (_, i) => from + i * step * s)))]);
const reasons = fc.array(fc.record({ at: second, reason: fc.constantFrom("jam", "no_oil", null) }), { maxLength: 6 }).map(byInstant);
const shifts = fc
  .array(fc.tuple(second, fc.integer({ min: 600, max: 9000 }), windows), { maxLength: 4 })
  .map((list): ShiftWindow[] => union(list.map(([from, length]) => ({ from, to: from + length * s }))).map((w, i) => ({ ...w, breaks: list[i]?.[2] ?? [] })));
const machine = (machineId: number): fc.Arbitrary<LineMachine> =>
  fc.record({
    machineId: fc.constant(machineId),
    upstreamId: fc.constant(machineId > 1 ? machineId - 1 : null),
    downstreamId: fc.constant(machineId < 3 ? machineId + 1 : null),
    stateReadings: fc.option(readings, { freq: 4 }),
    firstReadingAt: fc.option(second),
    pieceInstants: pieces,
    deadWindows: windows,
    noCountTimeoutS: fc.constantFrom(null, 60, 90, 600),
    minRunS: fc.constantFrom(0, 20, 120),
    ignoreStopS: fc.constantFrom(0, 20, 120),
    reasonReadings: reasons,
    microStopS: fc.constantFrom(0, 300, 600),
  });
const line = fc.record({ machines: fc.tuple(machine(1), machine(2), machine(3)), shifts });
const whole: Window = { from: 0, to: endS * s };

function isPartition(parts: readonly { from: number; to: number | null }[], window: Window, now: number) {
  const end = Math.min(window.to, now);
  expect(parts[0]?.from).toBe(window.from);
  expect(parts.at(-1)?.to ?? now).toBe(end);
  parts.forEach((part, i) => {
    if (i > 0) expect(part.from).toBe(parts[i - 1]?.to);
    expect(part.from).toBeLessThan(part.to ?? now);
    if (part.to === null) expect([i, end]).toEqual([parts.length - 1, now]);
  });
}

const shuffled = <T>(list: readonly T[], random: Iterator<number>) =>
  list
    .map((x) => [random.next().value as number, x] as const)
    .sort((a, b) => a[0] - b[0])
    .map(([, x]) => x);

describe("for any line", () => {
  it("each machine's time is a partition without gap or overlap, whose equal neighbours are joined", () => {
    fc.assert(
      fc.property(
        line,
        fc.integer({ min: 1, max: endS + 3000 }).map((x) => x * s),
        ({ machines, shifts: calendar }, now) => {
          for (const time of lineIntervals({ window: whole, now, shifts: calendar, machines }).values()) {
            isPartition(time.base, whole, now);
            isPartition(time.intervals, whole, now);
            for (const [i, b] of time.base.entries()) expect(b.kind).not.toBe(time.base[i - 1]?.kind);
            for (const i of time.intervals) expect((i.kind as string) !== "suspended").toBe(true);
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  it("order and repetition of readings, pieces, dead windows, shifts and machines do not matter", () => {
    fc.assert(
      fc.property(line, fc.infiniteStream(fc.nat()), ({ machines, shifts: calendar }, random) => {
        const twice = <T>(list: readonly T[]) => shuffled([...list, ...list], random);
        const now = endS * s;
        const plain = lineIntervals({ window: whole, now, shifts: calendar, machines });
        const stirred = lineIntervals({
          window: whole,
          now,
          shifts: twice(calendar),
          machines: shuffled(machines, random).map((m) => ({
            ...m,
            stateReadings: m.stateReadings && twice(m.stateReadings),
            pieceInstants: twice(m.pieceInstants),
            deadWindows: twice(m.deadWindows),
            reasonReadings: twice(m.reasonReadings),
          })),
        });
        for (const [id, time] of plain) expect(stirred.get(id)).toEqual(time);
      }),
      { numRuns: 300 },
    );
  });

  it("first and last piece of each minute say as much as all pieces", () => {
    fc.assert(
      fc.property(machine(1), (m) => {
        const minutes = new Map<number, number[]>();
        for (const at of [...m.pieceInstants].sort((a, b) => a - b)) {
          const minute = Math.ceil(at / 60_000); // (minute, minute + 60 s]
          minutes.set(minute, [minutes.get(minute)?.[0] ?? at, at]);
        }
        const input = { ...m, window: whole, now: endS * s };
        expect(baseIntervals({ ...input, pieceInstants: [...minutes.values()].flat() })).toEqual(baseIntervals(input));
      }),
      { numRuns: 300 },
    );
  });

  it("two windows that meet in intervals longer than every threshold give the whole", () => {
    let splits = 0;
    fc.assert(
      fc.property(line, ({ machines, shifts: calendar }) => {
        const now = (endS + 1500) * s;
        const full = lineIntervals({ window: whole, now, shifts: calendar, machines });
        const cut = commonCut([...full.values()].map((time) => time.base));
        fc.pre(cut !== null);
        if (cut === null) return;
        splits += 1;
        const left = lineIntervals({ window: { from: whole.from, to: cut }, now, shifts: calendar, machines });
        const right = lineIntervals({ window: { from: cut, to: whole.to }, now, shifts: calendar, machines });
        for (const [id, time] of full) {
          expect(joined([...(left.get(id)?.base ?? []), ...(right.get(id)?.base ?? [])])).toEqual(time.base);
          expect(seconds([...(left.get(id)?.intervals ?? []), ...(right.get(id)?.intervals ?? [])])).toEqual(seconds(time.intervals));
        }
      }),
      { numRuns: 300 },
    );
    expect(splits).toBeGreaterThan(50);
  });
});

/** An instant that lies well inside a long run or unknown stretch of every machine; null where there is none. */
function commonCut(bases: readonly (readonly BaseInterval[])[]): number | null {
  for (let at = longS * s; at < (endS - longS) * s; at += 50 * s) {
    const isInside = (b: BaseInterval) => (b.kind === "run" || b.kind === "unknown") && b.from + longS * s <= at && at <= b.to - longS * s;
    if (bases.every((base) => base.some(isInside))) return at;
  }
  return null;
}

function joined(base: BaseInterval[]): BaseInterval[] {
  const result: BaseInterval[] = [];
  for (const b of base) {
    const last = result.at(-1);
    if (last && last.kind === b.kind) last.to = b.to;
    else result.push({ ...b });
  }
  return result;
}

/** Everything about each stretch except where it was cut. */
function seconds(intervals: readonly Interval[]) {
  const result: Interval[] = [];
  for (const i of intervals) {
    const last = result.at(-1);
    if (last && last.kind === i.kind && last.reason === i.reason && last.stopFrom === i.stopFrom) last.to = i.to;
    else result.push({ ...i });
  }
  return result;
}
