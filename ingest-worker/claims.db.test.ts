// What the worker claims of the ledger beside its marks: presence that came late, and what links say.
import type pg from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { addLine } from "#/scripts/soak/plant.ts";
import { aDatabase, type TestDatabase } from "#/server/testing.ts";
import { emptyBatch } from "./batch.ts";
import { Bytes } from "./binary.ts";
import { acquireLease, type Lease } from "./lease.ts";
import { loadPlant, type Plant } from "./plant.ts";
import type { LinkEvent } from "./sample.ts";
import { signalAt } from "./testing.ts";
import { writeBatch } from "./write.ts";

const minuteMs = 60_000;
let fresh: TestDatabase;
let db: pg.Client;
let plant: Plant;
let lease: Lease;
beforeAll(async () => {
  fresh = await aDatabase();
  db = await fresh.connect();
  await addLine(db, {
    site: "berlin",
    area: "hall",
    line: "one",
    machines: { press: [{ key: "temperature", role: "measurement" }], saw: [{ key: "state", role: "state" }] },
  });
  const taken = await acquireLease(db, "test", ["takt/v1/#"], "host 1 now");
  if ("heldBy" in taken) throw new Error(taken.heldBy);
  lease = taken;
  plant = await loadPlant(db, null);
});
afterAll(() => fresh.drop());
beforeEach(() => db.query("delete from ledger_claim"));

const now = Math.floor(Date.now() / minuteMs) * minuteMs;
const ago = (minutes: number) => now - minutes * minuteMs;
const write = (more: Partial<ReturnType<typeof emptyBatch>>) =>
  writeBatch({ db, plant, lease, copy: new Bytes(), lineAnnouncedAt: new Map() }, { ...emptyBatch(), ...more });
const measured = (at: number) =>
  write({
    values: 1,
    samples: [{ signal: signalAt(plant, "berlin/hall/one/press/temperature"), at, value: at / 1e6, text: null, flags: 0, receivedAt: Date.now() }],
  });
const said = (...links: [minutes: number, kind: string, alive: boolean | null][]) =>
  write({
    links: links.map(([minutes, kind, alive]): LinkEvent => ({ address: "berlin/hall/one/press", at: ago(minutes), kind, alive, detail: "", receivedAt: now })),
  });
/** Machine, from and to in minutes before now; "now" is up to a minute after it was read. */
const claims = async () =>
  (
    await fresh.rows<{ key: string; from: number; to: number }>(
      `select m.key, extract(epoch from c.from_at)::float8 * 1000 as "from", extract(epoch from c.to_at)::float8 * 1000 as "to" from ledger_claim c join machine m on m.id = c.machine_id order by c.from_at`,
    )
  ).map(({ key, from, to }) => [key, (now - from) / minuteMs, to >= now ? "now" : Math.round((now - to) / minuteMs)]);

describe("the ledger is told anew", () => {
  it("of the time in which a source turns out to have been there, and not of what is new", async () => {
    await measured(Date.now());
    expect(await claims()).toEqual([]);
    await measured(ago(30));
    expect(await claims()).toEqual([["press", 30, 30]]);
  });

  it("from what a link says until it says something else; of history, all of its window", async () => {
    await said([90, "online", true]);
    expect(await claims()).toEqual([["press", 90, "now"]]);
    await db.query("delete from ledger_claim");
    await said([70, "offline", false], [60, "sequence_gap", null]);
    expect(await claims()).toEqual([["press", 70, "now"]]);
    await db.query("delete from ledger_claim");
    await said([80, "offline", false]);
    expect(await claims()).toEqual([["press", 80, 70]]);
    await db.query("delete from ledger_claim");
    await said([75, "history", null]);
    expect(await claims()).toEqual([["press", 80, 70]]);
  });
});
