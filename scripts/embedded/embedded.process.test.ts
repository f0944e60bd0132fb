import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { connect, connectAsync, type IClientOptions } from "mqtt";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { childEnv, env, projectRoot } from "../env.ts";
import { migrate } from "../migrate.ts";
import { childrenOf, isAlive } from "./processes.ts";
import { type Embedded, startEmbedded } from "./start.ts";

const run = promisify(execFile);
const dataDir = mkdtempSync(join(tmpdir(), "takt-embedded-"));
let embedded: Embedded;

beforeAll(async () => {
  embedded = await startEmbedded({ dataDir });
});
afterAll(async () => {
  await embedded.stop();
  rmSync(dataDir, { recursive: true, force: true });
});

async function query<R extends pg.QueryResultRow>(sql: string, url = embedded.migrateUrl): Promise<R[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<R>(sql)).rows;
  } finally {
    await client.end();
  }
}

describe("the embedded database", () => {
  it("has TimescaleDB, full durability, and an owner who is no superuser and can make a hypertable", async () => {
    const [settings] = await query(
      `SELECT current_setting('fsync') AS fsync, current_setting('synchronous_commit') AS commit, current_setting('full_page_writes') AS pages,
         current_setting('TimeZone') AS zone, current_setting('listen_addresses') AS address, current_setting('is_superuser') AS superuser`,
    );
    expect(settings).toEqual({ fsync: "on", commit: "on", pages: "on", zone: "UTC", address: "127.0.0.1", superuser: "off" });
    await query("CREATE TABLE reading (at timestamptz NOT NULL, value float8)");
    await query("SELECT create_hypertable('reading', 'at')");
    expect(await query("SELECT hypertable_name AS name FROM timescaledb_information.hypertables")).toEqual([{ name: "reading" }]);
  });

  it("keeps every committed row over kill -9 and starts again on the same port", async () => {
    const writer = new pg.Client({ connectionString: embedded.migrateUrl });
    writer.on("error", () => undefined); // the kill below ends its connection
    await writer.connect();
    let committed = 0;
    const writing = (async () => {
      for (;;) {
        await writer.query("INSERT INTO reading SELECT now(), n FROM generate_series(1, 10) n");
        committed += 10;
      }
    })();
    const ended = expect(writing).rejects.toThrow();
    while (committed < 500) await new Promise((resolve) => setImmediate(resolve));
    const before = embedded.pids.postgres;
    const backends = childrenOf(before);
    expect(backends.length).toBeGreaterThan(0);
    await embedded.postgres.kill9();
    await ended;
    expect([before, ...backends].filter(isAlive)).toEqual([]);
    await embedded.postgres.start();
    expect(embedded.pids.postgres).not.toBe(before);
    const [row] = await query<{ count: number }>("SELECT count(*)::int AS count FROM reading");
    // The last transaction may have been committed without our having heard of it.
    expect([committed, committed + 10]).toContain(row?.count);
  });

  it("makes two roles of data that knew one: what was there stays, and the application owns nothing but its queue", async () => {
    const admin = (sql: string) => query(sql, embedded.postgres.adminUrl.replace(/takt$/, "postgres"));
    const { databaseUrl, migrateUrl } = embedded;
    const password = new URL(databaseUrl).password;
    await admin("DROP DATABASE takt WITH (FORCE)");
    await admin("DROP OWNED BY takt");
    await admin("DROP ROLE takt");
    await admin("ALTER ROLE takt_owner RENAME TO takt");
    await admin(`ALTER ROLE takt PASSWORD '${password}'`);
    await admin("CREATE DATABASE takt OWNER takt");
    await query("CREATE EXTENSION timescaledb", embedded.postgres.adminUrl);
    await migrate(databaseUrl, { log: () => undefined });
    await query("CREATE SCHEMA graphile_worker", databaseUrl);
    await query("INSERT INTO enterprise (key, name) VALUES ('old', 'Old')", databaseUrl);
    for (const round of ["converted", "and started again"]) {
      await embedded.postgres.stop();
      await embedded.postgres.start();
      expect(await migrate(migrateUrl, { application: databaseUrl, log: () => undefined }), round).toEqual([]);
      expect(await query("SELECT key FROM enterprise", databaseUrl)).toEqual([{ key: "old" }]);
      const owned = await query(
        "SELECT DISTINCT c.relnamespace::regnamespace::text AS schema FROM pg_class c WHERE c.relowner = 'takt'::regrole AND c.relnamespace <> 'pg_toast'::regnamespace",
      );
      expect(owned).toEqual([{ schema: "graphile_worker" }]);
      await expect(query("DELETE FROM audit_entry", databaseUrl)).rejects.toThrow("permission denied for table audit_entry");
    }
  });

  it("refuses a second start on the same data in one sentence", async () => {
    await expect(startEmbedded({ dataDir })).rejects.toThrow(/already running \(process \d+\)/);
  });
});

