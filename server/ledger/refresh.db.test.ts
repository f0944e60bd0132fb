// The ledger in the database: refreshed in steps with whatever comes when, it is what a rebuild from raw gives, to the last digit.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { factNames, sumFacts } from "#/server/domain/facts.ts";
import { lineLedger } from "#/server/domain/ledger.ts";
import { deadWindows } from "#/server/domain/presence.ts";
import { slotsOf } from "#/server/domain/slots.ts";
import { stateMeaning } from "#/server/domain/state.ts";
import { aDatabase, aLine, type TestDatabase, type TestLine } from "#/server/testing.ts";
import { markAll } from "./marks.ts";
import { type LedgerDb, refreshLedger } from "./refresh.ts";
import { aLedgerMachine, type LedgerMachine, read, type TestReading } from "./testing.ts";

let db: TestDatabase;
let ledger: LedgerDb;
beforeAll(async () => {
  db = await aDatabase();
  const client = await db.connect();
  ledger = {
    ...db,
    async transaction(work) {
      await client.query("begin");
      try {
        const result = await work({ rows: async (sql, parameters = []) => (await client.query(sql, [...parameters])).rows });
        await client.query("commit");
        return result;
      } catch (error) {
        await client.query("rollback");
        throw error;
      }
    },
  };
});
afterAll(() => db.drop());

const minute = 60_000;
const hour = 60 * minute;
/** 6:00 in Berlin. */
const start = Date.parse("2026-03-04T05:00:00Z");

/** Numbers that look random and are always the same. */
function dice(seed: number): (n: number) => number {
  let state = seed;
  return (n) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state >>> 9) % n; // its low bits go round in short circles
  };
}

const shifts = async (line: TestLine) => {
  for (const [name, from, to] of [
    ["Early", 0, 8],
    ["Late", 8, 16],
  ] as const) {
    const [shift] = await db.rows<{ id: string }>(
      "insert into shift_instance (line_id, name, business_date, from_at, to_at) values ($1, $2, '2026-03-04', $3, $4) returning id",
      [line.lineId, name, new Date(start + from * hour), new Date(start + to * hour)],
    );
    await db.rows("insert into shift_instance_break (shift_instance_id, name, from_at, to_at) values ($1, 'Lunch', $2, $3)", [
      shift?.id,
      new Date(start + (from + 4) * hour),
      new Date(start + (from + 4.5) * hour),
    ]);
  }
};

/** A day of a machine: states, pieces each 20 s while it runs, two silences, a fault now and then, two jobs. */
function dayOf(machine: LedgerMachine, roll: (n: number) => number): TestReading[] {
  const readings: TestReading[] = [];
  const say = (role: TestReading["role"], at: number, said: number | string) =>
    readings.push({ machine, role, at, value: typeof said === "number" ? said : null, text: typeof said === "string" ? said : null });
  let state = "EXECUTE";
  let [good, reject] = [0, 0];
  const silences = [0, 1].map(() => start + roll(15) * hour + roll(60) * minute).map((from) => [from, from + (3 + roll(40)) * minute] as const);
  say("state", start - 10 * minute, state);
  say("product", start - 10 * minute, "A");
  for (let at = start - 9 * minute; at < start + 17 * hour; at += 20_000) {
    if (silences.some(([from, to]) => at > from && at < to)) {
      good += 2;
      continue;
    }
    if (roll(60) === 0) {
      state = ["EXECUTE", "HELD", "SUSPENDED", "EXECUTE", "ABORTED"][roll(5)] ?? "EXECUTE";
      say("state", at + roll(15_000), state);
      if (state === "ABORTED") say("fault_code", at + roll(15_000), String(100 + roll(3)));
      if (state === "EXECUTE") say("fault_code", at + roll(15_000), "0");
    }
    if (roll(900) === 0) say("product", at + roll(15_000), ["A", "B"][roll(2)] ?? "A");
    if (state === "EXECUTE") {
      good += roll(4);
      if (roll(20) === 0) reject += 1;
    }
    if (roll(3_000) === 0) good = 0;
    say("good_count", at + 16_000, good);
    if (roll(10) === 0) say("reject_count", at + 17_000, reject);
  }
  // one reading a signal and instant
  return [...new Map(readings.map((one) => [`${one.role} ${one.at}`, one])).values()];
}

