import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Actor } from "#/server/domain/permission.ts";
import { personWith } from "#/server/identity/testing.ts";
import { aDatabase, aLine, aMachine, aSignal, type TestDatabase } from "#/server/testing.ts";
import { type EntryText, entryColumns, entryHash } from "./bytes.ts";
import { type Changing, change, programOptions } from "./change.ts";
import { note, record } from "./record.ts";

let db: TestDatabase;
beforeAll(async () => {
  db = await aDatabase();
  process.env.DATABASE_URL = db.url; // changes go through the process's own pool
});
afterAll(() => db.drop());

const anna = personWith();
const as = (actor: Actor = anna): Changing => ({ actor, from: { address: "192.0.2.7", userAgent: "Firefox" }, now: () => new Date() });

type Entry = EntryText & { json: { before: Record<string, unknown> | null; after: Record<string, unknown> | null } };
/** In the order in which they were written. */
const entries = async (where: string, ...parameters: unknown[]): Promise<Entry[]> =>
  (await db.rows<EntryText>(`select ${entryColumns} from audit_entry e where ${where} order by e.at, e.chain, e.seq`, parameters)).map((entry) => ({
    ...entry,
    json: { before: JSON.parse(entry.before ?? "null"), after: JSON.parse(entry.after ?? "null") },
  }));
const of = (kind: string, id: unknown) => entries("subject_kind = $1 and subject_id = $2", kind, String(id));

