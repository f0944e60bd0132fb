/** Everything of a running plant: database, broker, web, worker, jobs, simulator. What the demo, the developer's run and the browser tests start. */
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { Marker } from "#/simulator/backfill.ts";
import { generateClient } from "../build/client.ts";
import { hashOf } from "../build/sources.ts";
import { buildWeb } from "../build.ts";
import { type Child, type Program, startChild } from "../children.ts";
import { stopComposed } from "../embedded/compose.ts";
import { whyNotDebian } from "../embedded/packages.ts";
import { freePort, isAlive, isOurs, makeOwnedDir } from "../embedded/processes.ts";
import { startMissing } from "../embedded/start.ts";
import { env } from "../env.ts";
import { migrate } from "../migrate.ts";
import { nodeArgs } from "../node-args.ts";
import { messageOf, Trouble } from "../trouble.ts";
import { type Console, stepLine } from "./console.ts";
import { giveWay } from "./give-way.ts";
import { firstValueAt, lineBoards } from "./look.ts";
import { type DemoSecrets, demoPeople, demoSecrets } from "./people.ts";
import { runToEnd } from "./run-to-end.ts";

const plantFile = "simulator/plant.yaml";

export type PlantOptions = {
  /** Data, ports and marks are kept here. */
  dataDir: string;
  logDir: string;
  port: number;
  /** "built": the production build; "dev": next dev, and worker and jobs that start again when their sources change. */
  web: "built" | "dev";
  /** Length of the history that fills in behind, as the simulator takes it; null for none. */
  history: string | null;
  /** On a database and a broker of its own, whatever the environment names. */
  own?: boolean;
  console: Console;
  /** ms of performance.now(): when what the user waits for began, where that was before. */
  startedAt?: number;
};
export type RunningPlant = { url: string; databaseUrl: string; mqttUrl: string; boards: { path: string; name: string }[]; people: DemoAccount[] };

/** Who can sign in to the demo. Nobody where the database is one of the user's own. */
export type DemoAccount = { login: string; password: string /** For shared terminals. */; pin: string | null; name: string; role: string };

/** What earlier starts on the same data have done. */
type Done = { plant?: string; people?: boolean };

