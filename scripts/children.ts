/** Child programs of the demo: each with its log, ended with us however we end, and started again with back-off when one dies. */
import { type ChildProcess, spawn } from "node:child_process";
import { createWriteStream, existsSync, mkdirSync, renameSync, statSync } from "node:fs";
import { constants } from "node:os";
import { dirname, relative } from "node:path";
import { createInterface } from "node:readline";
import { endWithUs } from "./embedded/processes.ts";
import { childEnv, projectRoot } from "./env.ts";

export type Program = {
  /** As people call it: "ingest worker". */
  name: string;
  /** Arguments of the project's Node. */
  args: string[];
  env: Record<string, string>;
  logFile: string;
  /** Gives way to the others (the history that fills in behind). */
  behind?: boolean;
  /** Started again when it ends; otherwise its end is reported once by `ended`. */
  keep: boolean;
  onLine?: (line: string) => void;
  /** What people should hear: it died, it starts again. */
  say: (line: string) => void;
};
export type Child = {
  /** Asks it to end; kills it after `maxWaitMs`. */
  stop(maxWaitMs: number): Promise<void>;
  /** Stands still until told to go on; where the system cannot do that, it runs on. */
  pause(): void;
  goOn(): void;
  /** The exit code of a program that is not kept; null when it was stopped. */
  ended: Promise<number | null>;
};

const maxLogBytes = 20 * 1024 * 1024;
const backoffMs = (failures: number) => Math.min(30_000, 1000 * 2 ** (failures - 1));
/** A program that ran this long before it died starts over with the shortest back-off. */
const healthyAfterMs = 60_000;

export function startChild(program: Program): Child {
  let child: ChildProcess | null = null;
  let stopping = false;
  let failures = 0;
  let again: NodeJS.Timeout | undefined;
  let report: (code: number | null) => void = () => undefined;
  const ended = new Promise<number | null>((resolve) => {
    report = resolve;
  });
  const log = openLog(program.logFile);

  const start = () => {
    const startedAt = performance.now();
    const running = launchChild(program);
    child = running;
    for (const stream of [running.stdout, running.stderr]) {
      if (!stream) continue;
      createInterface({ input: stream }).on("line", (line) => {
        log.write(`${new Date().toISOString()} ${line}\n`);
        if (stream === running.stdout) program.onLine?.(line);
      });
    }
    running.once("error", (error) => log.write(`${new Date().toISOString()} cannot be started: ${error.message}\n`));
    running.once("close", (code, signal) => {
      const exitCode = code ?? 128 + (signal ? constants.signals[signal] : 0);
      if (stopping) return report(null);
      if (!program.keep) return report(exitCode);
      failures = performance.now() - startedAt > healthyAfterMs ? 1 : failures + 1;
      program.say(
        `The ${program.name} ended (${signal ?? `exit code ${code}`}); starting it again in ${backoffMs(failures) / 1000} s. See ${relative(projectRoot, program.logFile)}.`,
      );
      again = setTimeout(start, backoffMs(failures));
    });
  };
  start();

  const stop = async (maxWaitMs: number) => {
    stopping = true;
    clearTimeout(again);
    const running = child;
    if (running?.pid !== undefined && running.exitCode === null && running.signalCode === null) {
      const closed = new Promise((resolve) => running.once("close", resolve));
      running.kill("SIGTERM");
      // One that stands still would not hear it.
      if (process.platform !== "win32") running.kill("SIGCONT");
      const tooLate = setTimeout(() => running.kill("SIGKILL"), maxWaitMs);
      await closed;
      clearTimeout(tooLate);
    }
    report(null);
    await new Promise<void>((resolve) => log.end(resolve));
  };
  const tell = (signal: "SIGSTOP" | "SIGCONT") => () => {
    if (process.platform !== "win32" && !stopping) child?.kill(signal);
  };
  return { stop, ended, pause: tell("SIGSTOP"), goOn: tell("SIGCONT") };
}

function launchChild({ args, env, behind }: Program): ChildProcess {
  // In a group of its own: Ctrl-C reaches us alone, and we end all in order.
  const words = [...endWithUs("SIGTERM"), process.execPath, ...args];
  if (behind && process.platform !== "win32") words.unshift("nice", "-n", "15");
  const [command = process.execPath, ...rest] = words;
  return spawn(command, rest, { cwd: projectRoot, env: childEnv(env), stdio: ["ignore", "pipe", "pipe"], detached: process.platform !== "win32" });
}

function openLog(file: string) {
  mkdirSync(dirname(file), { recursive: true });
  if (existsSync(file) && statSync(file).size > maxLogBytes) renameSync(file, `${file}.1`);
  return createWriteStream(file, { flags: "a" });
}
