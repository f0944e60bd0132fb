/** The same database and broker by compose.yaml, where Debian's packages cannot be used. */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync } from "node:fs";
import { basename } from "node:path";
import { promisify } from "node:util";
import { childEnv, projectRoot } from "../env.ts";
import { messageOf, Trouble } from "../trouble.ts";
import { readPorts } from "./broker.ts";
import { makeDatabase, postgresUrls, readSecrets } from "./postgres.ts";
import type { EmbeddedOptions, Parts } from "./start.ts";

const run = promisify(execFile);

/** Starts the containers and waits until they are healthy. `why` says what keeps Debian's packages from being used. */
export async function startComposed(options: EmbeddedOptions & { log: (line: string) => void }, wanted: Parts<boolean, boolean>, why: string): Promise<Parts> {
  const { dataDir, log } = options;
  if (options.tls || options.password || options.postgresSettings || options.brokerSettings) {
    throw new Trouble(`Settings and listeners of one's own need Debian's packages, and ${why}.`);
  }
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const secrets = await readSecrets(dataDir, options.postgresPort);
  const { port: mqttPort } = await readPorts({ dataDir, port: options.mqttPort });
  const compose = await composer(dataDir, why, {
    TAKT_POSTGRES_PORT: String(secrets.port),
    TAKT_POSTGRES_PASSWORD: secrets.superPassword,
    TAKT_MQTT_PORT: String(mqttPort),
  });
  log(`Starting with Docker (${why}).`);
  await compose(["up", "-d", "--wait", ...(wanted.postgres ? ["postgres"] : []), ...(wanted.broker ? ["mosquitto"] : [])]);
  if (wanted.postgres) await makeDatabase(secrets);
  const part = (name: string) => ({
    kill9: () => compose(["kill", "-s", "KILL", name]),
    stop: () => compose(["stop", name]),
    start: () => compose(["up", "-d", "--wait", name]),
    pid: () => 0, // inside a container: no process of this machine
  });
  return {
    postgres: wanted.postgres ? { ...part("postgres"), ...postgresUrls(secrets), port: secrets.port } : null,
    broker: wanted.broker ? { ...part("mosquitto"), mqttUrl: `mqtt://127.0.0.1:${mqttPort}`, port: mqttPort, tls: null, password: null } : null,
  };
}

/** Ends the containers of a data folder; with `forget` their data too. */
export async function stopComposed(dataDir: string, why: string, { forget }: { forget: boolean }): Promise<void> {
  const compose = await composer(dataDir, why, {});
  await compose(forget ? ["down", "-v"] : ["stop"]);
}

async function composer(dataDir: string, why: string, extra: Record<string, string>) {
  const name = `takt-${basename(dataDir)
    .toLowerCase()
    .replace(/[^a-z0-9]/g, "")}-${createHash("sha256").update(dataDir).digest("hex").slice(0, 8)}`;
  const compose = async (args: string[]): Promise<void> => {
    try {
      await run("docker", ["compose", "-p", name, "-f", "compose.yaml", ...args], { cwd: projectRoot, env: childEnv(extra), maxBuffer: 16e6 });
    } catch (error) {
      const said = (error as { stderr?: string }).stderr?.trim().split("\n").at(-1);
      throw new Trouble(`docker compose ${args[0]} failed: ${said ?? messageOf(error)}`);
    }
  };
  const remedy = `The database and the broker cannot be started here: ${why}, and Docker `;
  try {
    await run("docker", ["compose", "version"]);
  } catch (error) {
    const missing = (error as { code?: string }).code === "ENOENT" ? "is not installed" : "has no compose plugin";
    throw new Trouble(
      `${remedy}${missing}. Install Docker with its compose plugin, or run your own PostgreSQL 15+ with TimescaleDB and an MQTT broker and set DATABASE_URL and MQTT_URL.`,
    );
  }
  try {
    await run("docker", ["info"]);
  } catch {
    throw new Trouble(`${remedy}does not answer. Start Docker, or set DATABASE_URL and MQTT_URL to your own.`);
  }
  return compose;
}
