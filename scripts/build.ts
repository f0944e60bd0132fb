/** npm run build: the typed database client and the web app, ready for npm start. */
import { spawn } from "node:child_process";
import { cpSync, createWriteStream, existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { finished } from "node:stream/promises";
import { builtImportProgram } from "#/server/plant/import-program.ts";
import { generateClient } from "./build/client.ts";
import { bundleImportChild } from "./build/import-child.ts";
import { hashOf, isMade, markMade } from "./build/sources.ts";
import { tailOf } from "./embedded/processes.ts";
import { childEnv, env, projectRoot } from "./env.ts";
import { failWith, Trouble } from "./trouble.ts";

const webSources = [
  "app",
  "components",
  "server",
  "messages",
  "public",
  "prisma/schema.prisma",
  "next.config.ts",
  "instrumentation.ts",
  "proxy.ts",
  "package.json",
  "package-lock.json",
  "scripts/build/import-child.ts",
];
export const standaloneServer = join(projectRoot, ".next/standalone/server.js");

/** The web app in .next/standalone, if its sources changed since or `always`. True if it was built now. */
export async function buildWeb({ always }: { always: boolean }): Promise<boolean> {
  // Inside .next, so that whoever removes or rebuilds that has no stale word beside it.
  const stamp = join(projectRoot, ".next/standalone/.made-from");
  const hash = hashOf(webSources);
  if (!always && isMade(stamp, hash) && existsSync(standaloneServer)) return false;
  rmSync(stamp, { force: true });
  await runNext(["node_modules/next/dist/bin/next", "build"], { NEXT_TELEMETRY_DISABLED: "1", NO_COLOR: "1", NODE_ENV: "production" });
  cpSync(join(projectRoot, ".next/static"), join(projectRoot, ".next/standalone/.next/static"), { recursive: true });
  const publicDir = join(projectRoot, "public");
  if (existsSync(publicDir)) cpSync(publicDir, join(projectRoot, ".next/standalone/public"), { recursive: true });
  await bundleImportChild(join(projectRoot, ".next/standalone", builtImportProgram));
  // What tracing takes along beside the app: secrets of a .env file have no place in a build.
  for (const name of readdirSync(join(projectRoot, ".next/standalone"))) if (name.startsWith(".env")) rmSync(join(projectRoot, ".next/standalone", name));
  markMade(stamp, hash);
  return true;
}

/** Runs Next with its output in .takt/logs; a failure says its last lines. */
async function runNext(args: string[], extra: Record<string, string>): Promise<void> {
  const logFile = join(env.stateDir, "logs/build.log");
  mkdirSync(join(env.stateDir, "logs"), { recursive: true });
  const log = createWriteStream(logFile);
  const child = spawn(process.execPath, args, { cwd: projectRoot, env: childEnv(extra), stdio: ["ignore", "pipe", "pipe"] });
  child.stdout.pipe(log, { end: false });
  child.stderr.pipe(log, { end: false });
  const endWithUs = () => child.kill();
  process.once("exit", endWithUs);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  process.off("exit", endWithUs);
  log.end();
  await finished(log);
  if (code !== 0) throw new Trouble(`The build of the web app failed (${logFile}):\n  ${tailOf(logFile, 30)}`);
}

if (process.argv[1] === import.meta.filename) {
  const startedAt = performance.now();
  try {
    await generateClient();
    await buildWeb({ always: true });
    console.log(`Built in ${((performance.now() - startedAt) / 1000).toFixed(1)} s. Start it with: npm start`);
  } catch (error) {
    failWith(error);
  }
}
