/** A lock between processes that the kernel gives back however its holder dies: flock(1), held while our pipe to it is open. */
import { spawn } from "node:child_process";
import { Trouble } from "../trouble.ts";

/** Waits for the lock; `onWait` is told once if another holds it. Returns the release. */
export async function lock(file: string, { maxWaitS, onWait }: { maxWaitS: number; onWait?: () => void }): Promise<() => void> {
  const child = spawn("flock", ["-w", String(maxWaitS), file, "sh", "-c", "echo held; exec cat"], { stdio: ["pipe", "pipe", "ignore"], detached: true });
  const waiting = onWait && setTimeout(onWait, 300);
  try {
    await new Promise<void>((resolve, reject) => {
      child.stdout.once("data", () => resolve());
      child.once("error", (error) => reject(new Trouble(`Cannot run flock: ${error.message}`)));
      child.once("exit", () => reject(new Trouble(`Another process has held ${file} for ${maxWaitS} s. Is a hanging command still running?`)));
    });
  } finally {
    clearTimeout(waiting);
  }
  child.unref();
  return () => {
    child.stdin.end();
  };
}
