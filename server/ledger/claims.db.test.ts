// What claims the ledger's time, beside readings: plan, rates, jobs, stops and settings that change, time that passes, and listeners that come and go.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { aDatabase, type TestDatabase, type TestLine } from "#/server/testing.ts";
import { claimPassedTime } from "./marks.ts";
import { type LedgerDb, refreshLedger } from "./refresh.ts";
import { aLedgerLine, type LedgerMachine, ledgerOn, read, rowsOf, time } from "./testing.ts";

const { minute, hour } = time;
const start = Math.floor(Date.now() / hour) * hour - 12 * hour;
let db: TestDatabase;
let ledger: LedgerDb;
let line: TestLine;
let first: LedgerMachine;
let second: LedgerMachine;
beforeAll(async () => {
  db = await aDatabase();
  ledger = await ledgerOn(db);
  const made = await aLedgerLine(db, start, "parallel");
  line = made.line;
  [first, second] = made.machines as [LedgerMachine, LedgerMachine];
  const product = "with line as (insert into product_line (enterprise_id, key, name) select enterprise_id, 'a', 'A' from site where id = $1 returning id) ";
  await read(
    db,
    [first, second].map((machine) => ({ machine, role: "state", at: start, value: null, text: "EXECUTE" })),
  );
  await db.rows(`${product} insert into product (product_line_id, key, name) select id, 'A', 'A' from line`, [line.siteId]);
});
afterAll(() => db.drop());

const refreshTo = async (now: number) => {
  await claimPassedTime(db, new Date(now));
  await refreshLedger(ledger, { now: () => new Date(now), budgetMs: 60_000, signal: new AbortController().signal });
};

describe("what people change claims the time of which it speaks", () => {
  beforeEach(() => db.rows("delete from ledger_claim"));
  const [a, b] = [new Date(start + hour), new Date(start + 2 * hour)];
  const always = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  /** Claims by machine (0, 1: of the line), as hours since the start; an end after now is for ever. */
  const claims = async () => {
    const rows = await db.rows<{ machineId: number; from: number; to: number }>(
      `select machine_id as "machineId", extract(epoch from min(from_at))::float8 * 1000 as "from", case when max(to_at) > now() then 'Infinity' else extract(epoch from max(to_at)) * 1000 end::float8 as "to"
       from ledger_claim group by 1 order by 1`,
    );
    return rows.map(({ machineId, from, to }) => [machineId === first.machineId ? 0 : 1, (from - start) / hour, Math.round(((to - start) / hour) * 1e3) / 1e3]);
  };
  const both = (from: number | undefined, to: number | undefined) => [
    [0, from, to],
    [1, from, to],
  ];
  it.each([
    [
      "a rate",
      "insert into ideal_cycle (machine_id, product_id, from_at, to_at, ideal_cycle_s) select $1, id, $3, $4, 5 from product where $2 > 0 limit 1",
      both(1, 2),
    ],
    [
      "a cost",
      "update machine_cost set to_at = $4 where machine_id = $1 and $2 > 0 and $3::timestamptz is not null",
      both((Date.parse("2020-01-01") - start) / hour, always[1]),
    ],
    [
      "a break",
      "delete from shift_instance_break where from_at > $3 and $1 > 0 and $2 > 0 and $4::timestamptz is not null and from_at < $3 + interval '5 hours'",
      both(4, 4.5),
    ],
    ["an edit of a stop", "insert into stop_edit (machine_id, kind, from_at, to_at) select $1, 'merge', $3, $4 where $2 > 0", both(1, 2)],
    ["its undoing", "insert into stop_edit (machine_id, kind, undoes) select $1, 'undo', max(id) from stop_edit where $2 > 0 and $3 < $4", both(1, 2)],
    [
      "what was said of a job",
      "insert into job_said (machine_id, at, said_at) select $1, t, t from unnest(array[$4, $3]::timestamptz[]) t where $2 > 0",
      both(1, always[1]),
    ],
    ["a setting of a machine", "update machine set min_run_s = 5 where id = $1 and $2 > 0 and $3 < $4", both(...(always as [number, number]))],
    ["a setting of the line", "update line set micro_stop_s = 60 where id = $2 and $1 > 0 and $3 < $4", both(...(always as [number, number]))],
    ["what a code means", "update reason set loss = 'other' where key = 'jam' and $1 > 0 and $2 > 0 and $3 < $4", both(...(always as [number, number]))],
    [
      "what is yet to come",
      "insert into ideal_cycle (machine_id, product_id, from_at, ideal_cycle_s) select $1, id, now() + interval '1 hour', 6 from product where $2 > 0 and $3 < $4 limit 1",
      [],
    ],
    ["a name", "update machine set name = 'Other' where id = $1 and $2 > 0 and $3 < $4", []],
  ] as const)("%s", async (_, sql, expected) => {
    await db.rows(sql, [first.machineId, line.lineId, a, b]);
    expect(await claims()).toEqual(expected);
  });
});

describe("a machine that said that it is there, and stands", () => {
  const kinds = async () =>
    (await rowsOf(db, line)).flatMap((row) =>
      (row as { machine_id: number }).machine_id === second.machineId ? [row as { base: string; from_at: Date }] : [],
    );
  const baseAt = async (at: number) => (await kinds()).findLast(({ from_at }) => from_at.getTime() <= at)?.base;
  const worker = (watchedTo: number, at: number) =>
    db.rows(
      "insert into ingest_worker (name, at, started_at, stats) values ('w', $1, $1, $2) on conflict (name) do update set at = excluded.at, stats = excluded.stats",
      [new Date(at), JSON.stringify({ writtenTo: watchedTo, watchedTo })],
    );

  it("is known to stand as long as somebody listens, unknown from where nobody does, and known again when somebody did all along", async () => {
    const now = Date.now();
    await db.rows("insert into ingest_lease (name, filters, holder, expires_at) values ('w', '{takt/v1/#}', 'test', now())");
    const online = new Date(now - 5 * hour);
    await db.rows("insert into link_event (source_id, address, at, kind, alive, received_at) values ($1, 'second', $2, 'online', true, $2)", [
      second.sourceId,
      online,
    ]);
    await db.rows("insert into source_status (source_id, announced, announced_at) values ($1, true, $2)", [second.sourceId, online]);
    await worker(now, now);
    await read(db, [
      { machine: second, role: "state", at: now - 6 * hour, value: null, text: "EXECUTE" },
      { machine: second, role: "state", at: online.getTime() + 1, value: null, text: "HELD" },
    ]);
    await refreshTo(now);
    expect(await baseAt(now - minute)).toBe("down");

    const left = now - 40 * minute;
    await worker(left, left);
    await refreshTo(now + 2 * minute);
    expect([await baseAt(left - minute), await baseAt(left + minute), await baseAt(now + minute)]).toEqual(["down", "unknown", "unknown"]);
    await refreshTo(now + 4 * minute);
    expect(await baseAt(now + 3 * minute)).toBe("unknown");

    await worker(Date.now(), Date.now());
    await refreshTo(now + 6 * minute);
    expect([await baseAt(left + minute), await baseAt(now + minute), await baseAt(now + 5 * minute)]).toEqual(["down", "down", "down"]);
    expect((await kinds()).filter(({ base }) => base === "unknown").every(({ from_at }) => from_at < online)).toBe(true);
  });
});
