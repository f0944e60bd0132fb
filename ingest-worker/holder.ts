// Who holds a lease: a process, told apart from all others, so that one which is gone need not be waited for and none is taken for another.
import { createHash } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { hostname, networkInterfaces } from "node:os";

const unknown = "-";

/**
 * host, process id, start; then, for whoever finds the lease: where that process id means something, and which of all processes that ever had it.
 * A host name alone is not enough: containers on two hosts may share it, and two on one host may each have the same process ids.
 */
export const holderOf = (startedAt: Date) => `${hostname()} ${process.pid} ${startedAt.toISOString()} ${here} ${bornAt(process.pid) ?? unknown}`;

/** The part of a holder that people read. */
export const inWords = (holder: string) => holder.split(" ").slice(0, 3).join(" ");

/** Whether this holder, another one than oneself, is certainly gone. False also where that cannot be seen from here: then its lease runs out. */
export function isGone(holder: string): boolean {
  const [, id, , where, born] = holder.split(" ");
  const pid = Number(id);
  if (where !== here) return false;
  if (pid === process.pid) return true; // the number is ours now
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
  const now = bornAt(pid);
  return now !== null && now !== born; // somebody else has the number
}

// One start of one kernel, and in it one numbering of processes (a container has its own). Elsewhere than on Linux: the machine, by its network cards.
const here = digest(
  textOf(() => `${readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()} ${readlinkSync("/proc/self/ns/pid")}`) ??
    [hostname(), ...Object.values(networkInterfaces()).flatMap((cards) => (cards ?? []).filter(({ internal }) => !internal).map(({ mac }) => mac))]
      .sort()
      .join(" "),
);

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}

/** Start of a process in ticks of the kernel (proc(5), field 22 of stat); null: not to be seen here. One that has ended and only waits to be collected has none. */
function bornAt(pid: number): string | null {
  const stat = textOf(() => readFileSync(`/proc/${pid}/stat`, "utf8"));
  if (stat === null) return null;
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" "); // the name before it may have spaces; the state is field 3
  return /[ZX]/.test(fields[0] ?? "") ? "ended" : (fields[19] ?? null);
}

/** What the kernel says in a file, or null where there is none, or none for us. */
function textOf(read: () => string): string | null {
  try {
    return read();
  } catch (error) {
    if (["ENOENT", "EACCES", "EPERM", "ESRCH", "EINVAL", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) return null;
    throw error;
  }
}
