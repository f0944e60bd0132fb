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
