/** The environment of the jobs process, checked once. README.md has the table. Read nowhere else below server/jobs. */
import { readFileSync } from "node:fs";
import { z } from "zod";
import { withSecretFiles } from "#/server/domain/secret-file.ts";

const days = (what: string) =>
  z.coerce
    .number({ error: `must be a whole number of days from 1 to 36500: how long ${what} are kept` })
    .int({ error: `must be a whole number of days: how long ${what} are kept` })
    .min(1, { error: `must be at least 1 day: how long ${what} are kept` })
    .max(36_500, { error: `must be at most 36500 days: how long ${what} are kept` });

const mustBeMb = "must be a whole number of MB from 10 to 10000000: how much dead letters may take together";

const schema = z.object({
  DATABASE_URL: z
    .string({ error: "is missing: set it (or DATABASE_URL_FILE) to the PostgreSQL database, for example postgres://takt@127.0.0.1:5432/takt" })
    .regex(/^postgres(ql)?:\/\//, { error: "must begin with postgres:// or postgresql://" }),
  JOBS_HTTP_PORT: z.coerce
    .number({ error: "must be a port from 0 to 65535 (0: any free one)" })
    .int({ error: "must be a port from 0 to 65535 (0: any free one)" })
    .min(0, { error: "must be a port from 0 to 65535 (0: any free one)" })
    .max(65_535, { error: "must be a port from 0 to 65535 (0: any free one)" })
    .default(9465),
  HOST: z.string().default("127.0.0.1"),
  LOG_LEVEL: z
    .enum(["fatal", "error", "warn", "info", "debug", "trace", "silent"], { error: "must be one of fatal, error, warn, info, debug, trace, silent" })
    .default("info"),
  RETAIN_TREND_RAW_DAYS: days("raw measurements").default(7),
  RETAIN_TREND_HOURLY_DAYS: days("hourly measurements").default(90),
  RETAIN_DEAD_LETTER_DAYS: days("resolved and discarded dead letters").default(90),
  RETAIN_LETTERS_MB: z.coerce
    .number({ error: mustBeMb })
    .int({ error: mustBeMb })
    .min(10, { error: mustBeMb })
    .max(10_000_000, { error: mustBeMb })
    .default(4_000),
});

export type Env = z.output<typeof schema>;

/** The environment, or one line per wrong variable. Values are never printed: they may hold passwords. */
export function readEnv(variables: Record<string, string | undefined> = process.env): Env | { wrong: string[] } {
  const { present, wrong } = withSecretFiles(variables, ["DATABASE_URL"], (path) => readFileSync(path, "utf8"));
  if (wrong.length > 0) return { wrong };
  const parsed = schema.safeParse(present);
  if (parsed.success) {
    if (parsed.data.RETAIN_TREND_HOURLY_DAYS >= parsed.data.RETAIN_TREND_RAW_DAYS) return parsed.data;
    const why = "the hourly roll-up is what remains when raw measurements are dropped";
    return { wrong: [`RETAIN_TREND_HOURLY_DAYS must not be less than RETAIN_TREND_RAW_DAYS: ${why}`] };
  }
  const byVariable = Map.groupBy(parsed.error.issues, (issue) => issue.path.join("."));
  return { wrong: [...byVariable].map(([name, issues]) => `${name} ${issues[0]?.message}`) };
}
