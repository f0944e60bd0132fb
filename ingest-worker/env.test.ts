import { describe, expect, it } from "vitest";
import { readEnv } from "./env.ts";

const given = { NODE_ENV: "test", DATABASE_URL: "postgres://takt:secret@127.0.0.1:5432/takt", MQTT_URL: "mqtt://127.0.0.1" } as const;
const trouble = (over: Record<string, string>) => {
  try {
    readEnv({ ...given, ...over });
    return "none";
  } catch (error) {
    return (error as Error).message;
  }
};

describe("the environment", () => {
  it("has its defaults", () => {
    expect(readEnv(given)).toMatchObject({
      MQTT_VERSION: 5,
      INGEST_NAME: "ingest",
      INGEST_HTTP_PORT: 9464,
      HOST: "127.0.0.1",
      SPARKPLUG_GROUPS: ["+"],
      SPARKPLUG_HOST_ID: "takt",
      RETAIN_TREND_RAW_DAYS: 7,
    });
    expect(readEnv({ ...given, SPARKPLUG_GROUPS: "none", MQTT_VERSION: "4", INGEST_TOPICS: "a/#, b/+/c", LOG_LEVEL: "" })).toMatchObject({
      SPARKPLUG_GROUPS: [],
      MQTT_VERSION: 4,
      INGEST_TOPICS: ["a/#", "b/+/c"],
      LOG_LEVEL: "info",
    });
  });

  it.each(["silent", "fatal"])("LOG_LEVEL %s is one", (LOG_LEVEL) => {
    expect(readEnv({ ...given, LOG_LEVEL }).LOG_LEVEL).toBe(LOG_LEVEL);
  });

  it.each([
    [{ DATABASE_URL: "" }, "DATABASE_URL is missing: set it, e.g. postgres://takt:secret@127.0.0.1:5432/takt"],
    [{ DATABASE_URL: "mysql://x" }, "DATABASE_URL must be postgres://user:password@host:port/database"],
    [{ MQTT_URL: "" }, "MQTT_URL is missing: set it, e.g. mqtt://127.0.0.1:1883"],
    [{ MQTT_URL: "http://x" }, "MQTT_URL must be mqtt://host:1883 or mqtts://host:8883"],
    [{ MQTT_VERSION: "3" }, "MQTT_VERSION must be 5 or 4 (4 is MQTT 3.1.1)"],
    [{ MQTT_CA_FILE: "/nowhere/ca.crt" }, /^MQTT_CA_FILE cannot read the file \/nowhere\/ca.crt: ENOENT/],
    [{ INGEST_TOPICS: "takt/v1/a#" }, 'INGEST_TOPICS "takt/v1/a#" is not a topic filter: + stands for one whole level, # for the rest, at the end'],
    [{ INGEST_TOPICS: "#/a" }, /^INGEST_TOPICS "#\/a" is not a topic filter/],
    [{ INGEST_TOPICS: "a+/b" }, /is not a topic filter/],
    [{ INGEST_TOPICS: "$share/g/takt/v1/#" }, /^INGEST_TOPICS "\$share\/g\/takt\/v1\/#" begins with \$: .* One worker reads a topic; /],
    [{ INGEST_TOPICS: "a/#,$SYS/#" }, /^INGEST_TOPICS "\$SYS\/#" begins with \$/],
    [{ INGEST_TOPICS: " , " }, "INGEST_TOPICS names no topic filter"],
    [{ INGEST_NAME: "a b" }, "INGEST_NAME may have letters, digits, dot, dash and underscore only"],
    [{ INGEST_HTTP_PORT: "http" }, "INGEST_HTTP_PORT must be a port, 0 to 65535"],
    [{ INGEST_HTTP_PORT: "70000" }, "INGEST_HTTP_PORT must be a port, 0 to 65535"],
    [{ RETAIN_TREND_RAW_DAYS: "-1" }, "RETAIN_TREND_RAW_DAYS must be a whole number of days, at least 1"],
    [{ SPARKPLUG_HOST_ID: "a/b" }, "SPARKPLUG_HOST_ID must not have / + or #"],
    [{ LOG_LEVEL: "loud" }, "LOG_LEVEL must be one of fatal, error, warn, info, debug, trace, silent"],
  ])("%j", (over, sentence) => {
    if (typeof sentence === "string") expect(trouble(over)).toBe(sentence);
    else expect(trouble(over)).toMatch(sentence);
  });

  it("says everything that is wrong, a line each, and no password", () => {
    const said = trouble({ DATABASE_URL: "mysql://takt:secret@x", MQTT_VERSION: "6" });
    expect(said.split("\n").length).toBe(2);
    expect(said).not.toContain("secret");
  });
});
