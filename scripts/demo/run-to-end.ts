import { spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { tailOf } from "../embedded/processes.ts";
import { childEnv, projectRoot } from "../env.ts";
import { Trouble } from "../trouble.ts";

/** Runs a program of ours that ends by itself, with its output in `logFile`; a failure says its last lines. */
export async function runToEnd(args: string[], env: Record<string, string>, logFile: string): Promise<void> {
  mkdirSync(dirname(logFile), { recursive: true });
  const log = openSync(logFile, "w");
  try {
    const child = spawn(process.execPath, args, { cwd: projectRoot, env: childEnv(env), stdio: ["ignore", log, log] });
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", resolve);
    });
    if (code !== 0) throw new Trouble(`${args.slice(0, 2).join(" ")} failed (${logFile}):\n  ${tailOf(logFile, 20)}`);
  } finally {
    closeSync(log);
  }
}
