// Who may import whom. The rules are biome's (biome.json); here they are seen biting. What biome cannot say is checked here itself.
import { spawnSync } from "node:child_process";
import { copyFileSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, resolve } from "node:path";
import { describe, expect, it } from "vitest";

const root = resolve(import.meta.dirname, "..");

/** What biome says of a file with this content at this place in the project. */
function lint(file: string, code: string): string {
  const dir = mkdtempSync(resolve(tmpdir(), "takt-lint-"));
  try {
    copyFileSync(resolve(root, "biome.json"), resolve(dir, "biome.json"));
    mkdirSync(dirname(resolve(dir, file)), { recursive: true });
    writeFileSync(resolve(dir, file), code);
    const { stdout, stderr } = spawnSync(resolve(root, "node_modules/.bin/biome"), ["lint", "--colors=off", "--vcs-enabled=false", file], {
      cwd: dir,
      encoding: "utf8",
    });
    return stdout + stderr;
  } finally {
    rmSync(dir, { recursive: true });
  }
}

describe("import rules bite", () => {
  it.each([
    ["server/domain/oee.ts", 'import { pool } from "#/server/db.ts";\nexport const x = pool;\n', "The domain is pure"],
    ["server/domain/oee.ts", 'import { readFileSync } from "node:fs";\nexport const x = readFileSync;\n', "The domain is pure"],
    ["ingest-worker/decode.ts", 'import { pool } from "#/server/db.ts";\nexport const x = pool;\n', "Of the server, only its domain"],
    ["ingest-worker/decode.ts", 'import { PrismaClient } from "@prisma/client";\nexport const x = PrismaClient;\n', "No screens, no Prisma"],
    ["simulator/main.ts", 'import { x } from "../server/boards/service.ts";\nexport const y = x;\n', "Of the server, only its domain"],
    ["server/boards/service.ts", 'import { Tile } from "#/components/boards/tile.tsx";\nexport const x = Tile;\n', "The server knows no screens"],
    ["server/boards/service.ts", 'import { rows } from "../data-health/queries.ts";\nexport const x = rows;\n', "never its queries or router"],
    ["server/boards/service.ts", 'import { r } from "#/server/data-health/router.ts";\nexport const x = r;\n', "never its queries or router"],
    ["server/router.ts", 'import { rows } from "#/server/data-health/queries.ts";\nexport const x = rows;\n', "never of queries"],
    ["simulator/main.ts", 'import { x } from "#/ingest-worker/decode.ts";\nexport const y = x;\n', "The simulator knows neither worker"],
    ["simulator/main.ts", 'import { x } from "#/bench/main.ts";\nexport const y = x;\n', "The simulator knows neither worker"],
    ["simulator/main.ts", 'import { x } from "#/scripts/env.ts";\nexport const y = x;\n', "The simulator knows neither worker"],
    ["ingest-worker/decode.ts", 'import { x } from "#/simulator/main.ts";\nexport const y = x;\n', "The worker knows neither simulator"],
    ["ingest-worker/decode.ts", 'import { x } from "../simulator/main.ts";\nexport const y = x;\n', "The worker knows neither simulator"],
    ["app/page.tsx", 'import pg from "pg";\nexport const x = pg;\n', "neither the database's driver"],
    ["app/page.tsx", 'import { x } from "#/ingest-worker/decode.ts";\nexport const y = x;\n', "neither the database's driver"],
    ["app/page.tsx", 'import { x } from "#/simulator/main.ts";\nexport const y = x;\n', "neither the database's driver"],
    ["components/boards/tile.tsx", 'import { page } from "#/app/page.tsx";\nexport const x = page;\n', "Components know neither pages"],
    ["e2e/board.spec.ts", 'import { x } from "#/server/env.ts";\nexport const y = x;\n', "Browser tests import nothing of ours"],
    ["server/boards/service.ts", "export const x = process.env.DATABASE_URL;\n", "noProcessEnv"],
  ])("%s: %s", (file, code, message) => {
    expect(lint(file, code)).toContain(message);
  });

  it("lets through what is allowed", () => {
    expect(lint("server/domain/oee.ts", 'import { z } from "zod";\nimport { delta } from "./counter.ts";\n\nexport const x = [z, delta];\n')).not.toContain(
      "noRestrictedImports",
    );
    expect(lint("ingest-worker/decode.ts", 'import { delta } from "#/server/domain/counter.ts";\n\nexport const x = delta;\n')).not.toContain(
      "noRestrictedImports",
    );
    expect(lint("server/router.ts", 'import { boardRouter } from "#/server/boards/router.ts";\n\nexport const x = boardRouter;\n')).not.toContain(
      "noRestrictedImports",
    );
    expect(lint("server/rsc.ts", 'import { appRouter } from "#/server/router.ts";\n\nexport const x = appRouter;\n')).not.toContain("noRestrictedImports");
    expect(lint("simulator/main.ts", 'import pg from "pg";\nimport { run } from "#/simulator/live.ts";\n\nexport const x = [pg, run];\n')).not.toContain(
      "noRestrictedImports",
    );
  });
});

/** Imports of a file that take values, not types only. */
const valueImports = (code: string) =>
  [...code.matchAll(/^import\s+(?!type\s)([^;]*?)\s*from\s+"([^"]+)"/gms)]
    .filter(([, what]) => !/^\{\s*(type\s+[\w\s]+,?\s*)+\}$/.test(what ?? ""))
    .map(([, , from]) => from ?? "");

describe("what biome cannot say", () => {
  it("components take types of the server only, and values of its pure domain", () => {
    const offenders = globSync("components/**/*.{ts,tsx}", { cwd: root }).flatMap((file) =>
      valueImports(readFileSync(resolve(root, file), "utf8"))
        .filter((from) => /(^#\/|\/)server\//.test(from) && !/server\/domain\//.test(from))
        .map((from) => `${file}: ${from}`),
    );
    expect(offenders).toEqual([]);
  });

  it("no folder or file without a home: lib, utils, common, helpers, index", () => {
    const folders = ["app", "bench", "components", "e2e", "ingest-worker", "prisma", "scripts", "server", "simulator"];
    const homeless = globSync(
      folders.map((f) => `${f}/**/*`),
      { cwd: root, exclude: (name) => name === "generated" || name === "node_modules" },
    ).filter((path) => /(^|\/)(lib|utils?|common|helpers?)(\/|$)|(^|\/)index\.tsx?$/.test(path));
    expect(homeless).toEqual([]);
  });
});
