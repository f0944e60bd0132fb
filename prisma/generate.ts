/** Writes the typed client to prisma/generated, offline: call generatePrismaClient(), or run `node prisma/generate.ts`. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { childEnv, projectRoot } from "#/scripts/env.ts";
import { failWith, messageOf, Trouble } from "#/scripts/trouble.ts";

const execFileAsync = promisify(execFile);

/** About 1 s. @throws Trouble with Prisma's own words when the schema is wrong */
export async function generatePrismaClient(): Promise<void> {
  const cli = fileURLToPath(new URL("build/index.js", import.meta.resolve("prisma/package.json")));
  try {
    await execFileAsync(process.execPath, [cli, "generate", "--no-hints"], {
      cwd: projectRoot,
      // Prisma would fetch a native schema engine from the internet even to generate, which needs none: any executable keeps it from that.
      env: childEnv({ PRISMA_SCHEMA_ENGINE_BINARY: process.execPath, PRISMA_HIDE_UPDATE_MESSAGE: "1", CHECKPOINT_DISABLE: "1" }),
    });
  } catch (error) {
    const said = error instanceof Error && "stderr" in error ? String(error.stderr).trim() : "";
    throw new Trouble(`Prisma could not generate its client from prisma/schema.prisma: ${said || messageOf(error)}`);
  }
}

if (import.meta.main) await generatePrismaClient().catch(failWith);
