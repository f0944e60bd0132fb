import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import type pg from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { aDatabase, type TestDatabase } from "#/server/testing.ts";
import { holderOf } from "./holder.ts";
import { acquireLease, checkLease, claim, type Lease, LeaseLost, leaseMs, releaseLease, renewLease } from "./lease.ts";

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

  it("says of one that is taken again whether anybody had it in between, and until when nobody can", async () => {
    const first = await taken("a", ["takt/v1/#"], "elsewhere 1");
    const again = await taken("a", ["takt/v1/#"], "elsewhere 1");
    expect([first.wasOurs, again.wasOurs]).toEqual([false, true]);
    const sure = again.sureUntil;
    await renewLease(db, again);
    expect(again.sureUntil).toBeGreaterThan(sure);
    expect(again.sureUntil).toBeLessThanOrEqual(performance.now() + leaseMs);
    await db.query("update ingest_lease set expires_at = now()");
    await taken("a", ["takt/v1/#"], "elsewhere 2");
    await db.query("update ingest_lease set expires_at = now()");
    expect((await taken("a", ["takt/v1/#"], "elsewhere 1")).wasOurs).toBe(false);
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

  it("is not waited for when it has run out", async () => {
    await taken("a", ["x/#"]);
    await db.query("update ingest_lease set expires_at = now() - interval '1 s'");
    await taken("b", ["x/#"]);
  });

  describe("of a process that may be gone", () => {
    // Its parts: host, process id, start; where that process id means something, and which of all that ever had it.
    const own = holderOf(new Date()).split(" ");
    const holder = (change: (parts: string[]) => void) => {
      const parts = [...own];
      change(parts);
      return parts.join(" ");
    };
    const none = "2147483646"; // beyond the kernel's largest process id
    const parent = String(process.ppid);
    const bornAt = (pid: string) =>
      readFileSync(`/proc/${pid}/stat`, "utf8")
        .replace(/^.*\) /s, "")
        .split(" ")[19] ?? "";
    const isWaitedFor = async (who: string) => {
      await db.query("delete from ingest_lease");
      await taken("a", ["x/#"], who);
      return "heldBy" in (await take("b", ["x/#"], own.join(" ")));
    };

    it("is not waited for where that is certain: the process is not there, another has its number, or this one has", async () => {
      expect(own.slice(0, 2)).toEqual([hostname(), String(process.pid)]);
      expect(await isWaitedFor(holder((p) => (p[1] = none)))).toBe(false);
      expect(await isWaitedFor(holder((p) => ([p[1], p[4]] = [parent, "1"])))).toBe(false);
      expect(await isWaitedFor(holder((p) => (p[4] = "1")))).toBe(false); // a restart in a container: the same number again
    });

    it("is waited for while it lives", async () => {
      expect(await isWaitedFor(holder((p) => ([p[1], p[4]] = [parent, bornAt(parent)])))).toBe(true);
    });

    it("is waited for where its number means nothing here: another host, or another container, of the same name", async () => {
      expect(await isWaitedFor(holder((p) => ([p[1], p[3]] = [none, "0123456789abcdef"])))).toBe(true);
      expect(await isWaitedFor(holder((p) => (p[3] = "0123456789abcdef")))).toBe(true); // both are process 1 of their containers
      expect(await isWaitedFor(`${hostname()} ${none} then`)).toBe(true);
    });
  });

  it("goes on to name what its worker read before, until that is said to be over; what Sparkplug read is nowhere remembered", async () => {
    const filters = async () => (await db.query<{ filters: string[] }>("select filters from ingest_lease where name = 'a'")).rows[0]?.filters;
    await releaseLease(db, await taken("a", ["takt/v1/#", "plc/1", "spBv1.0/+/#"]));
    const again = await taken("a", ["takt/v1/berlin/#", "spBv1.0/Berlin/#"], "elsewhere 2");
    expect(await filters()).toEqual(["takt/v1/berlin/#", "spBv1.0/Berlin/#", "takt/v1/#", "plc/1"]);
    expect(await take("b", ["takt/v1/chicago/#"])).toEqual({ heldBy: 'worker "a" (elsewhere 2) reads takt/v1/#' });
    expect(await claim(db, again, ["takt/v1/berlin/#", "spBv1.0/Berlin/#"], [])).toEqual([]);
    expect(await filters()).toEqual(["takt/v1/berlin/#", "spBv1.0/Berlin/#"]);
    await taken("b", ["takt/v1/chicago/#"]);
    // What others read is not claimed, and without the lease nothing is.
    expect(await claim(db, again, ["takt/v1/berlin/#"], ["plc/2", "takt/v1/chicago/hall/+"])).toEqual(["takt/v1/chicago/hall/+"]);
    expect(await filters()).toEqual(["takt/v1/berlin/#", "plc/2"]);
    await db.query("update ingest_lease set fence = fence + 1 where name = 'a'");
    await expect(claim(db, again, ["takt/v1/berlin/#"], [])).rejects.toThrow(LeaseLost);
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
