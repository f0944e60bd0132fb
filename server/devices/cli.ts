/** npm run broker -- write DIR [--program NAME ...] [--port 8883] --ca FILE --cert FILE --key FILE [--crl FILE] */
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import pg from "pg";
import { headTopic } from "#/server/audit/env.ts";
import { env } from "#/server/env.ts";
import { isDatabaseAway } from "#/server/errors.ts";
import { accessList, admitted, brokerConfiguration } from "./broker-files.ts";
import { type DeviceRow, deviceRows } from "./queries.ts";
import { certificateState, soonDays } from "./service.ts";

const usage = `Usage: npm run broker -- write DIR --ca FILE --cert FILE --key FILE [--crl FILE] [--port 8883] [--program NAME ...]
  Writes takt-devices.conf and takt-devices.acl for Mosquitto into DIR.
  --ca       certificate of the authority that signs devices' certificates
  --cert, --key  the broker's own certificate and key
  --crl      revocation list of that authority
  --program  user name (or common name of the certificate) of a Takt worker or another program that may read and write everything`;

class Ended extends Error {
  override name = "Ended";
}

async function main(): Promise<void> {
  if (process.argv.slice(2).some((arg) => arg === "--help" || arg === "-h")) return console.log(usage);
  const { positionals, values } = readArguments();
  const [command, dir, ...more] = positionals;
  const { ca, cert, key, crl, port, program } = values;
  if (command !== "write" || dir === undefined || more.length > 0 || !ca || !cert || !key) throw new Ended(usage);
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535 || Number(port) === 0) throw new Ended("--port must be a port, 1 to 65535.");
  const unwise = program.find((name) => name.trim() === "" || /[\p{Cc}]/u.test(name));
  if (unwise !== undefined) throw new Ended("--program must be a user name.");
  const ownTopic = headTopic();
  const { devices, leftOut } = admitted(await readDevices(), program, ownTopic === null ? [] : [ownTopic]);
  const home = resolve(dir);
  const accessFile = join(home, "takt-devices.acl");
  mkdirSync(home, { recursive: true });
  replace(accessFile, accessList(devices, program));
  const paths = {
    accessFile,
    port: Number(port),
    caFile: resolve(ca),
    certFile: resolve(cert),
    keyFile: resolve(key),
    crlFile: crl === undefined ? null : resolve(crl),
  };
  replace(join(home, "takt-devices.conf"), brokerConfiguration(paths));
  console.log(`${home}: takt-devices.conf and takt-devices.acl written, with ${devices.length === 1 ? "1 device" : `${devices.length} devices`}.`);
  for (const line of leftOut) console.log(line);
  for (const line of remarks(devices, program, paths.crlFile, new Date())) console.log(line);
}

function readArguments() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        ca: { type: "string" },
        cert: { type: "string" },
        key: { type: "string" },
        crl: { type: "string" },
        port: { type: "string", default: "8883" },
        program: { type: "string", multiple: true, default: [] },
      },
    });
  } catch (error) {
    throw new Ended(`${error instanceof Error ? error.message : error}\n${usage}`);
  }
}

async function readDevices(): Promise<DeviceRow[]> {
  const client = new pg.Client({ connectionString: env().DATABASE_URL, application_name: "takt broker", connectionTimeoutMillis: 10_000 });
  client.on("error", () => undefined); // the statement under way fails with it
  await client.connect();
  try {
    return await deviceRows({ rows: async (sql, parameters = []) => (await client.query(sql, [...parameters])).rows }, null);
  } finally {
    await client.end();
  }
}

/** All of the new or all of the old: the broker may be told to read it at any moment. */
function replace(file: string, text: string): void {
  writeFileSync(`${file}.new`, text, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

/** What a person should look at. */
function remarks(devices: readonly DeviceRow[], programs: readonly string[], crlFile: string | null, now: Date): string[] {
  const named = (list: readonly DeviceRow[]) => list.map(({ address }) => address).join(", ");
  const inState = (state: string) => devices.filter((device) => certificateState(device, now) === state);
  const told: [string, readonly DeviceRow[]][] = [
    ["may publish nothing, because no topics are given", devices.filter(({ topics }) => topics.length === 0)],
    ["their certificates name another than their identity, so the broker takes them for something else", inState("mismatch")],
    ["their certificates have expired", inState("expired")],
    [`their certificates end within ${soonDays} days`, inState("ends_soon")],
    ["no fingerprint is known, so nobody can tell which certificate is theirs", devices.filter(({ fingerprint }) => fingerprint === null)],
  ];
  return [
    ...told.filter(([, list]) => list.length > 0).map(([what, list]) => `${named(list)}: ${what}.`),
    ...(programs.length === 0 ? ["No --program was given: Takt's own worker may read nothing at this broker."] : []),
    ...(crlFile === null ? ["No --crl was given: a stolen certificate is taken until it expires."] : []),
  ];
}

function sentenceOf(error: unknown): string | null {
  if (error instanceof Ended) return error.message;
  if (isDatabaseAway(error))
    return `The database cannot be reached (${error instanceof Error ? error.message : error}). Is it running, and is DATABASE_URL right?`;
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (code === "42P01") return "This database has no Takt schema yet, or an older one. Run: npm run migrate";
  if (code === "EACCES" || code === "ENOENT" || code === "ENOTDIR" || code === "EROFS")
    return `It cannot be written: ${error instanceof Error ? error.message : error}`;
  return null;
}

try {
  await main();
} catch (error) {
  const sentence = sentenceOf(error);
  if (sentence === null) console.error(error);
  else for (const line of sentence.split("\n")) console.error(`takt broker: ${line}`);
  process.exitCode = 1;
}
