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
    ["ingest-worker/resolve.ts", 'import { pool } from "#/server/db.ts";\nexport const x = pool;\n', "Of the server, only its domain"],
    ["ingest-worker/resolve.ts", 'import { PrismaClient } from "@prisma/client";\nexport const x = PrismaClient;\n', "No screens, no Prisma"],
    ["simulator/main.ts", 'import { x } from "../server/boards/service.ts";\nexport const y = x;\n', "Of the server, only its domain"],
    ["server/boards/service.ts", 'import { Tile } from "#/components/boards/tile.tsx";\nexport const x = Tile;\n', "The server knows no screens"],
    ["server/boards/service.ts", 'import { rows } from "../data-health/queries.ts";\nexport const x = rows;\n', "never its queries or router"],
    ["server/boards/service.ts", 'import { r } from "#/server/data-health/router.ts";\nexport const x = r;\n', "never its queries or router"],
    [
      "server/boards/service.ts",
      'import { letterRows } from "#/server/data-health/letter-queries.ts";\nexport const x = letterRows;\n',
      "never its queries or router",
    ],
    [
      "server/boards/service.ts",
      'import { machineRows } from "../data-health/mapping-queries.ts";\nexport const x = machineRows;\n',
      "never its queries or router",
    ],
    ["server/boards/service.ts", 'export { boardRouter } from "../data-health/router.ts";\n', "never its queries or router"],
    ["server/boards/service.ts", 'export const x = () => import("#/server/data-health/queries.ts");\n', "never its queries or router"],
    ["server/health.ts", 'import { workerRows } from "./workers/queries.ts";\nexport const x = workerRows;\n', "never its queries or router"],
    ["server/health.ts", 'import { workerRows } from "#/server/workers/queries.ts";\nexport const x = workerRows;\n', "never its queries or router"],
    ["server/boards/service.ts", 'import { migrate } from "#/scripts/migrate.ts";\nexport const x = migrate;\n', "The server knows no commands"],
    ["server/boards/service.ts", 'import { x } from "../../bench/main.ts";\nexport const y = x;\n', "The server knows no commands"],
    ["server/router.ts", 'import { x } from "#/bench/main.ts";\nexport const y = x;\n', "The server knows no commands"],
    ["server/router.ts", 'import { letterRows } from "./data-health/letter-queries.ts";\nexport const x = letterRows;\n', "never of queries"],
    ["ingest-worker/resolve.ts", 'import { initTRPC } from "@trpc/server";\nexport const x = initTRPC;\n', "No screens, no Prisma"],
    ["ingest-worker/resolve.ts", 'import { createTranslator } from "next-intl";\nexport const x = createTranslator;\n', "No screens, no Prisma"],
    ["ingest-worker/resolve.ts", 'import x from "prisma";\nexport const y = x;\n', "No screens, no Prisma"],
    ["ingest-worker/resolve.ts", 'import { x } from "#/prisma/generated/client.ts";\nexport const y = x;\n', "No screens, no Prisma"],
    ["ingest-worker/resolve.ts", 'import { x } from "../e2e/board.spec.ts";\nexport const y = x;\n', "No screens, no Prisma"],
    ["server/router.ts", 'import { rows } from "#/server/data-health/queries.ts";\nexport const x = rows;\n', "never of queries"],
    ["simulator/main.ts", 'import { x } from "#/ingest-worker/resolve.ts";\nexport const y = x;\n', "The simulator knows neither worker"],
    ["simulator/main.ts", 'import { x } from "#/bench/main.ts";\nexport const y = x;\n', "The simulator knows neither worker"],
    ["simulator/main.ts", 'import { x } from "#/scripts/env.ts";\nexport const y = x;\n', "The simulator knows neither worker"],
    ["ingest-worker/resolve.ts", 'import { x } from "#/simulator/main.ts";\nexport const y = x;\n', "The worker knows neither simulator"],
    ["ingest-worker/resolve.ts", 'import { x } from "../simulator/main.ts";\nexport const y = x;\n', "The worker knows neither simulator"],
    ["app/page.tsx", 'import pg from "pg";\nexport const x = pg;\n', "neither the database's driver"],
    ["app/page.tsx", 'import { x } from "#/ingest-worker/resolve.ts";\nexport const y = x;\n', "neither the database's driver"],
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
    expect(lint("ingest-worker/resolve.ts", 'import { delta } from "#/server/domain/counter.ts";\n\nexport const x = delta;\n')).not.toContain(
      "noRestrictedImports",
    );
    expect(lint("server/router.ts", 'import { boardRouter } from "#/server/boards/router.ts";\n\nexport const x = boardRouter;\n')).not.toContain(
      "noRestrictedImports",
    );
    expect(
      lint(
        "server/boards/service.ts",
        'import { workerHealth } from "#/server/workers/service.ts";\nimport { rows } from "./queries.ts";\n\nexport const x = [rows, workerHealth];\n',
      ),
    ).not.toContain("noRestrictedImports");
    expect(lint("server/plant/testing.ts", 'import { migrate } from "#/scripts/migrate.ts";\n\nexport const x = migrate;\n')).not.toContain(
      "noRestrictedImports",
    );
    expect(lint("server/rsc.ts", 'import { appRouter } from "#/server/router.ts";\n\nexport const x = appRouter;\n')).not.toContain("noRestrictedImports");
    expect(lint("simulator/main.ts", 'import pg from "pg";\nimport { run } from "#/simulator/live.ts";\n\nexport const x = [pg, run];\n')).not.toContain(
      "noRestrictedImports",
    );
  });
});

