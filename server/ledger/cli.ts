/** npm run ledger -- rebuild --from DAY --to DAY [--site KEY] */
import { parseArgs } from "node:util";
import pg from "pg";
import { programOptions } from "#/server/audit/change.ts";
import { env } from "#/server/env.ts";
import { isDatabaseAway } from "#/server/errors.ts";
import { CannotRebuild, rebuildLedger } from "./rebuild.ts";
import type { LedgerDb } from "./refresh.ts";

const usage = `Usage: npm run ledger -- rebuild --from 2026-03-01 --to 2026-03-07 [--site KEY]
  Tells the ledger and its facts of these days anew (both included, by each site's calendar; without --site of all sites) from what was read, planned and said.
  Where the ledger is as it should be, nothing changes. Everything else may go on meanwhile; Ctrl-C stops after the step under way.`;

/** An end that the person at the terminal understands: its lines are printed as they are, and the exit code is 1. */
class Ended extends Error {
  override name = "Ended";
}

const options = { from: { type: "string" }, to: { type: "string" }, site: { type: "string" }, help: { type: "boolean", short: "h" } } as const;

function readArguments() {
  try {
    return parseArgs({ allowPositionals: true, options });
  } catch (error) {
    throw new Ended(`${error instanceof Error ? error.message : error}\n${usage}`);
  }
}

async function main(): Promise<void> {
  const { positionals, values } = readArguments();
  if (values.help) return console.log(usage);
  const [command, ...more] = positionals;
  const { from, to, site = null } = values;
  if (command !== "rebuild" || more.length > 0) throw new Ended(usage);
  if (from === undefined || to === undefined) throw new Ended(`Which days? --from and --to are both needed.\n${usage}`);

  const stopping = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stopping.abort());
  const startedAt = performance.now();
  const isShown = process.stderr.isTTY;
  let toldPercent = 0;
  const { lines, minutes, rows, kept, isStopped } = await withDatabase((db) =>
    rebuildLedger(
      db,
      { from, to, site },
      {
        now: () => new Date(),
        signal: stopping.signal,
        onProgress(done, whole) {
          const percent = Math.floor((100 * done) / whole);
          const passedS = (performance.now() - startedAt) / 1000;
          const said = `${percent} %, ${passedS.toFixed(0)} s, about ${((passedS / done) * (whole - done)).toFixed(0)} s to go`;
          if (isShown) process.stderr.write(`\r\x1b[K${said}`);
          else if (percent >= toldPercent + 10) {
            toldPercent = percent;
            console.error(said);
          }
        },
      },
    ),
  );
  if (isShown) process.stderr.write("\r\x1b[K");
  const changed =
    minutes === 0 && rows === 0
      ? "nothing was otherwise than it should be"
      : `${number(minutes, "minute")} of pieces and ${number(rows, "row")} were otherwise, and are right now`;
  console.log(
    `${isStopped ? "Stopped" : "Rebuilt"} ${from} to ${to}, ${number(lines, "line")}, ${((performance.now() - startedAt) / 1000).toFixed(1)} s: ${changed}.`,
  );
  if (kept > 0) console.log(`Of ${number(kept, "machine")} not all readings of these days are there any more: what was told of that time stays as it is.`);
  if (isStopped) throw new Ended("Stopped before the end. What was rebuilt stays; run the same command again for the rest.");
}

const number = (n: number, one: string) => `${n.toLocaleString("en")} ${one}${n === 1 ? "" : "s"}`;

async function withDatabase<Result>(work: (db: LedgerDb) => Promise<Result>): Promise<Result> {
  const client = new pg.Client({
    connectionString: databaseUrl(),
    application_name: "takt ledger",
    options: programOptions("ledger", "Rebuild of the ledger"),
    connectionTimeoutMillis: 10_000,
  });
  client.on("error", () => undefined); // the statement under way fails with it
  const rows: LedgerDb["rows"] = async (sql, parameters = []) => (await client.query(sql, [...parameters])).rows;
  try {
    await client.connect();
    return await work({
      rows,
      async transaction(inside) {
        await client.query("begin");
        try {
          const result = await inside({ rows });
          await client.query("commit");
          return result;
        } catch (error) {
          await client.query("rollback").catch((again: Error) => Object.assign(again, { cause: error }));
          throw error;
        }
      },
    });
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
  if (error instanceof Ended || error instanceof CannotRebuild) return error.message;
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const said = error instanceof Error ? error.message : String(error);
  if (isDatabaseAway(error)) return `The database cannot be reached (${said || code}). Is it running, and is DATABASE_URL right?`;
  if (code.startsWith("28")) return `The database refuses the sign-in: ${said}. Check user and password in DATABASE_URL.`;
  if (code === "3D000") return `${said}. Create it, or check the name in DATABASE_URL.`;
  if (code === "42P01") return `This database has no ledger (${said}). Run: npm run migrate`;
  return null;
}

try {
  await main();
} catch (error) {
  const sentence = sentenceOf(error);
  if (sentence === null) console.error(error);
  else for (const line of sentence.split("\n")) console.error(`takt ledger: ${line}`);
  process.exitCode = 1;
}
