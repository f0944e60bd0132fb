import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { aDatabase, aMachine, aSignal, type TestDatabase } from "#/server/testing.ts";
import { liftMaxBackfill } from "#/simulator/replay/lift-max-backfill.ts";

const dayMs = 86_400_000;
let db: TestDatabase;
beforeAll(async () => {
  db = await aDatabase();
});
afterAll(() => db.drop());

async function pathOf(machineId: number): Promise<string> {
  const [row] = await db.rows<{ path: string }>(
    `select concat_ws('/', si.key, a.key, l.key, m.key) as path from machine m join line l on l.id = m.line_id
       join area a on a.id = l.area_id join site si on si.id = a.site_id where m.id = $1`,
    [machineId],
  );
  return row?.path ?? "";
}

describe("max_backfill for recorded times", () => {
  it("is lifted for the replayed machine's source alone, says so, and is never lowered", async () => {
    const machine = await aMachine(db);
    const other = await aMachine(db);
    for (const each of [machine, other]) await aSignal(db, { machine: each });
    const paths = [await pathOf(machine.machineId)];
    const days = async (id: number) => (await db.rows<{ days: number }>("select max_backfill_s / 86400 as days from source where id = $1", [id]))[0]?.days;

    expect(await liftMaxBackfill(db.url, paths, 1_598.5 * dayMs)).toBe("max_backfill of 1 source lifted from 90 to 1,600 days.");
    expect([await days(machine.sourceId), await days(other.sourceId)]).toEqual([1_600, 90]);
    expect(await liftMaxBackfill(db.url, paths, 10 * dayMs)).toBeNull();
    expect(await days(machine.sourceId)).toBe(1_600);
  });

  it("is done when every worker at work goes by it, and one that does not is named", async () => {
    const machine = await aMachine(db);
    await aSignal(db, { machine });
    const path = await pathOf(machine.machineId);
    const revision = async () => Number((await db.rows<{ revision: string }>("select revision from plant_revision"))[0]?.revision);
    const says = (plantRevision: number) =>
      db.rows("insert into ingest_worker (name, at, started_at, stats) values ('here', now(), now(), $1) on conflict (name) do update set stats = $1", [
        { plantRevision },
      ]);
    await db.rows(
      "insert into ingest_lease (name, filters, holder, expires_at) values ('here', '{takt/#}', 'h', now() + '1 min'), ('gone', '{takt/#}', 'h', now())",
    );
    await says(await revision());

    await expect(liftMaxBackfill(db.url, [path], 100 * dayMs, 0)).rejects.toThrow(/ingest worker here has not taken over/);
    const lifted = liftMaxBackfill(db.url, [path], 200 * dayMs, 60_000).then(() => "done");
    await expect
      .poll(async () => (await db.rows<{ days: number }>("select max_backfill_s / 86400 as days from source where id = $1", [machine.sourceId]))[0]?.days)
      .toBe(201);
    expect(await Promise.race([lifted, new Promise((resolve) => setTimeout(resolve, 500, "waits"))])).toBe("waits");
    await says(await revision());
    expect(await lifted).toBe("done");
  });

  it("is refused with what to do where it cannot be lifted", async () => {
    await expect(liftMaxBackfill(undefined, ["a/b/c/d"], 99.5 * dayMs)).rejects.toThrow(/"source: \{ max_backfill: 101d \}" at a\/b\/c\/d/);
    await expect(liftMaxBackfill(db.url, ["a/b/c/d"], dayMs)).rejects.toThrow(/knows none of a\/b\/c\/d/);
  });
});
