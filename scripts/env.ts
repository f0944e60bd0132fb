/** The environment of the scripts; README.md has the whole table. Read nowhere else below scripts/. */
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { resolve } from "node:path";
import { withSecretFiles } from "#/server/domain/secret-file.ts";

export const projectRoot = resolve(import.meta.dirname, "..");

const { present, wrong } = withSecretFiles(process.env, ["AUTH_SECRET", "DATABASE_URL", "MIGRATE_DATABASE_URL", "MQTT_URL"], (path) =>
  readFileSync(path, "utf8"),
);
if (wrong.length > 0) {
  for (const line of wrong) process.stderr.write(`takt: ${line}\n`);
  process.exit(1);
}
const text = (name: string): string | undefined => present[name]?.trim();

export const env = {
  /** A PostgreSQL with TimescaleDB to be used instead of the embedded one. */
  databaseUrl: text("DATABASE_URL"),
  /** The same database as the role that owns the schema; left out: the role of DATABASE_URL does. */
  migrateDatabaseUrl: text("MIGRATE_DATABASE_URL"),
  /** A broker to be used instead of the embedded one. */
  mqttUrl: text("MQTT_URL"),
  /** Where the programs' packages are kept; several clones may share one folder. */
  cacheDir: resolve(text("TAKT_CACHE_DIR") ?? resolve(projectRoot, ".takt/cache")),
  /** Where logs, state and embedded data are kept. */
  stateDir: resolve(projectRoot, ".takt"),
  /** A Debian mirror to be used instead of the machine's own. */
  debianMirror: text("DEBIAN_MIRROR"),
  /** A Chromium or Chrome for the browser tests. */
  chromium: text("CHROMIUM"),
  path: process.env.PATH ?? "",
  /** What the web app signs with, where it is given. */
  authSecret: text("AUTH_SECRET"),
  host: text("HOST"),
  port: text("PORT"),
  ci: text("CI") !== undefined,
  home: homedir(),
};

/** What a child process of ours gets: everything that this process has, and `extra` on top, also of what this process has from a file. */
export const childEnv = (extra: Record<string, string> = {}): NodeJS.ProcessEnv => {
  const all: NodeJS.ProcessEnv = { ...process.env, ...extra };
  for (const name of Object.keys(extra)) delete all[`${name}_FILE`];
  return all;
};

/** What an embedded or system program gets: nothing of ours, so that a PGDATA or LANG of the machine changes nothing. */
export const bareEnv = (extra: Record<string, string> = {}): NodeJS.ProcessEnv => ({
  NODE_ENV: "production",
  PATH: "/usr/bin:/bin:/usr/sbin:/sbin",
  LC_ALL: "C",
  TZ: "UTC",
  ...extra,
});
