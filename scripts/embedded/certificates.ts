/** A small certificate authority for the broker's TLS listener: its own, the server's and one client's certificate, and a stranger's. */
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { bareEnv } from "../env.ts";
import { own } from "./processes.ts";

const run = promisify(execFile);

export type Certificates = {
  caFile: string;
  serverCertFile: string;
  serverKeyFile: string;
  clientCertFile: string;
  clientKeyFile: string;
  /** Signed by another authority: a server that knows its business refuses it. */
  strangerCertFile: string;
  strangerKeyFile: string;
};

/** PEM files in `dir`, made once; valid for ten years, for 127.0.0.1 and localhost. */
export async function makeCertificates(openssl: string, dir: string): Promise<Certificates> {
  const at = (name: string) => join(dir, name);
  const files: Certificates = {
    caFile: at("ca.crt"),
    serverCertFile: at("server.crt"),
    serverKeyFile: at("server.key"),
    clientCertFile: at("client.crt"),
    clientKeyFile: at("client.key"),
    strangerCertFile: at("stranger.crt"),
    strangerKeyFile: at("stranger.key"),
  };
  if (existsSync(files.strangerCertFile)) return files;
  mkdirSync(dir, { recursive: true });
  // The unpacked openssl looks for its configuration below /etc, where it may be missing.
  writeFileSync(
    at("openssl.cnf"),
    "[req]\ndistinguished_name = name\n[name]\n[authority]\nbasicConstraints = critical, CA:true\n[server]\nsubjectAltName = IP:127.0.0.1, DNS:localhost\n[client]\nextendedKeyUsage = clientAuth\n",
  );
  const ssl = opensslIn(openssl, dir);
  const authority = (name: string) =>
    ssl([
      "req",
      "-x509",
      ...newKey,
      "-keyout",
      at(`${name}.key`),
      "-out",
      at(`${name}.crt`),
      "-days",
      "3650",
      "-subj",
      `/CN=Takt ${name}`,
      "-extensions",
      "authority",
    ]);
  const signed = (name: string, by: string, section: string) => sign(ssl, dir, { name, commonName: `takt-${name}`, by, section });
  await authority("ca");
  await authority("other");
  await signed("server", "ca", "server");
  await signed("client", "ca", "client");
  await signed("stranger", "other", "client");
  own(dir, 0o700);
  for (const name of readdirSync(dir)) own(at(name), 0o600);
  return files;
}

const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc"];
const opensslIn = (openssl: string, dir: string) => (args: string[]) =>
  run(openssl, args, { cwd: dir, env: bareEnv({ OPENSSL_CONF: join(dir, "openssl.cnf") }) });

async function sign(
  ssl: ReturnType<typeof opensslIn>,
  dir: string,
  { name, commonName, by, section }: { name: string; commonName: string; by: string; section: string },
): Promise<void> {
  const at = (file: string) => join(dir, file);
  await ssl(["req", ...newKey, "-keyout", at(`${name}.key`), "-out", at(`${name}.csr`), "-subj", `/CN=${commonName}`]);
  const authority = ["-CA", at(`${by}.crt`), "-CAkey", at(`${by}.key`)];
  const use = ["-extfile", at("openssl.cnf"), "-extensions", section];
  await ssl(["x509", "-req", "-in", at(`${name}.csr`), ...authority, "-out", at(`${name}.crt`), "-days", "3650", ...use]);
}

/** A further client's certificate by the authority in `dir`, for tests of who may do what. name: of its files. */
export async function signClient(openssl: string, dir: string, name: string, commonName = name): Promise<{ certFile: string; keyFile: string }> {
  await sign(opensslIn(openssl, dir), dir, { name, commonName, by: "ca", section: "client" });
  const files = { certFile: join(dir, `${name}.crt`), keyFile: join(dir, `${name}.key`) };
  for (const file of Object.values(files)) own(file, 0o600);
  return files;
}

/** The authority's list of certificates that it has taken back. */
export async function revocationList(openssl: string, dir: string, certFiles: readonly string[]): Promise<string> {
  const ssl = opensslIn(openssl, dir);
  const configuration = join(dir, "revoke.cnf");
  writeFileSync(join(dir, "index.txt"), "");
  writeFileSync(join(dir, "crlnumber"), "01\n");
  writeFileSync(
    configuration,
    `[ca]\ndefault_ca = plant\n[plant]\ndatabase = ${join(dir, "index.txt")}\ncrlnumber = ${join(dir, "crlnumber")}\ncertificate = ${join(dir, "ca.crt")}\nprivate_key = ${join(dir, "ca.key")}\ndefault_md = sha256\ndefault_crl_days = 30\n`,
  );
  for (const file of certFiles) await ssl(["ca", "-config", configuration, "-revoke", file]);
  const list = join(dir, "revoked.crl");
  await ssl(["ca", "-config", configuration, "-gencrl", "-out", list]);
  own(list, 0o600);
  return list;
}
