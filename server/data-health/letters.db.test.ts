import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { everywhere, permitted, program } from "#/server/identity/testing.ts";
import { aDatabase, aMachine, type TestDatabase } from "#/server/testing.ts";
import { letterCounts, letterGroups, mostGroups, mostUnknown, statuses, unknownRows } from "./letter-queries.ts";
import { lookAtLetters, lookAtUnknown } from "./look.ts";
import { mapMany } from "./mapping.ts";
import { settleGroup } from "./service.ts";
import { aLetter } from "./testing.ts";

let db: TestDatabase;
beforeAll(async () => {
  db = await aDatabase();
  process.env.DATABASE_URL = db.url; // changes go through the process's own pool
});
afterAll(() => db.drop());
beforeEach(async () => {
  await db.asOwner.rows("truncate dead_letter, enterprise cascade");
});

const anyone = () => permitted(db, program, "data_health.read");

/** Letters of a topic, as many as asked for, set aside a second after each other. */
const many = (topic: string, letters: number, { code = "unknown_signal", from = "2026-01-01T00:00:00Z" } = {}) =>
  db.rows(
    `insert into dead_letter (fingerprint, received_at, last_received_at, form, topic, payload, payload_size, reason_code, reason)
     select convert_to(concat_ws('|', $1::text, $3::text, i), 'UTF8'), at, at, 'value', replace($1, '#', i::text), convert_to(i::text, 'UTF8'), 1, $3, 'Because.'
     from generate_series(1, $2::int) i, lateral (select $4::timestamptz + i * interval '1 s' as at) t`,
    [topic, letters, code, from],
  );

describe("the sums of letters", () => {
  it("are those of the letters, whatever is done with them", async () => {
    const topic = fc.constantFrom("t/1", "t/2");
    const metric = fc.constantFrom(null, "", "m");
    const code = fc.constantFrom("unknown_signal", "value_type");
    const payloads = fc.array(fc.constantFrom("a", "b", "c"), { maxLength: 4 });
    const where = fc.record({ topic, metric, code });
    const step = fc.oneof(
      fc.record({ do: fc.constant("set aside" as const), topic, metric, code, payloads, n: fc.integer({ min: 1, max: 3 }) }),
      fc.record({ do: fc.constant("status" as const), where, to: fc.constantFrom(...statuses) }),
      fc.record({ do: fc.constant("tried again" as const), where }),
      fc.record({ do: fc.constant("forget" as const), status: fc.constantFrom(...statuses) }),
      fc.record({ do: fc.constant("truncate" as const) }),
    );
    const isOf = "topic = $1 and metric is not distinct from $2 and reason_code = $3";
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
        await db.asOwner.rows("truncate dead_letter");
        for (const one of steps) {
          switch (one.do) {
            case "set aside": // as the worker does: what is there already is counted as a repeat and takes the new reason
              await db.rows(
                `insert into dead_letter (fingerprint, received_at, last_received_at, form, topic, metric, payload, payload_size, value_count, reason_code, reason)
                 select convert_to(concat_ws('|', $1::text, $2::text, p), 'UTF8'), clock_timestamp(), clock_timestamp(), 'value', $1, $2, convert_to(p, 'UTF8'), 1, $5, $3, p
                 from (select distinct p from unnest($4::text[]) p) given
                 on conflict (fingerprint) do update set repeats = dead_letter.repeats + 1, last_received_at = excluded.last_received_at,
                   reason_code = excluded.reason_code, reason = excluded.reason, status = case when dead_letter.status = 'discarded' then 'discarded' else 'open' end`,
                [one.topic, one.metric, one.code, one.payloads, one.n],
              );
              break;
            case "status":
              await db.rows(`update dead_letter set status = $4 where ${isOf}`, [one.where.topic, one.where.metric, one.where.code, one.to]);
              break;
            case "tried again": // some go, others are resolved, in one statement
              await db.rows(
                `with gone as (delete from dead_letter where ${isOf} and id % 2 = 0) update dead_letter set status = 'resolved' where ${isOf} and id % 2 = 1`,
                [one.where.topic, one.where.metric, one.where.code],
              );
              break;
            case "forget":
              await db.rows("delete from dead_letter where status = $1", [one.status]);
              break;
            case "truncate":
              await db.asOwner.rows("truncate dead_letter");
          }
        }
        const sum = (of: string) => statuses.map((status) => `coalesce(sum(${of}) filter (where status = '${status}'), 0)::int as ${status}`).join(", ");
        const expected = (of: string) => db.rows(`select topic, metric, reason_code, ${sum(of)} from dead_letter group by 1, 2, 3 order by 1, 2, 3`);
        const kept = (of: string) =>
          db.rows(`select topic, metric, reason_code, ${statuses.map((s) => `${s}_${of}::int as ${s}`).join(", ")} from dead_letter_group order by 1, 2, 3`);
        expect(await kept("letters")).toEqual(await expected("1"));
        expect(await kept("values")).toEqual(await expected("value_count * (repeats + 1)"));
        expect(await db.rows("select coalesce(sum(open_bytes), 0)::int as n from dead_letter_group")).toEqual(
          await db.rows("select coalesce(sum(letter_bytes(topic, metric, reason, payload)) filter (where status = 'open'), 0)::int as n from dead_letter"),
        );
        const older = "l.id > g.last_id or l.last_received_at > g.last_at or l.id = g.last_id and l.reason <> g.reason";
        const alike = "l.topic = g.topic and l.metric is not distinct from g.metric and l.reason_code = g.reason_code";
        expect(await db.rows(`select from dead_letter_group g join dead_letter l on ${alike} where ${older}`)).toEqual([]);
      }),
      { numRuns: 40 },
    );
  });

  it("are kept when several writers change the same letters at once", async () => {
    await many("t/1", 200);
    const clients = await Promise.all([1, 2, 3, 4].map(() => db.connect()));
    await Promise.all(
      clients.map(async (client, c) => {
        for (let i = 0; i < 30; i++) {
          const to = statuses[(i + c) % 4];
          await client.query("update dead_letter set status = $1 where id in (select id from dead_letter where id % 7 = $2 for update skip locked)", [
            to,
            (i + c) % 7,
          ]);
          await client.query(
            "insert into dead_letter (fingerprint, received_at, last_received_at, form, topic, payload, payload_size, reason_code, reason) values ($1, now(), now(), 'value', 't/1', '', 0, 'unknown_signal', 'r')",
            [Buffer.from(`${c} ${i}`)],
          );
        }
      }),
    );
    const [sums] = await db.rows(
      "select open_letters::int as open, retry_letters::int as retry, resolved_letters::int as resolved, discarded_letters::int as discarded from dead_letter_group",
    );
    const counted = Object.fromEntries(
      (await db.rows<{ status: string; n: number }>("select status, count(*)::int as n from dead_letter group by 1")).map(({ status, n }) => [status, n]),
    );
    expect(sums).toEqual({ open: 0, retry: 0, resolved: 0, discarded: 0, ...counted });
  });
});

