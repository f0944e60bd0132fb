/** The web app's environment, checked once. README.md has the table. Read nowhere else below server/ and app/. */
import { readFileSync } from "node:fs";
import { z } from "zod";
import { withSecretFiles } from "#/server/domain/secret-file.ts";

const schema = z.object({
  DATABASE_URL: z
    .string({ error: "is missing: set it (or DATABASE_URL_FILE) to the PostgreSQL database, for example postgres://takt@127.0.0.1:5432/takt" })
    .regex(/^postgres(ql)?:\/\//, { error: "must begin with postgres:// or postgresql://" }),
  LOG_LEVEL: z
    .enum(["fatal", "error", "warn", "info", "debug", "trace", "silent"], { error: "must be one of fatal, error, warn, info, debug, trace, silent" })
    .default("info"),
  NODE_ENV: z.enum(["development", "production", "test"]).catch("production"),
});
export type Env = z.infer<typeof schema>;

/** One line per wrong variable, with its name and what it should be; an empty list where all is well. Values are never printed: they may hold passwords. */
export function whatIsWrong(variables: Record<string, string | undefined>): string[] {
  const { present, wrong } = filled(variables);
  const parsed = schema.safeParse(present);
  return wrong.length > 0 || parsed.success ? wrong : parsed.error.issues.map((issue) => `${issue.path.join(".")} ${issue.message}`);
}

const filled = (variables: Record<string, string | undefined>) => withSecretFiles(variables, ["DATABASE_URL"], (path) => readFileSync(path, "utf8"));

let checked: Env | undefined;

/** @throws Error that names each wrong variable; `instrumentation.ts` has already ended the process with the same lines by then */
export function env(): Env {
  if (checked) return checked;
  const wrong = whatIsWrong(process.env);
  if (wrong.length > 0) throw new Error(wrong.join("\n"));
  checked = schema.parse(filled(process.env).present);
  return checked;
}

/** Ends the process with one line per wrong variable; `more`: what another part found wrong. Called before the server answers anything. */
export function endIfWrong(more: readonly string[] = []): void {
  const wrong = [...whatIsWrong(process.env), ...more];
  if (wrong.length === 0) return;
  for (const line of wrong) process.stderr.write(`takt web: ${line}\n`);
  process.exit(1);
}
