/** Databases with brokers of the browser tests alone, and the project's own commands on them. */
import { execFile } from "node:child_process";
import { rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { promisify } from "node:util";

export const root = resolve(import.meta.dirname, "..");

/** One of the project's own commands; what it prints. The environment of the run itself leads nowhere. @throws Error with what it said, where it fails */
export async function command(args: string[], env: Record<string, string> = {}): Promise<string> {
  const { DATABASE_URL: _database, MIGRATE_DATABASE_URL: _owner, MQTT_URL: _broker, ...rest } = process.env;
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root, env: { ...rest, ...env }, maxBuffer: 64 * 1024 * 1024, timeout: 300_000 });
  return stdout;
}

export type Store = { name: string; databaseUrl: string; migrateUrl: string; mqttUrl: string };

/** Starts what is kept under this name, made now if there is none. */
export async function startStore(name: string): Promise<Store> {
  const printed = await command(["scripts/embedded.ts", "up", "--name", name]);
  const urls = Object.fromEntries([...printed.matchAll(/^(\w+_URL)=(.*)$/gm)].map(([, key, url]) => [key, url]));
  return { name, databaseUrl: urls.DATABASE_URL ?? "", migrateUrl: urls.MIGRATE_DATABASE_URL ?? "", mqttUrl: urls.MQTT_URL ?? "" };
}

export const stopStore = async ({ name }: Store): Promise<void> => void (await command(["scripts/embedded.ts", "down", "--name", name]));

/** A new one with the schema and nothing in it. */
export async function newStore(name: string): Promise<Store> {
  const store = await startStore(name);
  await command(["scripts/migrate.ts"], { DATABASE_URL: store.databaseUrl, MIGRATE_DATABASE_URL: store.migrateUrl });
  return store;
}

export async function removeStore(store: Store): Promise<void> {
  await stopStore(store);
  rmSync(join(root, ".takt/data", store.name), { recursive: true, force: true });
}

const variable = "STAGE_STORES";
/** Made by setup.ts: one for each spec that runs at the same time. */
export const keepStores = (stores: readonly Store[]): void => {
  process.env[variable] = JSON.stringify(stores);
};

/** That of the spec that asks. Specs that run after each other share it. */
export function commonStore(): Store {
  const stores: Store[] = JSON.parse(process.env[variable] ?? "[]");
  const store = stores[Number(process.env.TEST_PARALLEL_INDEX ?? 0)];
  if (!store) throw new Error("There is no database for this spec: the browser tests begin with e2e/setup.ts.");
  return store;
}
