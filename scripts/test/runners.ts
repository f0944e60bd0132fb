/** Vitest and Playwright as child processes, and what they counted. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { childEnv, projectRoot } from "../env.ts";

export type Counts = { passed: number; failed: number; skipped: number };
/** The program that runs now, to be ended with us. */
let current: ChildProcess | null = null;
export const endCurrent = (): void => {
  current?.kill("SIGTERM");
};

/** Runs one of the project's tools on the terminal; true if it ended well. */
export async function runTool(args: string[], extra: Record<string, string> = {}): Promise<boolean> {
  const child = spawn(process.execPath, args, { cwd: projectRoot, env: childEnv(extra), stdio: ["ignore", "inherit", "inherit"] });
  current = child;
  try {
    return (await new Promise<number | null>((resolve, reject) => child.once("error", reject).once("close", resolve))) === 0;
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
