/** Embedded parts that outlive the command that started them: what runs is kept in a file beside their data. */
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Trouble } from "../trouble.ts";
import { stopComposed } from "./compose.ts";
import { whyNotDebian } from "./packages.ts";
import { gone, isOurs, signal } from "./processes.ts";
import { startMissing } from "./start.ts";

/** Process ids are 0 for a part in a container and null for one that was not started here. */
export type Running = { databaseUrl: string; migrateUrl: string; mqttUrl: string; postgresPid: number | null; brokerPid: number | null };

const fileOf = (dataDir: string) => join(dataDir, "running.json");

/** What runs in the folder; null if nothing was started or something of it has died. */
export function findRunning(dataDir: string): Running | null {
  const file = fileOf(dataDir);
  if (!existsSync(file)) return null;
  const running = JSON.parse(readFileSync(file, "utf8")) as Partial<Running> & Omit<Running, "migrateUrl">;
  if (running.migrateUrl === undefined) return null; // started by a version that knew one role only: to be started anew
  const alive = [running.postgresPid, running.brokerPid].every((pid) => pid === null || pid === 0 || isOurs(pid, dataDir));
  return alive ? { ...running, migrateUrl: running.migrateUrl } : null;
}

/** Starts what does not run yet and leaves it running. */
export async function up(dataDir: string, log: (line: string) => void): Promise<Running> {
  const already = findRunning(dataDir);
  if (already) return already;
  await down(dataDir);
  const { databaseUrl, migrateUrl, mqttUrl, parts } = await startMissing({ dataDir, detached: true, log });
  const running: Running = { databaseUrl, migrateUrl, mqttUrl, postgresPid: parts.postgres?.pid() ?? null, brokerPid: parts.broker?.pid() ?? null };
  if (parts.postgres || parts.broker) writeFileSync(fileOf(dataDir), JSON.stringify(running), { mode: 0o600 });
  return running;
}

/** Stops what `up` left running; false if there was nothing. */
export async function down(dataDir: string): Promise<boolean> {
  const file = fileOf(dataDir);
  if (!existsSync(file)) return false;
  const { postgresPid, brokerPid } = JSON.parse(readFileSync(file, "utf8")) as Running;
  if (postgresPid === 0 || brokerPid === 0) await stopComposed(dataDir, whyNotDebian() ?? "it was started with Docker", { forget: false });
  const ours = [
    [brokerPid, "SIGTERM"],
    [postgresPid, "SIGINT"],
  ] as const;
  const alive = ours.filter(([pid]) => pid !== null && pid > 0 && isOurs(pid, dataDir)) as [number, NodeJS.Signals][];
  for (const [pid, how] of alive) signal(pid, how);
  for (const [pid] of alive) if (!(await gone(pid, 60_000))) throw new Trouble(`Process ${pid} does not end within 60 s. Look at the logs in ${dataDir}.`);
  rmSync(file);
  return alive.length > 0 || postgresPid === 0 || brokerPid === 0;
}
