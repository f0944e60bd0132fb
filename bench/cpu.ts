// What each process of a measurement takes of the machine, from /proc: this is what says what limits a figure.
import { readdirSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { childrenOf } from "#/scripts/embedded/processes.ts";

/** Ticks a second in /proc on Linux. */
const ticksPerS = 100;
export const cores = availableParallelism();

/** Processes by the name that people read; a database's are looked up each time, because it starts and ends them. 0: in a container, unknown. */
export type Cast = { postgres: number; broker: number; worker: number; load: number | null; writer: number | null };
type Share = { name: string; cpuS: number };

export type CpuPicture = { at: number; busyS: number; idleS: number; waitS: number; shares: Share[] };

/** Numbers of /proc/PID/stat from the third field on: state. null: it has ended. */
function statOf(pid: number): number[] | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    return stat
      .slice(stat.lastIndexOf(")") + 2)
      .split(" ")
      .map(Number);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT" || (error as NodeJS.ErrnoException).code === "ESRCH") return null;
    throw error;
  }
}

/** CPU seconds of a process so far, with those of its ended children. 0: it has ended. */
export function cpuSecondsOf(pid: number, withEnded = false): number {
  const fields = statOf(pid);
  if (!fields) return 0;
  const own = fields[11]! + fields[12]!;
  return (own + (withEnded ? fields[13]! + fields[14]! : 0)) / ticksPerS;
}

/** Megabytes that a process holds in memory. */
export function residentMb(pid: number): number {
  const kb = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1];
  return Number(kb ?? 0) / 1024;
}

function machine(): { busyS: number; idleS: number; waitS: number } {
  const [user = 0, nice = 0, system = 0, idle = 0, wait = 0, irq = 0, soft = 0, steal = 0] = readFileSync("/proc/stat", "latin1")
    .split("\n", 1)[0]!
    .trim()
    .split(/\s+/)
    .slice(1)
    .map(Number);
  return { busyS: (user + nice + system + irq + soft + steal) / ticksPerS, idleS: idle / ticksPerS, waitS: wait / ticksPerS };
}

export function lookAt({ postgres, broker, worker, load, writer }: Cast): CpuPicture {
  const database = postgres === 0 ? 0 : cpuSecondsOf(postgres, true) + childrenOf(postgres).reduce((sum, pid) => sum + cpuSecondsOf(pid), 0);
  const ofWriter = writer === null ? 0 : cpuSecondsOf(writer);
  const { user, system } = process.cpuUsage();
  return {
    at: performance.now(),
    ...machine(),
    shares: [
      { name: "worker", cpuS: cpuSecondsOf(worker) },
      { name: "the worker's database process", cpuS: ofWriter },
      { name: "rest of the database", cpuS: database - ofWriter },
      { name: "broker", cpuS: cpuSecondsOf(broker) },
      { name: "load generator", cpuS: load === null ? 0 : cpuSecondsOf(load) },
      { name: "bench", cpuS: (user + system) / 1e6 },
    ],
  };
}

/** Ours: this process and all that it started, with what has ended of it. For measurements whose processes come and go. */
export type CpuTree = { at: number; busyS: number; oursS: number };

export function lookAtTree(): CpuTree {
  const all = new Map<number, { parent: number; cpuS: number }>();
  for (const entry of readdirSync("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    const stat = statOf(Number(entry));
    if (stat) all.set(Number(entry), { parent: stat[1]!, cpuS: (stat[11]! + stat[12]! + stat[13]! + stat[14]!) / ticksPerS });
  }
  const isOurs = (pid: number): boolean => pid === process.pid || (pid > 1 && isOurs(all.get(pid)?.parent ?? 0));
  const oursS = [...all].reduce((sum, [pid, { cpuS }]) => sum + (isOurs(pid) ? cpuS : 0), 0);
  return { at: performance.now(), busyS: machine().busyS, oursS };
}

/** Share of the machine's cores that all other programs took, 0 to 1. */
export const disturbedBetween = (from: CpuTree, to: CpuTree): number =>
  Math.max(0, to.busyS - from.busyS - (to.oursS - from.oursS)) / ((to.at - from.at) / 1000) / cores;

export type CpuUse = { /** Percent of one core, by name. */ percent: Map<string, number>; others: number; idle: number; waiting: number; disturbed: number };

/** Between two looks. */
export function cpuBetween(from: CpuPicture, to: CpuPicture): CpuUse {
  const seconds = (to.at - from.at) / 1000;
  const percent = new Map(to.shares.map(({ name, cpuS }, i) => [name, (100 * (cpuS - from.shares[i]!.cpuS)) / seconds]));
  const ours = [...percent.values()].reduce((sum, one) => sum + one, 0);
  const others = Math.max(0, (100 * (to.busyS - from.busyS)) / seconds - ours);
  return {
    percent,
    others,
    idle: (100 * (to.idleS - from.idleS)) / seconds,
    waiting: (100 * (to.waitS - from.waitS)) / seconds,
    disturbed: others / 100 / cores,
  };
}

export function sentenceOf({ percent, others, idle, waiting }: CpuUse): string {
  const parts = [...percent].map(([name, share]) => `${name} ${Math.round(share)}`);
  return `CPU in % of one core: ${parts.join(", ")}, other programs ${Math.round(others)}; idle ${Math.round(idle)}, waiting for the disk ${Math.round(waiting)}.`;
}

/** What a value costs each of them: comparable between runs of different rates, and hardly touched by other programs. */
export function costOf({ percent }: CpuUse, valuesPerS: number): string {
  const parts = [...percent].filter(([name]) => name !== "bench").map(([name, share]) => `${name} ${((share * 10_000) / valuesPerS).toFixed(2)}`);
  return `Microseconds of CPU a value: ${parts.join(", ")}.`;
}

/** What stands in the way of more, by who was busy. */
export function limitOf(use: CpuUse): string {
  const [name, share] = [...use.percent].filter(([who]) => who !== "bench").sort((a, b) => b[1] - a[1])[0]!;
  const most = `${name} with ${Math.round(share)} % of a core`;
  if (use.disturbed > 0.1) return `Disturbed: other programs took ${Math.round(use.others)} % of a core.`;
  if (share > 92) return `Limited by one thread: ${most}.`;
  if (use.idle + use.waiting < 20 * cores)
    return `Limited by the ${cores} cores, which are ${Math.round(100 - (use.idle + use.waiting) / cores)} % busy; the largest part is the ${most.replace(/^the /, "")}.`;
  return `Limited by waiting for each other and for the disk: the ${cores} cores are ${Math.round((use.idle + use.waiting) / cores)} % idle; the largest part is the ${most.replace(/^the /, "")}.`;
}
