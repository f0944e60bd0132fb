import type { WorkerHealth } from "#/server/workers/service.ts";

/** works; hindered: something stands in its way; stands_by: another reads its topics; replaced: away, and others read them; away. */
export type WorkerState = "works" | "hindered" | "stands_by" | "replaced" | "away";

export function workerState(
  worker: Pick<WorkerHealth, "alive" | "leased" | "replaced" | "trouble" | "mqttConnected" | "subscribed" | "databaseOk">,
): WorkerState {
  if (!worker.alive) return worker.replaced ? "replaced" : "away";
  if (!worker.leased) return "stands_by";
  return worker.trouble !== "" || !worker.mqttConnected || !worker.subscribed || !worker.databaseOk ? "hindered" : "works";
}

/** By which the colours of a machine's state are taken. */
export const colourOf: Record<WorkerState, "run" | "down" | "planned_stop"> = {
  works: "run",
  hindered: "down",
  stands_by: "planned_stop",
  replaced: "planned_stop",
  away: "down",
};

/** What starts a worker; the one that is called `ingest` needs no name. */
export const startCommand = (name?: string) =>
  `DATABASE_URL=postgres://… MQTT_URL=mqtt://… ${name && name !== "ingest" ? `INGEST_NAME=${name} ` : ""}npm run ingest`;
