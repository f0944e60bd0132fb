/** The environment of the simulator; README.md has the whole table. Read nowhere else below simulator/. */
import { resolve } from "node:path";

const text = (name: string): string | undefined => {
  const value = process.env[name]?.trim();
  return value ? value : undefined;
};

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
