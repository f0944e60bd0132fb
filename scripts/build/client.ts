/** Prisma's typed client, made when its schema changed. As a program: makes it if needed, before a command that uses it. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { childEnv, projectRoot } from "../env.ts";
import { failWith, messageOf, Trouble } from "../trouble.ts";
import { hashOf, isMade, markMade } from "./sources.ts";

const run = promisify(execFile);
const sources = ["prisma/schema.prisma", "prisma.config.ts", "package-lock.json"];

/** True if it was made now, which takes about 2 s. Throws Trouble with Prisma's own words when the schema is wrong. */
export async function generateClient(): Promise<boolean> {
  const stamp = join(projectRoot, "prisma/generated/.made-from");
  const hash = hashOf(sources);
  if (isMade(stamp, hash)) return false;
  try {
    await run(process.execPath, ["node_modules/prisma/build/index.js", "generate", "--no-hints"], {
      cwd: projectRoot,
      // Prisma would fetch a native schema engine from the internet even to generate, which needs none: any executable keeps it from that.
      env: childEnv({ PRISMA_SCHEMA_ENGINE_BINARY: process.execPath, PRISMA_HIDE_UPDATE_MESSAGE: "1", CHECKPOINT_DISABLE: "1", NO_COLOR: "1" }),
    });
  } catch (error) {
    const said = error instanceof Error && "stderr" in error ? String(error.stderr).trim() : "";
    throw new Trouble(`Prisma could not generate its client from prisma/schema.prisma: ${said || messageOf(error)}`);
  }
  markMade(stamp, hash);
  return true;
}

if (process.argv[1] === import.meta.filename) await generateClient().catch(failWith);
