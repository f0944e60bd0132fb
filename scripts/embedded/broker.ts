/** An embedded Mosquitto 2 in a data folder: persistent, with room for hours of backlog, on 127.0.0.1 alone. */
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { promisify } from "node:util";
import { Trouble } from "../trouble.ts";
import { type Certificates, makeCertificates } from "./certificates.ts";
import type { Programs } from "./packages.ts";
import { freePort, gone, isAlive, isFree, isOurs, isRoot, launch, makeOwnedDir, own, signal, tailOf } from "./processes.ts";

const run = promisify(execFile);

export type BrokerOptions = {
  dataDir: string;
  port?: number | undefined;
  /** Also a listener with TLS that asks for a client's certificate. */
  tls?: boolean | undefined;
  /** Everybody needs a user and a password, except on the TLS listener, where the certificate is enough. */
  password?: boolean | undefined;
  /** mosquitto.conf lines on top, for tests of limits. */
  settings?: string[] | undefined;
  detached: boolean;
  log: (line: string) => void;
};
export type Broker = {
  mqttUrl: string;
  port: number;
  pid(): number;
  /** mqtts: address and files of the TLS listener; null if none was asked for. */
  tls: ({ url: string } & Certificates) | null;
  /** Address without the sign-in, and the sign-in; null if anyone may come in. */
  password: { url: string; user: string; password: string } | null;
  kill9(): Promise<void>;
  /** Orderly: sessions and queued messages are written to disk first. */
  stop(): Promise<void>;
  start(): Promise<void>;
};

type Kept = { port: number; tlsPort?: number; password: string };

/** Starts the broker on the port that it had before, or a free one. */
export async function startBroker(programs: Programs, options: BrokerOptions): Promise<Broker> {
  const { dataDir } = options;
  makeOwnedDir(dataDir);
  const home = join(dataDir, "broker");
  const logFile = join(dataDir, "broker.log");
  makeOwnedDir(home);
  if (existsSync(logFile) && statSync(logFile).size > 50 * 1024 * 1024) truncateSync(logFile);
  const configuration = join(home, "mosquitto.conf");
  const pidFile = join(home, "broker.pid");
  // Before anything is written: a second start must not move the port away under the first.
  const refuseSecond = () => {
    const before = existsSync(pidFile) ? Number(readFileSync(pidFile, "utf8")) : 0;
    if (isOurs(before, configuration)) throw new Trouble(`The broker in ${dataDir} is already running (process ${before}).`);
  };
  refuseSecond();
  const kept = await readPorts(options);
  const certificates = options.tls ? await makeCertificates(programs.openssl, join(home, "tls")) : null;
  const passwordFile = join(home, "passwords");
  if (options.password) {
    writeFileSync(passwordFile, "");
    await run(programs.mosquittoPasswd, ["-b", passwordFile, "takt", kept.password]);
    own(passwordFile, 0o600);
  }
  writeFileSync(configuration, configure({ home, kept, certificates, passwordFile: options.password ? passwordFile : null, settings: options.settings ?? [] }));
  own(configuration, 0o600);

  const ports = [kept.port, kept.tlsPort].filter((port) => port !== undefined);
  let pid = 0;
  const start = async () => {
    refuseSecond();
    for (const port of ports) {
      if (!(await isFree(port))) throw new Trouble(`Port ${port} on 127.0.0.1 is in use by another program; the broker cannot start there.`);
    }
    pid = await launch({ program: programs.mosquitto, args: ["-c", configuration], workDir: home, logFile, detached: options.detached, endSignal: "SIGTERM" });
    writeFileSync(pidFile, String(pid));
    while (!(await answers(kept.port))) {
      if (!isAlive(pid)) {
        const said = tailOf(logFile);
        if (/No space left on device/.test(said)) throw new Trouble(`The disk that holds ${dataDir} is full. Make room and start again.`);
        if (/Permission denied/.test(said))
          throw new Trouble(
            `The broker's data in ${dataDir} belong to another user${isRoot ? "" : " (were they made as root?)"}. Start as that user, or remove the folder.`,
          );
        throw new Trouble(`The broker did not start. Its log ${logFile} ends with:\n  ${said}`);
      }
      await wait(20);
    }
  };
  const stop = async () => {
    if (!isAlive(pid)) return;
    signal(pid, "SIGTERM");
    if (await gone(pid, 60_000)) return;
    throw new Trouble(`The broker (process ${pid}) does not end.`);
  };
  const kill9 = async () => {
    signal(pid, "SIGKILL");
    await gone(pid, 10_000);
  };
  await start();
  return {
    mqttUrl: options.password ? `mqtt://takt:${kept.password}@127.0.0.1:${kept.port}` : `mqtt://127.0.0.1:${kept.port}`,
    port: kept.port,
    pid: () => pid,
    tls: certificates && { url: `mqtts://127.0.0.1:${kept.tlsPort}`, ...certificates },
    password: options.password ? { url: `mqtt://127.0.0.1:${kept.port}`, user: "takt", password: kept.password } : null,
    kill9,
    stop,
    start,
  };
}

/** The ports of a data folder: those asked for, else those it had before, else free ones. */
export async function readPorts(options: Pick<BrokerOptions, "dataDir" | "port" | "tls">): Promise<Kept> {
  const file = join(options.dataDir, "broker.json");
  const before = existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Kept) : null;
  const kept: Kept = { port: options.port ?? (await freePort(before?.port)), password: before?.password ?? randomBytes(18).toString("base64url") };
  if (options.tls) kept.tlsPort = await freePort(before?.tlsPort);
  writeFileSync(file, JSON.stringify(kept), { mode: 0o600 });
  return kept;
}

function configure({
  home,
  kept,
  certificates,
  passwordFile,
  settings,
}: {
  home: string;
  kept: Kept;
  certificates: Certificates | null;
  passwordFile: string | null;
  settings: string[];
}): string {
  const lines = [
    "# Written at every start.",
    // Per listener, Mosquitto 2.0 queues nothing for a session that is away: it asks the listener's rights, and there is no listener.
    "per_listener_settings false",
    "persistence true",
    `persistence_location ${home}/`,
    // The file is written whole at each save; a stop writes it too, so only a crash of the broker can lose up to a minute.
    "autosave_interval 60",
    // The defaults of 20 and 1000 lose messages while a worker is away. 0 leaves the window to the client's receive maximum.
    "max_inflight_messages 0",
    "max_queued_messages 5000000",
    "max_queued_bytes 2147483648",
    "persistent_client_expiration 30d",
    "max_packet_size 16777216",
    "set_tcp_nodelay true",
    "log_dest stderr",
    "log_type error",
    "log_type warning",
    "log_type notice",
    "log_timestamp_format %Y-%m-%dT%H:%M:%S",
    "connection_messages false",
    // Reached from this machine alone, as the demo and the tests need it. A plant's broker asks for certificates or passwords.
    ...(passwordFile ? ["allow_anonymous false", `password_file ${passwordFile}`] : ["allow_anonymous true"]),
    ...settings,
    `listener ${kept.port} 127.0.0.1`,
  ];
  if (certificates) {
    lines.push(`listener ${kept.tlsPort} 127.0.0.1`, "require_certificate true", "use_identity_as_username true");
    lines.push(`cafile ${certificates.caFile}`, `certfile ${certificates.serverCertFile}`, `keyfile ${certificates.serverKeyFile}`);
  }
  return `${lines.join("\n")}\n`;
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
