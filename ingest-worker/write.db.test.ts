// Any delivery of the same readings leaves the same in the database.
import fc from "fast-check";
import type pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { addLine, type PlantIds } from "#/scripts/soak/plant.ts";
import { piecesByMinute } from "#/server/domain/counter.ts";
import { aDatabase, type TestDatabase } from "#/server/testing.ts";
import { emptyBatch } from "./batch.ts";
import { Bytes } from "./binary.ts";
import { acquireLease, type Lease } from "./lease.ts";
import { loadPlant, type Plant } from "./plant.ts";
import { Flag, type Sample, type Signal } from "./sample.ts";
import { signalAt } from "./testing.ts";
import { writeBatch } from "./write.ts";

const startAt = Date.UTC(2026, 8, 21, 10, 58);
const minuteMs = 60_000;
const hourMs = 3_600_000;
const line = "berlin/stamping/line-1";
const machines = ["press-1", "press-2"];
const keys = ["good", "rolls", "scrap", "job", "state", "temperature"] as const;
type Key = (typeof keys)[number];
/** One reading as it is in truth; at in ms. */
type Reading = { machine: string; key: Key; at: number; value: number | null; text: string | null };

let fresh: TestDatabase;
let db: pg.Client;
let ids: PlantIds;
let plant: Plant;
let lease: Lease;
const copy = new Bytes();

beforeAll(async () => {
  fresh = await aDatabase();
  db = await fresh.connect();
  const signals = [
    { key: "good", role: "good_count" },
    { key: "rolls", role: "total_count", counterModulus: 100 },
    { key: "scrap", role: "reject_count", counterMode: "increment" as const },
    { key: "job", role: "job" },
    { key: "state", role: "state" },
    { key: "temperature", role: "measurement" },
  ];
  ids = await addLine(db, { site: "berlin", area: "stamping", line: "line-1", machines: { "press-1": signals, "press-2": signals } });
  await db.query("set timezone = 'UTC'");
  const taken = await acquireLease(db, "test", ["takt/v1/#"], "host 1 now");
  if ("heldBy" in taken) throw new Error(taken.heldBy);
  lease = taken;
});
afterAll(() => fresh.drop());

async function empty(): Promise<void> {
  for (const table of [
    "sample",
    "ledger_sample",
    "count_minute",
    "source_minute",
    "signal_latest",
    "source_status",
    "ledger_mark",
    "trend_mark",
    "dead_letter",
  ])
    await db.query(`delete from ${table}`); // truncate would make and drop chunks, a tenth of a second each time
  plant = await loadPlant(db, null);
}

const signalOf = (r: Reading): Signal => signalAt(plant, `${line}/${r.machine}/${r.key}`);
const sampleOf = (r: Reading, receivedAt: number): Sample => ({
  signal: signalOf(r),
  at: r.at,
  value: r.value,
  text: r.text,
  flags: r.value === null && r.text === null ? Flag.noValue : 0,
  receivedAt,
});
const write = (readings: readonly Reading[], receivedAt = startAt + hourMs, careful = false) =>
  writeBatch(
    { db, plant, lease, copy, lineAnnouncedAt: new Map() },
    { ...emptyBatch(), values: readings.length, samples: readings.map((r) => sampleOf(r, receivedAt)) },
    careful,
  );

const instantMs = (column: string) => `(extract(epoch from ${column}) * 1000)::float8`;
const rows = async (sql: string) => (await db.query({ text: sql, rowMode: "array" })).rows.map((row: unknown[]) => JSON.stringify(row)).sort();

const idOf = (r: Reading) => ids.signals.get(`${line}/${r.machine}/${r.key}`)!;
const isTrend = (r: Reading) => r.key === "temperature";
const flagsOf = (r: Reading) => (r.value === null && r.text === null ? Flag.noValue : 0);

type Expected = { trend: string[]; ledger: string[]; counts: string[]; presence: string[]; latest: string[] };

