/** The embedded database and broker together, for the demo, the tests and the measurements. */
import { resolve } from "node:path";
import { env } from "../env.ts";
import { type Broker, startBroker } from "./broker.ts";
import { startComposed } from "./compose.ts";
import { preparePrograms, whyNotDebian } from "./packages.ts";
import { type Postgres, startPostgres } from "./postgres.ts";

export type EmbeddedOptions = {
  /** Everything that is kept; made if missing. Two instances never share one. */
  dataDir: string;
  postgresPort?: number;
  mqttPort?: number;
  /** Also a listener with TLS and client certificates. */
  tls?: boolean;
  /** The broker asks everybody for a user and a password; `mqttUrl` carries them. */
  password?: boolean;
  postgresSettings?: Record<string, string>;
  brokerSettings?: string[];
  /**
   * Left running when this process ends; otherwise both end with it, however it ends. Their end then follows the thread
   * that started them: call from the main thread.
   */
  detached?: boolean;
  log?: (line: string) => void;
};
export type Embedded = {
  /** As the application's role; `migrateUrl`: as the owner of the schema. */
  databaseUrl: string;
  migrateUrl: string;
  mqttUrl: string;
  pids: { postgres: number; broker: number };
  postgres: Postgres;
  broker: Broker;
  stop(): Promise<void>;
};
export type Parts<P = Postgres | null, B = Broker | null> = { postgres: P; broker: B };

/** Starts both and waits until they answer. Throws `Trouble` with one sentence when this machine cannot. */
export async function startEmbedded(options: EmbeddedOptions): Promise<Embedded> {
  const { postgres, broker } = await startParts(options, { postgres: true, broker: true });
  if (!postgres || !broker) throw new Error("Both parts were asked for.");
  return {
    databaseUrl: postgres.databaseUrl,
    migrateUrl: postgres.migrateUrl,
    mqttUrl: broker.mqttUrl,
    get pids() {
      return { postgres: postgres.pid(), broker: broker.pid() };
    },
    postgres,
    broker,
    stop: () => stopParts({ postgres, broker }),
  };
}

/**
 * What a command runs on: DATABASE_URL and MQTT_URL where they are set, embedded parts in `dataDir` where they are not.
 * `own`: embedded ones in any case, as tests need it, which must not touch a plant's data.
 */
export async function startMissing(
  options: EmbeddedOptions & { own?: boolean },
): Promise<{ databaseUrl: string; migrateUrl: string; mqttUrl: string; parts: Parts; stop(orderlyMs?: number): Promise<void> }> {
  const given = options.own ? { databaseUrl: undefined, migrateDatabaseUrl: undefined, mqttUrl: undefined } : env;
  const parts = await startParts(options, { postgres: !given.databaseUrl, broker: !given.mqttUrl });
  return {
    databaseUrl: given.databaseUrl ?? parts.postgres?.databaseUrl ?? "",
    migrateUrl: (given.databaseUrl ? (given.migrateDatabaseUrl ?? given.databaseUrl) : parts.postgres?.migrateUrl) ?? "",
    mqttUrl: given.mqttUrl ?? parts.broker?.mqttUrl ?? "",
    parts,
    stop: (orderlyMs) => stopParts(parts, orderlyMs),
  };
}

async function startParts(given: EmbeddedOptions, wanted: Parts<boolean, boolean>): Promise<Parts> {
  const options = { ...given, dataDir: resolve(given.dataDir), detached: given.detached ?? false, log: given.log ?? (() => undefined) };
  const parts: Parts = { postgres: null, broker: null };
  if (!wanted.postgres && !wanted.broker) return parts;
  const why = whyNotDebian();
  if (why) return startComposed(options, wanted, why);
  const { dataDir, detached, log } = options;
  const programs = await preparePrograms(log);
  try {
    if (wanted.broker) {
      parts.broker = await startBroker(programs, {
        dataDir,
        port: options.mqttPort,
        tls: options.tls,
        password: options.password,
        settings: options.brokerSettings,
        detached,
        log,
      });
    }
    if (wanted.postgres)
      parts.postgres = await startPostgres(programs, { dataDir, port: options.postgresPort, settings: options.postgresSettings, detached, log });
  } catch (error) {
    await stopParts(parts);
    throw error;
  }
  return parts;
}

async function stopParts({ broker, postgres }: Parts, orderlyMs?: number): Promise<void> {
  const ends = await Promise.allSettled([broker?.stop(), postgres?.stop(orderlyMs)]);
  for (const end of ends) if (end.status === "rejected") throw end.reason;
}