const rowsOf = (line: TestLine) =>
  db.rows(`select i.*, null as "none" from machine_interval i join machine m on m.id = i.machine_id where m.line_id = $1 order by i.machine_id, i.from_at`, [
    line.lineId,
  ]);
const factsOf = (line: TestLine) =>
  db.rows("select * from oee_fact where line_id = $1 order by machine_id nulls first, hour_at, shift_instance_id, date, job, product, rate_id", [line.lineId]);
const refreshTo = async (now: number) => {
  await markAll(db, new Date(now - minute), new Date(now));
  const result = await refreshLedger(ledger, { now: new Date(now), budgetMs: 60_000, signal: new AbortController().signal });
  expect(result.isDone).toBe(true);
};
async function rebuild(line: TestLine, now: number): Promise<void> {
  await db.rows("delete from machine_interval where machine_id in (select id from machine where line_id = $1)", [line.lineId]);
  await db.rows("delete from ledger_reach where machine_id in (select id from machine where line_id = $1)", [line.lineId]);
  await db.rows("delete from oee_fact where line_id = $1", [line.lineId]);
  await db.rows(
    "insert into ledger_mark (machine_id, hour, from_at, to_at) select id, date_trunc('hour', $2::timestamptz), $2, $3 from machine where line_id = $1 on conflict do nothing",
    [line.lineId, new Date(start - hour), new Date(now)],
  );
  await refreshTo(now);
}

async function furnished(topology: "parallel" | "constraint"): Promise<{ line: TestLine; machines: LedgerMachine[] }> {
  const line = await aLine(db);
  await shifts(line);
  const roles = ["state", "good_count", "reject_count", "fault_code", "product"] as const;
  const machines = [await aLedgerMachine(db, line, roles), await aLedgerMachine(db, line, roles)];
  const [first, second] = machines.map(({ machineId }) => machineId);
  await db.rows("update machine set downstream_id = $2 where id = $1", [first, second]);
  await db.rows("update machine set upstream_id = $1, startup_s = 600 where id = $2", [first, second]);
  if (topology === "constraint")
    await db.rows("update line set topology = 'constraint', constraint_machine_id = $2, last_machine_id = $3, pieces_per_piece = 2 where id = $1", [
      line.lineId,
      first,
      second,
    ]);
  for (const id of [first, second]) {
    await db.rows("insert into ideal_cycle (machine_id, from_at, ideal_cycle_s) values ($1, '2020-01-01', 10)", [id]);
    await db.rows("insert into machine_cost (machine_id, from_at, cost_per_hour) values ($1, '2020-01-01', 63)", [id]);
  }
  await db.rows(
    "insert into reason (site_id, key, name, loss, fault_code) values ($1, 'bearing', 'Bearing', 'breakdown', '100'), ($1, 'jam', 'Jam', 'minor_stop', '101')",
    [line.siteId],
  );
  return { line, machines };
}

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
  ] as const)("refreshed in steps, with a third of the readings late, is what a rebuild gives (%s, %s)", async (seed, topology) => {
    const roll = dice(seed);
    const { line, machines } = await furnished(topology);
    const all = machines.flatMap((machine) => dayOf(machine, roll));
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
    const [rows, facts] = [await rowsOf(line), await factsOf(line)];
    expect(rows.length).toBeGreaterThan(100);
    await rebuild(line, end);
    expect(await rowsOf(line)).toEqual(rows);
    expect(await factsOf(line)).toEqual(facts);
    await likeOnPaper(line, machines, all, end);
    // and what is refreshed again stays as it is
    await read(db, all.slice(100, 130));
    await refreshTo(end);
    expect(await rowsOf(line)).toEqual(rows);
    expect(await factsOf(line)).toEqual(facts);
  });
});
