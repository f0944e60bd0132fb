/**
 * PostgreSQL 17, TimescaleDB (Apache edition) and Mosquitto 2 from Debian 13 packages in a cache folder: no root, nothing of
 * the system touched. Own apt configuration; apt checks every package against Debian's signed lists. The programs run on the
 * cache's own C library, so Debian 12 runs them too.
 */
import { execFile } from "node:child_process";
import { chmodSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { bareEnv, env } from "../env.ts";
import { messageOf, Trouble } from "../trouble.ts";
import { lock } from "./lock.ts";

const run = promisify(execFile);

/** Counted up when what is in the cache changes; an older cache is then left alone and a new one laid beside it. */
const recipe = "debian13-1";
const wanted = ["postgresql-17-timescaledb", "mosquitto", "openssl"];
/** Needed to install the packages, not to run the programs; LLVM and Z3 serve the JIT, which is off. Together half of the download. */
const leftOut =
  /^(libllvm|libz3|perl|libperl|lib.*-perl$|locales|libc-l10n|libc-bin|libc-common|adduser|passwd|login\.defs|debconf|libdebconf|ucf|sensible-utils|postgresql-common|postgresql-client-common|ssl-cert|base-passwd|init-system-helpers|sysvinit-utils|netbase|procps|libproc2|readline-common|tzdata|libsemanage|libsepol|openssl-provider)/;
/** Bytes needed for the download and what is unpacked from it (measured: 53 MB + 190 MB). */
const spaceNeeded = 400 * 1024 * 1024;

const keyring = "/usr/share/keyrings/debian-archive-keyring.gpg";
const triples: Record<string, { debian: string; triple: string; loader: string }> = {
  x64: { debian: "amd64", triple: "x86_64-linux-gnu", loader: "ld-linux-x86-64.so.2" },
  arm64: { debian: "arm64", triple: "aarch64-linux-gnu", loader: "ld-linux-aarch64.so.1" },
};

/** The programs of the cache, by full path. */
export type Programs = { postgres: string; initdb: string; mosquitto: string; mosquittoPasswd: string; openssl: string; timescaledbVersion: string };

/** Why the Debian packages cannot be used on this machine; null if they can. */
export function whyNotDebian(): string | null {
  if (process.platform !== "linux" || !triples[process.arch]) return `this is ${process.platform} on ${process.arch}`;
  const release = existsSync("/etc/os-release") ? readFileSync("/etc/os-release", "utf8") : "";
  const id = /^ID="?([\w.-]+)/m.exec(release)?.[1] ?? "unknown";
  const version = Number(/^VERSION_ID="?(\d+)/m.exec(release)?.[1] ?? Number.POSITIVE_INFINITY);
  if (id !== "debian" && !env.debianMirror) return `this is ${id}, not Debian`;
  if (id === "debian" && version < 12) return `this is Debian ${version}, and 12 or later is needed`;
  for (const tool of ["apt-get", "dpkg", "flock", "setpriv"]) {
    if (!["/usr/bin", "/bin"].some((dir) => existsSync(join(dir, tool)))) return `${tool} is missing`;
  }
  if (!existsSync(keyring)) return `${keyring} is missing (package debian-archive-keyring)`;
  return null;
}

/** The programs, fetched and unpacked if the cache does not have them yet. Errors: one sentence (no network, no mirror, disk full). */
export async function preparePrograms(log: (line: string) => void): Promise<Programs> {
  const arch = triples[process.arch];
  if (!arch) throw new Trouble(`There are no packages for ${process.arch}.`);
  const home = join(env.cacheDir, `${recipe}-${arch.debian}`);
  if (!existsSync(join(home, "ready.json"))) {
    try {
      mkdirSync(env.cacheDir, { recursive: true });
    } catch (error) {
      throw new Trouble(`The cache folder ${env.cacheDir} cannot be made (${messageOf(error)}). Set TAKT_CACHE_DIR to a folder that you may write.`);
    }
    const release = await lock(join(env.cacheDir, "lock"), {
      maxWaitS: 900,
      onWait: () => log("Another process is fetching the database's and the broker's packages; waiting for it."),
    });
    try {
      if (!existsSync(join(home, "ready.json"))) await fetchInto(home, arch, log);
    } finally {
      release();
    }
  }
  const ready = JSON.parse(readFileSync(join(home, "ready.json"), "utf8")) as { timescaledbVersion: string };
  const postgres = join(home, "root/usr/lib/postgresql/17/bin");
  return {
    postgres: join(postgres, "postgres"),
    initdb: join(postgres, "initdb"),
    mosquitto: join(home, "root/usr/sbin/mosquitto"),
    mosquittoPasswd: join(home, "root/usr/bin/mosquitto_passwd"),
    openssl: join(home, "root/usr/bin/openssl"),
    timescaledbVersion: ready.timescaledbVersion,
  };
}

type Arch = { debian: string; triple: string; loader: string };

async function fetchInto(home: string, arch: Arch, log: (line: string) => void): Promise<void> {
  const { bavail, bsize } = statfsSync(env.cacheDir);
  if (bavail * bsize < spaceNeeded) {
    throw new Trouble(
      `The disk that holds ${env.cacheDir} has ${Math.round((bavail * bsize) / 1e6)} MB left; 400 MB are needed. Make room, or set TAKT_CACHE_DIR to a folder on another disk.`,
    );
  }
  const startedAt = performance.now();
  const work = join(env.cacheDir, `${recipe}-${arch.debian}.new`);
  rmSync(work, { recursive: true, force: true });
  for (const dir of ["lists/partial", "state", "debs", "root"]) mkdirSync(join(work, dir), { recursive: true });
  const { apt, mirror } = await configureApt(work, arch);
  log(`Fetching PostgreSQL 17, TimescaleDB and Mosquitto from ${new URL(mirror).host || mirror} (about 60 MB, once).`);
  await apt(["update"]);
  const plan = await apt(["-s", "install", ...wanted]);
  const names = [...plan.matchAll(/^Inst (\S+) \((\S+)/gm)]
    .map((line) => ({ name: line[1] ?? "", version: line[2] ?? "" }))
    .filter(({ name }) => !leftOut.test(name));
  await apt(["download", ...names.map(({ name, version }) => `${name}=${version}`)]);
  const root = join(work, "root");
  const debs = readdirSync(join(work, "debs"));
  for (const deb of debs) await command("dpkg", ["-x", join(work, "debs", deb), root]);
  for (const dir of ["usr/lib/postgresql/17/bin", "usr/sbin", "usr/bin"]) wrap(root, dir, arch);
  await checkLibraries(root, arch);
  for (const dir of ["debs", "lists", "state", "root/usr/share/doc", "root/usr/share/man", "root/usr/share/perl"])
    rmSync(join(work, dir), { recursive: true, force: true });
  const timescaledbVersion =
    /default_version = '([^']+)'/.exec(readFileSync(join(root, "usr/share/postgresql/17/extension/timescaledb.control"), "utf8"))?.[1] ?? "unknown";
  writeFileSync(join(work, "ready.json"), JSON.stringify({ timescaledbVersion, packages: names }, null, 1));
  rmSync(home, { recursive: true, force: true });
  renameSync(work, home);
  log(`Fetched and unpacked ${debs.length} packages in ${((performance.now() - startedAt) / 1000).toFixed(1)} s.`);
}

/** An apt of our own in `work`, which takes over only the machine's way to the network (proxies, certificates, sign-in). */
async function configureApt(work: string, arch: Arch) {
  const mirror = env.debianMirror ?? (await machineMirror());
  if (!/^(https?|file|ftp):/.test(mirror) || !URL.canParse(mirror))
    throw new Trouble(`DEBIAN_MIRROR is "${mirror}", which is no address such as https://mirror.example/debian.`);
  const network = (await command("apt-config", ["dump"]))
    .split("\n")
    .filter((line) => /^(Acquire::(http|https|ftp|socks|tor|Retries|Check-|Force|Queue|Proxy|AllowInsecure)|Dir::Etc::netrc)/i.test(line));
  // A machine on another Debian may hold back or pin packages: nothing of its own preferences, sources or hooks is read.
  const settings = {
    "Dir::State": join(work, "state"),
    "Dir::State::Lists": join(work, "lists"),
    "Dir::State::status": join(work, "state/status"),
    "Dir::Cache": join(work, "state"),
    "Dir::Etc::sourcelist": join(work, "sources.list"),
    "Dir::Etc::sourceparts": "/dev/null",
    "Dir::Etc::preferences": "/dev/null",
    "Dir::Etc::preferencesparts": "/dev/null",
    "Dir::Etc::main": "/dev/null",
    "Dir::Etc::parts": "/dev/null",
    "APT::Architecture": arch.debian,
    "APT::Architectures": arch.debian,
    "APT::Install-Recommends": "false",
    "APT::Sandbox::User": "root",
    "APT::Update::Error-Mode": "any",
    "Acquire::Languages": "none",
  };
  writeFileSync(join(work, "state/status"), "");
  writeFileSync(join(work, "sources.list"), `deb [arch=${arch.debian} signed-by=${keyring}] ${mirror} trixie main\n`);
  writeFileSync(join(work, "apt.conf"), [...network, ...Object.entries(settings).map(([name, value]) => `${name} "${value}";`), ""].join("\n"));
  const apt = async (words: string[]): Promise<string> => {
    try {
      const { stdout, stderr } = await run("apt-get", ["-q", "-y", ...words], {
        cwd: join(work, "debs"),
        maxBuffer: 64e6,
        env: bareEnv({ APT_CONFIG: join(work, "apt.conf") }),
      });
      return stdout + stderr;
    } catch (error) {
      throw new Trouble(aptTrouble(`${(error as { stdout?: string }).stdout ?? ""}\n${(error as { stderr?: string }).stderr ?? messageOf(error)}`, mirror));
    }
  };
  return { apt, mirror };
}

/** The Debian mirror that the machine's own apt uses. */
async function machineMirror(): Promise<string> {
  const targets = await command("apt-get", ["indextargets", "--format", "$(CREATED_BY) $(COMPONENT) $(RELEASE) $(REPO_URI)"]);
  const uris = targets
    .split("\n")
    .map((line) => line.split(" "))
    .filter(([by, component]) => by === "Packages" && component === "main");
  // The security and other side archives have no suite "trixie" of their own.
  const uri = uris.map(([, , , at]) => at ?? "").find((at) => /^https?:\/\//.test(at) && !/security|backports/.test(at));
  if (!uri) throw new Trouble("The machine's apt names no Debian mirror. Set DEBIAN_MIRROR to one, for example your plant's own.");
  return uri;
}

/** One sentence out of what apt printed. */
function aptTrouble(output: string, mirror: string): string {
  if (/No space left on device/.test(output))
    return `The disk that holds ${env.cacheDir} is full. Make room, or set TAKT_CACHE_DIR to a folder on another disk.`;
  const said = output.split("\n").map((line) => line.trim());
  const line =
    said.find((at) => /^(E:|Err:)/.test(at) || /Could not|Temporary failure|Failed/.test(at)) ?? said.findLast((at) => at !== "") ?? "no reason given";
  if (/Could not (resolve|connect|handshake)|Temporary failure|timed out|Network is unreachable|Connection (refused|failed)|Failed to fetch/i.test(output)) {
    const reason = said.find((at) => /Could not|Temporary failure|timed out|unreachable|refused|40\d|50\d/i.test(at)) ?? line;
    return `The Debian mirror ${mirror} cannot be reached (${reason}). Check the network or proxy, or set DEBIAN_MIRROR to a mirror that this machine reaches.`;
  }
  return `Debian's packages cannot be fetched from ${mirror}: ${line}`;
}

/** Puts a wrapper in the place of each program, which runs it on the cache's own C library; the folder may be moved as a whole. */
function wrap(root: string, dir: string, arch: Arch): void {
  const up = dir
    .split("/")
    .map(() => "..")
    .join("/");
  for (const name of readdirSync(join(root, dir))) {
    const path = join(root, dir, name);
    if (!lstatSync(path).isFile() || !readFileSync(path).subarray(0, 4).equals(Buffer.from("\x7fELF"))) continue;
    renameSync(path, join(root, dir, `.${name}`));
    const libraries = [`usr/lib/${arch.triple}`, `lib/${arch.triple}`, "usr/lib"].map((at) => `$root/${at}`).join(":");
    writeFileSync(
      path,
      `#!/bin/sh\nhere=\${0%/*}\nroot=$here/${up}\nexec "$root/usr/lib/${arch.triple}/${arch.loader}" --library-path "${libraries}" --argv0 "$0" "$here/.${name}" "$@"\n`,
    );
    chmodSync(path, 0o755);
  }
}

/** Every library that the programs need is in the cache: a package left out by mistake is found now, not at a customer's first start. */
async function checkLibraries(root: string, arch: Arch): Promise<void> {
  const bin = "usr/lib/postgresql/17";
  for (const file of [
    `${bin}/bin/.postgres`,
    `${bin}/bin/.initdb`,
    `${bin}/bin/.psql`,
    `${bin}/bin/.pg_dump`,
    `${bin}/lib/timescaledb.so`,
    "usr/sbin/.mosquitto",
    "usr/bin/.mosquitto_passwd",
    "usr/bin/.openssl",
  ]) {
    const libraries = [`usr/lib/${arch.triple}`, `lib/${arch.triple}`, "usr/lib"].map((at) => join(root, at)).join(":");
    const list = await command(join(root, `usr/lib/${arch.triple}/${arch.loader}`), ["--library-path", libraries, "--list", join(root, file)]);
    const outside = list.split("\n").filter((line) => line.includes("not found") || (line.includes("=> /") && !line.includes(root)));
    if (outside.length > 0) throw new Error(`${file} lacks ${outside.map((line) => line.trim()).join(", ")}.`);
  }
}

async function command(program: string, args: string[]): Promise<string> {
  try {
    return (await run(program, args, { maxBuffer: 64e6, env: bareEnv() })).stdout;
  } catch (error) {
    const said = (error as { stderr?: string }).stderr?.trim() || messageOf(error);
    if (/No space left on device/.test(said))
      throw new Trouble(`The disk that holds ${env.cacheDir} is full. Make room, or set TAKT_CACHE_DIR to a folder on another disk.`);
    throw new Trouble(`${program} failed: ${said.split("\n").at(-1)}`);
  }
}
