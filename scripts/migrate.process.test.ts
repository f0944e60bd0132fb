import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Embedded, startEmbedded } from "./embedded/start.ts";
import { migrate } from "./migrate.ts";

const work = mkdtempSync(join(tmpdir(), "takt-migrate-"));
let embedded: Embedded;
let made = 0;

beforeAll(async () => {
  embedded = await startEmbedded({ dataDir: join(work, "data") });
});
afterAll(async () => {
  await embedded.stop();
  rmSync(work, { recursive: true, force: true });
});

async function query<R extends pg.QueryResultRow>(url: string, sql: string): Promise<R[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<R>(sql)).rows;
  } finally {
    await client.end();
  }
}

/** An empty database of the product's user; its extension only if asked for. */
async function aDatabase({ extension = true, owner = "takt" } = {}): Promise<string> {
  const name = `migrate_${++made}`;
  await query(embedded.postgres.adminUrl, `CREATE DATABASE ${name} OWNER ${owner}`);
  if (extension) await query(withName(embedded.postgres.adminUrl, name), "CREATE EXTENSION timescaledb");
  return withName(embedded.databaseUrl, name);
}
const withName = (url: string, name: string) => url.replace(/\/takt$/, `/${name}`);

function aFolder(files: Record<string, string>): string {
  const dir = mkdtempSync(join(work, "sql-"));
  for (const [name, sql] of Object.entries(files)) writeFileSync(join(dir, name), sql);
  return dir;
}
const quiet = { log: () => undefined, maxWaitMs: 0 };
const tables = (url: string) => query<{ name: string }>(url, "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' ORDER BY 1");