/** What a file takes or passes on while it runs, types aside. `import { type T }` is among them: it loads the file that it names. */
function valueImports(code: string): string[] {
  const bare = code.replace(/\/\*[\s\S]*?\*\//g, "").replace(/(^|\s)\/\/.*$/gm, "");
  const still = [...bare.matchAll(/\b(?:import|export)\b\s*(?:(type\s+(?!from\b|,))?[\w\s{},*$]*?\bfrom\s*)?["']([^"']+)["']/g)];
  const moving = [...bare.matchAll(/\bimport\s*\(\s*(?:["'`]([^"'`]*)["'`]|[^)]*)/g)].map(([whole, from]) => from ?? whole);
  return [...still.flatMap(([, isType, from]) => (isType ? [] : [from ?? ""])), ...moving];
}
/** A component runs in browsers. */
const isServers = (from: string) => /(^#\/|\/)server\//.test(from) && !/(^#\/|\/)server\/domain\//.test(from);

describe("what biome cannot say", () => {
  it("components take types of the server only, and values of its pure domain", () => {
    const offenders = globSync("components/**/*.{ts,tsx}", { cwd: root }).flatMap((file) =>
      valueImports(readFileSync(resolve(root, file), "utf8"))
        .filter((from) => isServers(from) || from.startsWith("import"))
        .map((from) => `${file}: ${from}`),
    );
    expect(offenders).toEqual([]);
  });

  it.each([
    ['import "#/server/db.ts";', 1],
    ['import { db } from "#/server/db.ts";', 1],
    ['import { type Db, db } from "../../server/db.ts";', 1],
    ['import { type Db } from "#/server/db.ts";', 1],
    ['import * as x from "#/server/db.ts";', 1],
    ['import x, { type Db } from "#/server/db.ts";', 1],
    ['import {\n  a,\n  b,\n} from "#/server/db.ts";', 1],
    ['export { db } from "#/server/db.ts";', 1],
    ['export * from "#/server/db.ts";', 1],
    ['const x = await import("#/server/db.ts");', 1],
    ["const x = () => import(`#/server/db.ts`);", 1],
    ['"use client";\nimport { z } from "zod";\nimport { db } from "#/server/db.ts";', 1],
    ['import type { Db } from "#/server/db.ts";', 0],
    ['export type { Db } from "#/server/db.ts";', 0],
    ['import { ratio } from "#/server/domain/oee.ts";', 0],
    ['// import { db } from "#/server/db.ts";', 0],
    ['export const t = "#/server/db.ts";', 0],
  ])("it sees them: %s", (code, n) => {
    expect(valueImports(code).filter(isServers)).toHaveLength(n);
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
