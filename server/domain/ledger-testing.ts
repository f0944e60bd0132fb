/** Lines for tests of the ledger: instants in seconds after a shift's start, as a sheet of paper has them. */
import type { Said } from "./assignment.ts";
import { type Facts, noMoney, sumFacts } from "./facts.ts";
import { type LedgerLine, type LedgerMachine, lineLedger } from "./ledger.ts";
import type { CountRole, CountSignal } from "./pieces.ts";
import { slotsOf } from "./slots.ts";
import type { BaseKind, LossClass } from "./state.ts";

/** 6:00 in Berlin on a Monday in winter. */
export const sixOClock = Date.parse("2026-01-12T05:00:00Z");
export const min = 60;
export const h = 3600;
const ms = (s: number) => sixOClock + s * 1000;

/** Seconds after six o'clock. */
export type TestMachine = Partial<Omit<LedgerMachine, "counts" | "stateReadings" | "jobs" | "products" | "deadWindows" | "reasonReadings">> & {
  states?: [s: number, kind: BaseKind][];
  /** Readings of cumulative counters; the first is the base line. */
  counts?: Partial<Record<CountRole, [s: number, value: number][]>>;
  jobs?: [s: number, job: string | null][];
  products?: [s: number, product: string | null][];
  reasons?: [s: number, reason: string | null][];
  dead?: [from: number, to: number][];
  /** Of the machine's default product, or by product. */
  idealCycleS?: number | Record<string, number>;
};
export type TestLine = {
  from?: number;
  to?: number;
  now?: number;
  shifts?: { id?: string; from: number; to: number; breaks?: [from: number, to: number][] }[];
  machines: Record<number, TestMachine>;
  losses?: Record<string, LossClass>;
  topology?: LedgerLine["topology"];
  zone?: string;
};

const always = { from: 0, to: null };

export function machineOf(machineId: number, { states, counts, jobs, products, reasons, dead, idealCycleS, ...more }: TestMachine): LedgerMachine {
  const said = (list: [number, string | null][] | undefined): Said[] => (list ?? []).map(([s, key]) => ({ at: ms(s), key }));
  const cycles = typeof idealCycleS === "number" ? { "": idealCycleS } : (idealCycleS ?? {});
  return {
    machineId,
    upstreamId: null,
    downstreamId: null,
    stateReadings: states?.map(([s, kind]) => ({ at: ms(s), kind })) ?? null,
    firstReadingAt: null,
    noCountTimeoutS: null,
    microStopS: 300,
    startupS: 0,
    productOfJob: new Map(),
    money: noMoney,
    plansNoOrder: false,
    ...more,
    reasonReadings: (reasons ?? []).map(([s, reason]) => ({ at: ms(s), reason })),
    deadWindows: (dead ?? []).map(([from, to]) => ({ from: ms(from), to: ms(to) })),
    counts: Object.entries(counts ?? {}).map(
      ([role, readings]): CountSignal => ({
        role: role as CountRole,
        rule: { mode: "cumulative", modulus: null },
        before: null,
        readings: readings.map(([s, value]) => ({ at: ms(s), value })),
      }),
    ),
    jobs: said(jobs),
    products: said(products),
    rates: Object.entries(cycles).map(([product, cycle]) => ({ id: `${machineId}:${product}`, product: product || null, idealCycleS: cycle, ...always })),
  };
}

export function lineOf({
  from = 0,
  to = 28_800,
  now = to,
  shifts = [{ from: 0, to: 28_800 }],
  machines,
  losses = {},
  topology,
  zone = "Europe/Berlin",
}: TestLine): LedgerLine {
  const window = { from: ms(from), to: ms(to) };
  const scheduled = shifts.map(({ id, breaks, ...shift }, i) => ({
    id: id ?? `shift ${i + 1}`,
    businessDate: "2026-01-12",
    from: ms(shift.from),
    to: ms(shift.to),
    breaks: (breaks ?? []).map((b) => ({ from: ms(b[0]), to: ms(b[1]) })),
  }));
  return {
    window,
    now: ms(now),
    shifts: scheduled,
    slots: slotsOf(window, scheduled, zone),
    machines: Object.entries(machines).map(([id, machine]) => machineOf(Number(id), machine)),
    lossOf: (reason) => losses[reason] ?? null,
    topology: topology ?? { kind: "parallel" },
  };
}

export const ledgerOf = (line: TestLine) => lineLedger(lineOf(line));

/** A counter that goes from 0 to `pieces` in equal steps, read every `every` seconds in [from, to]. */
export function counter(from: number, to: number, pieces: number, every = 60, start = 0): [number, number][] {
  const steps = Math.max(1, Math.round((to - from) / every));
  return Array.from({ length: steps + 1 }, (_, i): [number, number] => [from + ((to - from) * i) / steps, start + Math.round((pieces * i) / steps)]);
}

export const wholeOf = (line: TestLine): Facts => sumFacts(ledgerOf(line).cells.map(({ facts }) => facts));

/** Of two sheets: stands from 1:05 to 1:25, and goes over from J1 (product A) to J2 (B). */
export const changing: TestLine["machines"][number] = {
  states: [
    [-10, "run"],
    [h + 5 * min, "down"],
    [h + 25 * min, "run"],
  ],
  // last piece of A at 1:04, first of B at 1:30
  counts: { good: [...counter(0, h + 4 * min, 640), ...counter(h + 30 * min, 8 * h, 3_900, 60, 641)] },
  jobs: [
    [-100, "J1"],
    [h + 20 * min, "J2"],
  ],
  productOfJob: new Map([
    ["J1", "A"],
    ["J2", "B"],
  ]),
  idealCycleS: { A: 5, B: 5 },
};
