import type pg from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { aDatabase, type TestDatabase } from "#/server/testing.ts";
import { endUnwatched, linksSaid } from "./absence.ts";
import { acquireLease } from "./lease.ts";
import { loadPlant } from "./plant.ts";
import type { LinkEvent } from "./sample.ts";
import { insertLinks } from "./upserts.ts";

const t0 = 1_790_000_000_000;
let fresh: TestDatabase;
let db: pg.Client;
beforeAll(async () => {
  fresh = await aDatabase();
  db = await fresh.connect();
  const [works] = await fresh.rows<{ id: number }>("insert into enterprise (key, name) values ('works', 'Works') returning id");
  const [site] = await fresh.rows<{ id: number }>(
    "insert into site (enterprise_id, key, name, zone) values ($1, 'berlin', 'Berlin', 'Europe/Berlin') returning id",
    [works?.id],
  );
  for (const address of ["Berlin/A/Press", "Chicago/B/Press"])
    await fresh.rows("insert into source (site_id, form, address) values ($1, 'sparkplug', $2)", [site?.id, address]);
});
afterAll(() => fresh.drop());
beforeEach(async () => {
  await db.query("delete from ingest_lease; delete from ingest_worker; delete from link_event; delete from source_status");
});

const event = (address: string, after: number, alive: boolean | null, more: Partial<LinkEvent> = {}): LinkEvent => ({
  address,
  at: t0 + after,
  kind: alive ? "birth" : "offline",
  alive,
  detail: "",
  receivedAt: t0 + after,
  ...more,
});
const say = async (...events: LinkEvent[]) => insertLinks(db, events, (await loadPlant(db, null)).sources);
/** A worker that last said that it lived at `after`, and had written all up to `writtenTo`. */
async function worker(name: string, group: string, after: number, writtenTo?: number): Promise<void> {
  await acquireLease(db, name, [`takt/v1/${name}/#`, `spBv1.0/${group}/#`], `elsewhere ${name}`);
  await db.query("insert into ingest_worker (name, at, started_at, stats) values ($1, $2, $2, $3)", [
    name,
    new Date(t0 + after),
    writtenTo === undefined ? {} : { writtenTo: t0 + writtenTo },
  ]);
}
const end = async (groups = ["+"]) =>
  (await endUnwatched(db, groups, (await loadPlant(db, null)).sources, t0 + 99_000)).map(({ address, at, alive }) => [address, at - t0, alive]).sort();

describe("links that were left alive", () => {
  it("end with what their last watcher had written for certain, by the edge's own clock; once", async () => {
    await worker("one", "Berlin", 60_000, 50_000);
    await worker("two", "Chicago", 70_000);
    await say(event("Berlin/A/Press", 0, true), event("Chicago/B/Press", 0, true, { receivedAt: t0 + 5_000 }));
    expect(await end()).toEqual([
      ["Berlin/A/Press", 48_000, false],
      ["Chicago/B/Press", 63_000, false], // its clock is 5 s behind
    ]);
    expect(await end()).toEqual([]);
    const status = await fresh.rows("select announced, announced_by from source_status order by source_id");
    expect(status).toEqual(Array(2).fill({ announced: false, announced_by: "offline" }));
  });

  it("end right after a birth that came later than the last sign of life, and where there was none", async () => {
    await worker("one", "Berlin", 10_000, 10_000);
    await say(event("Berlin/A/Press", 11_000, true), event("Chicago/B/Press", 12_000, true));
    expect(await end()).toEqual([
      ["Berlin/A/Press", 11_001, false],
      ["Chicago/B/Press", 12_001, false],
    ]);
  });

  it("are those of one's own groups; dead ones stay as they are", async () => {
    await say(event("Berlin/A/Press", 0, true), event("Chicago/B/Press", 0, true));
    expect(await end(["Berlin"])).toEqual([["Berlin/A/Press", 1, false]]);
    await say(event("Chicago/B/Press", 5, false));
    expect(await end()).toEqual([]);
  });

  it("are recalled with all that was said of them, in order", async () => {
    await say(event("Berlin/A/Press", 0, true), event("Berlin/A/Press", 20, null, { kind: "history" }), event("Berlin/A/Press", 10, false));
    await say(event("Berlin/A/Press", 15, null, { kind: "rebirth_requested" }));
    expect(await linksSaid(db)).toEqual(
      new Map([
        [
          "Berlin/A/Press",
          [
            { at: t0, kind: "birth", alive: true },
            { at: t0 + 10, kind: "offline", alive: false },
            { at: t0 + 20, kind: "history", alive: null },
          ],
        ],
      ]),
    );
  });
});
