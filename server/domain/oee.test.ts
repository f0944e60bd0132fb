/** More of the sheet of worked cases (ledger-cases.test.ts): the figures made of facts. Seconds after 6:00; a shift is 8 h = 28,800 s unless said otherwise. */
import { expect, test } from "vitest";
import { changing, counter, h, min, type TestLine, wholeOf } from "./ledger-testing.ts";
import { bigLosses, busyS, oee, reliability } from "./oee.ts";

test("16. nothing planned: null, never 0; planned and stopped all shift: 0", () => {
  const none = wholeOf({ shifts: [], machines: { 1: { states: [[-10, "run"]], counts: { good: counter(0, h, 100) }, idealCycleS: 10 } } });
  expect([oee(none).oee, oee(none).availability, oee(none).performance]).toEqual([null, null, null]);
  expect([none.offGood, none.notScheduledS]).toEqual([100, 8 * h]);
  expect(oee(none).teep).toBeCloseTo(1_000 / 28_800, 12);
  const stood = wholeOf({ machines: { 1: { states: [[-10, "down"]], counts: { good: [[0, 5]] }, idealCycleS: 10 } } });
  expect([oee(stood).oee, oee(stood).availability, oee(stood).performance, oee(stood).quality]).toEqual([0, 0, null, null]);
});

test("17. six big losses in minutes, pieces and money add up; start-up rejects are those of the first run after a changeover", () => {
  // changing (case 5), 60 EUR an hour, 2 EUR scrap a piece, start-up 600 s of run: 10 rejects at 1:35 are start-up, 5 at 3:00 are not.
  const line: TestLine = {
    machines: {
      1: {
        ...changing,
        counts: {
          good: changing.counts?.good ?? [],
          reject: [
            [0, 0],
            [95 * min, 10],
            [3 * h, 15],
          ],
        },
        startupS: 600,
        money: { machine: [{ from: 0, to: null, costPerHour: 60 }], pieces: [{ from: 0, to: null, product: "B", value: 9, scrapCost: 2 }] },
      },
    },
  };
  const f = wholeOf(line);
  const by = Object.fromEntries(bigLosses(f).map((loss) => [loss.loss, loss]));
  expect(by.setUp).toEqual({ loss: "setUp", seconds: 26 * min, pieces: 312, money: 26 }); // 1,560 s / 5 s; 26 min at 1 EUR
  expect(by.startupRejects?.seconds).toBe(50);
  expect(by.startupRejects?.money).toBeCloseTo(50 / 60 + 20, 9);
  expect(by.productionRejects?.seconds).toBe(25);
  expect(by.productionRejects?.money).toBeCloseTo(25 / 60 + 10, 9);
  expect(bigLosses(f).reduce((sum, { seconds }) => sum + seconds, f.goodIdealS)).toBeCloseTo(busyS(f), 9);
  // money of all losses and of the good time is the cost of the busy time, plus scrap
  expect(bigLosses(f).reduce((sum, { money }) => sum + money, f.goodIdealS / 60)).toBeCloseTo(busyS(f) / 60 + 30, 6);
});

test("18. MTBF and MTTR: a failure is an unplanned down that is no micro-stop and whose reason is a breakdown", () => {
  // Down by bearing 30 min, unexplained 20 min, bearing again 4 min (a micro-stop): one failure. Run = 480 - 54 = 426 min.
  const f = wholeOf({
    losses: { bearing: "breakdown" },
    machines: {
      1: {
        states: [
          [-10, "run"],
          [h, "down"],
          [h + 30 * min, "run"],
          [3 * h, "down"],
          [3 * h + 20 * min, "run"],
          [5 * h, "down"],
          [5 * h + 4 * min, "run"],
        ],
        reasons: [
          [h, "bearing"],
          [h + 30 * min, null],
          [5 * h, "bearing"],
          [5 * h + 4 * min, null],
        ],
      },
    },
  });
  expect([f.failures, f.stops, f.microStops, reliability(f).mtbfS, reliability(f).mttrS]).toEqual([1, 2, 1, 426 * min, 30 * min]);
});
