/** The ledger's sheet of worked cases: each computed by hand in its comment. Seconds after 6:00; a shift is 8 h = 28,800 s unless said otherwise. */
import { expect, test } from "vitest";
import { type Facts, lossSeconds, sumFacts } from "./facts.ts";
import { changing, counter, h, ledgerOf, min, type TestLine, wholeOf } from "./ledger-testing.ts";
import { busyS, oee } from "./oee.ts";
import { slotsOf } from "./slots.ts";

const rowsOf = (line: TestLine, machine = 1) =>
  (ledgerOf(line).machines.get(machine)?.segments ?? []).reduce<[string, number, number][]>((rows, { kind, from, to }) => {
    const last = rows.at(-1);
    const [a, b] = [(from - Date.parse("2026-01-12T05:00:00Z")) / 1000, (to - Date.parse("2026-01-12T05:00:00Z")) / 1000];
    if (last && last[0] === kind && last[2] === a) last[2] = b;
    else rows.push([kind, a, b]);
    return rows;
  }, []);
const addsUp = (f: Facts) => expect(Object.values(lossSeconds(f)).reduce((sum, s) => sum + s, f.goodIdealS)).toBeCloseTo(busyS(f), 6);

test("1. the published case: 480 min, breaks 60, down 47, ideal 1.0 s, 19,271 pieces of which 423 rejected: A 88.81, P 86.11, Q 97.80, OEE 74.79 %", () => {
  // 480 - 60 = 420 min planned busy; 420 - 47 = 373 min = 22,380 s run. A = 373/420; P = 19,271/22,380; Q = (19,271 - 423)/19,271; OEE = 18,848/25,200.
  // Pieces come while it runs: 9,000 in the first three hours, the rest after the break; rejects 200 and 223.
  const f = wholeOf({
    shifts: [{ from: 0, to: 8 * h, breaks: [[3 * h, 4 * h]] }],
    machines: {
      1: {
        states: [
          [-10, "run"],
          [1 * h, "down"],
          [1 * h + 47 * min, "run"],
          [3 * h, "down"],
          [4 * h, "run"],
        ],
        counts: {
          total: [...counter(0, 1 * h, 5_000), ...counter(2 * h, 3 * h, 4_000, 60, 5_000), ...counter(4 * h + 60, 8 * h, 10_271, 60, 9_000)],
          reject: [...counter(0, 3 * h, 200), ...counter(4 * h + 60, 8 * h, 223, 60, 200)],
        },
        idealCycleS: 1,
      },
    },
  });
  expect([busyS(f), f.runS, f.good + f.reject, f.reject]).toEqual([420 * min, 373 * min, 19_271, 423]);
  const figures = oee(f);
  const percent = (x: number | null) => Number(((x ?? Number.NaN) * 100).toFixed(2));
  expect([figures.availability, figures.performance, figures.quality, figures.oee].map(percent)).toEqual([88.81, 86.11, 97.8, 74.79]);
  addsUp(f);
});

test("2. a break is planned while the machine stands, and run while it runs; pieces made in it while it runs count", () => {
  // Break 1:00 to 1:30. It runs until 1:10, stands until 1:30. Planned stop: 20 min. Busy: 8 h - 20 min = 27,600 s, all run. 60 pieces in the ten minutes.
  const line: TestLine = {
    shifts: [{ from: 0, to: 8 * h, breaks: [[h, h + 30 * min]] }],
    machines: {
      1: {
        states: [
          [-10, "run"],
          [h + 10 * min, "down"],
          [h + 30 * min, "run"],
        ],
        counts: { good: counter(h, h + 10 * min, 60) },
        idealCycleS: 10,
      },
    },
  };
  const f = wholeOf(line);
  expect([f.plannedStopS, f.runS, busyS(f), f.good, f.idealS]).toEqual([20 * min, 27_600, 27_600, 60, 600]);
});

test("3. a stop around a break is one stop; its own seconds are a loss, the break's are not", () => {
  // Stands 0:50 to 1:40 around a break from 1:00 to 1:30: 10 + 10 = 20 min own, above 5 min: down, one stop.
  const f = wholeOf({
    shifts: [{ from: 0, to: 8 * h, breaks: [[h, h + 30 * min]] }],
    machines: {
      1: {
        states: [
          [-10, "run"],
          [50 * min, "down"],
          [100 * min, "run"],
        ],
      },
    },
  });
  expect([f.downS, f.plannedStopS, f.stops, f.microStops]).toEqual([20 * min, 30 * min, 1, 0]);
});