describe("a change of a row", () => {
  it("is written down with who, from where, what, before, after and why", async () => {
    const { machineId, siteId } = await aMachine(db);
    const before = new Date();
    await change(as(), { action: "machine.renamed", why: "New label on the machine" }, async (tx) => {
      await tx.rows("update machine set name = 'Press 1' where id = $1", [machineId]);
    });
    const [made, renamed, ...more] = await of("machine", machineId);
    expect(more).toEqual([]);
    expect(made).toMatchObject({
      actorKind: "database",
      actorId: new URL(db.url).username,
      address: "127.0.0.1",
      userAgent: "takt-test",
      action: "machine.added",
      before: null,
    });
    expect(renamed).toMatchObject({
      chain: siteId,
      actorKind: "person",
      actorId: anna.id,
      actorName: anna.name,
      address: "192.0.2.7",
      userAgent: "Firefox",
      action: "machine.renamed",
      why: "New label on the machine",
      subjectName: "Press 1",
    });
    expect(new Date(renamed?.at ?? 0).getTime()).toBeGreaterThanOrEqual(before.getTime() - 5);
    expect(renamed?.json.before).toEqual({ ...renamed?.json.after, name: made?.subjectName });
  });

  it("that changes nothing, or is rolled back, is none", async () => {
    const { machineId } = await aMachine(db);
    await change(as(), { action: "machine.touched" }, (tx) => tx.rows("update machine set name = name where id = $1", [machineId]));
    const broken = change(as(), { action: "machine.broken" }, async (tx) => {
      await tx.rows("update machine set name = 'gone' where id = $1", [machineId]);
      throw new Error("no");
    });
    await expect(broken).rejects.toThrow("no");
    await change(as(), { action: "machine.undone" }, async (tx) => {
      await tx.rows("savepoint here");
      await tx.rows("update machine set name = 'gone' where id = $1", [machineId]);
      await tx.rows("rollback to savepoint here");
    });
    expect((await of("machine", machineId)).map(({ action }) => action)).toEqual(["machine.added"]);
    expect(await db.asOwner.rows("select from audit_pending union all select from audit_open")).toEqual([]);
  });

  it("stands in the chain of its site, also what goes with a deletion, and in both where it moves", async () => {
    const one = await aLine(db);
    const other = await aLine(db);
    const { signalId } = await aSignal(db, { machine: await aMachine(db, { line: one }) });
    const [mapping] = await db.rows<{ id: number }>("insert into topic_mapping (signal_id, form, pattern) values ($1, 'json', 'a/b') returning id", [signalId]);
    await change(as(), { action: "signal.removed" }, (tx) => tx.rows("delete from signal where id = $1", [signalId]));
    expect((await of("signal", signalId)).map(({ chain, action }) => [chain, action])).toEqual([
      [one.siteId, "signal.added"],
      [one.siteId, "signal.removed"],
    ]);
    expect((await of("topic_mapping", mapping?.id)).map(({ chain, action, after }) => [chain, action, after === null])).toEqual([
      [one.siteId, "topic_mapping.added", false],
      [one.siteId, "signal.removed", true],
    ]);
    await change(as(), { action: "line.moved" }, (tx) => tx.rows("update line set area_id = $2 where id = $1", [one.lineId, other.areaId]));
    expect((await of("line", one.lineId)).filter(({ action }) => action === "line.moved").map(({ chain }) => chain)).toEqual([one.siteId, other.siteId]);
    const [product] = await db.rows<{ id: number }>(
      "with l as (insert into product_line (enterprise_id, key, name) select id, 'l', 'L' from enterprise limit 1 returning id) insert into product (product_line_id, key, name) select id, 'p', 'P' from l returning id",
    );
    expect((await of("product", product?.id)).map(({ chain }) => chain)).toEqual([0]);
    const [target] = await db.rows<{ id: number }>("insert into target (line_id, from_at, oee_percent) values ($1, now(), 80) returning id", [other.lineId]);
    expect((await of("target", target?.id)).map(({ chain }) => chain)).toEqual([other.siteId]);
  });

  it("never shows a password, a token or their hashes, but that they changed", async () => {
    const [person] = await db.rows<{ id: string }>("insert into person (name, username) values ('Ben', 'ben') returning id");
    const [account] = await db.rows<{ id: string }>(
      "insert into account (person_id, provider_id, account_id, password) values ($1::uuid, 'credential', $1::uuid::text, 'scrypt:first') returning id",
      [person?.id],
    );
    await change(as(), { action: "person.password_changed" }, (tx) => tx.rows("update account set password = 'scrypt:second' where id = $1", [account?.id]));
    await change(as(), { action: "account.touched" }, (tx) => tx.rows("update account set updated_at = now() + interval '1 day' where id = $1", [account?.id]));
    const [made, changed, ...more] = await of("account", account?.id);
    expect(more).toEqual([]);
    expect([made?.json.after?.password, changed?.json.before?.password, changed?.json.after?.password]).toEqual(["set", "set", "changed"]);
    expect(changed?.json.after?.access_token).toBe(null);
    expect(JSON.stringify(await entries("true"))).not.toContain("scrypt:");
  });

  it("of shifts that follow from patterns and calendar is not kept; a person's own is", async () => {
    const { lineId } = await aLine(db);
    const shift = (status: string, byCalendar: boolean, day: number) =>
      db.rows(
        "insert into shift_instance (line_id, name, business_date, from_at, to_at, status, by_calendar) select $1, 'Early', d, d + time '06:00', d + time '14:00', $2, $3 from (select date '2026-05-01' + $4::int as d) x",
        [lineId, status, byCalendar, day],
      );
    await shift("planned", false, 0);
    await shift("cancelled", true, 1);
    await shift("extra", false, 2);
    const kept = await entries("subject_kind = 'shift_instance' and after ->> 'line_id' = $1", String(lineId));
    expect(kept.map(({ json }) => json.after?.status)).toEqual(["extra"]);
  });

  it("by someone with a database tool, and the emptying of a table, is seen", async () => {
    await db.asOwner.rows("insert into enterprise (key, name) values ('psql', 'By hand')");
    await db.asOwner.rows("truncate energy_price");
    await db.asOwner.rows("insert into energy_price (site_id, from_at, price_per_kwh) select id, now(), 0.3 from site limit 1");
    await db.asOwner.rows("truncate energy_price");
    const owner = new URL(db.ownerUrl).username;
    expect((await entries("action = 'energy_price.emptied'")).map(({ actorKind, actorId, before }) => [actorKind, actorId, before])).toEqual([
      ["database", owner, '{"rows" : 1}'],
    ]);
    expect((await entries("subject_name = 'By hand'")).map(({ actorName }) => actorName)).toEqual([owner]);
  });

  it("by a program's connection is that program's", async () => {
    const { default: pg } = await import("pg");
    const client = new pg.Client({ connectionString: db.url, options: programOptions("jobs", 'Jobs, "all" of them \\ ') });
    await client.connect();
    await client.query("insert into enterprise (key, name) values ('nightly', 'Nightly')");
    await client.end();
    expect((await entries("subject_name = 'Nightly'")).map(({ actorKind, actorId, actorName, action }) => [actorKind, actorId, actorName, action])).toEqual([
      ["program", "jobs", 'Jobs, "all" of them \\ ', "enterprise.added"],
    ]);
  });
});

