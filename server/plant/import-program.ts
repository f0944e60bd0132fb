/** Where the program of large imports lies: in a build as one file beside the server (scripts/build/import-child.ts), else as it was written. */
import { existsSync } from "node:fs";
import { join } from "node:path";

export const builtImportProgram = "import-child.mjs";

/** folder: where the web server runs; in a build, the build itself. */
export function importProgram(folder: string): string {
  const built = join(/* turbopackIgnore: true */ folder, builtImportProgram);
  return existsSync(built) ? built : join(/* turbopackIgnore: true */ folder, "server/plant/import-child.ts");
}
