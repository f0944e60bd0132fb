import { hostname } from "node:os";
import type pg from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { aDatabase, type TestDatabase } from "#/server/testing.ts";
import { acquireLease, checkLease, type Lease, LeaseLost, releaseLease, renewLease } from "./lease.ts";

let fresh: TestDatabase;
let db: pg.Client;
beforeAll(async () => {
  fresh = await aDatabase();
  db = await fresh.connect();
});
afterAll(() => fresh.drop());
beforeEach(() => db.query("delete from ingest_lease"));

const take = (name: string, filters: string[], holder = `elsewhere ${name}`) => acquireLease(db, name, filters, holder);
async function taken(name: string, filters: string[], holder?: string): Promise<Lease> {
  const lease = await take(name, filters, holder);
  if ("heldBy" in lease) throw new Error(lease.heldBy);
  return lease;
}

describe("the lease", () => {
  it("is one worker's by name; the next one stands by until it is released, and has a higher number then", async () => {
    const first = await taken("a", ["takt/v1/#"], "elsewhere 1");
    expect(await take("a", ["takt/v1/#"], "elsewhere 2")).toEqual({ heldBy: 'worker "a" (elsewhere 1) reads takt/v1/#' });
    await releaseLease(db, first);
    const second = await taken("a", ["takt/v1/#"], "elsewhere 2");
    expect(second.fence).toBe(first.fence + 1);
    await expect(renewLease(db, first)).rejects.toThrow(LeaseLost);
    await expect(checkLease(db, first)).rejects.toThrow('Another worker has taken over the topics of "a".');
    await renewLease(db, second);
    expect(await checkLease(db, second)).toBe(false);
  });

  it("of the same name but other topics is refused all the same", async () => {
    await taken("a", ["takt/v1/berlin/#"], "elsewhere 1");
    expect(await take("a", ["takt/v1/chicago/#"], "elsewhere 2")).toEqual({ heldBy: 'worker "a" (elsewhere 1)' });
  });

  it("under another name takes only topics that nobody reads", async () => {
    await taken("a", ["takt/v1/berlin/#", "spBv1.0/B/#"]);
    await taken("b", ["takt/v1/chicago/#", "spBv1.0/C/#"]);
    expect(await take("c", ["takt/v1/+/packing/#"])).toEqual({ heldBy: 'worker "a" (elsewhere a) reads takt/v1/berlin/#' });
    expect(await take("d", ["spBv1.0/C/#"])).toEqual({ heldBy: 'worker "b" (elsewhere b) reads spBv1.0/C/#' });
  });

  it("is not waited for when it has run out, or its process on this host is gone", async () => {
    await taken("a", ["x/#"]);
    await db.query("update ingest_lease set expires_at = now() - interval '1 s'");
    await taken("b", ["x/#"]);
    await db.query("delete from ingest_lease");
    await taken("a", ["x/#"], `${hostname()} ${process.pid} then`);
    expect(await take("b", ["x/#"])).toHaveProperty("heldBy");
    await db.query("delete from ingest_lease");
    await taken("a", ["x/#"], `${hostname()} 2147483646 then`); // beyond the kernel's largest process id
    await taken("b", ["x/#"]);
  });

  it("of two that reach for it at once one gets it", async () => {
    const other = await fresh.connect();
    for (let i = 0; i < 20; i++) {
      await db.query("delete from ingest_lease");
      const both = await Promise.all([acquireLease(db, "a", ["x/#"], "elsewhere 1"), acquireLease(other, "b", ["x/#"], "elsewhere 2")]);
      expect(both.filter((l) => "fence" in l).length).toBe(1);
    }
  });

  it("tells that marks are worked off once", async () => {
    const lease = await taken("a", ["x/#"]);
    await db.query("update ingest_lease set generation = generation + 1");
    expect([await checkLease(db, lease), await checkLease(db, lease)]).toEqual([true, false]);
  });
});