describe("an event", () => {
  it("is recorded with its change, and alone", async () => {
    const { siteId } = await aLine(db);
    const subject = { kind: "dead_letter", id: "7", name: "plc/1" };
    await change(as(), { action: "dead_letter.discarded", why: "Test message" }, (tx) =>
      record(tx, { siteId, action: "dead_letter.discarded", subject, before: { status: "open" } }),
    );
    await note(as(), { siteId: null, action: "audit.exported", subject: { kind: "audit", id: "", name: null }, after: { rows: 12 } });
    expect(await of("dead_letter", 7)).toMatchObject([
      { chain: siteId, action: "dead_letter.discarded", why: "Test message", before: '{"status":"open"}', after: null },
    ]);
    expect(await entries("action = 'audit.exported'")).toMatchObject([{ chain: 0, subjectId: "", after: '{"rows":12}' }]);
  });
});

it("hashes the same bytes here and in the database, whatever stands in them", async () => {
  const text = fc.string({ unit: "binary", maxLength: 20 }).map((s) => s.replaceAll("\0", "").toWellFormed());
  const maybe = fc.option(text);
  await fc.assert(
    fc.asyncProperty(text, text, maybe, maybe, fc.option(fc.jsonValue()), async (id, name, address, why, value) => {
      const json = JSON.parse(JSON.stringify(value).replaceAll("\\u0000", "")) as unknown;
      const asking = { ...as({ ...anna, id, name }), from: { address, userAgent: why } };
      await note(asking, {
        siteId: null,
        action: "any.thing",
        subject: { kind: "any", id, name: address },
        before: json,
        after: value === null ? null : { json },
        why,
      });
    }),
    { numRuns: 60 },
  );
  const all = await entries("true");
  expect(all.length).toBeGreaterThan(60);
  for (const entry of all) expect(entryHash(entry).toString("hex"), JSON.stringify(entry)).toBe(entry.hash.toString("hex"));
});

describe("nobody rewrites it", () => {
  const attempts = [
    "update audit_entry set why = 'x'",
    "delete from audit_entry",
    "truncate audit_entry",
    "delete from audit_chain",
    "truncate audit_chain",
    "update audit_chain set seq = 1",
    "delete from signature",
    "update signed_content set content = 'x'",
  ];
  it.each(attempts)("the application's role has no right to: %s", async (sql) => {
    await expect(db.rows(sql)).rejects.toThrow(/^permission denied/);
  });
  it.each(["update stop_edit set note = 'x'", "delete from stop_edit", "update job_said set job_id = null", "delete from job_said"])(
    "what people said of stops and jobs stays, too: %s",
    async (sql) => {
      await expect(db.rows(sql)).rejects.toThrow(/^permission denied/);
    },
  );
  it.each(attempts)("the tables' owner, and even a superuser, is stopped at: %s", async (sql) => {
    for (const who of [db.asOwner, db.asAdmin]) await expect(who.rows(sql)).rejects.toThrow(/only ever added to|only goes forward/);
    await expect(db.asAdmin.rows(`set session_replication_role = replica; ${sql}`)).rejects.toThrow(/only ever added to|only goes forward/);
    await db.asAdmin.rows("set session_replication_role = origin");
  });
});

