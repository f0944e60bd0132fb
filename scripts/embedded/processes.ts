/**
 * Starting, watching and ending the embedded programs by process id, so that a handle works alike for our own child
 * and for one that an earlier `embedded up` left running.
 */
import { spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { chmodSync, chownSync, closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { dirname } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { bareEnv } from "../env.ts";
import { Trouble } from "../trouble.ts";

/** Debian's user without rights and its group; PostgreSQL refuses to run as root. */
const nobodyId = 65534;
export const isRoot = process.getuid?.() === 0;

/** True while the process runs; one that has ended but was not yet collected by its parent does not. */
export function isAlive(pid: number): boolean {
  try {
    // The state follows the program's name in brackets, which may itself hold brackets.
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    return !"ZX".includes(stat.slice(stat.lastIndexOf(")") + 2, stat.lastIndexOf(")") + 3));
  } catch {
    return false; // no such process
  }
}

/** True if `pid` runs and its command line holds `mark`: ids are used again after a restart of the machine. */
export function isOurs(pid: number, mark: string): boolean {
  try {
    return isAlive(pid) && readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(mark);
  } catch {
    return false; // ended meanwhile
  }
}

export function childrenOf(pid: number): number[] {
  const children: number[] = [];
  for (const entry of readdirSync("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      const stat = readFileSync(`/proc/${entry}/stat`, "latin1");
      if (Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]) === pid) children.push(Number(entry));
    } catch {
      // ended while we looked
    }
  }
  return children;
}

/** Waits until the process has ended; false if it still runs after `maxWaitMs`. */
export async function gone(pid: number, maxWaitMs: number): Promise<boolean> {
  const until = performance.now() + maxWaitMs;
  while (isAlive(pid)) {
    if (performance.now() > until) return false;
    await wait(20);
  }
  return true;
}

export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** True if the user without rights may reach into the folder: it and every folder above it lets them through. */
function reachable(path: string): boolean {
  for (let at = path; ; at = dirname(at)) {
    const { mode, uid } = statSync(at);
    if ((mode & (uid === nobodyId ? 0o100 : 0o001)) === 0) return false;
    if (dirname(at) === at) return true;
  }
}

/** Makes the folder, open to the user alone who will run the programs. */
export function makeOwnedDir(path: string): void {
  mkdirSync(path, { recursive: true });
  own(path, 0o700);
}

/** Gives a file or folder to the user who runs the programs. */
export function own(path: string, mode: number): void {
  chmodSync(path, mode);
  if (isRoot) chownSync(path, nobodyId, nobodyId);
}

/** The command in front of a program: the user without rights when we are root, and an end that follows ours unless detached. */
export function prefix({ reach, signalAtOurEnd }: { reach: string[]; signalAtOurEnd: "SIGINT" | "SIGTERM" | null }): string[] {
  const words: string[] = [];
  if (isRoot) {
    words.push(`--reuid=${nobodyId}`, `--regid=${nobodyId}`, "--clear-groups");
    // A clone below a home that is closed to others: keep the one right to walk through folders, and nothing else.
    // Without the secure bit, access(2) would answer as if that right were not there, and initdb asks it.
    if (!reach.every(reachable)) {
      words.push("--securebits=+no_setuid_fixup", "--inh-caps=-all,+dac_override", "--ambient-caps=-all,+dac_override");
    }
  }
  if (signalAtOurEnd) words.push(`--pdeathsig=${signalAtOurEnd.slice(3)}`);
  return words.length > 0 ? ["setpriv", ...words, "--"] : [];
}

/** In front of a command of ours: the kernel sends it this when we die without having been able to. Elsewhere than on Linux, nothing. */
export const endWithUs = (signal: "SIGINT" | "SIGTERM"): string[] =>
  process.platform === "linux" && existsSync("/usr/bin/setpriv") ? ["setpriv", `--pdeathsig=${signal.slice(3)}`, "--"] : [];

type Launch = { program: string; args: string[]; workDir: string; logFile: string; detached: boolean; endSignal: "SIGINT" | "SIGTERM" };

/** Starts a program with its output appended to `logFile`. Unless detached it ends when this process does, however this one dies. */
export async function launch({ program, args, workDir, logFile, detached, endSignal }: Launch): Promise<number> {
  const [command, ...words] = [...prefix({ reach: [workDir, dirname(program)], signalAtOurEnd: detached ? null : endSignal }), program, ...args];
  if (command === undefined) throw new Error("Nothing to launch.");
  const log = openSync(logFile, "a", 0o600);
  try {
    const child = spawn(command, words, { cwd: workDir, detached: true, stdio: ["ignore", log, log], env: bareEnv() });
    await new Promise<void>((resolve, reject) => {
      child.once("spawn", resolve);
      child.once("error", (error) => reject(new Trouble(`Cannot start ${command}: ${error.message}`)));
    });
    child.unref();
    if (child.pid === undefined) throw new Error(`${command} has no process id.`);
    return child.pid;
  } finally {
    closeSync(log);
  }
}

/** The last lines of a log, for an error that says why a program ended. */
export function tailOf(logFile: string, lines = 6): string {
  return readFileSync(logFile, "utf8").trimEnd().split("\n").slice(-lines).join("\n  ");
}

/**
 * A port of 127.0.0.1 that nobody listens on; `preferred` if that one is free. Below those that the system hands out by itself (from 32768 on Linux):
 * any connection could take one of these before the program that it is meant for listens, or while it is stopped.
 */
export async function freePort(preferred?: number): Promise<number> {
  if (preferred !== undefined && (await isFree(preferred))) return preferred;
  for (let tries = 0; tries < 1_000; tries++) {
    const port = randomInt(10_000, 32_000);
    if (await isFree(port)) return port;
  }
  throw new Trouble("No port from 10,000 to 32,000 is free on 127.0.0.1.");
}

export function isFree(port: number, host = "127.0.0.1"): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, host, () => server.close(() => resolve(true)));
  });
}
