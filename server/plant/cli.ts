/** npm run plant -- check FILE | apply FILE [--dry-run] [--yes] | export [FILE] */
import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { createInterface } from "node:readline/promises";
import { parseArgs } from "node:util";
import pg from "pg";
import { say } from "#/server/audit/change.ts";
import type { Db } from "#/server/db.ts";
import type { Actor } from "#/server/domain/permission.ts";
import { env } from "#/server/env.ts";
import { isDatabaseAway } from "#/server/errors.ts";
import { exportPlant } from "./export.ts";
import type { PlantFile } from "./file.ts";
import { readPlantFile, writeComplaint } from "./read-file.ts";
import { applyPlan, lockPlant, type Plan, planPlant } from "./service.ts";

const usage = "Usage: npm run plant -- check FILE | apply FILE [--dry-run] [--yes] | export [FILE]";

/** An end that the person at the terminal understands: its lines are printed as they are, and the exit code is 1. */
class Ended extends Error {
  override name = "Ended";
}

async function main(): Promise<void> {
  if (process.argv.slice(2).some((arg) => arg === "--help" || arg === "-h")) return console.log(usage);
  const { positionals, values } = readArguments();
  const [command, file, ...more] = positionals;
  if (more.length > 0) throw new Ended(usage);
  switch (command) {
    case "check": {
      const plant = readFile(file);
      console.log(`${file}: no mistakes found. ${countEntries(plant)}`);
      return;
    }
    case "apply":
      return apply(readFile(file), { dryRun: values["dry-run"], yes: values.yes });
    case "export":
      return exportTo(file);
    default:
      throw new Ended(usage);
  }
}

function readArguments() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: { "dry-run": { type: "boolean", default: false }, yes: { type: "boolean", short: "y", default: false } },
    });
  } catch (error) {
    throw new Ended(`${error instanceof Error ? error.message : error}\n${usage}`);
  }
}

/** @throws Ended with every mistake on a line of its own */
function readFile(file: string | undefined): PlantFile {
  if (file === undefined) throw new Ended(usage);
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    throw new Ended(`${file} cannot be read: ${error instanceof Error ? error.message : error}`);
  }
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new Ended(`${file} is not UTF-8 text. Save it as UTF-8.`);
  }
  const { plant, complaints } = readPlantFile(text);
  if (plant) return plant;
  const count = complaints.length === 1 ? "1 mistake" : `${complaints.length} mistakes`;
  throw new Ended([...complaints.map((complaint) => writeComplaint(file, complaint)), `${count}. Nothing was changed.`].join("\n"));
}

function countEntries({ sites, product_lines }: PlantFile): string {
  const lines = sites.flatMap((site) => site.areas.flatMap((area) => area.lines));
  const machines = lines.flatMap((line) => line.machines);
  const signals = machines.reduce((sum, machine) => sum + machine.signals.length, 0);
  const products = product_lines.reduce((sum, line) => sum + line.products.length, 0);
  return `Sites ${sites.length}, lines ${lines.length}, machines ${machines.length}, signals ${signals}, products ${products}.`;
}

async function apply(plant: PlantFile, { dryRun, yes }: { dryRun: boolean; yes: boolean }): Promise<void> {
  // Whole seconds: what holds from now on is read by people.
  const now = new Date(Math.floor(Date.now() / 1000) * 1000);
  await withDatabase(async (client) => {
    const shown = await inTransaction(client, "begin isolation level repeatable read read only", (tx) => planPlant(tx, plant, now));
    if (shown.troubles.length > 0) throw new Ended([...shown.troubles, "Nothing was changed."].join("\n"));
    if (shown.summary === "") {
      console.log("Nothing to change.");
      return;
    }
    for (const line of shown.lines) console.log(line);
    console.log(`${shown.summary}.`);
    if (dryRun) return;
    if (!yes && !(await confirmed())) throw new Ended("Nothing was changed.");
    await inTransaction(client, "begin", async (tx) => {
      await say(tx, { actor: program, from: { address: null, userAgent: null } }, { action: "plant.applied" });
      await lockPlant(tx);
      const plan = await planPlant(tx, plant, now);
      if (!isSame(plan, shown))
        throw new Ended("The plant was changed by someone else in the meantime. Nothing was changed; apply again to see what would be now.");
      await applyPlan(tx, plan, now);
    });
    console.log("Applied.");
  });
}