test("4. a micro-stop over the shift's end is one, counted where it began, and its seconds fall into both shifts", () => {
  // Stands from 120 s before to 100 s after the end: 220 s <= 300 s. 120 s in the first shift, 100 s in the second.
  const line: TestLine = {
    to: 16 * h,
    shifts: [
      { from: 0, to: 8 * h },
      { from: 8 * h, to: 16 * h },
    ],
    machines: {
      1: {
        states: [
          [-10, "run"],
          [8 * h - 120, "down"],
          [8 * h + 100, "run"],
        ],
      },
    },
  };
  const of = (shift: string) => sumFacts(ledgerOf(line).cells.flatMap(({ shiftId, facts }) => (shiftId === shift ? [facts] : [])));
  const [first, second] = [of("shift 1"), of("shift 2")];
  expect([first.microStopS, first.microStops, second.microStopS, second.microStops, first.downS + second.downS]).toEqual([120, 1, 100, 0, 0]);
  // A performance loss, unless the line counts it as lost availability.
  expect(oee(first).availability).toBe(1);
  expect(oee(first, "availability").availability).toBe((8 * h - 120) / (8 * h));
});

test("5. changeover: from the last piece of the old job to the first of the new, run seconds too, for the incoming product", () => {
  // 1:04 to 1:30 = 26 min, although it stood for 20 min only. All of it belongs to J2 and B, although J2 was said at 1:20.
  const rows = rowsOf({ machines: { 1: changing } });
  expect(rows).toEqual([
    ["run", 0, 64 * min],
    ["changeover", 64 * min, 90 * min],
    ["run", 90 * min, 8 * h],
  ]);
  const cells = ledgerOf({ machines: { 1: changing } }).cells;
  const b = sumFacts(cells.filter(({ product }) => product === "B").map(({ facts }) => facts));
  expect([b.changeoverS, b.changeovers, b.runS]).toEqual([26 * min, 1, 390 * min]);
});

test("6. a breakdown in which the job changes stays down up to the change", () => {
  const rows = rowsOf({ machines: { 1: { ...changing, reasons: [[h + 5 * min, "bearing"]] } }, losses: { bearing: "breakdown" } });
  // 1:04 to 1:05 run seconds of the window: changeover; down 1:05 to 1:20; then changeover to 1:30.
  expect(rows).toEqual([
    ["run", 0, 64 * min],
    ["changeover", 64 * min, 65 * min],
    ["down", 65 * min, 80 * min],
    ["changeover", 80 * min, 90 * min],
    ["run", 90 * min, 8 * h],
  ]);
});

test("7. mixed products: quality is weighted by ideal time, so OEE is still A x P x Q; the piece ratio stands beside it", () => {
  // One hour of A at 10 s: 300 pieces, 30 rejected; seven hours of B at 2 s: 10,000 pieces, none rejected. No stop: A = 1.
  // IDEAL = 3,000 + 20,000 = 23,000 s; GOOD = 2,700 + 20,000 = 22,700 s. P = 23,000/28,800, Q = 22,700/23,000, OEE = 22,700/28,800. Pieces: 10,270/10,300.
  const f = wholeOf({
    machines: {
      1: {
        states: [[-10, "run"]],
        counts: {
          total: [[0, 0], ...counter(60, h, 300, 60), ...counter(h + 60, 8 * h, 10_000, 60, 300)],
          reject: [
            [0, 0],
            [h, 30],
          ],
        },
        products: [
          [-100, "A"],
          [h, "B"],
        ],
        idealCycleS: { A: 10, B: 2 },
      },
    },
  });
  const { availability, performance, quality, oee: whole, goodShare } = oee(f);
  expect([f.idealS, f.goodIdealS]).toEqual([23_000, 22_700]);
  expect(availability).toBe(1);
  expect(performance).toBeCloseTo(23_000 / 28_800, 12);
  expect(quality).toBeCloseTo(22_700 / 23_000, 12);
  expect(whole).toBeCloseTo((availability ?? 0) * (performance ?? 0) * (quality ?? 0), 12);
  expect(goodShare).toBeCloseTo(10_270 / 10_300, 12);
});

