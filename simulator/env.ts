/** The environment of the simulator; README.md has the whole table. Read nowhere else below simulator/. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { withSecretFiles } from "#/server/domain/secret-file.ts";

const { present, wrong } = withSecretFiles(process.env, ["MQTT_URL", "MQTT_PASSWORD", "DATABASE_URL"], (path) => readFileSync(path, "utf8"));
if (wrong.length > 0) {
  for (const line of wrong) process.stderr.write(`takt simulate: ${line}\n`);
  process.exit(1);
}
const text = (name: string): string | undefined => present[name]?.trim();

export const env = {
  mqttUrl: text("MQTT_URL") ?? "mqtt://127.0.0.1:1883",
  /** For a replay with the recorded times alone, which lifts max_backfill there. */
  databaseUrl: text("DATABASE_URL"),
  mqttUsername: text("MQTT_USERNAME"),
  mqttPassword: text("MQTT_PASSWORD"),
  mqttCaFile: text("MQTT_CA_FILE"),
  mqttCertFile: text("MQTT_CERT_FILE"),
  mqttKeyFile: text("MQTT_KEY_FILE"),
  mqttVersion: text("MQTT_VERSION"),
  stateDir: resolve(import.meta.dirname, "../.takt"),
};
