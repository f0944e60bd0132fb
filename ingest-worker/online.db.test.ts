// What machines said of their links, as it is stored and read.
import type pg from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { addLine } from "#/scripts/soak/plant.ts";
import { deadWindows } from "#/server/domain/presence.ts";
import { aDatabase, type TestDatabase } from "#/server/testing.ts";
import { Filling } from "./batch.ts";
import { Bytes } from "./binary.ts";
import { acquireLease, type Lease } from "./lease.ts";
import { loadPlant, type Plant } from "./plant.ts";
import { newMemory, Resolver } from "./resolve.ts";
import { writeBatch } from "./write.ts";

const press = "berlin/stamping/line-1/press";
const topic = `takt/v1/${press}/_online`;
const minute = 60_000;
const now = Date.now();

let fresh: TestDatabase;
let db: pg.Client;
let lease: Lease;
let plant: Plant;
let resolver: Resolver;
const filling = new Filling();

beforeAll(async () => {
  fresh = await aDatabase();
  db = await fresh.connect();
  await addLine(db, { site: "berlin", area: "stamping", line: "line-1", machines: { press: [{ key: "good", role: "good_count" }] } });
  const machine = "select id from machine where key = 'press'";
  await db.query(
    `insert into ideal_cycle (machine_id, from_at, ideal_cycle_s) select id, now() - interval '1 day', s from (${machine}) m, (values (2.0)) g(s)`,
  );
  const taken = await acquireLease(db, "test", ["takt/v1/#"], "host 1 now");
  if ("heldBy" in taken) throw new Error(taken.heldBy);
  lease = taken;
});
afterAll(() => fresh.drop());
beforeEach(async () => {
  for (const table of ["link_event", "source_status", "ledger_sample", "count_minute", "signal_latest"]) await db.query(`delete from ${table}`);
  await start();
});

/** As a worker that was just started. */
async function start(): Promise<void> {
  plant = await loadPlant(db, null);
  resolver = new Resolver(plant, 0, newMemory());
}
async function say(payload: unknown, over: { receivedAt?: number; retained?: boolean; topic?: string } = {}): Promise<void> {
  resolver.message({ topic, payload: Buffer.from(JSON.stringify(payload)), retained: false, receivedAt: now, ...over }, filling);
  await writeBatch({ db, plant, lease, copy: new Bytes(), lineAnnouncedAt: new Map() }, filling.take());
}
const status = async () => {
  const { rows } = await db.query<{ announced: boolean; at: Date; by: string }>("select announced, announced_at as at, announced_by as by from source_status");
  return rows.map(({ announced, at, by }) => [announced, at.getTime() - now, by])[0];
};
const dead = async () => {
  const { rows } = await db.query<{ at: number; kind: string; alive: boolean | null }>(
    "select round(extract(epoch from at) * 1000)::float8 as at, kind, alive from link_event order by id",
  );
  const window = { from: now - 10 * minute, to: now + 10 * minute };
  const windows = deadWindows({ window, now: window.to, form: "json", noDataTimeoutS: 60, minutes: [], linkEvents: rows });
  return windows.map(({ from, to }) => [(from - now) / minute, (to - now) / minute]);
};

describe("the word heard last is the present", () => {
  it("a will with the time of its connecting, also after a start of ours", async () => {
    await say({ ts: now - 9 * minute, value: true });
    await start();
    await say({ ts: now - 9 * minute - 50, value: false });
    expect(await status()).toEqual([false, -9 * minute + 1, "offline"]);
    expect((await dead()).at(-1)?.[1]).toBe(10);
  });

  it("against one that is written for the future", async () => {
    await db.query("insert into source_status (source_id, announced, announced_at, announced_by) select id, true, $1, 'online' from source", [
      new Date(now + 5 * minute),
    ]);
    await db.query("insert into link_event (source_id, address, at, kind, alive, received_at) select id, address, $1, 'online', true, $2 from source", [
      new Date(now + 5 * minute),
      new Date(now),
    ]);
    await start();
    await say(false);
    expect((await status())?.[0]).toBe(false);
    expect((await dead()).at(-1)?.[1]).toBe(10);
  });

  it("not by one that fills the past", async () => {
    await say(true, { receivedAt: now - 5 * minute });
    await say({ ts: now - 7 * minute, value: true });
    expect(await status()).toEqual([true, -5 * minute, "online"]);
    expect(await dead()).toEqual([[-10, -7]]);
  });

  it("true and false in one millisecond, in that order", async () => {
    for (const value of [true, false]) await say(value);
    expect(await dead()).toEqual([
      [-10, 0],
      [1 / minute, 10],
    ]);
  });

  it("a restart of the broker is remembered across a start of ours", async () => {
    await say({ ts: now - 9 * minute, value: true });
    resolver.links.restarted(now - 5 * minute + 1, now + 1, () => now - 5 * minute, now, filling);
    await say(true, { retained: true });
    await start();
    await say(true, { retained: true });
    expect(await status()).toEqual([false, -5 * minute, "broker_restart"]);
    await say(true);
    expect(await status()).toEqual([true, 0, "online"]);
  });
});

it("what is remarkable in counts is told once a minute, and is no loss of the link", async () => {
  const at = Math.floor(now / minute) * minute - 2 * minute;
  for (const [s, value] of [
    [1, 10_512],
    [2, 1.5],
    [3, 10_512.5],
    [4, 7],
  ])
    await say({ ts: at + s! * 1000, value }, { topic: `takt/v1/${press}/good` });
  const { rows } = await db.query("select kind, alive, detail::json as detail from link_event order by id");
  expect(rows).toEqual([
    { kind: "counter_reset", alive: null, detail: { signal: "good", before: 10_512, value: 1.5, pieces: 1.5 } },
    { kind: "counter_jump", alive: null, detail: { signal: "good", pieces: 10_511, ms: 1_000, allowed: 0.5, isIdeal: true } },
  ]);
  const { rows: announced } = await db.query("select from source_status where announced is not null");
  expect(announced).toEqual([]);
});