test("8. rework: made, not good at first pass; with good, reject and rework the total is a check only", () => {
  // good 900, reject 60, rework 40: made 1,000; first-pass yield 0.9; the total says 1,010: nothing of the figures changes.
  const f = wholeOf({
    machines: {
      1: {
        states: [[-10, "run"]],
        counts: {
          good: [
            [0, 0],
            [h, 900],
          ],
          reject: [
            [0, 0],
            [h, 60],
          ],
          rework: [
            [0, 0],
            [h, 40],
          ],
          total: [
            [0, 0],
            [h, 1_010],
          ],
        },
        idealCycleS: 10,
      },
    },
  });
  expect([f.good, f.reject, f.rework, f.idealS, f.goodIdealS]).toEqual([900, 60, 40, 10_000, 9_000]);
  expect(oee(f).firstPassYield).toBe(0.9);
});

const gapped: TestLine["machines"][number] = {
  states: [[-10, "run"]],
  counts: { good: [...counter(0, 2 * h, 1_200), [3 * h, 1_700], ...counter(3 * h + 60, 8 * h, 2_990, 60, 1_710)] },
  idealCycleS: 6,
};

test("9. an hour without a link: unknown, in no A, P or Q; its 500 pieces are output; where counters bridge all of it low and high are one", () => {
  // Unknown 2:00 to 3:00. Busy 7 h = 25,200 s. Good inside: 1,200 + 10 + 2,990 = 4,200 pieces x 6 s = 25,200 s: OEE 1. Gap: 500 x 6 = 3,000 s.
  // low = high = (25,200 + 3,000) / 28,800 = 0.979...
  const f = wholeOf({ machines: { 1: { ...gapped, dead: [[2 * h, 3 * h]] } } });
  expect([f.unknownS, f.unbridgedS, busyS(f), f.good, f.gapGood, f.goodIdealS]).toEqual([h, 0, 7 * h, 4_200, 500, 25_200]);
  const { oee: seen, range, confidence } = oee(f);
  expect([seen, confidence]).toEqual([1, 7 / 8]);
  expect(range?.low).toBeCloseTo(28_200 / 28_800, 12);
  expect(range?.high).toBeCloseTo(28_200 / 28_800, 12);
  // The same with a counter that began anew meanwhile: at least 20 pieces, and nobody knows more. high = (25,200 + 120 + 3,600) / 28,800.
  const reset = wholeOf({
    machines: {
      1: { ...gapped, counts: { good: [...counter(0, 2 * h, 1_200), [3 * h, 20], ...counter(3 * h + 60, 8 * h, 2_990, 60, 30)] }, dead: [[2 * h, 3 * h]] },
    },
  });
  expect([reset.gapGood, reset.unbridgedS]).toEqual([20, h]);
  expect(oee(reset).range?.high).toBeCloseTo((25_200 + 120 + 3_600) / 28_800, 12);
});

test("10. the backlog of that hour comes later: nothing is unknown any more, and the pieces have their own minutes", () => {
  const f = wholeOf({
    machines: {
      1: {
        ...gapped,
        counts: { good: [...counter(0, 2 * h, 1_200), ...counter(2 * h + 60, 3 * h, 492, 60, 1_208), ...counter(3 * h + 60, 8 * h, 2_990, 60, 1_710)] },
      },
    },
  });
  expect([f.unknownS, f.gapGood, f.good]).toEqual([0, 0, 4_700]);
  expect(oee(f).oee).toBeCloseTo((4_700 * 6) / 28_800, 12);
});

test("11. a gap over the shift's end: its pieces are in low of neither shift, and its time is in high of both", () => {
  // Dead 7:30 to 8:30, 300 pieces; run all the time, 6 s a piece: 600 pieces an hour.
  const line: TestLine = {
    to: 16 * h,
    shifts: [
      { from: 0, to: 8 * h },
      { from: 8 * h, to: 16 * h },
    ],
    machines: {
      1: {
        states: [[-10, "run"]],
        counts: { good: [...counter(0, 7.5 * h, 4_500), [8.5 * h, 4_800], ...counter(8.5 * h + 60, 16 * h, 4_490, 60, 4_810)] },
        idealCycleS: 6,
        dead: [[7.5 * h, 8.5 * h]],
      },
    },
  };
  const of = (shift: string) => sumFacts(ledgerOf(line).cells.flatMap(({ shiftId, facts }) => (shiftId === shift ? [facts] : [])));
  const [first, second] = [of("shift 1"), of("shift 2")];
  expect([first.unbridgedS, second.unbridgedS, first.gapGood, second.gapGood]).toEqual([1_800, 1_800, 0, 300]);
  expect(oee(first).range).toEqual({ low: (4_500 * 6) / 28_800, high: (4_500 * 6 + 1_800) / 28_800 });
  expect(oee(second).range).toEqual({ low: (4_500 * 6) / 28_800, high: (4_500 * 6 + 1_800) / 28_800 });
});

