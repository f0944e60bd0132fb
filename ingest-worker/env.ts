// The worker's environment: read once, checked, one clear line for what is wrong.
import { readFileSync } from "node:fs";
import { z } from "zod";
import { withSecretFiles } from "#/server/domain/secret-file.ts";

const portRange = "must be a port, 0 to 65535";
const port = z.coerce.number(portRange).int(portRange).min(0, portRange).max(65535, portRange);
const wholeDays = "must be a whole number of days, at least 1";
const file = z
  .string()
  .min(1)
  .transform((path, ctx) => {
    try {
      return readFileSync(path);
    } catch (error) {
      ctx.addIssue({ code: "custom", message: `cannot read the file ${path}: ${(error as Error).message}` });
      return z.NEVER;
    }
  });
const filters = z.string().transform((list, ctx) => {
  const out = list
    .split(",")
    .map((s) => s.trim())
    .filter(Boolean);
  for (const filter of out) {
    if (filter.startsWith("$"))
      ctx.addIssue({
        code: "custom",
        message: `"${filter}" begins with $: those are the broker's own topics and shared subscriptions. One worker reads a topic; give each worker filters of its own, like takt/v1/berlin/#`,
      });
    const levels = filter.split("/");
    const bad = levels.some((level, i) => (level.includes("#") && (level !== "#" || i < levels.length - 1)) || (level.includes("+") && level !== "+"));
    if (bad) ctx.addIssue({ code: "custom", message: `"${filter}" is not a topic filter: + stands for one whole level, # for the rest, at the end` });
  }
  if (out.length === 0) ctx.addIssue({ code: "custom", message: "names no topic filter" });
  return out;
});

const schema = z.object({
  DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/, error: "must be postgres://user:password@host:port/database" }),
  MQTT_URL: z.url({ protocol: /^(mqtts?|ssl|tcp)$/, error: "must be mqtt://host:1883 or mqtts://host:8883" }),
  MQTT_USERNAME: z.string().optional(),
  MQTT_PASSWORD: z.string().optional(),
  MQTT_CA_FILE: file.optional(),
  MQTT_CERT_FILE: file.optional(),
  MQTT_KEY_FILE: file.optional(),
  MQTT_VERSION: z
    .enum(["4", "5"], { error: "must be 5 or 4 (4 is MQTT 3.1.1)" })
    .default("5")
    .transform((v) => (v === "4" ? 4 : 5)),
  INGEST_NAME: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,60}$/, "may have letters, digits, dot, dash and underscore only")
    .default("ingest"),
  INGEST_TOPICS: filters.optional(),
  INGEST_HTTP_PORT: port.default(9464),
  HOST: z.string().default("127.0.0.1"),
  SPARKPLUG_GROUPS: z
    .string()
    .default("+")
    .transform((v) =>
      v === "none"
        ? []
        : v
            .split(",")
            .map((s) => s.trim())
            .filter(Boolean),
    ),
  SPARKPLUG_HOST_ID: z
    .string()
    .regex(/^[^/+#]+$/, "must not have / + or #")
    .default("takt"),
  RETAIN_TREND_RAW_DAYS: z.coerce.number(wholeDays).int(wholeDays).min(1, wholeDays).default(7),
  LOG_LEVEL: z
    .enum(["fatal", "error", "warn", "info", "debug", "trace", "silent"], { error: "must be one of fatal, error, warn, info, debug, trace, silent" })
    .default("info"),
});

export type Env = z.output<typeof schema>;

/** The environment, checked. Throws an Error whose message is one line a variable. */
export function readEnv(from: NodeJS.ProcessEnv = process.env): Env {
  const { present, wrong } = withSecretFiles(from, ["DATABASE_URL", "MQTT_URL", "MQTT_PASSWORD"], (path) => readFileSync(path, "utf8"));
  if (wrong.length > 0) throw new Error(wrong.join("\n"));
  const parsed = schema.safeParse(present);
  if (parsed.success) return parsed.data;
  throw new Error(
    parsed.error.issues
      .map((issue) => {
        const name = String(issue.path[0]);
        return present[name] === undefined ? `${name} is missing: set it, e.g. ${example[name] ?? "see the README"}` : `${name} ${issue.message}`;
      })
      .join("\n"),
  );
}
const example: Record<string, string> = { DATABASE_URL: "postgres://takt:secret@127.0.0.1:5432/takt", MQTT_URL: "mqtt://127.0.0.1:1883" };