/** Begins at once. `stop` may be called at any time, also while the start is under way, and takes 13 s at most. */
export function startPlant(options: PlantOptions): { ready: Promise<RunningPlant>; stop(): Promise<void> } {
  const { dataDir, logDir, port, console } = options;
  const { say, step } = console;
  const { startedAt = performance.now() } = options;
  const looking = new AbortController();
  const children: { child: Child; order: number }[] = [];
  const url = `http://localhost:${port}`;
  let stopping = false;
  let stores: Awaited<ReturnType<typeof startMissing>> | null = null;

  const stop = async () => {
    stopping = true;
    looking.abort();
    console.progress("", null);
    // Those who publish and read first, then the worker, which writes what it holds; then what they all need. At most 13 s in all.
    await Promise.all(children.filter(({ order }) => order === 0).map(({ child }) => child.stop(3_000)));
    await Promise.all(children.filter(({ order }) => order === 1).map(({ child }) => child.stop(4_000)));
    await stores?.stop(5_000);
  };

  const begin = async (): Promise<RunningPlant> => {
    await waitForPrevious(dataDir);
    const client = step("database client", generateClient);
    // Both go on at once; the failure of one must not leave the other without a listener.
    client.catch(() => undefined);
    stores = await step("database and broker", () => startMissing({ dataDir, own: options.own, log: say }));
    const { databaseUrl, migrateUrl, mqttUrl, parts } = stores;
    await step("schema", () => migrate(migrateUrl, { application: databaseUrl, log: () => undefined }));
    await client;
    // Beside everything else: it is what takes longest.
    const built = options.web === "built" ? step("web app (built if changed)", () => buildWeb({ always: false })) : Promise.resolve(true);
    built.catch(() => undefined);

    makeOwnedDir(dataDir);
    const done = readDone(dataDir);
    const childEnv = { DATABASE_URL: databaseUrl, MQTT_URL: mqttUrl, NODE_ENV: options.web === "dev" ? "development" : "production" };
    const plantHash = hashOf([plantFile]);
    if (done.plant !== plantHash) {
      await step("plant", () => runToEnd(["server/plant/cli.ts", "apply", plantFile, "--yes"], { ...childEnv }, join(logDir, "plant.log")));
      done.plant = plantHash;
      writeDone(dataDir, done);
    }
    const secrets = demoSecrets(dataDir);
    const identity = { AUTH_SECRET: env.authSecret ?? secrets.authSecret };
    // Accounts whose password stands on a terminal have no place in a database that is not the demo's own.
    const isOwn = parts.postgres !== null;
    if (isOwn && !done.people) {
      await step("people", () => runToEnd(["scripts/demo/seed-people.ts", dataDir], { ...childEnv, ...identity }, join(logDir, "people.log")));
      writeDone(dataDir, { ...done, people: true });
    }
    const start = (program: Omit<Program, "say" | "logFile" | "env"> & { log: string; env?: Record<string, string>; order: 0 | 1 }) => {
      if (stopping) throw new Trouble("Stopped while starting.");
      const child = startChild({ ...program, env: { ...childEnv, ...program.env }, logFile: join(logDir, `${program.log}.log`), say });
      children.push({ child, order: program.order });
      return child;
    };
    const reload = options.web === "dev" ? ["--watch", "--watch-preserve-output"] : [];
    const healthPort = String(await freePort(9464));
    start({
      name: "ingest worker",
      log: "ingest",
      args: [...reload, ...nodeArgs("ingest-worker/main.ts")],
      env: { INGEST_HTTP_PORT: healthPort },
      keep: true,
      order: 1,
    });
    start({
      name: "jobs process",
      log: "jobs",
      args: [...reload, "server/jobs/main.ts"],
      env: { JOBS_HTTP_PORT: String(await freePort(9465)), AUDIT_HEAD_FILE: join(dataDir, "audit-heads.jsonl") },
      keep: true,
      order: 0,
    });
    const since = new Date();
    start({ name: "simulator", log: "simulator", args: ["simulator/main.ts", "--live", "--marker", markers.live(dataDir)], keep: true, order: 0 });
    // Looked for from now on, beside the build, so that it is seen when it comes.
    const first = firstValueAt(databaseUrl, since, looking.signal, join(logDir, "ingest.log"));
    first.catch(() => undefined); // listened to below
    watchStores(parts, () => stopping, say);
    await built;
    await step("web", async () => {
      const args = options.web === "dev" ? ["node_modules/next/dist/bin/next", "dev", "-p", String(port), "-H", env.host ?? "127.0.0.1"] : ["scripts/start.ts"];
      start({ name: "web app", log: "web", args, env: { ...identity, PORT: String(port) }, keep: true, order: 0 });
      await answers(`http://${callable(env.host)}:${port}/api/health`, join(logDir, "web.log"));
    });
    const tooLate = setTimeout(() => looking.abort(), 60_000);
    const firstAt = await first.finally(() => clearTimeout(tooLate));
    say(stepLine("first live value, from the start", firstAt - startedAt));
    if (options.history) fillHistory(options.history, `http://${callable(env.host)}:${healthPort}/metrics`, options, start, () => stopping);
    return { url, databaseUrl, mqttUrl, boards: await lineBoards(databaseUrl), people: isOwn ? accounts(secrets) : [] };
  };
  const ready = begin().catch(async (error: unknown) => {
    if (!stopping) await stop();
    throw error;
  });
  return { ready, stop };
}

const accounts = ({ password, pin }: DemoSecrets): DemoAccount[] =>
  demoPeople.map(({ login, name, role, where }) => ({ login, password, pin: where === "all" ? null : pin, name, role }));

type StartHistory = (program: { name: string; log: string; args: string[]; behind: boolean; keep: boolean; order: 0; onLine: (line: string) => void }) => Child;

