/** Where the heads of the audit chains are published, by the environment; README.md has the table. Checked once, where the jobs and the audit command start. */
import { readFileSync } from "node:fs";
import { z } from "zod";
import { withSecretFiles } from "#/server/domain/secret-file.ts";

const file = z.string().refine((path) => !path.endsWith("/"), { error: "must be a file, for example /var/lib/takt-heads/heads.jsonl" });
const mailAddresses = z.string().regex(/^[^@\s,]+@[^@\s,]+(,\s*[^@\s,]+@[^@\s,]+)*$/, { error: "must be one or more mail addresses with commas between them" });

const schema = z
  .object({
    AUDIT_HEAD_FILE: file.optional(),
    AUDIT_HEAD_MAIL: mailAddresses.optional(),
    AUDIT_HEAD_TOPIC: z
      .string()
      .regex(/^[^+#\0]{1,1000}$/, { error: "must be an MQTT topic without + and #, for example takt/audit/heads" })
      .optional(),
    SMTP_URL: z
      .string()
      .regex(/^smtps?:\/\/\S+$/, { error: "must begin with smtp:// or smtps://, for example smtps://user:password@mail.example.com" })
      .optional(),
    MAIL_FROM: z.string().optional(),
    MQTT_URL: z
      .string()
      .regex(/^(mqtts?|wss?):\/\/\S+$/, { error: "must begin with mqtt://, mqtts://, ws:// or wss://" })
      .optional(),
    MQTT_USERNAME: z.string().optional(),
    MQTT_PASSWORD: z.string().optional(),
    MQTT_CA_FILE: z.string().optional(),
    MQTT_CERT_FILE: z.string().optional(),
    MQTT_KEY_FILE: z.string().optional(),
  })
  .superRefine((env, context) => {
    const wrong = (name: string, message: string) => context.addIssue({ code: "custom", path: [name], message });
    if (env.AUDIT_HEAD_MAIL && !env.SMTP_URL) wrong("SMTP_URL", "is missing: AUDIT_HEAD_MAIL is set, and mail is sent through it");
    if (env.AUDIT_HEAD_TOPIC && !env.MQTT_URL) wrong("MQTT_URL", "is missing: AUDIT_HEAD_TOPIC is set, and its broker is this one");
    if ((env.MQTT_CERT_FILE === undefined) !== (env.MQTT_KEY_FILE === undefined)) wrong("MQTT_CERT_FILE", "and MQTT_KEY_FILE go together: set both or neither");
  });

/** Where the heads are retained at the broker, to which nobody else may publish; null: nowhere that this program knows of. */
export const headTopic = (variables: Variables = process.env): string | null => variables.AUDIT_HEAD_TOPIC || null;

type Variables = Record<string, string | undefined>;

export type HeadTargets = {
  file: string | null;
  mail: { to: string; from: string; smtpUrl: string } | null;
  mqtt: { topic: string; url: string; username?: string; password?: string; ca?: Buffer; cert?: Buffer; key?: Buffer } | null;
};

/** The targets, or one line per wrong variable. Values are never printed: they may hold passwords. */
export function readHeadTargets(variables: Variables = process.env): HeadTargets | { wrong: string[] } {
  const { present, wrong } = withSecretFiles(variables, ["SMTP_URL", "MQTT_URL", "MQTT_PASSWORD"], (path) => readFileSync(path, "utf8"));
  const read = (name: string): Buffer | undefined => {
    const path = present[name];
    if (path === undefined) return undefined;
    try {
      return readFileSync(path);
    } catch (error) {
      wrong.push(`${name} names a file that cannot be read (${error instanceof Error && "code" in error ? error.code : error})`);
      return undefined;
    }
  };
  const parsed = schema.safeParse(present);
  if (!parsed.success) wrong.push(...parsed.error.issues.map((issue) => `${issue.path.join(".")} ${issue.message}`));
  if (wrong.length > 0 || !parsed.success) return { wrong };
  const env = parsed.data;
  const { AUDIT_HEAD_MAIL: to, SMTP_URL: smtpUrl, AUDIT_HEAD_TOPIC: topic, MQTT_URL: url } = env;
  const mqtt =
    topic === undefined || url === undefined
      ? null
      : {
          topic,
          url,
          ...(env.MQTT_USERNAME === undefined ? {} : { username: env.MQTT_USERNAME }),
          ...(env.MQTT_PASSWORD === undefined ? {} : { password: env.MQTT_PASSWORD }),
          ...files({ ca: read("MQTT_CA_FILE"), cert: read("MQTT_CERT_FILE"), key: read("MQTT_KEY_FILE") }),
        };
  if (wrong.length > 0) return { wrong };
  return {
    file: env.AUDIT_HEAD_FILE ?? null,
    mail: to === undefined || smtpUrl === undefined ? null : { to, smtpUrl, from: env.MAIL_FROM ?? "takt@localhost" },
    mqtt,
  };
}

const files = (given: Record<"ca" | "cert" | "key", Buffer | undefined>) =>
  Object.fromEntries(Object.entries(given).filter(([, bytes]) => bytes !== undefined));