describe("migrate", () => {
  it("brings an empty database to the schema without a superuser, once when two start together", async () => {
    const url = await aDatabase();
    const [first, second] = await Promise.all([migrate(url, quiet), migrate(url, quiet)]);
    const applied = [...first, ...second];
    expect(applied.length).toBeGreaterThan(0);
    expect(new Set(applied).size).toBe(applied.length);
    expect(await migrate(url, quiet)).toEqual([]);
    const hypertables = await query<{ name: string }>(url, "SELECT hypertable_name AS name FROM timescaledb_information.hypertables ORDER BY 1");
    expect(hypertables.map(({ name }) => name)).toEqual(expect.arrayContaining(["ledger_sample", "sample"]));
  });

  it("gives the application's role what it needs and no more, however often", async () => {
    const url = await aDatabase();
    const owner = withName(embedded.migrateUrl, new URL(url).pathname.slice(1));
    await query(embedded.postgres.adminUrl, `ALTER DATABASE ${new URL(url).pathname.slice(1)} OWNER TO takt_owner`);
    const said: string[] = [];
    const asTwo = { ...quiet, application: url, log: (line: string) => said.push(line) };
    await migrate(owner, asTwo);
    expect(await migrate(owner, asTwo)).toEqual([]);
    expect(said.filter((line) => line.includes("role"))).toEqual([]);
    await query(url, "INSERT INTO enterprise (key, name) VALUES ('e', 'E')");
    await query(url, "SELECT graphile_worker.add_job('any')");
    await query(url, "INSERT INTO sample (signal_id, at, value) VALUES (1, now() - interval '1 year', 1)");
    expect(await query(url, "SELECT takt_drop_chunks('sample', '-infinity', now()) AS n")).toEqual([{ n: 1 }]);
    const denied = [
      "UPDATE audit_entry SET action = 'x'",
      "DELETE FROM audit_entry",
      "TRUNCATE audit_entry",
      "INSERT INTO audit_entry SELECT * FROM audit_entry",
      "UPDATE audit_chain SET seq = 0",
      "SELECT FROM audit_pending",
      "DELETE FROM audit_exempt",
      "UPDATE signature SET meaning = 'review'",
      "DELETE FROM signed_content",
      "TRUNCATE machine",
      "DELETE FROM schema_migration",
      "SELECT audit_attach()",
      'ALTER TABLE machine DISABLE TRIGGER "A_audit"',
      'DROP TRIGGER "A_audit" ON machine',
      "CREATE OR REPLACE FUNCTION audit_row() RETURNS trigger LANGUAGE sql AS 'select null'",
      "CREATE FUNCTION host(text) RETURNS text LANGUAGE sql AS 'select 1'",
      "CREATE SCHEMA mine",
      "SET session_replication_role = replica",
      "SELECT takt_drop_chunks('ledger_sample', '-infinity', now())",
      "SELECT drop_chunks('sample', older_than => now())",
    ];
    for (const sql of denied) await expect(query(url, sql), sql).rejects.toThrow(/permission denied|must be owner|kept for ever/);
  });

  it("says that one role is guarded less, and refuses an application that no grant binds", async () => {
    const url = await aDatabase();
    const name = new URL(url).pathname.slice(1);
    const said: string[] = [];
    await migrate(url, { ...quiet, log: (line) => said.push(line) });
    expect(said.at(-1)).toMatch(/^One role \(takt\) owns the tables and runs the application: the audit trail is guarded by its triggers alone\./);
    await expect(query(url, "DELETE FROM audit_entry")).rejects.toThrow("audit_entry is only ever added to");
    const as = (application: string) => migrate(url, { ...quiet, application });
    await expect(as(withName(embedded.postgres.adminUrl, name))).rejects.toThrow("The role postgres of DATABASE_URL is a superuser");
    await expect(as(url.replace("//takt:", "//nobody:"))).rejects.toThrow("The role nobody of DATABASE_URL does not exist. Create it: CREATE ROLE nobody");
    await query(embedded.postgres.adminUrl, "CREATE ROLE deputy LOGIN IN ROLE takt");
    await expect(as(url.replace("//takt:", "//deputy:"))).rejects.toThrow("Run: REVOKE takt FROM deputy");
    await query(embedded.postgres.adminUrl, "DROP ROLE deputy");
  });

  it("names the file, the line and the statement that failed, keeps what was before and leaves nothing of it", async () => {
    const url = await aDatabase();
    const dir = aFolder({
      "0001_good.sql": "create table good (id int);",
      "0002_bad.sql":
        "create table half (id int);\n-- why\ninsert into half values (1);\n\ninsert into half values ('x;y'::int);\ncreate table never (id int);\n",
      "0003_later.sql": "create table later (id int);",
    });
    await expect(migrate(url, { ...quiet, dir })).rejects.toThrow(
      /^0002_bad\.sql failed and left nothing behind\. Line 5: invalid input syntax for type integer: "x;y"\n {2}insert into half values \('x;y'::int\)$/,
    );
    expect((await tables(url)).map(({ name }) => name)).toEqual(["good", "schema_migration"]);
    writeFileSync(join(dir, "0002_bad.sql"), "create table half (id int);");
    expect(await migrate(url, { ...quiet, dir })).toEqual(["0002_bad", "0003_later"]);
  });

  it("refuses a database that is newer than the program, and one whose files came in another order", async () => {
    const url = await aDatabase();
    await migrate(url, { ...quiet, dir: aFolder({ "0001_a.sql": "select 1;", "0003_c.sql": "select 1;" }) });
    await expect(migrate(url, { ...quiet, dir: aFolder({ "0001_a.sql": "select 1;" }) })).rejects.toThrow("newer than this program (it has 0003_c)");
    await expect(migrate(url, { ...quiet, dir: aFolder({ "0001_a.sql": "select 1;", "0002_b.sql": "select 1;", "0003_c.sql": "select 1;" }) })).rejects.toThrow(
      "Not run migration 0002_b is preceding already run migration 0003_c",
    );
  });

  it("refuses a database that was made with another text of a migration, whatever the line ends", async () => {
    const url = await aDatabase();
    const dir = aFolder({ "0001_a.sql": "create table a (\n  id int\n);\n" });
    await migrate(url, { ...quiet, dir });
    writeFileSync(join(dir, "0001_a.sql"), "create table a (\r\n  id int\r\n);\r\n");
    expect(await migrate(url, { ...quiet, dir })).toEqual([]);
    writeFileSync(join(dir, "0001_a.sql"), "create table a (id int); create table b (id int);");
    writeFileSync(join(dir, "0002_c.sql"), "create table c (id int);");
    await expect(migrate(url, { ...quiet, dir })).rejects.toThrow(
      /^This database was made with another text of 0001_a\.sql than this version of Takt has, .*npm run demo -- --fresh\. Your own: make a new database/,
    );
    expect((await tables(url)).map(({ name }) => name)).toEqual(["a", "schema_migration"]);
  });

  it("takes what was applied before texts were kept as it is now, says so once, and keeps it from then on", async () => {
    const url = await aDatabase();
    const dir = aFolder({ "0001_a.sql": "create table a (id int);" });
    await migrate(url, { ...quiet, dir });
    await query(url, "ALTER TABLE schema_migration DROP COLUMN hash");
    writeFileSync(join(dir, "0002_b.sql"), "create table b (id int);");
    const said: string[] = [];
    const loud = { ...quiet, dir, log: (line: string) => said.push(line) };
    expect(await migrate(url, loud)).toEqual(["0002_b"]);
    expect(await migrate(url, loud)).toEqual([]);
    expect(said).toEqual([
      "It was not kept with what text 0001_a had been applied; from now on it is, and the present text is taken for the one applied.",
      "Applied 0002_b.",
      "The schema is up to date.",
    ]);
    writeFileSync(join(dir, "0001_a.sql"), "create table a (id bigint);");
    await expect(migrate(url, loud)).rejects.toThrow("another text of 0001_a.sql");
  });

  it("switches the extension on where the user may, and says what to do where not", async () => {
    const owned = await aDatabase({ extension: false });
    await migrate(owned, { ...quiet, dir: aFolder({ "0001_a.sql": "select 1;" }) });
    expect(await query(owned, "SELECT FROM pg_extension WHERE extname = 'timescaledb'")).toHaveLength(1);
    const foreign = await aDatabase({ extension: false, owner: "postgres" });
    await expect(migrate(foreign, quiet)).rejects.toThrow(/TimescaleDB is not switched on .* As superuser run: CREATE EXTENSION timescaledb/s);
  });

  it("says in one sentence when it cannot get in", async () => {
    await expect(migrate("postgresql://takt:x@127.0.0.1:1/takt", quiet)).rejects.toThrow(/127\.0\.0\.1:1\/takt cannot be reached .*ECONNREFUSED/);
    await expect(migrate(embedded.databaseUrl.replace(/:[^:@]+@/, ":wrong@"), quiet)).rejects.toThrow(/refuses the sign-in: password authentication failed/);
    await expect(migrate(withName(embedded.databaseUrl, "nowhere"), quiet)).rejects.toThrow(/database "nowhere" does not exist/);
    await expect(migrate("mysql://x", quiet)).rejects.toThrow("DATABASE_URL is not an address");
  });

  it("waits for a database that is on its way up, and says so once", async () => {
    const url = await aDatabase();
    await embedded.postgres.stop();
    const said: string[] = [];
    const migrating = migrate(url, { log: (line) => said.push(line), dir: aFolder({ "0001_a.sql": "select 1;" }) });
    while (said.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    await embedded.postgres.start();
    expect(await migrating).toEqual(["0001_a"]);
    expect(said).toEqual([expect.stringMatching(/does not answer yet .*trying for 30 s\.$/), "Applied 0001_a."]);
  });
});
