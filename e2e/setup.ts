/** Databases and brokers for the browser tests alone, with a small plant in each. The specs start web app and worker on them, and stop them as they like. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FullConfig } from "@playwright/test";
import { authSecret, type Login, nameOf, password, people, pin } from "./people.ts";
import { command, keepStores, newStore, removeStore, type Store } from "./store.ts";

const machine = (key: string, title: string, upstream?: string) => ({
  key,
  name: title,
  ...(upstream ? { upstream } : {}),
  ideal_cycles: [{ seconds: 2 }],
  signals: [
    { key: "state", role: "state" },
    { key: "good", role: "good_count", counter: "cumulative", unit: "1" },
    { key: "reject", role: "reject_count", counter: "cumulative", unit: "1" },
    { key: "fault", role: "fault_code" },
    { key: "temperature", role: "measurement", unit: "Cel" },
  ],
});
const machines = (n: number) => Array.from({ length: n }, (_, i) => machine(`m${i + 1}`, `Machine ${i + 1} with a name`));

/** Shifts of twelve hours that change in six: no test runs into the next one, where its pieces would not count. */
const hourNow = Number(new Intl.DateTimeFormat("en-GB", { timeZone: "Europe/Berlin", hour: "2-digit", hourCycle: "h23" }).format());
const [dayFrom, dayTo] = [18, 6].map((hours) => `${String((hourNow + hours) % 24).padStart(2, "0")}:00`);

const plant = {
  enterprise: { key: "e2e", name: "Browser tests" },
  sites: [
    {
      key: "works",
      name: "Works",
      zone: "Europe/Berlin",
      reasons: [{ key: "jam", name: "Chute jammed", loss: "breakdown", fault_code: "F7" }],
      shift_patterns: [
        {
          key: "round-the-clock",
          name: "Round the clock",
          shifts: [
            { key: "day", name: "Day", days: "mon-sun", start: dayFrom, end: dayTo },
            { key: "night", name: "Night", days: "mon-sun", start: dayTo, end: dayFrom },
          ],
        },
      ],
      areas: [
        {
          key: "hall",
          name: "Hall",
          lines: [
            {
              key: "live",
              name: "Live line",
              shift_pattern: "round-the-clock",
              machines: [machine("press", "Press"), machine("oven", "Oven"), machine("packer", "Packer")],
            },
            { key: "one", name: "One", shift_pattern: "round-the-clock", machines: machines(1) },
            { key: "six", name: "Six machines in a row", shift_pattern: "round-the-clock", machines: machines(6) },
            { key: "twelve", name: "A line with a rather long name", shift_pattern: "round-the-clock", machines: machines(12) },
            {
              key: "untimed",
              name: "Without a target",
              shift_pattern: "round-the-clock",
              machines: [{ ...machine("dryer", "Dryer"), ideal_cycles: [] }],
            },
            { key: "no-plan", name: "Without a plan", machines: machines(2) },
            { key: "empty", name: "New line", shift_pattern: "round-the-clock" },
          ],
        },
      ],
    },
  ],
};

/** Somebody of each duty. */
async function addPeople(folder: string, { databaseUrl }: Store): Promise<void> {
  const [passwordFile, pinFile] = [join(folder, "password"), join(folder, "pin")];
  writeFileSync(passwordFile, password);
  writeFileSync(pinFile, pin);
  for (const [login, role] of Object.entries(people)) {
    const who = ["--name", nameOf(login as Login), "--login", login, "--role", role];
    const env = { DATABASE_URL: databaseUrl, AUTH_SECRET: authSecret };
    await command(["server/people/cli.ts", "add", ...who, "--password-file", passwordFile, "--pin-file", pinFile], env);
  }
}

async function furnished(name: string, folder: string, file: string): Promise<Store> {
  const store = await newStore(name);
  await command(["server/plant/cli.ts", "apply", file, "--yes"], { DATABASE_URL: store.databaseUrl });
  await addPeople(folder, store);
  return store;
}

export default async function setup({ workers }: FullConfig): Promise<() => Promise<void>> {
  const folder = mkdtempSync(join(tmpdir(), "takt-e2e-"));
  const file = join(folder, "plant.yaml");
  writeFileSync(file, JSON.stringify(plant)); // JSON is YAML
  const stores = await Promise.all(Array.from({ length: workers }, (_, n) => furnished(`e2e-${process.pid}-${n}`, folder, file)));
  keepStores(stores);
  return async () => {
    await Promise.all(stores.map(removeStore));
    rmSync(folder, { recursive: true, force: true });
  };
}