describe("the catalogue", () => {
  it("every table is audited, or exempt with its reason", async () => {
    const tables = await db.rows<{ name: string; audited: boolean; exempt: boolean }>(
      `select c.relname as name, exists (select from pg_trigger t where t.tgrelid = c.oid and t.tgname = 'A_audit' and t.tgenabled = 'A') as audited,
         exists (select from audit_exempt e where e."table" = c.relname) as exempt
       from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')`,
    );
    expect(tables.length).toBeGreaterThan(50);
    expect(tables.filter(({ audited, exempt }) => audited === exempt)).toEqual([]);
    const exempt = (await db.rows<{ table: string }>('select "table" from audit_exempt')).map(({ table }) => table);
    expect(exempt.filter((name) => !tables.some((table) => table.name === name))).toEqual([]);
  });

  it("what leads to no site is just this: it concerns all of them", async () => {
    const rows = await db.rows<{ name: string }>(
      `select w."table" as name from audit_way w join pg_class c on c.relname = w."table" and c.relnamespace = 'public'::regnamespace
         join pg_trigger t on t.tgrelid = c.oid and t.tgname = 'A_audit' where w.up_columns = '{}' order by 1`,
    );
    const people = ["account", "api_token", "one_time_link", "person", "person_pin", "two_factor"];
    expect(rows.map(({ name }) => name)).toEqual([...people, "currency_rate", "enterprise", "product", "product_line"].sort());
  });

  it("secret columns, and columns whose change alone is not kept, are just these", async () => {
    const rows = await db.rows<{ name: string; args: Buffer }>(
      "select c.relname as name, t.tgargs as args from pg_trigger t join pg_class c on c.oid = t.tgrelid where t.tgname = 'A_audit' order by 1",
    );
    const lists = (n: number) => rows.map(({ name, args }) => `${name} ${args.toString().split("\0")[n]}`).filter((line) => !line.endsWith("{}"));
    expect(lists(4)).toEqual([
      "account {password,access_token,refresh_token,id_token}",
      "api_token {hash}",
      "display {link_hash}",
      "one_time_link {secret_hash}",
      "person_pin {hash}",
      "terminal {secret_hash}",
      "two_factor {secret,backup_codes}",
    ]);
    expect(lists(5)).toEqual(["account {updated_at}", "person {updated_at}", "terminal {last_seen_at,last_address}", "two_factor {failed_verification_count}"]);
  });

  it("every kind of object and every field has its words", async () => {
    const columns = await db.rows<{ table: string; column: string }>(
      `select c.relname as "table", a.attname as "column" from pg_trigger t join pg_class c on c.oid = t.tgrelid
         join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped where t.tgname = 'A_audit'`,
    );
    const { audit } = JSON.parse(readFileSync(join(import.meta.dirname, "../../messages/en.json"), "utf8")) as {
      audit: Record<"kind" | "field", Record<string, string>>;
    };
    expect([...new Set(columns.map(({ table }) => table))].filter((table) => audit.kind[table] === undefined)).toEqual([]);
    expect([...new Set(columns.map(({ column }) => column))].filter((column) => audit.field[column] === undefined)).toEqual([]);
  });

  it("a job is called by its number, and what is said of it leads to its site", async () => {
    const { siteId, machineId } = await aMachine(db);
    const jobs = await db.rows<{ id: number }>(
      `with line as (insert into product_line (enterprise_id, key, name) select enterprise_id, 'jobs', 'Jobs' from site where id = $1 returning id),
         made as (insert into product (product_line_id, key, name) select id, 'of-jobs', 'P' from line returning id)
       insert into job (site_id, number, product_id, quantity) select $1, 'A 4711', id, 10 from made returning id`,
      [siteId],
    );
    const job = jobs[0]?.id;
    expect(await of("job", job)).toMatchObject([{ chain: siteId, subjectName: "A 4711", action: "job.added" }]);
    await db.rows("insert into job_said (machine_id, at, job_id, said_at) values ($1, '2026-03-04', $2, '2026-03-04')", [machineId, job]);
    await db.rows("insert into stop_edit (machine_id, kind, at) values ($1, 'false_stop', '2026-03-04')", [machineId]);
    expect(await entries("subject_kind in ('job_said', 'stop_edit')")).toMatchObject([{ chain: siteId }, { chain: siteId }]);
  });

  it("a new table is audited by the next migration, and its site is found", async () => {
    const { siteId, machineId } = await aMachine(db);
    await db.asOwner.rows("create table gauge (id int primary key, machine_id int references machine, name text); grant insert on gauge to public");
    await db.asOwner.rows("select audit_attach()");
    await db.rows("insert into gauge values (1, $1, 'Gauge')", [machineId]);
    expect(await of("gauge", 1)).toMatchObject([{ chain: siteId, subjectName: "Gauge", action: "gauge.added" }]);
    await db.asOwner.rows("drop table gauge");
  });
});