describe("what screens are shown of very many", () => {
  it("are the groups that came last, and how many more there are", async () => {
    await many("t/#", mostGroups + 7, { code: "value_type" });
    const groups = await letterGroups(db, "open");
    expect([groups.length, groups[0]?.topic, groups.at(-1)?.topic]).toEqual([mostGroups, `t/${mostGroups + 7}`, "t/8"]);
    expect((await letterCounts(db)).find(({ status }) => status === "open")).toEqual({
      siteId: null,
      status: "open",
      letters: mostGroups + 7,
      groups: mostGroups + 7,
    });
    expect((await lookAtLetters("open", everywhere)).more).toBe(7);
  });

  it("are the unknown values that came last, and how many more there are", async () => {
    await many("a/#", mostUnknown + 3); // by name the first
    await many("z/1", 1, { code: "unknown_machine", from: "2025-01-01T00:00:00Z" });
    await many("z/2", 2, { code: "unknown_machine", from: "2026-02-01T00:00:00Z" });
    const rows = await unknownRows(db);
    expect(rows.length).toBe(mostUnknown);
    expect(rows[0]).toMatchObject({ topic: "z/2", letters: 2, payload: Buffer.from("2"), lastAt: Date.parse("2026-02-01T00:00:02Z") });
    expect(rows.at(-1)?.topic).toBe("a/5");
    const look = await lookAtUnknown(everywhere);
    expect([look.unknown.length, look.more]).toEqual([mostUnknown, 5]);
  });

  it("are the newest payloads that are still open", async () => {
    await many("t/1", 3);
    await many("t/1", 2, { code: "unknown_machine", from: "2025-01-01T00:00:00Z" });
    await aLetter(db, "t/1", "of a metric", { metric: "m" });
    await aLetter(db, "t/1", "of a metric without a name", { metric: "" });
    await db.rows("update dead_letter set status = 'discarded' where payload = '3' and reason_code = 'unknown_signal'");
    const shown = (await unknownRows(db)).map(({ metric, letters, payload }) => ({ metric, letters, payload: payload.toString() }));
    expect(shown.sort((a, b) => (a.metric ?? "z").localeCompare(b.metric ?? "z"))).toEqual([
      { metric: "", letters: 1, payload: "of a metric without a name" },
      { metric: "m", letters: 1, payload: "of a metric" },
      { metric: null, letters: 4, payload: "2" },
    ]);
  });
});