function expected(truth: readonly Reading[]): Expected {
  const sorted = [...truth].sort((a, b) => a.at - b.at);
  const counts: string[] = [];
  const presence = new Map<string, { first: number; last: number; n: number }>();
  const latest: string[] = [];
  for (const machine of machines) {
    const own = sorted.filter((r) => r.machine === machine);
    const jobs = own.filter((r) => r.key === "job").map((r) => ({ at: r.at, job: r.text ?? "" }));
    for (const r of own) {
      const minute = Math.floor(r.at / minuteMs) * minuteMs;
      const key = JSON.stringify([ids.sources.get(`${line}/${machine}`), minute]);
      const known = presence.get(key) ?? { first: r.at, last: r.at, n: 0 };
      presence.set(key, { first: known.first, last: r.at, n: known.n + 1 });
    }
    for (const key of keys) {
      const readings = own.filter((r) => r.key === key);
      const newest = readings.at(-1);
      if (!newest) continue;
      const counted = readings.filter((r) => r.value !== null).map((r) => ({ at: r.at, value: r.value! }));
      const rule = signalOf(newest).counter;
      const value = rule ? (counted.at(-1)?.value ?? null) : newest.value;
      latest.push(JSON.stringify([idOf(newest), newest.at, value, newest.text, flagsOf(newest), readings.length]));
      if (!rule) continue;
      for (const row of piecesByMinute(rule, null, counted, jobs))
        counts.push(JSON.stringify([idOf(newest), row.minute, row.job, ids.machines.get(`${line}/${machine}`), row.pieces, row.firstAt, row.lastAt]));
    }
  }
  return {
    trend: sorted
      .filter(isTrend)
      .map((r) => JSON.stringify([idOf(r), r.at, r.value, flagsOf(r)]))
      .sort(),
    ledger: sorted
      .filter((r) => !isTrend(r))
      .map((r) => JSON.stringify([idOf(r), r.at, r.value, r.text, flagsOf(r)]))
      .sort(),
    counts: counts.sort(),
    presence: [...presence].map(([key, p]) => JSON.stringify([...(JSON.parse(key) as number[]), p.first, p.last, p.n])).sort(),
    latest: latest.sort(),
  };
}

// Left out are the columns that tell of arrival: received_at, lag_max_s, and in signal_latest piece_at, cycle_s and period_s, which are what the reader
// in order knew (exact for readings that come in order; a late one does not change them).
const stored = async (): Promise<Expected> => ({
  trend: await rows(`select signal_id, ${instantMs("at")}, value, flags from sample`),
  ledger: await rows(`select signal_id, ${instantMs("at")}, value, text_value, flags from ledger_sample`),
  counts: await rows(`select signal_id, ${instantMs("minute")}, job, machine_id, pieces, ${instantMs("first_at")}, ${instantMs("last_at")} from count_minute`),
  presence: await rows(`select source_id, ${instantMs("minute")}, ${instantMs("first_at")}, ${instantMs("last_at")}, n from source_minute`),
  latest: await rows(`select signal_id, ${instantMs("at")}, value, text_value, flags, values_total::int from signal_latest`),
});

// Instants on a grid that hits minutes and hours often; a few minutes around 11:00.
const at = fc.oneof(
  fc.integer({ min: 0, max: 40 }).map((n) => startAt + n * 15_000),
  fc.integer({ min: 0, max: 600_000_000 }).map((us) => startAt + us / 1000),
);
const none = { value: null, text: null };
const reading: fc.Arbitrary<Reading> = fc
  .record({
    machine: fc.constantFrom(...machines),
    key: fc.constantFrom(...keys, "good" as const, "job" as const),
    at,
    n: fc.integer({ min: 0, max: 99 }),
    isNone: fc.nat(9),
  })
  .map(({ n, isNone, ...r }): Reading => {
    if (isNone === 0) return { ...r, ...none };
    if (r.key === "job") return { ...r, value: null, text: ["A", "B", ""][n % 3]! };
    if (r.key === "state") return n % 2 ? { ...r, value: n % 18, text: null } : { ...r, value: null, text: "EXECUTE" };
    return { ...r, value: n, text: null };
  });
const identity = (r: Reading) => `${r.machine} ${r.key} ${Math.round(r.at * 1000)}`;
const truth = fc.uniqueArray(reading, { selector: identity, minLength: 1, maxLength: 70 });
type Cut = { after: number; doing: "nothing" | "reload" | "work off" | "careful" };
/** Batches end after so many of the delivery; between them the plant may be read anew or the marks be worked off. */
const cutsOf = (length: number) =>
  fc.array(fc.record({ after: fc.nat(length), doing: fc.constantFrom<Cut["doing"][]>("nothing", "reload", "work off", "careful") }), { maxLength: 12 });
