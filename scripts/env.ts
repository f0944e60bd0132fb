/** The environment of the scripts; README.md has the whole table. Read nowhere else below scripts/. */
import { homedir } from "node:os";
import { resolve } from "node:path";

export const projectRoot = resolve(import.meta.dirname, "..");

const text = (name: string): string | undefined => {
  const value = process.env[name]?.trim();
  return value ? value : undefined;
};

export const env = {
  /** A PostgreSQL with TimescaleDB to be used instead of the embedded one. */
  databaseUrl: text("DATABASE_URL"),
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
  host: text("HOST"),
  port: text("PORT"),
  ci: text("CI") !== undefined,
  home: homedir(),
};

/** What a child process of ours gets: everything that this process has, and `extra` on top. */
export const childEnv = (extra: Record<string, string> = {}): NodeJS.ProcessEnv => ({ ...process.env, ...extra });

/** What an embedded or system program gets: nothing of ours, so that a PGDATA or LANG of the machine changes nothing. */
export const bareEnv = (extra: Record<string, string> = {}): NodeJS.ProcessEnv => ({
  NODE_ENV: "production",
  PATH: "/usr/bin:/bin:/usr/sbin:/sbin",
  LC_ALL: "C",
  TZ: "UTC",
  ...extra,
});
