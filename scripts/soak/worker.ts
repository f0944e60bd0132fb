/** A real ingest worker as a process, watched and killed by tests. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import { freePort } from "#/scripts/embedded/processes.ts";
import { bareEnv, projectRoot } from "#/scripts/env.ts";
import { nodeArgs } from "../node-args.ts";
import { until } from "./until.ts";

export type Exit = { code: number | null; signal: NodeJS.Signals | null };
/** Values by outcome, as /metrics says. */
export type Figures = { messages: number; received: number; written: number; duplicate: number; setAside: number; held: number; rssBytes: number };

export class WorkerProcess {
  /** What it said on its two outputs, the log's JSON as its message alone. */
  readonly lines: string[] = [];
  readonly exited: Promise<Exit>;
  readonly pid: number;
  private readonly child: ChildProcess;
  private readonly url: string;
  private exit: Exit | null = null;

  private constructor(child: ChildProcess, port: number) {
    this.child = child;
    this.url = `http://127.0.0.1:${port}`;
    this.pid = child.pid ?? 0;
    for (const stream of [child.stdout, child.stderr]) if (stream) createInterface({ input: stream }).on("line", (line) => this.lines.push(messageOf(line)));
    this.exited = new Promise((resolve) => {
      child.once("close", (code, signal) => {
        this.exit = { code, signal };
        resolve(this.exit);
      });
    });
  }

  static async start(env: Record<string, string>): Promise<WorkerProcess> {
    const port = env.INGEST_HTTP_PORT ? Number(env.INGEST_HTTP_PORT) : await freePort();
    // Ends with us, however we end.
    const words = [
      ...(existsSync("/usr/bin/setpriv") ? ["/usr/bin/setpriv", "--pdeathsig=KILL", "--"] : []),
      process.execPath,
      ...nodeArgs("ingest-worker/main.ts"),
    ];
    const [command = process.execPath, ...args] = words;
    const child = spawn(command, args, {
      cwd: projectRoot,
      env: bareEnv({ SPARKPLUG_GROUPS: "none", INGEST_HTTP_PORT: String(port), ...env }),
      stdio: ["ignore", "pipe", "pipe"],
    });
    return new WorkerProcess(child, port);
  }

  get isRunning(): boolean {
    return this.exit === null;
  }

  /** Until it has said something like it, or says so now. */
  said(pattern: RegExp, maxWaitMs?: number): Promise<string> {
    return until(
      () => `the worker says ${pattern}; it said:\n  ${this.lines.slice(-5).join("\n  ")}`,
      () => this.lines.find((line) => pattern.test(line)),
      maxWaitMs,
    );
  }

  async get(path: string): Promise<{ status: number; body: string } | null> {
    try {
      const response = await fetch(this.url + path);
      return { status: response.status, body: await response.text() };
    } catch {
      return null; // not listening yet, or gone
    }
  }

  /** Until it stores what comes. */
  async ready(maxWaitMs?: number): Promise<this> {
    await until(
      "the worker is ready",
      async () => {
        if (this.exit) throw new Error(`The worker ended (${this.exit.code ?? this.exit.signal}): ${this.lines.slice(0, 8).join("\n")}`);
        return (await this.get("/ready"))?.status === 200;
      },
      maxWaitMs,
    );
    return this;
  }

  async figures(): Promise<Figures> {
    const answer = await until("/metrics answers", () => this.get("/metrics"));
    return figuresOf(answer.body);
  }

  kill9(): Promise<Exit> {
    this.child.kill("SIGKILL");
    return this.exited;
  }

  /** Asks it to stop; ms that it took. */
  async stop(): Promise<Exit & { tookMs: number }> {
    const from = performance.now();
    this.child.kill("SIGTERM");
    return { ...(await this.exited), tookMs: performance.now() - from };
  }
}

function messageOf(line: string): string {
  if (!line.startsWith("{")) return line;
  try {
    const { msg, err } = JSON.parse(line) as { msg?: string; err?: { message?: string } };
    return err?.message ? `${msg}: ${err.message}` : (msg ?? line);
  } catch {
    return line;
  }
}

function figuresOf(metrics: string): Figures {
  const sum = (name: string) =>
    metrics
      .split("\n")
      .filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`))
      .reduce((total, line) => total + Number(line.slice(line.lastIndexOf(" "))), 0);
  const values = (name: string) => sum(`takt_ingest_values_${name}`);
  return {
    messages: sum("takt_ingest_messages_total"),
    received: values("received_total"),
    written: values("written_total"),
    duplicate: values("duplicate_total"),
    setAside: values("set_aside_total"),
    held: values("held"),
    rssBytes: sum("process_resident_memory_bytes"),
  };
}
