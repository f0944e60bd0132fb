/** npm run soak [-- NAME ...] [--seed N] [--minutes N] [--viewers N]: the long tests. Each prints its count; one that fails says what differed, and the exit code is 1. */
import { parseArgs } from "node:util";
import { boardTest } from "./soak/board.ts";
import { fuzzPure, fuzzWorker } from "./soak/fuzz.ts";
import { killTest } from "./soak/kill.ts";
import { neverBorn, sparkplugTest } from "./soak/sparkplug.ts";
import { failWith, messageOf, Trouble } from "./trouble.ts";

type Soak = { what: string; run: (seed: number, log: (line: string) => void, of: Size) => Promise<string[]> };
/** Of the boards' test. */
type Size = { minutes: number; viewers: number };

const soaks: Record<string, Soak> = {
  kill: {
    what: "20 kills of the worker, 5 of the database, 5 restarts of the broker under 2,000 messages/s",
    async run(seed, log) {
      const report = await killTest({ kills: { worker: 20, postgres: 5, broker: 5 }, perSecond: 2_000, gapMs: [2_000, 6_000], seed, log });
      log(`${report.messages} messages acknowledged; ${report.distinct} distinct values = ${report.stored} stored + ${report.setAside} set aside`);
      return report.differences;
    },
  },
  sparkplug: {
    what: "Sparkplug edge nodes at QoS 0 while worker, database and broker end or restart 40 times",
    async run(seed, log) {
      const counts = { killed: 12, stopped: 6, broker: 6, database: 6, "killed without database": 4, skipped: 6 };
      const report = await sparkplugTest({ blows: counts, perSecond: 25, gapMs: [1_500, 7_000], seed, log });
      const { waited, stopped } = await neverBorn({ waitMs: 90_000, log });
      return [
        ...report.differences,
        ...(waited === 3 && stopped === 5 ? [] : [`of 5 values without a birth, ${waited} and ${stopped} are set aside, not 3 and 5`]),
      ];
    },
  },
  fuzz: {
    what: "a million garbage messages through decode and resolve, 100,000 through a worker",
    async run(seed, log) {
      const pure = fuzzPure(1_000_000, seed);
      log(`decode and resolve: ${pure.messages} messages, ${pure.samples} samples, letters ${JSON.stringify(pure.letters)}`);
      const real = await fuzzWorker(100_000, seed + 1);
      log(`worker: ${real.messages} messages, ${real.samples} samples stored, letters ${JSON.stringify(real.letters)}`);
      return [...pure.troubles, ...real.troubles];
    },
  },
  board: {
    what: "displays on boards for hours, while web app and database end and come back",
    async run(_seed, log, size) {
      const report = await boardTest({ ...size, log });
      log(`${report.pictures} pictures in ${report.connections} connections; ${report.compared} compared with a fresh read`);
      return report.differences;
    },
  },
};

const usage = `Usage: npm run soak -- [${Object.keys(soaks).join("] [")}] [--seed N] [--minutes N] [--viewers N] (of the boards: 120 and 50)`;

async function main(): Promise<void> {
  if (process.argv.slice(2).some((arg) => arg === "--help" || arg === "-h")) return console.log(usage);
  const { positionals, values } = read();
  const names = positionals.length > 0 ? positionals : Object.keys(soaks);
  const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 32) : Number(values.seed);
  if (!Number.isInteger(seed)) throw new Trouble("--seed takes a whole number.");
  const size = { minutes: Number(values.minutes ?? 120), viewers: Number(values.viewers ?? 50) };
  if (!(size.minutes > 0)) throw new Trouble("--minutes takes a number above 0.");
  if (!Number.isInteger(size.viewers) || size.viewers < 1) throw new Trouble("--viewers takes a whole number from 1 on.");
  let failed = 0;
  for (const name of names) {
    const soak = soaks[name];
    if (!soak) throw new Trouble(`There is no long test "${name}". There are: ${Object.keys(soaks).join(", ")}.`);
    console.log(`\n── ${name}: ${soak.what} ──`);
    const startedAt = performance.now();
    const differences = await soak.run(seed, (line) => console.log(`${((performance.now() - startedAt) / 1000).toFixed(1).padStart(7)} s  ${line}`), size);
    for (const difference of differences.slice(0, 20)) console.error(`  ${difference}`);
    if (differences.length > 0) failed++;
    console.log(`── ${name}: ${differences.length === 0 ? "ok" : `FAILED, ${differences.length} differences, --seed ${seed}`} ──`);
  }
  console.log(`\n${names.length - failed} passed, ${failed} failed`);
  process.exit(failed > 0 ? 1 : 0);
}

function read() {
  try {
    return parseArgs({ allowPositionals: true, options: { seed: { type: "string" }, minutes: { type: "string" }, viewers: { type: "string" } } });
  } catch (error) {
    throw new Trouble(`${messageOf(error).split(". ")[0]}. ${usage}`);
  }
}

// Database, broker and worker end with us.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => process.exit(130));
await main().catch(failWith);
