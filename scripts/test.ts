/** npm test: everything, on a database and a broker of its own. Never touches what DATABASE_URL or MQTT_URL name. */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generateClient } from "./build/client.ts";
import { buildWeb } from "./build.ts";
import { openConsole } from "./demo/console.ts";
import { startPlant } from "./demo/plant.ts";
import { freePort } from "./embedded/processes.ts";
import { startEmbedded } from "./embedded/start.ts";
import { env } from "./env.ts";
import { migrate } from "./migrate.ts";
import { findChromium } from "./test/chromium.ts";
import { type Counts, endCurrent, runPlaywright, runTool, runVitest } from "./test/runners.ts";
import { failWith, messageOf, Trouble } from "./trouble.ts";

const logDir = join(env.stateDir, "logs/test");
const report = (name: string) => join(logDir, `${name}.json`);
const total: Counts = { passed: 0, failed: 0, skipped: 0 };
const startedAt = performance.now();
const seconds = (from: number) => `${((performance.now() - from) / 1000).toFixed(1)} s`;
const times: string[] = [];
/** What must be stopped again, last started first. */
const open: (() => Promise<void>)[] = [];

async function closeAll(): Promise<void> {
  for (let close = open.pop(); close; close = open.pop()) await close();
}

/** A stage that did not end well; its heading has been printed. */
class StageFailed extends Error {}

async function stage(name: string, work: () => Promise<boolean | Counts>): Promise<void> {
  const from = performance.now();
  console.log(`\n── ${name} ──`);
  let result: boolean | Counts;
  try {
    result = await work();
  } catch (error) {
    console.error(error instanceof Trouble ? `takt: ${error.message}` : error);
    result = false;
  }
  const counts = typeof result === "boolean" ? { passed: 0, failed: result ? 0 : 1, skipped: 0 } : result;
  total.passed += counts.passed;
  total.failed += counts.failed;
  total.skipped += counts.skipped;
  times.push(`${name.padEnd(22)} ${seconds(from).padStart(9)}`);
  if (counts.failed === 0) return console.log(`── ${name}: ok, ${seconds(from)} ──`);
  console.error(`\n✗ FAILED: ${name} (${seconds(from)}). The stages after it were not run.`);
  throw new StageFailed(name);
}

/** What can be asked for alone, with what it needs: npm test -- --only lint,pure */
const kinds = ["lint", "types", "pure", "db", "process", "demo", "browser"] as const;
type Kind = (typeof kinds)[number];

function readKinds(): Set<Kind> {
  const usage = `Usage: npm test [-- --only ${kinds.join(",")}]`;
  const only = process.argv.slice(2);
  if (only.length === 0) return new Set(kinds);
  const named = only.length === 2 && only[0] === "--only" ? (only[1] ?? "").split(",") : [];
  const wanted = kinds.filter((kind) => named.includes(kind));
  if (wanted.length === 0 || wanted.length !== named.length) failWith(new Trouble(usage));
  return new Set(wanted);
}

async function stages(wanted: Set<Kind>): Promise<void> {
  mkdirSync(logDir, { recursive: true });
  const work = mkdtempSync(join(tmpdir(), "takt-test-"));
  open.push(async () => rmSync(work, { recursive: true, force: true }));
  let chromium = "";
  // First, so that a missing browser is not found out after ten minutes.
  if (wanted.has("browser") || wanted.has("demo")) {
    await stage("browser", async () => {
      chromium = findChromium(console.log);
      console.log(chromium);
      return true;
    });
  }
  await stage("database client", () => generateClient().then(() => true));
  if (wanted.has("lint")) await stage("lint", () => runTool(["node_modules/@biomejs/biome/bin/biome", "check", "--error-on-warnings", "."]));
  if (wanted.has("types")) await stage("types", checkTypes);
  if (wanted.has("pure")) await stage("pure tests", () => runVitest("pure", report("pure"), {}));
  if (wanted.has("process") || wanted.has("demo") || wanted.has("browser")) await stage("build", () => buildWeb({ always: false }).then(() => true));
  if (wanted.has("db") || wanted.has("process")) await storeTests(join(work, "tests"), wanted);
  if (wanted.has("demo")) await stage("demo", () => demoTest(join(work, "demo"), chromium));
  if (wanted.has("browser")) await stage("browser tests", () => runPlaywright(report("browser"), { CHROMIUM: chromium }));
}

