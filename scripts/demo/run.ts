/** A plant in the foreground of a terminal: started, told of, and stopped by Ctrl-C. */
import { relative } from "node:path";
import { parseArgs } from "node:util";
import { isFree } from "../embedded/processes.ts";
import { env, projectRoot } from "../env.ts";
import { orUsage, portOf } from "../options.ts";
import { failWith, Trouble } from "../trouble.ts";
import { takePlace } from "./alone.ts";
import { openConsole } from "./console.ts";
import { type DemoAccount, forget, type PlantOptions, startPlant } from "./plant.ts";

type Run = Pick<PlantOptions, "dataDir" | "logDir" | "web" | "history"> & { what: string; title: string };

export async function runPlant(run: Run): Promise<void> {
  const usage = `Usage: npm run ${run.web === "dev" ? "dev" : "demo"} [-- [--fresh] [--port N] [--history 14d|none]]`;
  if (process.argv.slice(2).some((arg) => arg === "--help" || arg === "-h")) return console.log(usage);
  const startedAt = performance.now();
  try {
    const { fresh, port, history } = read(run, usage);
    const release = takePlace(`${run.dataDir}.running`, run.what, `http://localhost:${port}`);
    process.once("exit", release);
    if (!(await isFree(port, env.host ?? "127.0.0.1")))
      throw new Trouble(`Port ${port} is in use by another program. Choose another: npm run ${run.web === "dev" ? "dev" : "demo"} -- --port ${port + 1}`);
    const console = openConsole();
    console.say(run.title);
    if (fresh) await console.step("forget the data of before", () => forget(run.dataDir));
    let running: { stop(): Promise<void> } | null = null;
    let stopped = false;
    const stop = async () => {
      // One Ctrl-C may arrive twice: from the terminal and from npm.
      if (stopped) return;
      stopped = true;
      const from = performance.now();
      console.progress("", null);
      console.say("Stopping.");
      await running?.stop();
      console.say(`Stopped in ${((performance.now() - from) / 1000).toFixed(1)} s.`);
      process.exit(0);
    };
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
      process.on(signal, () => {
        stop().catch(failWith);
      });
    }
    const plant = startPlant({ ...run, port, history, console, startedAt });
    running = plant;
    const started = await plant.ready.catch((error: unknown) => (stopped ? null : failWith(error)));
    if (stopped || !started) return;
    const { url, boards, people } = started;
    console.say(`\nTakt is live: ${url}   (${((performance.now() - startedAt) / 1000).toFixed(1)} s)`);
    for (const { path, name } of boards) console.say(`  ${name.padEnd(34)} ${url}${path}`);
    for (const line of signInLines(people)) console.say(line);
    console.say(`  Logs are in ${relative(projectRoot, run.logDir)}. Ctrl-C stops all of it; the next start goes on with its data.\n`);
  } catch (error) {
    failWith(error);
  }
}

/** Who can sign in, and with what. */
function signInLines(people: readonly DemoAccount[]): string[] {
  const [first] = people;
  if (!first) return ["", "  The database is your own, so there are no demo accounts. Make the first one: npm run people -- invite-administrator"];
  const pin = people.find((person) => person.pin !== null)?.pin;
  const names = people.map(({ login, name, role }) => `    ${login.padEnd(16)} ${name.padEnd(16)} ${role.replace("_", " ")}`);
  return ["", `  Sign in as any of these; the password of all is  ${first.password}  and the PIN for shared terminals  ${pin}`, ...names];
}

function read(run: Run, usage: string): { fresh: boolean; port: number; history: string | null } {
  return orUsage(usage, () => {
    const { values } = parseArgs({
      options: { fresh: { type: "boolean", default: false }, port: { type: "string" }, history: { type: "string", default: run.history ?? "none" } },
    });
    if (!/^(none|\d+[dh])$/.test(values.history)) throw new Trouble("--history takes a length such as 14d or 12h, or none");
    if (values.fresh && env.databaseUrl)
      throw new Trouble("--fresh empties the embedded database alone, and DATABASE_URL names one of your own: empty that yourself");
    return { fresh: values.fresh, port: portOf(values.port ?? env.port ?? "3000"), history: values.history === "none" ? null : values.history };
  });
}
