/** For tests of the ledger: writes readings as the worker does, in whatever order they come, and marks what they touch. */
import type { Db } from "#/server/db.ts";
import { aLine, aMachine, aSignal, type SignalRole, type TestDatabase, type TestLine, type TestMachine } from "#/server/testing.ts";
import type { LedgerDb } from "./refresh.ts";

const minute = 60_000;
const hour = 60 * minute;
/** ms */
export const time = { minute, hour };

/** The ledger's own connection to a test's database. */
export async function ledgerOn(db: TestDatabase): Promise<LedgerDb> {
  const client = await db.connect();
  return {
    ...db,
    async transaction(work) {
      await client.query("begin");
      try {
        const result = await work({ rows: async (sql, parameters = []) => (await client.query(sql, [...parameters])).rows });
        await client.query("commit");
        return result;
      } catch (error) {
        await client.query("rollback");
        throw error;
      }
    },
  };
}

export type LedgerMachine = TestMachine & { signals: Partial<Record<SignalRole, number>> };

export async function aLedgerMachine(db: Db, line: TestLine, roles: readonly SignalRole[]): Promise<LedgerMachine> {
  const machine = await aMachine(db, { line });
  const signals: LedgerMachine["signals"] = {};
  for (const role of roles) signals[role] = (await aSignal(db, { machine, role })).signalId;
  return { ...machine, signals };
}

/** at: ms since 1970. */
export type TestReading = { machine: LedgerMachine; role: SignalRole; at: number; value: number | null; text: string | null };

/** A repeat changes nothing. Minutes and presence are derived anew for the machines that are touched, as the worker would have left them. */
export async function read(db: Db, readings: readonly TestReading[]): Promise<void> {
  if (readings.length === 0) return;
  const signals = readings.map(({ machine, role }) => machine.signals[role] ?? 0);
  const instants = readings.map(({ at }) => new Date(at));
  await db.rows(
    `insert into ledger_sample (signal_id, at, value, text_value, received_at)
     select u.signal_id, u.at, u.value, u.text, u.at from unnest($1::int[], $2::timestamptz[], $3::float8[], $4::text[]) as u(signal_id, at, value, text) on conflict do nothing`,
    [signals, instants, readings.map(({ value }) => value), readings.map(({ text }) => text)],
  );
  const machineIds = [...new Set(readings.map(({ machine }) => machine.machineId))];
  await db.rows("delete from count_minute where machine_id = any($1::int[])", [machineIds]);
  await db.rows(
    `insert into count_minute (signal_id, minute, machine_id, pieces, first_at, last_at)
     select signal_id, minute, machine_id, sum(pieces), min(at) filter (where pieces > 0), max(at) filter (where pieces > 0) from (
       select r.signal_id, r.machine_id, r.at, date_bin('1 minute', r.at - interval '1 microsecond', '2000-01-01') as minute,
         case when b is null then 0 when r.value >= b then r.value - b else r.value end as pieces
       from (select l.*, g.machine_id, lag(l.value) over (partition by l.signal_id order by l.at) as b from ledger_sample l join signal g on g.id = l.signal_id
         where g.machine_id = any($1::int[]) and g.role like '%\\_count' and l.value is not null) r) d
     group by 1, 2, 3`,
    [machineIds],
  );
  await db.rows(
    `insert into source_minute (source_id, minute, first_at, last_at, n, lag_max_s)
     select g.source_id, date_trunc('minute', r.at), min(r.at), max(r.at), count(*), 0 from ledger_sample r join signal g on g.id = r.signal_id where g.machine_id = any($1::int[]) group by 1, 2
     on conflict (source_id, minute) do update set first_at = excluded.first_at, last_at = excluded.last_at, n = excluded.n`,
    [machineIds],
  );
  await db.rows(
    `insert into signal_latest (signal_id, at, flags, received_at, first_at)
     select r.signal_id, max(r.at), 0, max(r.at), min(r.at) from ledger_sample r join signal g on g.id = r.signal_id where g.machine_id = any($1::int[]) group by 1
     on conflict (signal_id) do update set at = excluded.at, first_at = excluded.first_at`,
    [machineIds],
  );
  // A late count changes the pieces of the next reading, too, which the worker marks.
  await db.rows(
    `insert into ledger_mark (machine_id, hour, from_at, to_at)
     select g.machine_id, date_trunc('hour', t.at), min(t.at), max(t.at) from unnest($1::int[], $2::timestamptz[]) as u(signal_id, at) join signal g on g.id = u.signal_id
       cross join lateral (select u.at union all (select n.at from ledger_sample n where n.signal_id = u.signal_id and n.at > u.at order by n.at limit 1)) t
     group by 1, 2
     on conflict (machine_id, hour) do update set from_at = least(ledger_mark.from_at, excluded.from_at), to_at = greatest(ledger_mark.to_at, excluded.to_at)`,
    [signals, instants],
  );
}

/** Numbers that look random and are always the same. */
export function dice(seed: number): (n: number) => number {
  let state = seed;
  return (n) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state >>> 9) % n; // its low bits go round in short circles
  };
}

