/** npm run audit -- verify [--heads FILE]... | heads */
import { existsSync, readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import pg from "pg";
import type { Db } from "#/server/db.ts";
import { env } from "#/server/env.ts";
import { isDatabaseAway } from "#/server/errors.ts";
import { readHeadTargets } from "./env.ts";
import { linesOf, type PublishedHead, parseHeads, readHeads } from "./heads.ts";
import { type Place, type PublicationLog, variableOf, whyNotThere } from "./publications.ts";
import { readRetained } from "./publish.ts";
import { verify } from "./verify.ts";

const usage = "Usage: npm run audit -- verify [--heads FILE]... | heads";
const mostLines = 50;
/** The exit code where nothing is wrong and nothing that was published was looked at: a script must not take that for an answer. */
const notCompared = 2;

/** An end that the person at the terminal understands: its lines are printed as they are, and the exit code is 1. */
class Ended extends Error {
  override name = "Ended";
}

async function main(): Promise<void> {
  if (process.argv.slice(2).some((arg) => arg === "--help" || arg === "-h")) return console.log(usage);
  const { positionals, values } = readArguments();
  const [command, ...more] = positionals;
  if (more.length > 0) throw new Ended(usage);
  switch (command) {
    case "verify":
      return check(values.heads.length > 0 ? readFiles(values.heads) : await readPlaces());
    case "heads":
      return withTransaction(async (tx) => {
        const heads = await readHeads(tx);
        if (heads.length === 0) console.error("The audit trail is empty.");
        process.stdout.write(linesOf(heads, new Date()));
      });
    default:
      throw new Ended(usage);
  }
}

function readArguments() {
  try {
    return parseArgs({ allowPositionals: true, options: { heads: { type: "string", multiple: true, default: [] } } });
  } catch (error) {
    throw new Ended(`${error instanceof Error ? error.message : error}\n${usage}`);
  }
}

/** places: those of the environment, which must hold what the trail says was published there. */
type Published = { heads: PublishedHead[]; from: string[]; places: Place[] };

/** Copies that were kept elsewhere: what they hold is compared, and nobody says that they hold all. */
function readFiles(files: readonly string[]): Published {
  const heads = files.flatMap((file) => {
    const read = readFile(file);
    if (read.length === 0) throw new Ended(`${file} holds no heads.`);
    return read;
  });
  return { heads, from: [...files], places: [] };
}

function readFile(file: string): PublishedHead[] {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw new Ended(`${file} cannot be read: ${error instanceof Error ? error.message : error}`);
  }
  const { heads, unreadable } = parseHeads(text);
  if (unreadable.length > 0)
    throw new Ended(`${file} was damaged: line ${unreadable.slice(0, 10).join(", ")} is no head of a chain. Take a copy that is whole.`);
  return heads;
}

/** Where the environment has heads published. What is not there is no fault before the first publication; the trail knows. */
async function readPlaces(): Promise<Published> {
  const targets = readHeadTargets();
  if ("wrong" in targets) throw new Ended(targets.wrong.join("\n"));
  const places: Place[] = [];
  if (targets.file !== null) places.push({ target: "file", name: targets.file, heads: existsSync(targets.file) ? readFile(targets.file) : null });
  if (targets.mqtt !== null) {
    const { topic } = targets.mqtt;
    const heads = await readRetained(targets.mqtt).catch((error: Error) => {
      throw new Ended(`The heads on AUDIT_HEAD_TOPIC (${topic}) cannot be read: ${error.message}. Compare with a copy by --heads FILE.`);
    });
    places.push({ target: "mqtt", name: topic, heads });
  }
  const read = places.filter(({ heads }) => heads !== null && heads.length > 0);
  return { heads: read.flatMap(({ heads }) => heads ?? []), from: read.map(({ name }) => name), places };
}

/** What the trail says was published where this command does not look. */
function elsewhere({ of }: PublicationLog, places: readonly Place[]): string[] {
  return [...of].flatMap(([target, { count, place, at }]) =>
    places.some((one) => one.target === target)
      ? []
      : [
          `Heads were published to ${variableOf[target]} (${place}), ${number(count, "time", "times")}, last at ${at}: not compared here, save them in a file and add --heads FILE.`,
        ],
  );
}

async function check(published: Published): Promise<void> {
  const startedAt = performance.now();
  const { findings, counts, publications, isGuardedByGrants } = await withTransaction((tx) =>
    verify(tx, {
      published: published.heads,
      onProgress: (entries) => process.stderr.isTTY && process.stderr.write(`\r${entries.toLocaleString("en")} entries`),
    }),
  );
  if (process.stderr.isTTY) process.stderr.write("\r\x1b[K");
  for (const place of published.places) {
    const sentence = whyNotThere(place, publications);
    if (sentence !== null) findings.push({ chain: 0, seq: null, sentence });
  }
  const seconds = (performance.now() - startedAt) / 1000;
  const entries = [...counts.values()].reduce((sum, count) => sum + count, 0);
  const looked = `${number(entries, "entry", "entries")} in ${number(counts.size, "chain", "chains")}, ${seconds.toFixed(1)} s`;
  console.log(
    published.from.length > 0
      ? `Compared with ${number(published.heads.length, "published head", "published heads")} in ${published.from.join(", ")}.`
      : "Compared with the database's own heads alone: whoever rewrites a whole chain rewrites them, too. Heads published outside find that out: --heads FILE.",
  );
  if (published.places.length > 0 || published.from.length === 0) for (const sentence of elsewhere(publications, published.places)) console.log(sentence);
  if (!isGuardedByGrants)
    console.log('The application may by its role change the trail: it is guarded by triggers alone. Two roles are safer: docs/operating.md, "Two roles".');
  for (const { sentence } of findings.slice(0, mostLines)) console.error(sentence);
  if (findings.length > mostLines) console.error(`... and ${findings.length - mostLines} more.`);
  if (findings.length > 0) throw new Ended(`The audit trail is BROKEN: ${number(findings.length, "fault", "faults")} (${looked}).`);
  if (published.from.length > 0 || publications.of.size === 0) return console.log(`The audit trail is whole: ${looked}.`);
  console.log(`The audit trail is whole as far as the database itself can tell: ${looked}. It was not compared with any of the heads that were published.`);
  process.exitCode = notCompared;
}

const number = (n: number, one: string, many: string) => `${n.toLocaleString("en")} ${n === 1 ? one : many}`;

/** One look at one moment of the database. */
async function withTransaction<Result>(work: (tx: Db) => Promise<Result>): Promise<Result> {
  const client = new pg.Client({ connectionString: databaseUrl(), application_name: "takt audit", connectionTimeoutMillis: 10_000 });
  client.on("error", () => undefined); // the statement under way fails with it
  try {
    await client.connect();
    await client.query("begin isolation level repeatable read read only");
    return await work({ rows: async (sql, parameters = []) => (await client.query(sql, [...parameters])).rows });
  } finally {
    await client.end();
  }
}

function databaseUrl(): string {
  try {
    return env().DATABASE_URL;
  } catch (error) {
    throw new Ended(error instanceof Error ? error.message : String(error)); // names each wrong variable
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
  if (code === "42P01") return `This database has no audit trail (${said}). Run: npm run migrate`;
  return null;
}

try {
  await main();
} catch (error) {
  const sentence = sentenceOf(error);
  if (sentence === null) console.error(error);
  else for (const line of sentence.split("\n")) console.error(`takt audit: ${line}`);
  process.exitCode = 1;
}
