/** One demo of a kind at a time in a clone: two would fight for the same data. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { Trouble } from "../trouble.ts";

type Holder = { pid: number; startedAt: number; url: string };

/** Takes the place or says who has it. Returns the release. */
export function takePlace(file: string, what: string, url: string): () => void {
  if (existsSync(file)) {
    const holder = JSON.parse(readFileSync(file, "utf8")) as Holder;
    if (isHolder(holder)) throw new Trouble(`The ${what} is already running (process ${holder.pid}): ${holder.url}. Stop it there with Ctrl-C first.`);
  }
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, JSON.stringify({ pid: process.pid, startedAt: startOf(process.pid), url } satisfies Holder));
  return () => rmSync(file, { force: true });
}

function isHolder({ pid, startedAt }: Holder): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EPERM") return false;
  }
  return startOf(pid) === startedAt;
}

/** When a process began, in clock ticks after the machine's start: tells it from a later one with the same id. 0 where the system does not say. */
function startOf(pid: number): number {
  if (!existsSync(`/proc/${pid}/stat`)) return 0;
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]);
}
