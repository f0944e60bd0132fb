/**
 * For database tests: a database of their own, migrated, and rows in which everything that a test does not care about is filled in.
 * TAKT_ADMIN_URL (or DATABASE_URL) names a server on which databases may be made; `npm test` starts one. As in a plant, the schema belongs to a role of its
 * own (MIGRATE_DATABASE_URL, else one that is made here), and everything is read and written as the application's role (DATABASE_URL).
 */
import { randomBytes } from "node:crypto";
import pg from "pg";
import { migrate } from "#/scripts/migrate.ts";
import type { Db } from "#/server/db.ts";

export type TestDatabase = Db & {
  /** For programs and pools under test: the application's role, which may read and write rows and no more. */
  url: string;
  /** The owner of the schema, who is no superuser: to empty tables, to change them. */
  ownerUrl: string;
  asOwner: Db;
  /** As the superuser: to end connections, to stop the database from taking any, to go behind Takt's back. */
  adminUrl: string;
  asAdmin: Db;
  /** A connection of its own, closed with the database: for transactions that a test interleaves. */
  connect(): Promise<pg.Client>;
  drop(): Promise<void>;
};

function withDatabase(url: string, database: string): string {
  const changed = new URL(url);
  changed.pathname = `/${database}`;
  return changed.href;
}

/** A new database with the schema of prisma/migrations. Drop it in `afterAll`. */
export async function aDatabase(): Promise<TestDatabase> {
  const applicationUrl = process.env.DATABASE_URL;
  if (!applicationUrl) throw new Error("DATABASE_URL is not set. Run the tests with npm test, or set it and TAKT_ADMIN_URL to a database server for tests.");
  const serverUrl = process.env.TAKT_ADMIN_URL || applicationUrl;
  const owner = await ownerOf(applicationUrl, serverUrl);
  const name = `test_${randomBytes(6).toString("hex")}`;
  const adminUrl = withDatabase(serverUrl, name);
  const ownerUrl = withDatabase(owner, name);
  const url = withDatabase(applicationUrl, name);
  await asAdmin(serverUrl, async (admin) => {
    await admin.query(`create database ${name} owner ${admin.escapeIdentifier(decodeURIComponent(new URL(owner).username))}`);
  });
  await asAdmin(adminUrl, async (admin) => {
    await admin.query("create extension if not exists timescaledb");
  });
  await migrate(ownerUrl, { application: url, queue: false, log: () => undefined });

  const clients: pg.Client[] = [];
  const pools: pg.Pool[] = [];
  const rowsAs = (connectionString: string, max: number): Db => {
    const pool = new pg.Pool({ connectionString, max, application_name: "takt-test" });
    pool.on("error", () => undefined); // tests end connections on purpose
    pools.push(pool);
    return { rows: async (sql, parameters = []) => (await pool.query(sql, [...parameters])).rows };
  };
  return {
    url,
    ownerUrl,
    asOwner: rowsAs(ownerUrl, 1),
    adminUrl,
    asAdmin: rowsAs(adminUrl, 1),
    ...rowsAs(url, 4),
    async connect() {
      const client = new pg.Client({ connectionString: url, application_name: "takt-test" });
      client.on("error", () => undefined);
      await client.connect();
      clients.push(client);
      return client;
    },
    async drop() {
      for (const client of clients) await client.end();
      for (const pool of pools) await pool.end();
      await asAdmin(serverUrl, async (admin) => {
        await admin.query(`drop database ${name} with (force)`);
      });
    },
  };
}

/** The owner's address on the server. Without a superuser's address it is the application's own: the tests of grants fail there. */
async function ownerOf(applicationUrl: string, serverUrl: string): Promise<string> {
  if (process.env.MIGRATE_DATABASE_URL) return process.env.MIGRATE_DATABASE_URL;
  if (!process.env.TAKT_ADMIN_URL) return applicationUrl;
  const owner = new URL(applicationUrl);
  owner.username = "takt_test_owner";
  await asAdmin(serverUrl, async (admin) => {
    await admin.query("select pg_advisory_lock(hashtext('takt.test'))"); // files run beside each other; it ends with the connection
    const { rows } = await admin.query("select from pg_roles where rolname = $1", [owner.username]);
    const verb = rows.length > 0 ? "alter" : "create";
    await admin.query(`${verb} role ${owner.username} login password ${admin.escapeLiteral(decodeURIComponent(owner.password))}`);
  });
  return owner.href;
}

async function asAdmin(url: string, work: (admin: pg.Client) => Promise<void>): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}

let serial = 0;
const nextKey = (what: string) => `${what}-${++serial}`;
const one = async <Row extends pg.QueryResultRow>(db: Db, sql: string, parameters: readonly unknown[]): Promise<Row> => {
  const [row] = await db.rows<Row>(sql, parameters);
  if (!row) throw new Error(`Nothing came back from ${sql}`);
  return row;
};

export type TestLine = { lineId: number; siteId: number; areaId: number };

/** A line in a site and area of its own. */
export async function aLine(db: Db, { zone = "Europe/Berlin" }: { zone?: string } = {}): Promise<TestLine> {
  const enterprise = await one<{ id: number }>(db, "insert into enterprise (key, name) values ($1, $1) returning id", [nextKey("enterprise")]);
  const site = await one<{ id: number }>(db, "insert into site (enterprise_id, key, name, zone) values ($1, $2, $2, $3) returning id", [
    enterprise.id,
    nextKey("site"),
    zone,
  ]);
  const area = await one<{ id: number }>(db, "insert into area (site_id, key, name) values ($1, $2, $2) returning id", [site.id, nextKey("area")]);
  const line = await one<{ id: number }>(db, "insert into line (area_id, key, name) values ($1, $2, $2) returning id", [area.id, nextKey("line")]);
  return { lineId: line.id, siteId: site.id, areaId: area.id };
}

export type TestMachine = TestLine & { machineId: number; sourceId: number };

/** A machine with a source of its own; on a line of its own unless one is given. */
export async function aMachine(db: Db, { line }: { line?: TestLine } = {}): Promise<TestMachine> {
  const on = line ?? (await aLine(db));
  const machine = await one<{ id: number }>(db, "insert into machine (line_id, key, name) values ($1, $2, $2) returning id", [on.lineId, nextKey("machine")]);
  const source = await one<{ id: number }>(db, "insert into source (site_id, form, address) values ($1, 'json', $2) returning id", [
    on.siteId,
    nextKey("address"),
  ]);
  return { ...on, machineId: machine.id, sourceId: source.id };
}

export type SignalRole = "state" | "good_count" | "reject_count" | "rework_count" | "total_count" | "fault_code" | "job" | "product" | "measurement" | "energy";

/** A signal; on a machine of its own unless one is given. Counters are cumulative. */
export async function aSignal(
  db: Db,
  { machine, role = "measurement" }: { machine?: TestMachine; role?: SignalRole } = {},
): Promise<TestMachine & { signalId: number }> {
  const on = machine ?? (await aMachine(db));
  const signal = await one<{ id: number }>(
    db,
    "insert into signal (machine_id, source_id, key, name, role, counter_mode) values ($1, $2, $3, $3, $4, $5) returning id",
    [on.machineId, on.sourceId, nextKey(role), role, role.endsWith("_count") ? "cumulative" : null],
  );
  return { ...on, signalId: signal.id };
}