async function shifts(db: Db, line: TestLine, start: number): Promise<void> {
  for (const [name, from, to] of [
    ["Early", 0, 8],
    ["Late", 8, 16],
  ] as const) {
    const [shift] = await db.rows<{ id: string }>(
      "insert into shift_instance (line_id, name, business_date, from_at, to_at) values ($1, $2, $5::timestamptz at time zone 'Europe/Berlin', $3, $4) returning id",
      [line.lineId, name, new Date(start + from * hour), new Date(start + to * hour), new Date(start)],
    );
    await db.rows("insert into shift_instance_break (shift_instance_id, name, from_at, to_at) values ($1, 'Lunch', $2, $3)", [
      shift?.id,
      new Date(start + (from + 4) * hour),
      new Date(start + (from + 4.5) * hour),
    ]);
  }
}

/** A day of a machine: states, pieces each 20 s while it runs, two silences, a fault now and then, two jobs. */
export function dayOf(machine: LedgerMachine, start: number, roll: (n: number) => number): TestReading[] {
  const readings: TestReading[] = [];
  const say = (role: TestReading["role"], at: number, said: number | string) =>
    readings.push({ machine, role, at, value: typeof said === "number" ? said : null, text: typeof said === "string" ? said : null });
  let state = "EXECUTE";
  let [good, reject] = [0, 0];
  const silences = [0, 1].map(() => start + roll(15) * hour + roll(60) * minute).map((from) => [from, from + (3 + roll(40)) * minute] as const);
  say("state", start - 10 * minute, state);
  say("product", start - 10 * minute, "A");
  for (let at = start - 9 * minute; at < start + 17 * hour; at += 20_000) {
    if (silences.some(([from, to]) => at > from && at < to)) {
      good += 2;
      continue;
    }
    if (roll(60) === 0) {
      state = ["EXECUTE", "HELD", "SUSPENDED", "EXECUTE", "ABORTED"][roll(5)] ?? "EXECUTE";
      say("state", at + roll(15_000), state);
      if (state === "ABORTED") say("fault_code", at + roll(15_000), String(100 + roll(3)));
      if (state === "EXECUTE") say("fault_code", at + roll(15_000), "0");
    }
    if (roll(900) === 0) say("product", at + roll(15_000), ["A", "B"][roll(2)] ?? "A");
    if (state === "EXECUTE") {
      good += roll(4);
      if (roll(20) === 0) reject += 1;
    }
    if (roll(3_000) === 0) good = 0;
    say("good_count", at + 16_000, good);
    if (roll(10) === 0) say("reject_count", at + 17_000, reject);
  }
  // one reading a signal and instant
  return [...new Map(readings.map((one) => [`${one.role} ${one.at}`, one])).values()];
}

/** Two machines in a row, with shifts, breaks, rates and costs, from `start`, ms. */
export async function aLedgerLine(db: Db, start: number, topology: "parallel" | "constraint"): Promise<{ line: TestLine; machines: LedgerMachine[] }> {
  const line = await aLine(db);
  await shifts(db, line, start);
  const roles = ["state", "good_count", "reject_count", "fault_code", "product"] as const;
  const machines = [await aLedgerMachine(db, line, roles), await aLedgerMachine(db, line, roles)];
  const [first, second] = machines.map(({ machineId }) => machineId);
  await db.rows("update machine set downstream_id = $2 where id = $1", [first, second]);
  await db.rows("update machine set upstream_id = $1, startup_s = 600 where id = $2", [first, second]);
  if (topology === "constraint")
    await db.rows("update line set topology = 'constraint', constraint_machine_id = $2, last_machine_id = $3, pieces_per_piece = 2 where id = $1", [
      line.lineId,
      first,
      second,
    ]);
  for (const id of [first, second]) {
    await db.rows("insert into ideal_cycle (machine_id, from_at, ideal_cycle_s) values ($1, '2020-01-01', 10)", [id]);
    await db.rows("insert into machine_cost (machine_id, from_at, cost_per_hour) values ($1, '2020-01-01', 63)", [id]);
  }
  await db.rows(
    "insert into reason (site_id, key, name, loss, fault_code) values ($1, 'bearing', 'Bearing', 'breakdown', '100'), ($1, 'jam', 'Jam', 'minor_stop', '101')",
    [line.siteId],
  );
  return { line, machines };
}

export const rowsOf = (db: Db, line: TestLine) =>
  db.rows(`select i.*, null as "none" from machine_interval i join machine m on m.id = i.machine_id where m.line_id = $1 order by i.machine_id, i.from_at`, [
    line.lineId,
  ]);
export const factsOf = (db: Db, line: TestLine) =>
  db.rows("select * from oee_fact where line_id = $1 order by machine_id nulls first, hour_at, shift_instance_id, date, job, product, rate_id", [line.lineId]);
/** Takes all of the ledger of a line away, and claims its time, ms: what comes then comes from raw. */
export async function forget(db: Db, line: TestLine, from: number, to: number): Promise<void> {
  await db.rows("delete from machine_interval where machine_id in (select id from machine where line_id = $1)", [line.lineId]);
  await db.rows("delete from ledger_reach where machine_id in (select id from machine where line_id = $1)", [line.lineId]);
  await db.rows("delete from oee_fact where line_id = $1", [line.lineId]);
  await db.rows("insert into ledger_claim (line_id, machine_id, from_at, to_at) select line_id, id, $2, $3 from machine where line_id = $1", [
    line.lineId,
    new Date(from),
    new Date(to),
  ]);
}
