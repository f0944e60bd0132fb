/** The built web app as a process, restarted and killed by tests on the same port. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { standaloneServer } from "#/scripts/build.ts";
import { freePort } from "#/scripts/embedded/processes.ts";
import { bareEnv } from "#/scripts/env.ts";
import { until } from "./until.ts";

export class WebProcess {
  readonly url: string;
  private readonly env: Record<string, string>;
  private child: ChildProcess | null = null;
  private readonly lines: string[] = [];

  private constructor(port: number, given: { databaseUrl: string; authSecret: string }) {
    this.url = `http://127.0.0.1:${port}`;
    this.env = { DATABASE_URL: given.databaseUrl, AUTH_SECRET: given.authSecret, PORT: String(port), HOSTNAME: "127.0.0.1", NODE_ENV: "production" };
  }

  static async start(given: { databaseUrl: string; authSecret: string }): Promise<WebProcess> {
    const web = new WebProcess(await freePort(), given);
    await web.start();
    return web;
  }

  get pid(): number {
    return this.child?.pid ?? 0;
  }

  /** Until it is fit to serve. */
  async start(): Promise<void> {
    // Ends with us, however we end.
    const words = [...(existsSync("/usr/bin/setpriv") ? ["/usr/bin/setpriv", "--pdeathsig=KILL", "--"] : []), process.execPath, standaloneServer];
    const [command = process.execPath, ...args] = words;
    const child = spawn(command, args, { env: bareEnv(this.env), stdio: ["ignore", "pipe", "pipe"] });
    this.child = child;
    for (const stream of [child.stdout, child.stderr])
      createInterface({ input: stream }).on("line", (line) => {
        this.lines.push(line);
        if (this.lines.length > 50) this.lines.shift();
      });
    await until(
      () => `the web app answers; it said:\n  ${this.lines.slice(-5).join("\n  ")}`,
      async () => {
        if (child.exitCode !== null) throw new Error(`The web app ended (${child.exitCode}): ${this.lines.slice(-8).join("\n")}`);
        const answer = await fetch(`${this.url}/api/health`).catch(() => null); // not listening yet
        return answer?.ok;
      },
      60_000,
    );
  }

  async end(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    const { child } = this;
    this.child = null;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once("close", resolve));
    child.kill(signal);
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      child.kill("SIGKILL");
    }, 10_000);
    await ended;
    clearTimeout(timer);
    if (isLate) throw new Error(`The web app did not end within 10 s of ${signal}.`);
  }
}