describe("what is looked for", () => {
  it("is found however long ago it came, by all words in topic, metric or sentence, or by the reason", async () => {
    await many("old/fill_pressure", 3);
    await db.rows(
      `insert into dead_letter (fingerprint, received_at, last_received_at, form, topic, payload, payload_size, reason_code, reason)
       select convert_to('kind ' || i, 'UTF8'), now() + interval '1 h', now() + interval '1 h', 'value', 'new/' || i, '', 0, 'unknown_machine', 'r_%' from generate_series(1, $1) i`,
      [mostGroups + 20],
    );
    const topics = async (words: string[], codes: string[] = []) => (await letterGroups(db, "open", { words, codes })).map(({ topic }) => topic);
    expect((await letterGroups(db, "open")).some(({ topic }) => topic === "old/fill_pressure")).toBe(false);
    expect(await topics(["PRESSURE", "old/"])).toEqual(["old/fill_pressure"]);
    expect(await topics(["pressure", "new/"])).toEqual([]);
    expect(await topics(["fill%pressure"])).toEqual([]);
    expect((await topics(["r_%"])).length).toBe(mostGroups);
    expect(await topics(["nothing"], ["unknown_signal"])).toEqual(["old/fill_pressure"]);
  });
});

/** A machine, as topics name it. */
async function machinePath(): Promise<string> {
  const { machineId } = await aMachine(db);
  const [row] = await db.rows<{ path: string }>(
    "select concat_ws('/', s.key, a.key, l.key, m.key) as path from machine m join line l on l.id = m.line_id join area a on a.id = l.area_id join site s on s.id = a.site_id where m.id = $1",
    [machineId],
  );
  return row?.path ?? "";
}

describe("very many letters at once", () => {
  it("are settled slice by slice, each letter once, up to the one that was seen", async () => {
    await many("t/1", 25_000, { code: "value_type" });
    const [group] = await letterGroups(db, "open");
    await aLetter(db, "t/1", "later", { code: "value_type" });
    expect(await settleGroup(anyone(), { reasonCode: "value_type", topic: "t/1", metric: null }, group?.lastId ?? "", "retry")).toEqual({ changed: 25_000 });
    const recorded = "select (after ->> 'letters')::int as letters from audit_entry where action = 'dead_letter.retried' order by seq";
    expect((await db.rows<{ letters: number }>(recorded)).map(({ letters }) => letters)).toEqual([10_000, 10_000, 5_000]);
    // Who asks now sees it, though others asked a moment ago.
    expect((await lookAtLetters("retry", everywhere)).groups).toMatchObject([{ topic: "t/1", letters: 25_000 }]);
    expect((await lookAtLetters("open", everywhere)).groups).toMatchObject([{ topic: "t/1", letters: 1 }]);
  });

  it("are all tried again when their value is mapped", async () => {
    await many("plc/1", 10_500);
    await many("plc/2", 7, { code: "unknown_machine" });
    await many("plc/3", 1);
    const machine = await machinePath();
    const item = (topic: string) => ({ topic, metric: null, path: "", tsPath: null, machine, key: "torque", isNew: false, fields: { role: "measurement" } });
    expect(await mapMany(permitted(db, program, "signal.map"), [item("plc/1"), item("plc/2")])).toMatchObject({ retried: 10_507 });
    expect((await lookAtUnknown(everywhere)).unknown.map(({ topic }) => topic)).toEqual(["plc/3"]);
    const recorded = `select subject_name as topic, after ->> 'reason' as reason, (after ->> 'letters')::int as letters, actor_name as by
      from audit_entry where action = 'dead_letter.retried' and subject_name like 'plc/%' order by seq`;
    expect(await db.rows(recorded)).toEqual([
      { topic: "plc/1", reason: "unknown_signal", letters: 10_000, by: program.name },
      { topic: "plc/1", reason: "unknown_signal", letters: 500, by: program.name },
      { topic: "plc/2", reason: "unknown_machine", letters: 7, by: program.name },
    ]);
  });
});
