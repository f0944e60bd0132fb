/** A database and a broker for the browser tests alone, with a small plant in it. The specs start web app and worker on them, and stop them as they like. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const root = resolve(import.meta.dirname, "..");
const name = `e2e-${process.pid}`;

/** One of the project's own commands; what it prints. */
function command(args: string[], env: Record<string, string>): string {
  const { DATABASE_URL: _database, MQTT_URL: _broker, ...rest } = process.env;
  return execFileSync(process.execPath, args, {
    cwd: root,
    env: { ...rest, ...env },
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
    timeout: 300_000,
  });
}

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
            { key: "no-plan", name: "Without a plan", machines: machines(2) },
            { key: "empty", name: "New line", shift_pattern: "round-the-clock" },
          ],
        },
      ],
    },
  ],
};

export default async function setup(): Promise<() => Promise<void>> {
  const folder = mkdtempSync(join(tmpdir(), "takt-e2e-"));
  const file = join(folder, "plant.yaml");
  writeFileSync(file, JSON.stringify(plant)); // JSON is YAML
  const printed = command(["scripts/embedded.ts", "up", "--name", name], {});
  const urls = Object.fromEntries([...printed.matchAll(/^(\w+_URL)=(.*)$/gm)].map(([, key, url]) => [key, url]));
  const databaseUrl = urls.DATABASE_URL ?? "";
  command(["scripts/migrate.ts"], { DATABASE_URL: databaseUrl });
  command(["server/plant/cli.ts", "apply", file, "--yes"], { DATABASE_URL: databaseUrl });
  process.env.STAGE_DATABASE_URL = databaseUrl;
  process.env.STAGE_MQTT_URL = urls.MQTT_URL ?? "";
  return async () => {
    command(["scripts/embedded.ts", "down", "--name", name], {});
    rmSync(join(root, ".takt/data", name), { recursive: true, force: true });
    rmSync(folder, { recursive: true, force: true });
  };
}
