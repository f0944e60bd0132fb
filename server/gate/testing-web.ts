/** For tests: the web app as npm start runs it, and visitors with cookies of their own who reach it by its public name. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { bareEnv, projectRoot } from "#/scripts/env.ts";
import { type Answer, ask } from "./testing.ts";

const givenPorts = new Set<number>();

/** Each time another one: whoever gets it may take a while to open it. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  const port = address !== null && typeof address === "object" ? address.port : 0;
  if (givenPorts.has(port)) return freePort();
  givenPorts.add(port);
  return port;
}

/** The test's own time is the limit. */
export async function until(what: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await what())) await new Promise((resolve) => setTimeout(resolve, 50));
}

/** A program of the project. */
export type Program = {
  /** All that it has printed. */
  out(): string;
  /** Resolves once it has printed that. @throws with what it printed where it did not within a minute */
  says(what: RegExp): Promise<void>;
  ended: Promise<number | null>;
  stop(signal?: NodeJS.Signals): Promise<void>;
};

export function start(args: readonly string[], env: Record<string, string>): Program {
  const child: ChildProcess = spawn(process.execPath, args, {
    cwd: projectRoot,
    env: bareEnv(env), // of the tests' own surroundings nothing
    stdio: ["ignore", "pipe", "pipe"],
  });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", (part) => (text += part));
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  return {
    out: () => text,
    async says(what) {
      const end = Date.now() + 60_000;
      await until(() => {
        if (Date.now() > end) throw new Error(`${args[0]} did not say ${what}:\n${text.slice(-3_000)}`);
        return what.test(text);
      });
    },
    ended,
    async stop(signal = "SIGTERM") {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      await ended;
    },
  };
}

export type Web = Program & { port: number };

/** @throws with what it printed where it ends instead of answering */
export async function startWeb(env: Record<string, string>): Promise<Web> {
  const port = await freePort();
  const program = start(["scripts/start.ts", "--port", String(port)], env);
  let ended = false;
  void program.ended.then(() => {
    ended = true;
  });
  await until(async () => {
    if (ended) throw new Error(`The web app did not start:\n${program.out()}`);
    return ask(port, "/api/health").then(
      ({ status }) => status === 200,
      () => false,
    );
  });
  return { ...program, port };
}

/** A browser: cookies of its own, and headers as a page of Takt's own sends them. */
export class Visitor {
  readonly cookies = new Map<string, string>();
  /** Every Set-Cookie that it was ever sent, with the path that sent it. */
  readonly sent: { path: string; cookie: string }[] = [];
  private readonly port: number;
  private readonly origin: string;

  constructor(port: number, origin: string) {
    this.port = port;
    this.origin = origin;
  }

  headers(): Record<string, string> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    return { host: new URL(this.origin).host, ...(cookie === "" ? {} : { cookie }) };
  }

  async ask(path: string, asked: Parameters<typeof ask>[2] = {}): Promise<Answer> {
    const answer = await ask(this.port, path, { ...asked, headers: { ...this.headers(), ...asked.headers } });
    for (const cookie of answer.headers["set-cookie"] ?? []) {
      this.sent.push({ path: path.split("?")[0] ?? "", cookie });
      const [pair = ""] = cookie.split(";");
      const at = pair.indexOf("=");
      if (/max-age=0/i.test(cookie)) this.cookies.delete(pair.slice(0, at));
      else this.cookies.set(pair.slice(0, at), pair.slice(at + 1));
    }
    return answer;
  }

  get = (path: string): Promise<Answer> => this.ask(path, { headers: { accept: "text/html", "sec-fetch-site": "none", "sec-fetch-dest": "document" } });

  post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    const own = { "content-type": "application/json", origin: this.origin, "sec-fetch-site": "same-origin", "sec-fetch-dest": "empty" };
    return this.ask(path, { method: "POST", headers: { ...own, ...headers }, body: typeof body === "string" ? body : JSON.stringify(body) });
  }

  signIn = (login: string, password: string): Promise<Answer> => this.post("/api/auth/sign-in/username", { login, password });
}
