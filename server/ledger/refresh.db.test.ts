// The ledger in the database: refreshed in steps with whatever comes when, it is what a rebuild from raw gives, to the last digit.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { factNames, sumFacts } from "#/server/domain/facts.ts";
import { lineLedger } from "#/server/domain/ledger.ts";
import { deadWindows } from "#/server/domain/presence.ts";
import { slotsOf } from "#/server/domain/slots.ts";
import { stateMeaning } from "#/server/domain/state.ts";
import { aDatabase, type TestDatabase, type TestLine } from "#/server/testing.ts";
import { claimPassedTime } from "./marks.ts";
import { type LedgerDb, refreshLedger } from "./refresh.ts";
import { aLedgerLine, dayOf, dice, factsOf, forget, type LedgerMachine, ledgerOn, read, rowsOf, type TestReading, time } from "./testing.ts";

let db: TestDatabase;
let ledger: LedgerDb;
beforeAll(async () => {
  db = await aDatabase();
  ledger = await ledgerOn(db);
});
afterAll(() => db.drop());

/** 6:00 in Berlin. */
const start = Date.parse("2026-03-04T05:00:00Z");

const { minute, hour } = time;
const refreshTo = async (now: number) => {
  await claimPassedTime(db, new Date(now));
  const result = await refreshLedger(ledger, { now: () => new Date(now), budgetMs: 60_000, signal: new AbortController().signal });
  expect(result.isDone).toBe(true);
};
/** The same readings put through the engine at once, each by itself and not by minutes: nothing but the last digits may differ. */
async function likeOnPaper(line: TestLine, machines: readonly LedgerMachine[], all: readonly TestReading[], now: number): Promise<void> {
  const window = { from: start - 10 * minute, to: now }; // as the ledger, which begins with the first reading
  const of = (machine: LedgerMachine, role: TestReading["role"]) =>
    all.filter((one) => one.machine === machine && one.role === role).sort((a, b) => a.at - b.at);
  const shiftRows = [0, 8].map((h, i) => ({
    id: String(i),
    businessDate: "2026-03-04",
    from: start + h * hour,
    to: start + (h + 8) * hour,
    breaks: [{ from: start + (h + 4) * hour, to: start + (h + 4.5) * hour }],
  }));
  const made = lineLedger({
    window,
    now,
    shifts: shiftRows,
    slots: slotsOf(window, shiftRows, "Europe/Berlin"),
    topology: { kind: "parallel" },
    lossOf: (reason) => (reason === "bearing" ? "breakdown" : reason === "jam" ? "minor_stop" : null),
    machines: machines.map((machine, i) => ({
      machineId: machine.machineId,
      upstreamId: machines[i - 1]?.machineId ?? null,
      downstreamId: machines[i + 1]?.machineId ?? null,
      stateReadings: of(machine, "state").map(({ at, text }) => ({ at, kind: stateMeaning({ value: null, text }, null).kind })),
      firstReadingAt: null,
      deadWindows: deadWindows({
        window: { from: window.from, to: now },
        now,
        form: "json",
        noDataTimeoutS: 60,
        minutes: all.filter((one) => one.machine === machine).map(({ at }) => ({ firstAt: at, lastAt: at })),
        linkEvents: [],
      }),
      noCountTimeoutS: 60,
      microStopS: 300,
      reasonReadings: of(machine, "fault_code").map(({ at, text }) => ({
        at,
        reason: text === "100" ? "bearing" : text === "101" ? "jam" : text === "0" ? null : text,
      })),
      counts: (["good", "reject"] as const).map((role) => ({
        role,
        rule: { mode: "cumulative" as const, modulus: null },
        before: null,
        readings: of(machine, `${role}_count`).map(({ at, value }) => ({ at, value: value ?? 0 })),
      })),
      jobs: [],
      products: of(machine, "product").map(({ at, text }) => ({ at, key: text })),
      productOfJob: new Map(),
      rates: [{ id: "1", product: null, from: 0, to: null, idealCycleS: 10 }],
      money: { machine: [{ from: 0, to: null, costPerHour: 63 }], pieces: [] },
      plansNoOrder: false,
      startupS: i === 1 ? 600 : 0,
    })),
  });
  for (const { machineId } of machines) {
    const paper = sumFacts((made.machines.get(machineId)?.cells ?? []).map(({ facts }) => facts));
    const stored = await db.rows<Record<string, number>>(
      `select ${factNames.map((name) => `sum(${snake(name)}) as "${name}"`).join(", ")} from oee_fact where machine_id = $1`,
      [machineId],
    );
    const off = factNames.filter((name) => !(Math.abs((stored[0]?.[name] ?? Number.NaN) - paper[name]) <= 1e-6));
    expect(off.map((name) => [name, stored[0]?.[name], paper[name]])).toEqual([]);
    expect(paper.runS).toBeGreaterThan(3_600);
  }
  const [line1] = await db.rows<{ gap: number }>("select sum(gap_good + gap_reject) as gap from oee_fact where line_id = $1 and machine_id is not null", [
    line.lineId,
  ]);
  expect(line1?.gap).toBeGreaterThan(0);
}
const snake = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

describe("the ledger in the database", () => {
  it.each([
    [1, "parallel"],
    [2, "constraint"],
    [3, "parallel"],
  ] as const)(
    "refreshed in steps, with a third of the readings late, is what a rebuild gives (%s, %s)",
    async (seed, topology) => {
      const roll = dice(seed);
      const { line, machines } = await aLedgerLine(db, start, topology);
      const all = machines.flatMap((machine) => dayOf(machine, start, roll));
      // When each comes: most at once, some minutes late, some hours.
      const coming = all.map((one) => ({ one, at: one.at + [0, 0, 0, 0, 5 * minute, 3 * hour][roll(6)]! + roll(1_000) })).sort((a, b) => a.at - b.at);
      let next = 0;
      for (let now = start; now <= start + 21 * hour; now += (5 + roll(90)) * minute) {
        const come: TestReading[] = [];
        while (next < coming.length && (coming[next]?.at ?? 0) <= now) come.push((coming[next++] as (typeof coming)[number]).one);
        await read(db, come);
        await refreshTo(now);
      }
      await read(
        db,
        coming.slice(next).map(({ one }) => one),
      );
      const end = start + 23 * hour;
      await refreshTo(end);
      const [rows, facts] = [await rowsOf(db, line), await factsOf(db, line)];
      expect(rows.length).toBeGreaterThan(100);
      await forget(db, line, start - hour, end);
      await refreshTo(end);
      expect(await rowsOf(db, line)).toEqual(rows);
      expect(await factsOf(db, line)).toEqual(facts);
      await likeOnPaper(line, machines, all, end);
      // and what is refreshed again stays as it is
      await read(db, all.slice(100, 130));
      await refreshTo(end);
      expect(await rowsOf(db, line)).toEqual(rows);
      expect(await factsOf(db, line)).toEqual(facts);
    },
    120_000,
  );
});
