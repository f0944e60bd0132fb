/** Which build this process serves: a screen that was loaded from another one reloads itself. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { env } from "#/server/env.ts";

let build: string | undefined;

/** Next's build id; "development" where there is no build. */
export function buildId(): string {
  build ??= env().NODE_ENV !== "production" ? "development" : readFileSync(join(process.cwd(), ".next/BUILD_ID"), "utf8").trim();
  return build;
}
