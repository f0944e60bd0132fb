// The files that `npm run broker` writes, in a real Mosquitto: who is let in, and what it may say.
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { connectAsync, type IClientOptions, type MqttClient } from "mqtt";
import { afterAll, beforeAll, expect, it } from "vitest";
import { makeCertificates, revocationList, signClient } from "#/scripts/embedded/certificates.ts";
import { preparePrograms } from "#/scripts/embedded/packages.ts";
import { freePort, gone, launch, makeOwnedDir, own, signal, tailOf } from "#/scripts/embedded/processes.ts";
import { until } from "#/scripts/soak/until.ts";
import { aDatabase, aLine, type TestDatabase } from "#/server/testing.ts";
import { readCertificate } from "./certificate.ts";

const run = promisify(execFile);
let db: TestDatabase;
let dir: string;
let port: number;
let pid = 0;
let caFile: string;
type Files = { certFile: string; keyFile: string };
const files: Record<"press" | "node" | "spaced" | "old" | "unknown" | "worker" | "stranger", Files> = {} as never;
const clients: MqttClient[] = [];

beforeAll(async () => {
  db = await aDatabase();
  const { siteId } = await aLine(db);
  const device = (key: string, identity: string, topics: string[]) =>
    db.rows("insert into device (site_id, key, name, identity, topics) values ($1, $2, $2, $3, $4)", [siteId, key, identity, topics]);
  await device("press", "berlin-press", ["takt/v1/berlin/hall/l1/press/#"]);
  await device("node", "edge-1", ["spBv1.0/Berlin/+/Edge1/#"]);
  // As nobody can type it any more: Mosquitto overlooks the space.
  await device("spaced", "chicago-1", [" takt/v1/berlin/#", "takt/v1/chicago/#", "takt/v1/up/../berlin/#"]);
  await device("program", "takt-client", ["takt/v1/chicago/#"]);
  const programs = await preparePrograms(() => undefined);
  dir = mkdtempSync(join(tmpdir(), "takt-broker-"));
  makeOwnedDir(dir);
  const tls = join(dir, "tls");
  const made = await makeCertificates(programs.openssl, tls);
  caFile = made.caFile;
  files.press = await signClient(programs.openssl, tls, "berlin-press");
  files.old = await signClient(programs.openssl, tls, "old", "berlin-press");
  files.node = await signClient(programs.openssl, tls, "edge-1");
  files.spaced = await signClient(programs.openssl, tls, "chicago-1");
  files.unknown = await signClient(programs.openssl, tls, "nobody-knows");
  files.worker = { certFile: made.clientCertFile, keyFile: made.clientKeyFile };
  files.stranger = { certFile: made.strangerCertFile, keyFile: made.strangerKeyFile };
  const crl = await revocationList(programs.openssl, tls, [files.old.certFile]);
  port = await freePort();
  const args = [
    "write",
    dir,
    "--ca",
    caFile,
    "--cert",
    made.serverCertFile,
    "--key",
    made.serverKeyFile,
    "--crl",
    crl,
    "--port",
    String(port),
    "--program",
    "takt-client",
  ];
  const { stdout } = await run(process.execPath, ["server/devices/cli.ts", ...args], { env: { ...process.env, DATABASE_URL: db.url } });
  expect(stdout).toContain("takt-devices.conf and takt-devices.acl written, with 3 devices.");
  expect(stdout).toContain('/spaced is left out, " takt/v1/berlin/#"');
  expect(stdout).toContain('/program is left out, because of its identity "takt-client": --program names it');
  const configuration = join(dir, "takt-devices.conf");
  for (const name of ["takt-devices.conf", "takt-devices.acl"]) own(join(dir, name), 0o600);
  pid = await launch({
    program: programs.mosquitto,
    args: ["-c", configuration],
    workDir: dir,
    logFile: join(dir, "log"),
    detached: false,
    endSignal: "SIGTERM",
  });
}, 120_000);
afterAll(async () => {
  for (const client of clients) await client.endAsync(true);
  if (pid > 0) signal(pid, "SIGTERM");
  await gone(pid, 10_000);
  rmSync(dir, { recursive: true, force: true });
  await db.drop();
});

/** MQTT 5, in which a refusal is told. */
async function connect({ certFile, keyFile }: Files, options: IClientOptions = {}): Promise<MqttClient> {
  const client = await connectAsync(`mqtts://127.0.0.1:${port}`, {
    protocolVersion: 5,
    ca: readFileSync(caFile),
    cert: readFileSync(certFile),
    key: readFileSync(keyFile),
    reconnectPeriod: 0,
    ...options,
  });
  clients.push(client);
  return client;
}
const refused = (work: Promise<unknown>) =>
  work.then(
    () => "taken",
    (error: Error) => error.message,
  );

