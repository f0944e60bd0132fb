/** Whether something was made from the sources as they are now: a hash of them is kept beside what was made. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { projectRoot } from "../env.ts";

/** Hash of the files and folders, by path and content; tests left out. Missing ones count as such. */
export function hashOf(paths: string[]): string {
  const hash = createHash("sha256").update(process.version);
  const add = (path: string) => {
    const full = join(projectRoot, path);
    if (!existsSync(full)) hash.update(`${path} missing\n`);
    else if (statSync(full).isDirectory()) for (const name of readdirSync(full).sort()) add(`${path}/${name}`);
    else if (!/\.test\.tsx?$/.test(path)) hash.update(`${path}\n`).update(readFileSync(full));
  };
  for (const path of paths) add(path);
  return hash.digest("hex");
}

export const isMade = (stampFile: string, hash: string): boolean => existsSync(stampFile) && readFileSync(stampFile, "utf8") === hash;

export function markMade(stampFile: string, hash: string): void {
  mkdirSync(dirname(stampFile), { recursive: true });
  writeFileSync(stampFile, hash);
}
