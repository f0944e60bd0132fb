/** What holds for any line, whatever was read: the promises that boards and reports rest on. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Cell, type Facts, factNames, lossSeconds, noFacts, sumFacts } from "./facts.ts";
import { lineLedger } from "./ledger.ts";
import { lineOf, sixOClock, type TestLine, type TestMachine } from "./ledger-testing.ts";
import { busyS, oee } from "./oee.ts";
import type { BaseKind } from "./state.ts";

const dayS = 86_400;
const second = fc.integer({ min: 0, max: dayS });
const kinds: BaseKind[] = ["run", "down", "changeover", "suspended", "planned_stop"];
const span = fc.tuple(second, fc.integer({ min: 1, max: 7_200 })).map(([from, length]): [number, number] => [from, Math.min(dayS, from + length)]);

const machine: fc.Arbitrary<TestMachine> = fc.record({
  states: fc
    .uniqueArray(fc.tuple(second, fc.constantFrom(...kinds)), { maxLength: 25, selector: ([s]) => s })
    .map((list): [number, BaseKind][] => [[-100, "run"], ...list]),
  counts: fc.record(
    {
      good: fc.uniqueArray(fc.tuple(second, fc.integer({ min: 0, max: 500 })), { maxLength: 40, selector: ([s]) => s }),
      reject: fc.uniqueArray(fc.tuple(second, fc.integer({ min: 0, max: 50 })), { maxLength: 10, selector: ([s]) => s }),
      total: fc.uniqueArray(fc.tuple(second, fc.integer({ min: 0, max: 500 })), { maxLength: 20, selector: ([s]) => s }),
    },
    { requiredKeys: [] },
  ),
  jobs: fc.uniqueArray(fc.tuple(second, fc.constantFrom("J1", "J2", null)), { maxLength: 5, selector: ([s]) => s }),
  products: fc.uniqueArray(fc.tuple(second, fc.constantFrom("A", "B", null)), { maxLength: 5, selector: ([s]) => s }),
  productOfJob: fc.constant(new Map([["J1", "A"]])),
  reasons: fc.uniqueArray(fc.tuple(second, fc.constantFrom("bearing", "cleaning", null)), { maxLength: 5, selector: ([s]) => s }),
  dead: fc.array(span, { maxLength: 3 }),
  idealCycleS: fc.constantFrom<TestMachine["idealCycleS"]>(5, { A: 5, B: 7 }, { "": 4, B: 9 }, {}),
  startupS: fc.constantFrom(0, 600),
  plansNoOrder: fc.boolean(),
  money: fc.constant({
    machine: [{ from: 0, to: sixOClock + 40_000_000, costPerHour: 60 }],
    pieces: [{ from: 0, to: null, product: "A", value: 3, scrapCost: null }],
  }),
});

const line: fc.Arbitrary<TestLine> = fc.record({
  to: fc.constant(dayS),
  now: fc.constantFrom(dayS, dayS + 5_000),
  losses: fc.constant({ bearing: "breakdown", cleaning: "planned" } as const),
  shifts: fc.constantFrom(
    [
      { from: 0, to: 28_800, breaks: [[7_200, 9_000]] as [number, number][] },
      { from: 28_800, to: 57_600 },
    ],
    [
      {
        from: 3_600,
        to: 50_000,
        breaks: [
          [10_000, 12_000],
          [30_000, 31_800],
        ] as [number, number][],
      },
    ],
    [],
  ),
  machines: fc.tuple(machine, machine).map(([one, two]) => ({ 1: { ...one, downstreamId: 2 }, 2: { ...two, upstreamId: 1 } })),
  topology: fc.constantFrom<TestLine["topology"]>({ kind: "parallel" }, { kind: "constraint", constraintId: 1, lastId: 2, perPiece: 3 }),
});

const near = (a: number, b: number) => expect(Math.abs(a - b)).toBeLessThan(1e-6 * Math.max(1, Math.abs(a), Math.abs(b)));
const nearFacts = (a: Facts, b: Facts) => {
  for (const name of factNames) near(a[name], b[name]);
};
const whole = (cells: readonly Cell[]) => sumFacts(cells.map(({ facts }) => facts));

describe("for any line", () => {
  it("rows are a partition of the window, without gap or overlap", () => {
    fc.assert(
      fc.property(line, (given) => {
        const input = lineOf(given);
        for (const { segments } of lineLedger(input).machines.values()) {
          expect(segments[0]?.from).toBe(input.window.from);
          expect(segments.at(-1)?.to).toBe(Math.min(input.window.to, input.now));
          for (const [i, segment] of segments.entries()) {
            expect(segment.from).toBeLessThan(segment.to);
            if (i > 0) expect(segment.from).toBe(segments[i - 1]?.to);
          }
        }
      }),
    );
  });

  it("losses and the good ideal time are the planned busy time; all seconds are the window's; OEE = A x P x Q", () => {
    fc.assert(
      fc.property(line, (given) => {
        const { machines, cells } = lineLedger(lineOf(given));
        for (const facts of [...[...machines.values()].map((one) => whole(one.cells)), whole(cells)]) {
          near(
            Object.values(lossSeconds(facts)).reduce((sum, s) => sum + s, facts.goodIdealS),
            busyS(facts),
          );
          const { availability, performance, quality, oee: all } = oee(facts);
          if (availability !== null && performance !== null && quality !== null) near(availability * performance * quality, all ?? Number.NaN);
        }
        for (const { cells: own } of machines.values()) {
          const facts = whole(own);
          near(busyS(facts) + facts.notScheduledS + facts.plannedStopS + facts.unknownS, dayS);
        }
      }),
    );
  });

  it("every piece that is counted is somewhere: in busy time, in a gap, or off", () => {
    fc.assert(
      fc.property(line, (given) => {
        for (const [id, { cells }] of lineLedger(lineOf(given)).machines) {
          const counts = given.machines[id]?.counts ?? {};
          const told = (role: "good" | "reject" | "total") => {
            const readings = [...(counts[role] ?? [])].sort((a, b) => a[0] - b[0]);
            return readings.slice(1).reduce((sum, [, value], i) => {
              const before = readings[i]?.[1] ?? 0;
              return sum + (value >= before ? value - before : value);
            }, 0);
          };
          const f = whole(cells);
          const made = f.good + f.reject + f.rework + f.gapGood + f.gapReject + f.gapRework + f.offGood + f.offReject + f.offRework;
          const isDerived = counts.total !== undefined && (counts.good === undefined || counts.reject === undefined);
          near(made, isDerived ? told("total") : told("good") + told("reject"));
        }
      }),
    );
  });

  it("order and repetition of what was read do not matter", () => {
    fc.assert(
      fc.property(line, fc.infiniteStream(fc.nat()), (given, numbers) => {
        const random = numbers[Symbol.iterator]();
        const mixed = <T>(list: readonly T[]): T[] =>
          [...list, ...list.filter(() => (random.next().value ?? 0) % 3 === 0)]
            .map((one) => [random.next().value ?? 0, one] as const)
            .sort((a, b) => a[0] - b[0])
            .map(([, one]) => one);
        const shuffled = lineOf(given);
        const again = {
          ...shuffled,
          machines: shuffled.machines.toReversed().map((m) => ({
            ...m,
            stateReadings: m.stateReadings && mixed(m.stateReadings),
            reasonReadings: mixed(m.reasonReadings),
            deadWindows: mixed(m.deadWindows),
            jobs: mixed(m.jobs),
            products: mixed(m.products),
            counts: m.counts.map((count) => ({ ...count, readings: [...count.readings].reverse() })),
          })),
        };
        const [one, two] = [lineLedger(lineOf(given)), lineLedger(again)];
        for (const id of [1, 2]) expect(two.machines.get(id)?.segments).toEqual(one.machines.get(id)?.segments);
        nearFacts(whole(two.cells), whole(one.cells));
      }),
    );
  });

  it("a parallel line is the sum of its machines, and a whole is the sum of its cells however they are grouped", () => {
    fc.assert(
      fc.property(line, (given) => {
        const { machines, cells } = lineLedger(lineOf({ ...given, topology: { kind: "parallel" } }));
        nearFacts(whole(cells), sumFacts([...machines.values()].map((one) => whole(one.cells))));
        const byHour = Map.groupBy(cells, ({ hourAt }) => hourAt);
        nearFacts(whole(cells), sumFacts([...byHour.values()].map(whole)));
      }),
    );
  });

  it("cells of two windows that meet give those of the whole", () => {
    // They meet at noon, in an hour of plain run with pieces on both sides: an edge that is longer than every threshold.
    const noon = 21_600;
    const quiet = ([s]: readonly [number, ...unknown[]]) => s < noon - 4_000 || s > noon + 4_000;
    fc.assert(
      fc.property(line, (given) => {
        const calm = (m: TestMachine): TestMachine => ({
          ...m,
          plansNoOrder: false,
          startupS: 0,
          states: [...(m.states ?? []).filter(quiet), [noon - 4_000, "run"]],
          jobs: (m.jobs ?? []).filter(quiet),
          products: (m.products ?? []).filter(quiet),
          reasons: (m.reasons ?? []).filter(quiet),
          dead: (m.dead ?? []).filter(([from, to]) => to < noon - 4_000 || from > noon + 4_000),
          counts: {
            good: [...(m.counts?.good ?? []).filter(quiet), ...Array.from({ length: 80 }, (_, i): [number, number] => [noon - 4_000 + 100 * i, 500 + i])],
          },
        });
        const all = { ...given, machines: Object.fromEntries(Object.entries(given.machines).map(([id, m]) => [id, calm(m)])) };
        const first = lineLedger(lineOf({ ...all, to: noon, now: given.now ?? dayS }));
        const second = lineLedger(lineOf({ ...all, from: noon }));
        const both = lineLedger(lineOf(all));
        const pieces = (cells: readonly Cell[]) => cells.filter(({ facts }) => factNames.some((name) => facts[name] !== 0));
        const byKey = (cells: readonly Cell[]) => {
          const groups = Map.groupBy(pieces(cells), ({ facts: _facts, ...key }) => JSON.stringify(key));
          return new Map([...groups].map(([key, list]): [string, Facts] => [key, whole(list)]));
        };
        const [parts, one] = [byKey([...first.cells, ...second.cells]), byKey(both.cells)];
        expect([...parts.keys()].sort()).toEqual([...one.keys()].sort());
        for (const [key, facts] of one) nearFacts(parts.get(key) ?? noFacts(), facts);
      }),
    );
  });
});