// The types of routes are made by Next.
const checkTypes = async () =>
  (await runTool(["node_modules/next/dist/bin/next", "typegen"], { NEXT_TELEMETRY_DISABLED: "1" })) && runTool(["node_modules/typescript/bin/tsc", "--noEmit"]);

async function storeTests(dataDir: string, wanted: Set<Kind>): Promise<void> {
  const given = { DATABASE_URL: "", MIGRATE_DATABASE_URL: "", MQTT_URL: "", TAKT_ADMIN_URL: "" };
  await stage("database and broker", async () => {
    const embedded = await startEmbedded({ dataDir, log: console.log });
    open.push(() => embedded.stop());
    const { databaseUrl, migrateUrl, mqttUrl, postgres } = embedded;
    Object.assign(given, { DATABASE_URL: databaseUrl, MIGRATE_DATABASE_URL: migrateUrl, MQTT_URL: mqttUrl, TAKT_ADMIN_URL: postgres.adminUrl });
    await migrate(migrateUrl, { application: databaseUrl, log: console.log });
    return true;
  });
  if (wanted.has("db")) await stage("database tests", () => runVitest("db", report("db"), given));
  if (wanted.has("process")) await stage("process tests", () => runVitest("process", report("process"), given));
  await open.pop()?.();
}

/** The whole plant as npm run demo starts it: a live value and every line's board from nothing, and all of it stopped within 15 s. */
async function demoTest(dataDir: string, chromium: string): Promise<Counts> {
  const plant = startPlant({ dataDir, logDir, port: await freePort(), web: "built", history: "12h", own: true, console: openConsole() });
  open.push(plant.stop);
  const { url, boards, people } = await plant.ready;
  const [boss] = people;
  if (!boss) throw new Trouble("The demo has nobody who can sign in.");
  const signedIn = await fetch(`${url}/api/auth/sign-in/username`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ login: boss.login, password: boss.password }),
  });
  if (!signedIn.ok) throw new Trouble(`Signing in to the demo answers ${signedIn.status}.`);
  const cookie = signedIn.headers
    .getSetCookie()
    .map((set) => set.split(";")[0])
    .join("; ");
  for (const { path } of boards) {
    const { status } = await fetch(url + path, { headers: { cookie }, redirect: "manual" });
    if (status !== 200) throw new Trouble(`${url + path} answers ${status}.`);
  }
  if (boards.length === 0) throw new Trouble("The demo has no boards.");
  const seen = await runPlaywright(report("demo"), { CHROMIUM: chromium, E2E_BASE_URL: url, E2E_LOGIN: boss.login, E2E_PASSWORD: boss.password });
  const from = performance.now();
  open.pop();
  await plant.stop();
  console.log(`  stopped in ${seconds(from)}`);
  if (performance.now() - from > 15_000) throw new Trouble("The stop took more than 15 s.");
  return { ...seen, passed: seen.passed + 1 };
}

function close(code: number): never {
  console.log(`\n${times.join("\n")}\n${"all".padEnd(22)} ${seconds(startedAt).padStart(9)}\n`);
  console.log(`${total.passed} passed, ${total.failed} failed${total.skipped > 0 ? `, ${total.skipped} skipped` : ""}`);
  process.exit(code);
}

let interrupted = false;
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => {
    if (interrupted) return;
    interrupted = true;
    console.error("\nStopped before the end; closing what was started.");
    endCurrent()
      .then(closeAll)
      .then(
        () => process.exit(130),
        (error: unknown) => {
          console.error(messageOf(error));
          process.exit(1);
        },
      );
  });
}

let code = 0;
try {
  await stages(readKinds());
} catch (error) {
  if (!(error instanceof StageFailed)) console.error(error);
  if (!(error instanceof StageFailed)) total.failed += 1;
  code = 1;
}
if (!interrupted) {
  await closeAll();
  close(code);
}
