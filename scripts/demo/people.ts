/** The demo's accounts, one for each duty, and its secrets. They exist in the demo's own database alone, with a password of its own. */
import { randomBytes, randomInt } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { dictionary } from "@zxcvbn-ts/language-common";
import type { Role } from "#/server/domain/permission.ts";
import { whyNotPin } from "#/server/identity/secrets.ts";

/** authSecret: what the web app signs with. */
export type DemoSecrets = { authSecret: string; password: string; pin: string };

/** where: all sites, the first one, or the first line of the first one. */
export const demoPeople: readonly { login: string; name: string; role: Role; where: "all" | "site" | "line" }[] = [
  { login: "administrator", name: "Amira Vogel", role: "administrator", where: "all" },
  { login: "manager", name: "Jonas Brandt", role: "plant_manager", where: "site" },
  { login: "supervisor", name: "Sofia Keller", role: "supervisor", where: "site" },
  { login: "operator", name: "Emre Yılmaz", role: "operator", where: "line" },
  { login: "technician", name: "Lena Fischer", role: "technician", where: "site" },
  { login: "quality", name: "Mei Tanaka", role: "quality", where: "site" },
  { login: "storekeeper", name: "Tom Weber", role: "storekeeper", where: "site" },
  { login: "executive", name: "Grace Okafor", role: "executive", where: "all" },
  { login: "viewer", name: "Pat Miller", role: "viewer", where: "all" },
];

/** Four words: can be typed from the terminal, and nobody has the same. */
function newPassword(): string {
  const words = dictionary["diceware-common"].filter((word) => /^[a-z]{4,7}$/.test(word));
  return Array.from({ length: 4 }, () => words[randomInt(words.length)]).join("-");
}

function newPin(): string {
  for (;;) {
    const pin = String(randomInt(10_000)).padStart(4, "0");
    if (whyNotPin(pin) === null) return pin;
  }
}

/** Made at the first start and kept with the data, for this machine's user alone to read. */
export function demoSecrets(dataDir: string): DemoSecrets {
  const file = join(dataDir, "secrets.json");
  if (existsSync(file)) return JSON.parse(readFileSync(file, "utf8")) as DemoSecrets;
  const made = { authSecret: randomBytes(32).toString("base64"), password: newPassword(), pin: newPin() };
  writeFileSync(file, JSON.stringify(made), { mode: 0o600 });
  return made;
}
