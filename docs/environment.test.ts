// README.md's table of the environment against what the programs really read.
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { secretNames } from "#/server/domain/secret-file.ts";

const root = join(import.meta.dirname, "..");

/** Of the machine, or set by the commands themselves. */
const others = ["CI", "NODE_ENV", "PATH", "HOME", "PGDATA", "LANG", "TZ", "LC_ALL"];

it("has every variable that an env.ts reads, and no other", () => {
  const read = globSync("{server,ingest-worker,simulator,scripts,bench}/**/env.ts", { cwd: root })
    .map((file) => readFileSync(join(root, file), "utf8"))
    .flatMap((text) => [...text.matchAll(/^\s+([A-Z][A-Z0-9_]+): |text\("([A-Z][A-Z0-9_]+)"\)/gm)].map(([, key, asked]) => key ?? asked ?? ""))
    .filter((name) => !others.includes(name));
  const table = readFileSync(join(root, "README.md"), "utf8").split("## Environment")[1]?.split("\n## ")[0] ?? "";
  const named = table.split("\n").flatMap((line) => [...(line.split(" | ")[0] ?? "").matchAll(/`([A-Z][A-Z0-9_]+)`/g)].map(([, name]) => name ?? ""));
  expect(read.length).toBeGreaterThan(30);
  expect(named.toSorted()).toEqual([...new Set([...read, ...secretNames.map((name) => `${name}_FILE`)])].toSorted());
});