/** History through the broker, in a process that gives way to the others. What is there already, live or filled in, is left out. */
function fillHistory(length: string, metricsUrl: string, { dataDir, console, logDir }: PlantOptions, start: StartHistory, isStopping: () => boolean): void {
  copyLiveMarks(dataDir);
  const title = `history of ${length} fills in behind`;
  const startedAt = performance.now();
  let published = 0;
  const child = start({
    name: "history",
    log: "history",
    args: ["simulator/main.ts", "--backfill", length, "--marker", markers.history(dataDir)],
    behind: true,
    keep: false,
    order: 0,
    onLine: (line) => {
      if (!/^\{.*"progress"/.test(line)) return;
      const told = JSON.parse(line) as { progress: number; values: number };
      published = told.values;
      if (!isStopping()) console.progress(title, told.progress);
    },
  });
  giveWay(child, () => published, metricsUrl).catch((error: unknown) => console.say(`The history no longer gives way to live values: ${messageOf(error)}`));
  child.ended.then((code) => {
    if (code === null) return;
    console.progress(title, null);
    const minutes = ((performance.now() - startedAt) / 60_000).toFixed(1);
    console.say(
      code === 0
        ? `  The history of ${length} is in (${minutes} min).`
        : `  The history stopped (exit code ${code}); the next start goes on with it. See ${join(logDir, "history.log")}.`,
    );
  });
}

const markers = { live: (dataDir: string) => join(dataDir, "live.json"), history: (dataDir: string) => join(dataDir, "history.json") };

/** Two processes cannot keep one marker file, so the history is told at its start what was published live before. */
function copyLiveMarks(dataDir: string): void {
  if (!existsSync(markers.live(dataDir))) return;
  const { plant } = JSON.parse(readFileSync(markers.live(dataDir), "utf8")) as { plant: string };
  const history = new Marker(markers.history(dataDir), plant);
  for (const [from, to] of new Marker(markers.live(dataDir), plant).done) history.add(from, to);
  history.save();
}

/** After a kill of the whole demo its database and broker end by themselves, which takes a moment. */
async function waitForPrevious(dataDir: string): Promise<void> {
  const pids = [join(dataDir, "postgres/postmaster.pid"), join(dataDir, "broker/broker.pid")]
    .filter((file) => existsSync(file))
    .map((file) => Number(readFileSync(file, "utf8").split("\n")[0]));
  const until = performance.now() + 10_000;
  while (pids.some((pid) => isOurs(pid, dataDir)) && performance.now() < until) await wait(100);
}

/** Starts the embedded database or broker again if it died. */
function watchStores(parts: Awaited<ReturnType<typeof startMissing>>["parts"], isStopping: () => boolean, say: (line: string) => void): void {
  const watched = [
    { name: "database", part: parts.postgres },
    { name: "broker", part: parts.broker },
  ];
  const look = async () => {
    for (const { name, part } of watched) {
      if (!part || part.pid() === 0 || isStopping() || isAlive(part.pid())) continue;
      say(`The ${name} ended; starting it again.`);
      try {
        await part.start();
      } catch (error) {
        say(`The ${name} does not start: ${error instanceof Trouble ? error.message : error}`);
      }
    }
    if (!isStopping()) setTimeout(look, 1_000).unref();
  };
  setTimeout(look, 1_000).unref();
}

/** HOST may name one address of this machine; "all of them" is none that can be called. */
function callable(host: string | undefined): string {
  if (!host || host === "0.0.0.0" || host === "::") return "127.0.0.1";
  return host.includes(":") ? `[${host}]` : host;
}

async function answers(address: string, logFile: string): Promise<void> {
  const until = performance.now() + 60_000;
  while (performance.now() < until) {
    try {
      if ((await fetch(address, { signal: AbortSignal.timeout(5_000) })).ok) return;
    } catch {
      // not listening yet
    }
    await wait(100);
  }
  throw new Trouble(`The web app does not answer within 60 s. See ${logFile}.`);
}

const doneFile = (dataDir: string) => join(dataDir, "done.json");
const readDone = (dataDir: string): Done => (existsSync(doneFile(dataDir)) ? (JSON.parse(readFileSync(doneFile(dataDir), "utf8")) as Done) : {});
const writeDone = (dataDir: string, done: Done) => writeFileSync(doneFile(dataDir), JSON.stringify(done));

/** Forgets all data of a plant that is not running. */
export async function forget(dataDir: string): Promise<void> {
  const why = whyNotDebian();
  if (why && existsSync(dataDir)) await stopComposed(dataDir, why, { forget: true });
  await waitForPrevious(dataDir);
  rmSync(dataDir, { recursive: true, force: true });
}