/** Each reading at least once, some again: in any order; in order; in order but for a few that come last; job readings first, counts long after. */
const delivery = truth.chain((readings) => {
  const all = [...readings.keys()];
  const inOrder = all.toSorted((a, b) => readings[a]!.at - readings[b]!.at);
  const whole = (order: number[]) => cutsOf(order.length).map((cuts) => ({ readings, order, cuts }));
  const mixed = fc.array(fc.nat(readings.length - 1), { maxLength: 30 }).chain((again) => {
    const both = [...all, ...again];
    return fc.shuffledSubarray([...both.keys()], { minLength: both.length }).chain((places) => whole(places.map((place) => both[place]!)));
  });
  const latecomers = fc.shuffledSubarray(all, { minLength: 1, maxLength: Math.min(3, all.length) }).map((late) => {
    const early = inOrder.filter((i) => !late.includes(i));
    return { readings, order: [...early, ...late], cuts: [{ after: early.length, doing: "work off" }] satisfies Cut[] };
  });
  const jobs = all.filter((i) => readings[i]!.key === "job");
  const jobsFirst = fc.shuffledSubarray(jobs, { minLength: jobs.length }).map((first) => {
    const order = [...first, ...inOrder.filter((i) => !jobs.includes(i))];
    return { readings, order, cuts: order.map((_, i): Cut => ({ after: i + 1, doing: "nothing" })) };
  });
  return fc.oneof(
    { weight: 3, arbitrary: mixed },
    { weight: 1, arbitrary: whole(inOrder) },
    { weight: 2, arbitrary: latecomers },
    { weight: 1, arbitrary: jobsFirst },
  );
});
type Delivery = typeof delivery extends fc.Arbitrary<infer T> ? T : never;

type Between = { counts: Map<string, string>; trend: Map<string, string> };
async function byHour(): Promise<Between> {
  const map = async (sql: string) => new Map((await db.query<{ k: string; v: string }>(sql)).rows.map((r) => [r.k, r.v]));
  return {
    counts: await map(
      `select machine_id || ' ' || date_trunc('hour', minute) as k, string_agg(concat_ws(' ', signal_id, minute, job, pieces, first_at, last_at), ';' order by signal_id, minute, job) as v
       from count_minute group by 1`,
    ),
    trend: await map(`select signal_id || ' ' || date_trunc('hour', at) as k, count(*)::text as v from sample group by 1`),
  };
}

async function deliver({ readings, order, cuts }: Delivery): Promise<void> {
  await empty();
  const sorted = [...cuts].sort((a, b) => a.after - b.after);
  let from = 0;
  let written = 0;
  let duplicate = 0;
  let careful = false;
  let before: Between = { counts: new Map(), trend: new Map() };
  for (const { after, doing } of [...sorted, { after: order.length, doing: "nothing" }]) {
    const batch = order.slice(from, Math.max(from, after)).map((i) => readings[i]!);
    from = Math.max(from, after);
    if (batch.length > 0) {
      const outcome = await write(batch, startAt + hourMs + from, careful);
      written += outcome.written;
      duplicate += outcome.duplicate;
      expect([...outcome.setAside]).toEqual([]);
    }
    careful = doing === "careful";
    if (doing === "reload") plant = await loadPlant(db, plant);
    if (doing === "work off") {
      await db.query("update ingest_lease set generation = generation + 1");
      before = await byHour();
      await db.query("delete from ledger_mark");
      await db.query("delete from trend_mark");
    }
  }
  expect({ written, duplicate }).toEqual({ written: readings.length, duplicate: order.length - readings.length });
  expect(await stored()).toEqual(expected(readings));
  // Whatever differs from what was there when the marks were last worked off is marked.
  const now = await byHour();
  const marks = {
    counts: new Set(await rows(`select machine_id || ' ' || hour from ledger_mark`)),
    trend: new Set(await rows(`select signal_id || ' ' || hour from trend_mark`)),
  };
  for (const kind of ["counts", "trend"] as const)
    for (const hour of new Set([...now[kind].keys(), ...before[kind].keys()]))
      if (now[kind].get(hour) !== before[kind].get(hour)) expect([kind, hour, marks[kind].has(JSON.stringify([hour]))]).toEqual([kind, hour, true]);
}

describe("writeBatch", () => {
  it("leaves the same whatever order, repetition, batches and reloads", async () => {
    await fc.assert(fc.asyncProperty(delivery, deliver), { numRuns: 120 });
  });
});
