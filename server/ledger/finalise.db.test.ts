import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Cause } from "#/server/domain/restatement.ts";
import { aDatabase, type TestDatabase, type TestLine } from "#/server/testing.ts";
import { finaliseShifts } from "./finalise.ts";
import { claimPassedTime } from "./marks.ts";
import { type LedgerDb, refreshLedger } from "./refresh.ts";
import { restatementInWords } from "./restatement.ts";
import { aLedgerLine, type LedgerMachine, ledgerOn, read, time } from "./testing.ts";

const { minute, hour } = time;
/** The first of two shifts of eight hours has just become final: what people enter from here on comes after that. */
const start = Math.floor(Date.now() / minute) * minute - 10 * hour - 2 * minute;
let db: TestDatabase;
let ledger: LedgerDb;
let line: TestLine;
let machines: LedgerMachine[];
beforeAll(async () => {
  db = await aDatabase();
  ledger = await ledgerOn(db);
  ({ line, machines } = await aLedgerLine(db, start, "parallel"));
});
afterAll(() => db.drop());

/** Runs with a piece each 20 s, but is silent in one stretch; the counter goes on. */
const running = (machine: LedgerMachine, from: number, to: number, silent: [number, number] | null = null) =>
  read(
    db,
    Array.from({ length: Math.floor((to - from) / 20_000) }, (_, i) => from + i * 20_000).flatMap((at) => {
      if (silent && at > silent[0] && at < silent[1]) return [];
      return [
        { machine, role: "state" as const, at, value: null, text: "EXECUTE" },
        { machine, role: "good_count" as const, at: at + 1, value: (at - start) / 20_000 + 1, text: null },
      ];
    }),
  );
async function at(now: number): Promise<{ final: number; restated: number }> {
  await claimPassedTime(db, new Date(now));
  await refreshLedger(ledger, { now: () => new Date(now), budgetMs: 60_000, signal: new AbortController().signal });
  return finaliseShifts(ledger, new Date(now), new AbortController().signal);
}
type Version = { name: string; version: number; oee: number | null; causes: Cause[] };
const versions = () =>
  db.rows<Version>(
    "select i.name, v.version, v.oee, v.causes from shift_version v join shift_instance i on i.id = v.shift_instance_id where i.line_id = $1 order by i.from_at, v.version",
    [line.lineId],
  );

describe("a shift", () => {
  const hole: [number, number] = [start + 2 * hour, start + 2 * hour + 18 * minute];
  it("is final two hours after its end, once all of it has been told", async () => {
    for (const machine of machines) await running(machine, start, start + 9 * hour, hole);
    expect(await at(start + 9 * hour)).toEqual({ final: 0, restated: 0 });
    expect(await at(start + 10 * hour - 1)).toEqual({ final: 0, restated: 0 });
    await db.rows("insert into ledger_mark (machine_id, hour, from_at, to_at) values ($1, $2, $2, $2)", [machines[0]?.machineId, new Date(start)]);
    expect(await finaliseShifts(ledger, new Date(), new AbortController().signal)).toEqual({ final: 0, restated: 0 });
    expect(await at(Date.now())).toEqual({ final: 1, restated: 0 });
    expect(await at(Date.now())).toEqual({ final: 0, restated: 0 });
    expect(await versions()).toMatchObject([{ name: "Early", version: 1, causes: [] }]);
  });

  it("that is looked at again and is as it was, gets no other version", async () => {
    await db.rows("insert into ledger_claim (line_id, machine_id, from_at, to_at) select line_id, id, $2, $3 from machine where line_id = $1", [
      line.lineId,
      new Date(start + hour),
      new Date(start + 3 * hour),
    ]);
    expect(await at(Date.now())).toEqual({ final: 0, restated: 0 });
    expect(await db.rows("select from shift_touched")).toEqual([]);
  });

  it("that comes out otherwise gets another version, which says why", async () => {
    for (const machine of machines) await running(machine, hole[0] + 20_000, hole[1], null);
    expect(await at(Date.now())).toEqual({ final: 0, restated: 1 });
    const [first, second] = await versions();
    expect(second).toMatchObject({ name: "Early", version: 2, causes: [{ kind: "backlog", n: 36 }] });
    const words = restatementInWords({ before: first?.oee ?? null, after: second?.oee ?? null, causes: second?.causes ?? [] }, "en");
    expect(words).toMatch(/^\d+\.\d % → \d+\.\d %: 36 min of gateway backlog$/);
    expect(restatementInWords({ before: null, after: 0.5, causes: [{ kind: "reclassify", n: 2 }] }, "de")).toBe("— → 50,0 %: 2 Stillstände neu zugeordnet");
  });

  it("that people speak of is restated with what they did", async () => {
    const machineId = machines[0]?.machineId;
    await db.rows("insert into stop_edit (machine_id, kind, from_at, to_at, reason) values ($1, 'add', $2, $3, 'jam')", [
      machineId,
      new Date(start + 3 * hour),
      new Date(start + 3 * hour + 20 * minute),
    ]);
    await db.rows("update ideal_cycle set ideal_cycle_s = 12 where machine_id = $1", [machineId]);
    expect(await at(Date.now())).toEqual({ final: 0, restated: 1 });
    expect((await versions()).at(-1)).toMatchObject({
      version: 3,
      causes: [
        { kind: "add", n: 1 },
        { kind: "ideal_cycle", n: 1 },
      ],
    });
  });

  it("has versions that nobody changes", async () => {
    await expect(db.rows("update shift_version set oee = 1")).rejects.toThrow("permission denied");
    await expect(db.rows("delete from shift_version")).rejects.toThrow("permission denied");
  });
});