describe("many at once", () => {
  it("20 writers on two sites, in any order of sites and rows: no gap, no deadlock", async () => {
    const [left, right] = [await aMachine(db), await aMachine(db)];
    const lines = [left.lineId, right.lineId];
    const clients = await Promise.all(Array.from({ length: 20 }, () => db.connect()));
    const rounds = 8;
    await Promise.all(
      clients.map(async (client, n) => {
        for (let round = 0; round < rounds; round++) {
          const order = (n + round) % 2 === 0 ? lines : [...lines].reverse();
          await client.query("begin");
          // Rows that nobody else has: what could wait for each other is the chains.
          for (const line of order) await client.query("insert into machine (line_id, key, name) values ($1, $2, 'M')", [line, `w${n}-${round}`]);
          await client.query("commit");
        }
      }),
    );
    for (const { siteId } of [left, right]) {
      const chain = await entries("chain = $1", siteId);
      expect(chain.filter(({ subjectKind, subjectName }) => subjectKind === "machine" && subjectName === "M")).toHaveLength(20 * rounds);
      expect(chain.map(({ seq }) => Number(seq)).sort((a, b) => a - b)).toEqual(chain.map((_, i) => i + 1));
    }
  }, 60_000);

  it("a change under way keeps nobody waiting; one at its end keeps its own site alone, until it has ended", async () => {
    const [left, right] = [await aMachine(db), await aMachine(db)];
    const terminal = async (siteId: number) =>
      (
        await db.rows<{ id: number }>("insert into terminal (site_id, name, secret_hash) values ($1, 'T', sha256($2::int::text::bytea)) returning id", [
          siteId,
          siteId,
        ])
      )[0]?.id;
    const [ofLeft, ofRight] = [await terminal(left.siteId), await terminal(right.siteId)];
    const rename = "update terminal set name = name || 'x' where id = $1";
    const [slow, quick] = [await db.connect(), await db.connect()];
    await quick.query("set lock_timeout = '500ms'");
    await slow.query("begin");
    await slow.query("update machine set name = 'slow' where id = $1", [left.machineId]);
    await quick.query("update machine set name = 'other site' where id = $1", [right.machineId]);
    await quick.query("update line set name = 'same site' where id = $1", [left.lineId]);
    await slow.query("set constraints all immediate"); // as at its commit: now it holds its chain
    await quick.query(rename, [ofRight]);
    await expect(quick.query(rename, [ofLeft])).rejects.toThrow("lock timeout");
    await slow.query("commit");
    await quick.query(rename, [ofLeft]);
  });
});
