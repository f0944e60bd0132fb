/** npm run embedded -- up | down | status [--name NAME]: the embedded database and broker alone, left running. */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { down, findRunning, type Running, up } from "./embedded/detached.ts";
import { env } from "./env.ts";
import { orUsage } from "./options.ts";
import { failWith, Trouble } from "./trouble.ts";

const usage = "Usage: npm run embedded -- up | down | status [--name NAME]";

async function main(): Promise<void> {
  const { positionals, values } = read();
  if (!/^[a-z0-9][a-z0-9-]{0,40}$/.test(values.name)) throw new Trouble("--name takes small letters, digits and hyphens.");
  const dataDir = join(env.stateDir, "data", values.name);
  const say = (line: string) => console.error(line);
  if (env.databaseUrl) say("DATABASE_URL is set: that database is used, none is started.");
  if (env.mqttUrl) say("MQTT_URL is set: that broker is used, none is started.");
  switch (positionals[0]) {
    case "up": {
      const running = await up(dataDir, say);
      console.log(addresses(running));
      return;
    }
    case "down":
      console.log((await down(dataDir)) ? "Stopped." : "Nothing was running.");
      return;
    case "status": {
      const running = findRunning(dataDir);
      console.log(running ? `Running.\n${addresses(running)}` : "Not running. Start with: npm run embedded -- up");
      return;
    }
    default:
      throw new Trouble(usage);
  }
}

/** As lines of an environment. Without a second role there is no second address. */
const addresses = ({ databaseUrl, migrateUrl, mqttUrl }: Running) =>
  [`DATABASE_URL=${databaseUrl}`, ...(migrateUrl === databaseUrl ? [] : [`MIGRATE_DATABASE_URL=${migrateUrl}`]), `MQTT_URL=${mqttUrl}`].join("\n");

const read = () => orUsage(usage, () => parseArgs({ allowPositionals: true, options: { name: { type: "string", default: "embedded" } } }));

await main().catch(failWith);
