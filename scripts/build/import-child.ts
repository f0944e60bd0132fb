/**
 * The program of large imports as one file with all that it imports in it. Next traces what its own routes import; of a program that is started beside them it
 * takes along no more than the file itself, so whatever that came to import later would be missing from the build, and nobody would know before the first large file.
 */
import { join } from "node:path";
import { build } from "rolldown";
import { projectRoot } from "../env.ts";

/** Asked for by pg where somebody has installed it, and done without where not. */
const optional = new Set(["pg-native"]);

/** Writes `server/plant/import-child.ts` with its whole closure to the file. @throws Error where something of it cannot be found */
export async function bundleImportChild(file: string): Promise<void> {
  await build({
    input: join(projectRoot, "server/plant/import-child.ts"),
    cwd: projectRoot,
    platform: "node",
    external: [...optional],
    output: { file, format: "esm", codeSplitting: false },
    logLevel: "silent",
    onLog(_level, log) {
      if (log.code === "UNRESOLVED_IMPORT") throw new Error(`The program of large imports cannot be built: ${log.message}`);
    },
  });
}
