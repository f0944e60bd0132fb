import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { aDatabase, type TestDatabase } from "#/server/testing.ts";
import { makeRoom } from "./letter-room.ts";
import { jobsOn } from "./testing.ts";

let database: TestDatabase;
let jobs: ReturnType<typeof jobsOn>;
beforeAll(async () => {
  database = await aDatabase();
  jobs = jobsOn(database);
});
afterAll(async () => {
  await jobs?.pool.end();
  await database?.drop();
});
beforeEach(() => database.asOwner.rows("truncate dead_letter"));

const now = new Date("2026-05-20T12:00:00Z");
const room = (bytes: number) => makeRoom(jobs.db, bytes, new AbortController().signal);

describe("letters that take more room than they are given", () => {
  /** n letters, the first is the oldest; each takes 1,000 bytes by what is counted. */
  const letters = (topic: string, n: number, status = "open", metric: string | null = null) =>
    database.rows(
      `insert into dead_letter (fingerprint, received_at, last_received_at, form, topic, metric, payload, payload_size, value_count, reason_code, reason, status)
       select sha256(convert_to($1 || $3 || i, 'UTF8')), $4, $4, 'value', $1, $5, convert_to(lpad(i::text, 1000 - letter_bytes($1, $5, 'x', '')::int, '-'), 'UTF8'), 0, 2, 'unknown_signal', 'x', $3
       from generate_series(1, $2) i`,
      [topic, n, status, now, metric],
    );
  const left = async () =>
    Object.fromEntries(
      (
        await database.rows<{ topic: string; n: number; first: number }>(
          "select topic, count(*)::int as n, min(ltrim(convert_from(payload, 'UTF8'), '-')::int) as first from dead_letter group by topic",
        )
      ).map(({ topic, n, first }) => [topic, [n, first]]),
    );
  const dropped = async () => (await database.rows('select letters::int as letters, "values"::int as values from dead_letter_dropped'))[0];
  beforeEach(() => database.rows('update dead_letter_dropped set letters = 0, "values" = 0, dropped_at = null'));

  it("lose the oldest of the kinds that take most, in equal shares; rare kinds, and what is being tried again, keep all", async () => {
    await letters("rare", 20);
    await letters("flood/Node", 12_000, "open", "Temperature");
    await letters("flood", 8_000);
    await letters("tried", 500, "retry");
    expect(await room(20_520_000)).toEqual({ settled: 0, open: 0 });
    expect(await room(10_520_000)).toEqual({ settled: 0, open: 10_000 });
    expect(await left()).toEqual({ rare: [20, 1], flood: [5_000, 3_001], "flood/Node": [5_000, 7_001], tried: [500, 1] });
    expect(await dropped()).toEqual({ letters: 10_000, values: 20_000 });
    expect(await room(10_520_000)).toEqual({ settled: 0, open: 0 });
  });

  it("lose those that someone has settled before any open one: discarding gives no room twice", async () => {
    await letters("settled", 6_000, "discarded");
    await letters("open", 100);
    expect(await room(2_000_000)).toEqual({ settled: 5_000, open: 0 }); // a slice of them
    expect((await left()).open).toEqual([100, 1]);
  });

  it("where not each kind has room for one, those that came last keep one", async () => {
    for (let i = 0; i < 40; i++) {
      await letters(`t/${i}`, 2);
      await database.rows("update dead_letter set last_received_at = last_received_at + $2 * interval '1 s' where topic = $1", [`t/${i}`, i]);
    }
    await room(10_000);
    expect(Object.keys(await left()).sort()).toEqual(Array.from({ length: 10 }, (_, i) => `t/${30 + i}`));
    expect(Object.values(await left())).toEqual(Array(10).fill([1, 2]));
  });

  it.each([
    ["many kinds of long topics", 3_000, 900, 90],
    ["many kinds of short topics", 3_000, 40, 30],
  ])("%s: what is counted is about what the disk holds", async (_, n, topicLength, payloadLength) => {
    const size = async () =>
      Number((await database.rows<{ n: string }>("select pg_total_relation_size('dead_letter') + pg_total_relation_size('dead_letter_group') as n"))[0]?.n);
    await database.asOwner.rows("vacuum full dead_letter_group");
    const before = await size();
    await database.rows(
      `insert into dead_letter (fingerprint, received_at, last_received_at, form, topic, payload, payload_size, reason_code, reason)
       select sha256(convert_to(i::text, 'UTF8')), now(), now(), 'message', (select string_agg(md5(i || ' ' || k), '') from generate_series(1, 32) k where k <= ceil($2 / 32.0)), gen_random_uuid()::text::bytea || decode(repeat('00', $3), 'hex'), 0, 'unknown_machine', 'No machine has this topic.'
       from generate_series(1, $1) i`,
      [n, topicLength, payloadLength],
    );
    const [counted] = await database.rows<{ n: number }>("select sum(open_bytes)::float8 as n from dead_letter_group");
    const ratio = ((await size()) - before) / (counted?.n ?? 1);
    expect(ratio).toBeGreaterThan(0.4);
    expect(ratio).toBeLessThan(2);
  });
});