it("lets a device with its certificate say what is its own, and nothing else", async () => {
  await until(
    () => `the broker answers: ${tailOf(join(dir, "log"))}`,
    () =>
      connect(files.worker).then(
        () => true,
        () => false,
      ),
  );
  const worker = await connect(files.worker);
  const heard: string[] = [];
  worker.on("message", (topic) => heard.push(topic));
  await worker.subscribeAsync(["takt/v1/#", "spBv1.0/#"], { qos: 1 });
  const press = await connect(files.press);
  await press.publishAsync("takt/v1/berlin/hall/l1/press/state", "EXECUTE", { qos: 1 });
  expect(await refused(press.publishAsync("takt/v1/berlin/hall/l1/other/state", "EXECUTE", { qos: 1 }))).toMatch(/Not authorized/);
  expect(await refused(press.publishAsync("spBv1.0/Berlin/NDATA/Edge1", "x", { qos: 1 }))).toMatch(/Not authorized/);
  // Mosquitto takes any subscription and delivers nothing of what may not be read.
  const overheard: string[] = [];
  press.on("message", (topic) => overheard.push(topic));
  await press.subscribeAsync("#", { qos: 1 });
  await worker.publishAsync("takt/v1/berlin/hall/l1/press/note", "1", { qos: 1 });
  await until("the worker hears it", () => heard.length === 2);

  const node = await connect(files.node);
  const commands: string[] = [];
  node.on("message", (topic) => commands.push(topic));
  await node.publishAsync("spBv1.0/Berlin/NDATA/Edge1", "x", { qos: 1 });
  expect(await refused(node.publishAsync("spBv1.0/Berlin/NDATA/Edge2", "x", { qos: 1 }))).toMatch(/Not authorized/);
  await node.subscribeAsync(["spBv1.0/Berlin/NCMD/Edge1", "spBv1.0/STATE/takt"], { qos: 1 });
  await worker.publishAsync("spBv1.0/Berlin/NCMD/Edge1", "rebirth", { qos: 1 });
  await until("the node hears its command", () => commands.length === 1);
  expect(heard.sort()).toEqual([
    "spBv1.0/Berlin/NCMD/Edge1",
    "spBv1.0/Berlin/NDATA/Edge1",
    "takt/v1/berlin/hall/l1/press/note",
    "takt/v1/berlin/hall/l1/press/state",
  ]);
  expect(overheard).toEqual([]);
});

it("gives nobody the topics of a list that reads otherwise than it was stored, and takes a path upwards for what it is", async () => {
  const spaced = await connect(files.spaced);
  expect(await refused(spaced.publishAsync("takt/v1/berlin/hall/l1/press/state", "EXECUTE", { qos: 1 }))).toMatch(/Not authorized/);
  expect(await refused(spaced.publishAsync("takt/v1/chicago/../berlin/hall/l1/press/state", "EXECUTE", { qos: 1 }))).toBe("taken");
  const worker = await connect(files.worker);
  const heard: string[] = [];
  worker.on("message", (topic) => heard.push(topic));
  await worker.subscribeAsync("takt/v1/#", { qos: 1 });
  await spaced.publishAsync("takt/v1/up/../berlin/x", "1", { qos: 1 });
  await until("the worker hears it under the name that it was sent with", () => heard.length === 1);
  expect(heard).toEqual(["takt/v1/up/../berlin/x"]);
});

it("takes the certificate for who a device is, whatever the device says", async () => {
  const node = await connect(files.node);
  let isCutOff = false;
  node.on("close", () => {
    isCutOff = true;
  });
  // Another device that calls itself like the first, by client id and user name.
  const press = await connect(files.press, { clientId: "edge-1", username: "edge-1", password: "x" });
  expect(await refused(press.publishAsync("spBv1.0/Berlin/NDATA/Edge1", "x", { qos: 1 }))).toMatch(/Not authorized/);
  await node.publishAsync("spBv1.0/Berlin/NDATA/Edge1", "x", { qos: 1 });
  expect(isCutOff).toBe(false);
});

it("lets in nobody without a certificate of the authority, with one that was taken back, and gives an unknown one no rights", async () => {
  expect(await refused(connect(files.stranger))).not.toBe("taken");
  expect(await refused(connect(files.old))).not.toBe("taken");
  expect(await refused(connectAsync(`mqtts://127.0.0.1:${port}`, { ca: readFileSync(caFile), reconnectPeriod: 0 }))).not.toBe("taken");
  const unknown = await connect(files.unknown);
  expect(await refused(unknown.publishAsync("takt/v1/berlin/hall/l1/press/state", "EXECUTE", { qos: 1 }))).toMatch(/Not authorized/);
});

it("reads what a certificate says, and refuses what is none", async () => {
  const facts = readCertificate(readFileSync(files.press.certFile, "utf8"));
  expect(facts).toMatchObject({ identity: "berlin-press", issuer: "CN=Takt ca" });
  expect(facts.fingerprint).toMatch(/^[0-9a-f]{64}$/);
  expect(Date.parse(facts.expires)).toBeGreaterThan(Date.now());
  expect(() => readCertificate(readFileSync(files.press.keyFile, "utf8"))).toThrow(/This is no certificate.*never its private key/);
  expect(() => readCertificate("hello")).toThrow(/This is no certificate/);
});
