// Machines that work, stand, toggle and fall silent for days, with people who speak of jobs and stops: refreshed in steps it is what a rebuild gives.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { aDatabase, type TestDatabase, type TestLine } from "#/server/testing.ts";
import { claimPassedTime } from "./marks.ts";
import { type LedgerDb, refreshLedger } from "./refresh.ts";
import { aLedgerLine, dice, factsOf, forget, type LedgerMachine, ledgerOn, read, rowsOf, type TestReading, time } from "./testing.ts";

let db: TestDatabase;
let ledger: LedgerDb;
beforeAll(async () => {
  db = await aDatabase();
  ledger = await ledgerOn(db);
});
afterAll(() => db.drop());

const { minute, hour } = time;
const start = Date.parse("2026-03-04T05:00:00Z");
type Roll = (n: number) => number;

/** Stretches of some hours each, one of each sort after the other, up to `end`. */
function stretches(machine: LedgerMachine, end: number, roll: Roll): TestReading[] {
  const readings: TestReading[] = [];
  const say = (role: TestReading["role"], at: number, said: number | string) =>
    readings.push({ machine, role, at, value: typeof said === "number" ? said : null, text: typeof said === "string" ? said : null });
  let good = 0;
  say("state", start - 10 * minute, "EXECUTE");
  for (let at = start; at < end; ) {
    const sort = ["work", "stand", "toggle", "silence", "work"][roll(5)];
    const to = Math.min(end, at + (1 + roll(sort === "silence" ? 6 : 12)) * hour + roll(60) * minute);
    if (sort === "stand") {
      say("state", at, ["HELD", "SUSPENDED", "ABORTED"][roll(3)] ?? "HELD");
      if (roll(2) === 0) say("fault_code", at + roll(3) * hour + 1, String(100 + roll(3)));
    } else if (sort === "work") {
      say("state", at, "EXECUTE");
      say("fault_code", at, "0");
    }
    if (roll(3) === 0) say("product", at + roll(4 * hour), ["A", "B"][roll(2)] ?? "A");
    for (; at < to; at += 50_000) {
      if (sort === "silence") good += roll(2);
      else {
        if (sort === "work") good += roll(5) > 0 ? 1 + roll(3) : 0;
        if (sort === "toggle" && roll(5) === 0) say("state", at + 1_000, ["HELD", "SUSPENDED", "EXECUTE"][roll(3)] ?? "HELD");
        if (sort === "work" && roll(90) === 0) {
          say("state", at + 2_000, "HELD");
          say("state", at + 2_000 + roll(10 * minute), "EXECUTE");
        }
        say("good_count", at + 3_000, good);
        if (roll(200) === 0) say("reject_count", at + 4_000, Math.floor(good / 10));
      }
    }
    at = to;
  }
  return [...new Map(readings.map((one) => [`${one.role} ${one.at}`, one])).values()];
}

/** Somebody says something of a machine at `now`, of a time before it. */
async function speak({ machineId, siteId }: LedgerMachine, now: number, roll: Roll): Promise<void> {
  const before = () => new Date(now - roll(10 * hour));
  const [a, b] = [before(), before()].sort((x, y) => x.getTime() - y.getTime());
  const edit = (kind: string, columns: Record<string, unknown>) => {
    const names = Object.keys(columns);
    return db.rows(`insert into stop_edit (machine_id, kind, ${names.join(", ")}) values ($1, $2, ${names.map((_, i) => `$${i + 3}`).join(", ")})`, [
      machineId,
      kind,
      ...Object.values(columns),
    ]);
  };
  switch (roll(8)) {
    case 0:
      await edit("reclassify", { at: a, reason: ["bearing", "jam", "cleaning"][roll(3)] });
      break;
    case 1:
      await edit("false_stop", { at: a });
      break;
    case 2:
      await edit("split", { at: a });
      break;
    case 3:
      await edit("merge", { from_at: a, to_at: b });
      break;
    case 4:
      await edit("add", { from_at: a, to_at: new Date((a?.getTime() ?? 0) + 20 * minute), reason: "jam" });
      break;
    case 5:
      await edit("trim", { at: a, from_at: a, to_at: new Date((a?.getTime() ?? 0) + 10 * minute) });
      break;
    case 6: {
      const [last] = await db.rows<{ id: string }>(
        "select id from stop_edit e where machine_id = $1 and not exists (select from stop_edit u where u.undoes = e.id) order by id desc limit 1",
        [machineId],
      );
      if (last) await edit("undo", { undoes: last.id });
      break;
    }
    default: {
      const [job] = await db.rows<{ id: number }>("select id from job where site_id = $1 offset $2 limit 1", [siteId, roll(3)]);
      await db.rows("insert into job_said (machine_id, at, job_id, said_at) values ($1, $2, $3, $2) on conflict do nothing", [machineId, a, job?.id ?? null]);
    }
  }
}

