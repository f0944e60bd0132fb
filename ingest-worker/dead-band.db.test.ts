// A dead band and what is delivered again or late: nothing is written that was passed over, and nothing is lost that was not.
import fc from "fast-check";
import type pg from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { addLine } from "#/scripts/soak/plant.ts";
import { aDatabase, type TestDatabase } from "#/server/testing.ts";
import { emptyBatch } from "./batch.ts";
import { Bytes } from "./binary.ts";
import { acquireLease, type Lease } from "./lease.ts";
import { loadPlant, type Plant } from "./plant.ts";
import { Flag } from "./sample.ts";
import { signalAt } from "./testing.ts";
import { writeBatch } from "./write.ts";

const machine = "berlin/stamping/line-1/press";
const startAt = Date.UTC(2026, 8, 21, 10, 30);
const deadBand = 0.5;
/** raw: kept for ever, so a row of the ledger. s: after startAt. */
type Reading = { key: "temperature" | "raw"; s: number; value: number | null; flags: number };

let fresh: TestDatabase;
let db: pg.Client;
let plant: Plant;
let lease: Lease;

beforeAll(async () => {
  fresh = await aDatabase();
  db = await fresh.connect();
  const signals = ["temperature", "raw"].map((key) => ({ key, role: "measurement" }));
  await addLine(db, { site: "berlin", area: "stamping", line: "line-1", machines: { press: signals } });
  await db.query("update signal set dead_band = $1, keep_raw = key = 'raw'", [deadBand]);
  const taken = await acquireLease(db, "test", ["takt/v1/#"], "host 1 now");
  if ("heldBy" in taken) throw new Error(taken.heldBy);
  lease = taken;
});
afterAll(() => fresh.drop());
beforeEach(empty);

async function empty(): Promise<void> {
  for (const table of ["sample", "ledger_sample", "source_minute", "signal_latest", "source_status", "ledger_mark", "trend_mark", "dead_letter"])
    await db.query(`delete from ${table}`); // truncate would make and drop chunks, a tenth of a second each time
  plant = await loadPlant(db, null);
}

const write = (readings: readonly Reading[], { careful = false, receivedS = readings.at(-1)?.s ?? 0 } = {}) => {
  const samples = readings.map(({ key, s, value, flags }) => ({
    signal: signalAt(plant, `${machine}/${key}`),
    at: startAt + s * 1000,
    value,
    text: null,
    flags,
    receivedAt: startAt + receivedS * 1000,
  }));
  return writeBatch({ db, plant, lease, copy: new Bytes(), lineAnnouncedAt: new Map() }, { ...emptyBatch(), values: samples.length, samples }, careful);
};
const rows = async (sql: string) => (await db.query({ text: sql, rowMode: "array" })).rows as unknown[][];
const secondsOf = (column: string) => `extract(epoch from ${column})::float8 - ${startAt / 1000}`;
const kept = (table = "sample") => rows(`select ${secondsOf("at")}, value from ${table} order by at`);
const stored = async () => ({
  trend: await rows("select signal_id, at, value, flags from sample order by 1, 2"),
  ledger: await rows("select signal_id, at, value, flags from ledger_sample order by 1, 2"),
  latest: await rows("select signal_id, at, value, flags, received_at, values_total from signal_latest order by 1"),
  presence: await rows("select minute, first_at, last_at, n, lag_max_s from source_minute order by 1"),
});
const temperature = (s: number, value: number | null): Reading => ({ key: "temperature", s, value, flags: value === null ? Flag.noValue : 0 });

/** Readings in order, in batches; what of them and of those before comes again with each batch, and what happens after it. */
type Batch = { readings: Reading[]; again: number[]; isFirst: boolean; after: "nothing" | "reload" | "careful" };

const batches: fc.Arbitrary<Batch[]> = fc
  .array(
    fc.record({
      steps: fc.array(
        fc.record({
          key: fc.constantFrom("temperature" as const, "raw" as const),
          afterS: fc.constantFrom(1, 1, 20, 400, 599, 1800),
          value: fc.option(
            fc.integer({ min: 0, max: 8 }).map((n) => 20 + n / 8),
            { freq: 12, nil: null },
          ),
          isBad: fc.boolean(),
        }),
        { minLength: 1, maxLength: 8 },
      ),
      again: fc.array(fc.nat(), { maxLength: 10 }),
      isFirst: fc.boolean(),
      after: fc.constantFrom("nothing" as const, "nothing" as const, "reload" as const, "careful" as const),
    }),
    { minLength: 1, maxLength: 5 },
  )
  .map((given) => {
    let s = 0;
    return given.map(({ steps, ...batch }) => ({
      ...batch,
      readings: steps.map(({ key, afterS, value, isBad }): Reading => {
        s += afterS;
        return { key, s, value, flags: value === null ? Flag.noValue : isBad && value > 20.8 ? Flag.badQuality : 0 };
      }),
    }));
  });

async function deliver(given: readonly Batch[], isRepeated: boolean) {
  await empty();
  const sum = { written: 0, duplicate: 0 };
  const before: Reading[] = [];
  let careful = false;
  for (const { readings, again, isFirst, after } of given) {
    // Before the new ones only what came earlier can come again.
    const known = isFirst ? [...before] : [...before, ...readings];
    before.push(...readings);
    const repeats = isRepeated && known.length > 0 ? again.map((n) => known[n % known.length] as Reading) : [];
    const receivedS = (readings.at(-1)?.s ?? 0) + 1;
    const outcome = await write(isFirst ? [...repeats, ...readings] : [...readings, ...repeats], { careful, receivedS });
    expect([...outcome.setAside]).toEqual([]);
    expect(outcome.written + outcome.duplicate).toBe(readings.length + repeats.length);
    sum.written += outcome.written;
    sum.duplicate += outcome.duplicate - repeats.length;
    careful = after === "careful";
    if (after === "reload") plant = await loadPlant(db, plant);
  }
  return { ...sum, stored: await stored() };
}

describe("a value inside the dead band", () => {
  it("that is delivered again is a duplicate like any other, also after a restart", async () => {
    await fc.assert(
      fc.asyncProperty(batches, async (given) => {
        expect(await deliver(given, true)).toEqual(await deliver(given, false));
      }),
      { numRuns: 60 },
    );
  });

  it("that comes late is passed over, and vouches for its source; what is outside is written", async () => {
    await write([temperature(0, 20), temperature(1200, 25)]);
    const late = [temperature(60, 20.25), temperature(180, 21), temperature(240, 21.25), temperature(120, 20.25), temperature(300, 20.75)];
    expect(await write(late, { receivedS: 1300 })).toMatchObject({ written: 1, duplicate: 4 });
    expect(await kept()).toEqual([
      [0, 20],
      [180, 21],
      [1200, 25],
    ]);
    expect(await rows(`select ${secondsOf("first_at")}, n from source_minute order by 1`)).toEqual([
      [0, 1],
      [60, 0],
      [120, 0],
      [180, 1],
      [240, 0],
      [300, 0],
      [1200, 1],
    ]);
  });

  it("is compared with what was kept at most ten minutes before it, in the same hour", async () => {
    await write([temperature(0, 20), temperature(4000, 25)]);
    // 10:40, then 11:00:01 with 10:59 kept before it
    expect(await write([temperature(600, 20), temperature(1740, 20), temperature(1801, 20), temperature(1802, 20)])).toMatchObject({
      written: 3,
      duplicate: 1,
    });
    expect(await kept()).toEqual([
      [0, 20],
      [600, 20],
      [1740, 20],
      [1801, 20],
      [4000, 25],
    ]);
  });
});