/** Who the audit trail says it was: this command, and the machine's user who ran it. */
const program: Actor = { kind: "program", id: `plant:${userInfo().username}`, name: `npm run plant (${userInfo().username})` };

const isSame = (a: Plan, b: Plan) => JSON.stringify([a.troubles, a.lines, a.summary]) === JSON.stringify([b.troubles, b.lines, b.summary]);

async function confirmed(): Promise<boolean> {
  if (!process.stdin.isTTY) throw new Ended("There is no terminal to ask at. Look at the changes above, then give --yes. Nothing was changed.");
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^(y|yes)$/i.test((await terminal.question("Apply these changes? [y/N] ")).trim());
  } finally {
    terminal.close();
  }
}

async function exportTo(file: string | undefined): Promise<void> {
  await withDatabase(async (client) => {
    const text = await inTransaction(client, "begin isolation level repeatable read read only", exportPlant);
    if (text === null) throw new Ended("The database holds no plant yet. Fill it with: npm run plant -- apply FILE");
    if (file === undefined) process.stdout.write(text);
    else {
      writeWhole(file, text);
      console.log(`${file}: written.`);
    }
  });
}

/** The old file stays as it is until the new one is there whole. */
function writeWhole(file: string, text: string): void {
  const before = statSync(file, { throwIfNoEntry: false });
  if (before && !before.isFile()) throw new Ended(`${file} is there and is no file. Nothing was written.`);
  const beside = `${file}.${process.pid}.part`;
  try {
    writeFileSync(beside, text, { flag: "wx", flush: true });
    renameSync(beside, file);
  } catch (error) {
    rmSync(beside, { force: true });
    throw new Ended(`${file} cannot be written: ${error instanceof Error ? error.message : error}`);
  }
}

function databaseUrl(): string {
  try {
    return env().DATABASE_URL;
  } catch (error) {
    throw new Ended(error instanceof Error ? error.message : String(error)); // names each wrong variable
  }
}

async function withDatabase(work: (client: pg.Client) => Promise<void>): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl(), application_name: "takt plant", connectionTimeoutMillis: 10_000 });
  client.on("error", () => undefined); // the statement under way fails with it
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}

async function inTransaction<Result>(client: pg.Client, begin: string, work: (tx: Db) => Promise<Result>): Promise<Result> {
  await client.query(begin);
  try {
    const result = await work({ rows: async (sql, parameters = []) => (await client.query(sql, [...parameters])).rows });
    await client.query("commit");
    return result;
  } catch (error) {
    await client.query("rollback").catch(() => undefined); // where the connection is gone, the server rolls back by itself
    throw error;
  }
}

/** Expected trouble in a sentence; null for anything else. */
function sentenceOf(error: unknown): string | null {
  if (error instanceof Ended) return error.message;
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const said = error instanceof Error ? error.message : String(error);
  if (isDatabaseAway(error)) return `The database cannot be reached (${said || code}). Is it running, and is DATABASE_URL right?`;
  if (code.startsWith("28")) return `The database refuses the sign-in: ${said}. Check user and password in DATABASE_URL.`;
  if (code === "3D000") return `${said}. Create it, or check the name in DATABASE_URL.`;
  if (code === "42P01") return "This database has no Takt schema yet. Run: npm run migrate";
  if (code === "23503" || code === "23001")
    return `Data came in for something that was about to be deleted (${said}). Nothing was changed; apply again: it will be retired instead.`;
  return null;
}

try {
  await main();
} catch (error) {
  const sentence = sentenceOf(error);
  if (sentence === null) console.error(error);
  else
    for (const line of sentence.split("\n"))
      console.error(error instanceof Ended && line.includes(":") && /:\d+:\d+: /.test(line) ? line : `takt plant: ${line}`);
  process.exitCode = 1;
}