async function furnish(line: TestLine, roll: Roll): Promise<void> {
  await db.rows("insert into reason (site_id, key, name, loss) values ($1, 'cleaning', 'Cleaning', 'planned')", [line.siteId]);
  await db.rows(
    `with line as (insert into product_line (enterprise_id, key, name) select enterprise_id, 'jobs', 'Jobs' from site where id = $1 returning id),
       made as (insert into product (product_line_id, key, name) select id, 'P' || $1 || '-' || n, 'P' from line, generate_series(1, 2) n returning id)
     insert into job (site_id, number, product_id, quantity) select $1, 'J' || id, id, 10 from made`,
    [line.siteId],
  );
  if (roll(2) === 0) await db.rows("update machine set min_run_s = $2, ignore_stop_s = $3 where line_id = $1", [line.lineId, roll(2) * 70, roll(2) * 90]);
  if (roll(2) === 0) await db.rows("update machine set startup_s = 900 where line_id = $1", [line.lineId]);
  if (roll(3) === 0) await db.rows("delete from shift_instance where line_id = $1", [line.lineId]);
  if (roll(3) === 0) await db.rows("update site set no_order_is_planned = true where id = $1", [line.siteId]);
}

describe("the ledger over days", () => {
  it.each([5, 11])(
    "refreshed in steps is what a rebuild gives (%s)",
    async (seed) => {
      const roll = dice(seed);
      const { line, machines } = await aLedgerLine(db, start, roll(2) === 0 ? "parallel" : "constraint");
      await furnish(line, roll);
      const end = start + 28 * hour;
      const coming = machines
        .flatMap((machine) => stretches(machine, end, roll))
        .map((one) => ({ one, at: one.at + (roll(40) === 0 ? roll(8 * hour) : roll(1_000)) }))
        .sort((a, b) => a.at - b.at);
      const refreshTo = async (now: number) => {
        await claimPassedTime(db, new Date(now));
        const { isDone } = await refreshLedger(ledger, { now: () => new Date(now), budgetMs: 60_000, signal: new AbortController().signal });
        expect(isDone).toBe(true);
      };
      let next = 0;
      for (let now = start; now <= end; now += (1 + roll(120)) * minute) {
        const come: TestReading[] = [];
        while (next < coming.length && (coming[next]?.at ?? 0) <= now) come.push((coming[next++] as (typeof coming)[number]).one);
        await read(db, come);
        if (roll(5) === 0) await speak(machines[roll(2)] as LedgerMachine, now, roll);
        await refreshTo(now);
      }
      await read(
        db,
        coming.slice(next).map(({ one }) => one),
      );
      await refreshTo(end + 9 * hour);
      const [rows, facts] = [await rowsOf(db, line), await factsOf(db, line)];
      await forget(db, line, start - hour, end + 9 * hour);
      await refreshTo(end + 9 * hour);
      const again = await rowsOf(db, line);
      expect(again.filter((row, i) => JSON.stringify(row) !== JSON.stringify(rows[i])).slice(0, 2)).toEqual(
        rows.filter((row, i) => JSON.stringify(row) !== JSON.stringify(again[i])).slice(0, 2),
      );
      expect(again).toEqual(rows);
      expect(await factsOf(db, line)).toEqual(facts);
    },
    120_000,
  );
});
