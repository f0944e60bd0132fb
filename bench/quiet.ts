// A measurement wants the machine for itself: waits a while for others to finish, and says what it found.
import { readFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { setTimeout as wait } from "node:timers/promises";
import { cores } from "./cpu.ts";

const maxBusy = 0.15;
const maxWaitS = 120;

function ticks(): { busy: number; all: number } {
  const [user = 0, nice = 0, system = 0, idle = 0, io = 0, irq = 0, soft = 0, steal = 0] = readFileSync("/proc/stat", "latin1")
    .split("\n", 1)[0]!
    .trim()
    .split(/\s+/)
    .slice(1)
    .map(Number);
  const busy = user + nice + system + irq + soft + steal;
  return { busy, all: busy + idle + io };
}

export async function waitForQuiet(say: (line: string) => void): Promise<void> {
  for (let waited = 0; waited < maxWaitS; waited += 3) {
    const from = ticks();
    await wait(waited === 0 ? 1000 : 3000);
    const to = ticks();
    const busy = (to.busy - from.busy) / (to.all - from.all);
    if (busy < maxBusy) return;
    if (waited === 0) say(`other programs use ${Math.round(busy * 100)} % of the machine; waiting for them, ${maxWaitS} s at the most`);
  }
  say("other programs are still busy; measuring all the same");
}

export const machineLine = (): string =>
  `Machine: ${cores} cores (${cpus()[0]?.model ?? "unknown"}); load average ${loadavg()
    .map((l) => l.toFixed(2))
    .join(" ")}.`;