describe("the embedded broker", () => {
  it("keeps a persistent session's messages over its own stop and start", async () => {
    const session = { clientId: "keeper", clean: false, protocolVersion: 5, properties: { sessionExpiryInterval: 3600 }, reconnectPeriod: 0 } as const;
    const first = await connectAsync(embedded.mqttUrl, session);
    await first.subscribeAsync("keep/#", { qos: 1 });
    await first.endAsync();
    const sender = await connectAsync(embedded.mqttUrl, { reconnectPeriod: 0 });
    // More than the default queue of 1000 and the default window of 20.
    for (let n = 0; n < 3000; n += 100)
      await Promise.all(Array.from({ length: 100 }, (_, k) => sender.publishAsync(`keep/${n + k}`, String(n + k), { qos: 1 })));
    await sender.endAsync();
    await embedded.broker.stop();
    await embedded.broker.start();
    const got = new Set<string>();
    // The handler must be there before the first message.
    const client = connect(embedded.mqttUrl, { ...session, properties: { ...session.properties, receiveMaximum: 1000 } });
    await new Promise<void>((resolve, reject) => {
      client.on("error", reject);
      client.on("message", (_topic, payload) => {
        got.add(payload.toString());
        if (got.size === 3000) resolve();
      });
    });
    expect(got.size).toBe(3000);
    await client.endAsync();
  });

  it("lets in with the right certificate or password, and nobody else", async () => {
    const other = mkdtempSync(join(tmpdir(), "takt-embedded-"));
    const guarded = await startEmbedded({ dataDir: other, tls: true, password: true });
    const { tls, password } = guarded.broker;
    if (!tls || !password) throw new Error("Both were asked for.");
    const ca = readFileSync(tls.caFile);
    const comesIn = async (url: string, options: IClientOptions) => {
      const client = await connectAsync(url, { ...options, reconnectPeriod: 0 }, false);
      await client.endAsync();
      return true;
    };
    expect(await comesIn(tls.url, { ca, cert: readFileSync(tls.clientCertFile), key: readFileSync(tls.clientKeyFile) })).toBe(true);
    await expect(comesIn(tls.url, { ca })).rejects.toThrow();
    await expect(comesIn(tls.url, { ca, cert: readFileSync(tls.strangerCertFile), key: readFileSync(tls.strangerKeyFile) })).rejects.toThrow();
    expect(await comesIn(guarded.mqttUrl, {})).toBe(true);
    expect(await comesIn(password.url, { username: password.user, password: password.password })).toBe(true);
    await expect(comesIn(password.url, { username: password.user, password: "wrong" })).rejects.toThrow(/Not authorized/i);
    await expect(comesIn(password.url, {})).rejects.toThrow(/Not authorized/i);
    await guarded.stop();
    rmSync(other, { recursive: true, force: true });
  });

  it("says in one sentence that its port is taken", async () => {
    const server = createServer();
    const port = await new Promise<number>((resolve) => {
      server.listen(0, "127.0.0.1", () => {
        const address = server.address();
        resolve(typeof address === "object" && address ? address.port : 0);
      });
    });
    const other = mkdtempSync(join(tmpdir(), "takt-embedded-"));
    await expect(startEmbedded({ dataDir: other, mqttPort: port })).rejects.toThrow(`Port ${port} on 127.0.0.1 is in use by another program`);
    server.close();
    rmSync(other, { recursive: true, force: true });
  });
});

describe("npm run embedded", () => {
  it("leaves both running, finds them again, and leaves no process behind", async () => {
    const name = `test-${process.pid}`;
    const home = join(env.stateDir, "data", name);
    const command = async (word: string) =>
      (await run(process.execPath, ["scripts/embedded.ts", word, "--name", name], { cwd: projectRoot, env: childEnv({ DATABASE_URL: "", MQTT_URL: "" }) }))
        .stdout;
    const up = await command("up");
    expect(up).toMatch(
      /^DATABASE_URL=postgresql:\/\/takt:\S+@127\.0\.0\.1:\d+\/takt\nMIGRATE_DATABASE_URL=postgresql:\/\/takt_owner:\S+@127\.0\.0\.1:\d+\/takt\nMQTT_URL=mqtt:\/\/127\.0\.0\.1:\d+\n$/,
    );
    expect(await command("up")).toBe(up);
    expect(await command("status")).toBe(`Running.\n${up}`);
    const running = JSON.parse(readFileSync(join(home, "running.json"), "utf8")) as { postgresPid: number; brokerPid: number };
    const pids = [running.postgresPid, running.brokerPid, ...childrenOf(running.postgresPid)];
    expect(pids.every(isAlive)).toBe(true);
    expect(await query("SELECT 1 AS one", /^DATABASE_URL=(\S+)/.exec(up)?.[1])).toEqual([{ one: 1 }]);
    expect(await command("down")).toBe("Stopped.\n");
    expect(pids.filter(isAlive)).toEqual([]);
    expect(await command("down")).toBe("Nothing was running.\n");
    rmSync(home, { recursive: true, force: true });
  });

  it("uses what DATABASE_URL and MQTT_URL name, and starts nothing", async () => {
    const name = `given-${process.pid}`;
    const given = { DATABASE_URL: embedded.databaseUrl, MIGRATE_DATABASE_URL: embedded.migrateUrl, MQTT_URL: embedded.mqttUrl };
    const { stdout } = await run(process.execPath, ["scripts/embedded.ts", "up", "--name", name], { cwd: projectRoot, env: childEnv(given) });
    expect(stdout).toBe(`DATABASE_URL=${given.DATABASE_URL}\nMIGRATE_DATABASE_URL=${given.MIGRATE_DATABASE_URL}\nMQTT_URL=${given.MQTT_URL}\n`);
  });
});
