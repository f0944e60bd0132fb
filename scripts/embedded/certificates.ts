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
  const ssl = (args: string[]) => run(openssl, args, { cwd: dir, env: bareEnv({ OPENSSL_CONF: at("openssl.cnf") }) });
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc"];
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
  const signed = async (name: string, by: string, section: string) => {
    await ssl(["req", ...newKey, "-keyout", at(`${name}.key`), "-out", at(`${name}.csr`), "-subj", `/CN=takt-${name}`]);
    await ssl([
      "x509",
      "-req",
      "-in",
      at(`${name}.csr`),
      "-CA",
      at(`${by}.crt`),
      "-CAkey",
      at(`${by}.key`),
      "-out",
      at(`${name}.crt`),
      "-days",
      "3650",
      "-extfile",
      at("openssl.cnf"),
      "-extensions",
      section,
    ]);
  };
  await authority("ca");
  await authority("other");
  await signed("server", "ca", "server");
  await signed("client", "ca", "client");
  await signed("stranger", "other", "client");
  own(dir, 0o700);
  for (const name of readdirSync(dir)) own(at(name), 0o600);
  return files;
}
