import { describe, expect, it } from "vitest";
import { readEnv } from "#/ingest-worker/env.ts";
import { startCommand, workerState } from "./worker-state.ts";

const fine = { alive: true, leased: true, replaced: false, trouble: "", mqttConnected: true, subscribed: true, databaseOk: true };

describe("a worker's state", () => {
  it.each([
    ["works", {}],
    ["hindered", { trouble: "Sparkplug: not online as host application yet." }],
    ["hindered", { subscribed: false }],
    ["hindered", { mqttConnected: false }],
    ["hindered", { databaseOk: false }],
    ["stands_by", { leased: false, mqttConnected: false, trouble: "Standing by: ..." }],
    ["away", { alive: false, trouble: "Broker: ..." }],
    ["replaced", { alive: false, replaced: true }],
  ])("%s: %j", (state, differs) => {
    expect(workerState({ ...fine, ...differs })).toBe(state);
  });

  it("the command names a worker, but for the one that has the name without being told", () => {
    const unnamed = readEnv({ NODE_ENV: "test", DATABASE_URL: "postgres://localhost/takt", MQTT_URL: "mqtt://localhost" });
    expect(startCommand(unnamed.INGEST_NAME)).toBe(startCommand());
    expect(startCommand("berlin")).toContain("INGEST_NAME=berlin npm run ingest");
  });
});