test.each([
  ["Berlin, clocks go forward: 7 h", "Europe/Berlin", "2026-03-28T21:00:00Z", 7],
  ["Berlin, clocks go back: 9 h", "Europe/Berlin", "2026-10-24T20:00:00Z", 9],
  ["Chicago, clocks go forward: 7 h", "America/Chicago", "2026-03-08T04:00:00Z", 7],
  ["Chicago, clocks go back: 9 h", "America/Chicago", "2026-11-01T03:00:00Z", 9],
])("12. a shift from 22:00 to 6:00: %s, and each clock hour is one slot", (_what, zone, start, hours) => {
  const from = Date.parse(start);
  const to = from + hours * h * 1000;
  const slots = slotsOf({ from, to }, [{ id: "night", businessDate: "x", from, to }], zone);
  expect(slots.map((slot) => (slot.to - slot.from) / 1000)).toEqual(Array(hours).fill(h));
  const clock = (at: number) => new Intl.DateTimeFormat("en-GB", { timeZone: zone, hour: "2-digit" }).format(at);
  expect([clock(from), clock(to)]).toEqual(["22", "06"]);
});

test("13. constraint line: time of the filler, good cartons of the packer; the difference is rejects and work in progress, signed", () => {
  // Filler 1 s a bottle: 25,000 bottles in 8 h, down 1 h: busy 28,800, run 25,200, IDEAL 25,000. Packer: 2,000 cartons of 12 = 24,000 bottles = GOOD 24,000 s.
  // A = 25,200/28,800, P = 25,000/25,200, Q = 24,000/25,000, OEE = 24,000/28,800 = 83.33 %. Difference: 25,000/12 - 2,000 = 83.33 cartons.
  const f = wholeOf({
    topology: { kind: "constraint", constraintId: 1, lastId: 2, perPiece: 12 },
    machines: {
      1: {
        states: [
          [-10, "run"],
          [h, "down"],
          [2 * h, "run"],
        ],
        counts: { total: [...counter(0, h, 4_000), ...counter(2 * h + 60, 8 * h, 21_000, 60, 4_000)] },
        idealCycleS: 1,
      },
      2: { states: [[-10, "run"]], counts: { good: counter(0, 8 * h, 2_000) }, idealCycleS: 20 },
    },
  });
  expect([busyS(f), f.runS, f.idealS, f.goodIdealS, f.good]).toEqual([28_800, 25_200, 25_000, 24_000, 2_000]);
  expect(f.reject).toBeCloseTo(25_000 / 12 - 2_000, 9);
  expect(oee(f).oee).toBeCloseTo(24_000 / 28_800, 12);
  addsUp(f);
});

test("14. no order: booked to no product, and a planned stop where the site says so", () => {
  // J1 ends at 4:00, J2 begins at 6:00; the machine stands meanwhile. 2 h: down, or planned.
  const machine: TestLine["machines"][number] = {
    states: [
      [-10, "run"],
      [4 * h, "down"],
      [6 * h, "run"],
    ],
    jobs: [
      [-100, "J1"],
      [4 * h, null],
      [6 * h, "J1"],
    ],
    idealCycleS: 5,
  };
  const plain = wholeOf({ machines: { 1: machine } });
  expect([plain.downS, plain.plannedStopS]).toEqual([2 * h, 0]);
  const planned = wholeOf({ machines: { 1: { ...machine, plansNoOrder: true } } });
  expect([planned.downS, planned.plannedStopS]).toEqual([0, 2 * h]);
  const cells = ledgerOf({ machines: { 1: machine } }).cells;
  expect(sumFacts(cells.filter(({ job }) => job === null).map(({ facts }) => facts)).downS).toBe(2 * h);
});

test("15. a counter that begins anew in the shift, an ideal cycle time that is far too long: P of 300 % is kept and flagged", () => {
  // 5,400 pieces, then a reset and 3,240 more: 8,640 pieces x 10 s = 86,400 s in 28,800 s: P = 3.
  const f = wholeOf({
    machines: { 1: { states: [[-10, "run"]], counts: { good: [...counter(0, 5 * h, 5_400), ...counter(5 * h + 60, 8 * h, 3_240)] }, idealCycleS: 10 } },
  });
  // the reading after the reset is 0: nothing is lost and nothing made up
  expect(f.good).toBe(8_640);
  expect(oee(f).performance).toBe(3);
  expect(oee(f).isIdealCycleWrong).toBe(true);
  addsUp(f);
});
