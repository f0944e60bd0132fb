/** Vitest and Playwright as child processes, and what they counted. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { endWithUs } from "../embedded/processes.ts";
import { childEnv, projectRoot } from "../env.ts";

export type Counts = { passed: number; failed: number; skipped: number };
/** The program that runs now, to be ended with us. */
let current: { child: ChildProcess; ended: Promise<unknown> } | null = null;
/** How long a runner may take to close what its tests have started. */
const closeWithinMs = 30_000;

/** Asks the program that runs now to end, as Ctrl-C would; returns when it has. */
export async function endCurrent(): Promise<void> {
  if (!current) return;
  const { child, ended } = current;
  child.kill("SIGINT");
  const tooLate = setTimeout(() => child.kill("SIGKILL"), closeWithinMs);
  await ended;
  clearTimeout(tooLate);
}

/** Runs one of the project's tools on the terminal; true if it ended well. */
export async function runTool(args: string[], extra: Record<string, string> = {}): Promise<boolean> {
  // In a group of its own: Ctrl-C reaches it once, from us; a second one would keep it from closing what it started.
  const [command = process.execPath, ...words] = [...endWithUs("SIGINT"), process.execPath, ...args];
  const child = spawn(command, words, {
    cwd: projectRoot,
    env: childEnv(extra),
    stdio: ["ignore", "inherit", "inherit"],
    detached: process.platform !== "win32",
  });
  const ended = new Promise<number | null>((resolve, reject) => child.once("error", reject).once("close", resolve));
  current = { child, ended };
  try {
    return (await ended) === 0;
  } finally {
    current = null;
  }
}

/** Runs a vitest project (pure, db or process). Tests that were never reached count as failed. */
export async function runVitest(project: string, reportFile: string, extra: Record<string, string>): Promise<Counts> {
  rmSync(reportFile, { force: true });
  const args = ["node_modules/vitest/vitest.mjs", "run", "--project", project, "--reporter=default", "--reporter=json", `--outputFile.json=${reportFile}`];
  const ok = await runTool(args, extra);
  const report = read<{ numPassedTests: number; numFailedTests: number; numPendingTests: number; numFailedTestSuites: number }>(reportFile);
  if (!report) return { passed: 0, failed: 1, skipped: 0 };
  const counts = { passed: report.numPassedTests, failed: report.numFailedTests, skipped: report.numPendingTests };
  // A file that cannot be loaded, or an error outside a test, fails the run without a failed test.
  return ok || counts.failed > 0 ? counts : { ...counts, failed: 1 };
}

/** Runs the browser tests. One that passed only when tried again counts as failed. */
export async function runPlaywright(reportFile: string, extra: Record<string, string>): Promise<Counts> {
  rmSync(reportFile, { force: true });
  const ok = await runTool(["node_modules/@playwright/test/cli.js", "test", "--reporter=list,json"], { ...extra, PLAYWRIGHT_JSON_OUTPUT_FILE: reportFile });
  const report = read<{ stats: { expected: number; unexpected: number; flaky: number; skipped: number } }>(reportFile);
  if (!report) return { passed: 0, failed: 1, skipped: 0 };
  const { expected, unexpected, flaky, skipped } = report.stats;
  const counts = { passed: expected, failed: unexpected + flaky, skipped };
  return ok || counts.failed > 0 ? counts : { ...counts, failed: 1 };
}

const read = <T>(file: string): T | null => (existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as T) : null);
