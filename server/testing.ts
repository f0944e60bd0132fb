/**
 * For database tests: a database of their own, migrated, and rows in which everything that a test does not care about is filled in.
 * TAKT_ADMIN_URL (or DATABASE_URL) names a server on which databases may be made; `npm test` starts one.
 */
import { randomBytes } from "node:crypto";
import pg from "pg";
import { migrate } from "#/scripts/migrate.ts";
import type { Db } from "#/server/db.ts";

export type TestDatabase = Db & {
  /** For programs and pools under test: the owner, who is no superuser. */
  url: string;
  /** As the superuser: to end connections, or to stop the database from taking any. */
  adminUrl: string;
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
  const ownerUrl = process.env.DATABASE_URL;
  if (!ownerUrl) throw new Error("DATABASE_URL is not set. Run the tests with npm test, or set it and TAKT_ADMIN_URL to a database server for tests.");
  const serverUrl = process.env.TAKT_ADMIN_URL || ownerUrl;
  const name = `test_${randomBytes(6).toString("hex")}`;
  const adminUrl = withDatabase(serverUrl, name);
  const url = withDatabase(ownerUrl, name);
  await asAdmin(serverUrl, async (admin) => {
    await admin.query(`create database ${name} owner ${admin.escapeIdentifier(decodeURIComponent(new URL(ownerUrl).username))}`);
  });
  await asAdmin(adminUrl, async (admin) => {
    await admin.query("create extension if not exists timescaledb");
  });
  await migrate(url, { log: () => undefined });

  const pool = new pg.Pool({ connectionString: url, max: 4, application_name: "takt-test" });
  pool.on("error", () => undefined); // tests end connections on purpose
  const clients: pg.Client[] = [];
  return {
    url,
    adminUrl,
    rows: async (sql, parameters = []) => (await pool.query(sql, [...parameters])).rows,
    async connect() {
      const client = new pg.Client({ connectionString: url, application_name: "takt-test" });
      client.on("error", () => undefined);
      await client.connect();
      clients.push(client);
      return client;
    },
    async drop() {
      for (const client of clients) await client.end();
      await pool.end();
      await asAdmin(serverUrl, async (admin) => {
        await admin.query(`drop database ${name} with (force)`);
      });
    },
  };
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
