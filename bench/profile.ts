// Where the time goes, for those who want to make it less: the worker's functions by their own time, the database's statements by name.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "#/scripts/env.ts";
import type { Rig } from "./rig.ts";

type CpuProfile = {
  nodes: { id: number; callFrame: { functionName: string; url: string; lineNumber: number } }[];
  samples: number[];
  timeDeltas: number[];
};
type StatementRow = { query: string; calls: number; totalMs: number; rows: number; walMb: number };
const shown = 30;

export async function startProfile(rig: Rig): Promise<void> {
  await rig.asAdmin((admin) => admin.query("select pg_stat_statements_reset()"));
}

/** Ends the worker, which writes its profile as it goes. */
export async function printProfile(rig: Rig, say: (line: string) => void): Promise<void> {
  const statements = await rig.asAdmin((admin) =>
    admin.query<StatementRow>(
      `select query, calls::int, total_exec_time + total_plan_time as "totalMs", rows::float8, wal_bytes::float8 / 1e6 as "walMb" from pg_stat_statements
       where calls > 5 order by 3 desc limit ${shown}`,
    ),
  );
  say("statements of the database (ms in all, calls, ms a call, rows, MB of write-ahead log):");
  for (const { query, calls, totalMs, rows, walMb } of statements.rows)
    say(
      `  ${totalMs.toFixed(0).padStart(8)} ${String(calls).padStart(6)} ${(totalMs / calls).toFixed(2).padStart(8)} ${String(rows).padStart(9)} ${walMb.toFixed(1).padStart(8)}  ${nameOf(query)}`,
    );
  await rig.stopWorker();
  const folder = join(rig.folder, "profile");
  const largest = readdirSync(folder)
    .map((name) => join(folder, name))
    .sort((a, b) => statSync(b).size - statSync(a).size)[0]!;
  say("functions of the worker by their own time (ms, % of the time it ran):");
  for (const { name, ms, share } of ownTimes(JSON.parse(readFileSync(largest, "utf8")) as CpuProfile))
    say(`  ${ms.toFixed(0).padStart(8)} ${(share * 100).toFixed(1).padStart(5)}  ${name}`);
}

const nameOf = (query: string) => /--\s*(\S+)/.exec(query)?.[1] ?? query.replace(/\s+/g, " ").slice(0, 80);

function ownTimes({ nodes, samples, timeDeltas }: CpuProfile): { name: string; ms: number; share: number }[] {
  const nameById = new Map(
    nodes.map(({ id, callFrame: { functionName, url, lineNumber } }) => {
      const file = url
        .replace(/^file:\/\//, "")
        .replace(`${projectRoot}/`, "")
        .replace("node_modules/", "");
      return [id, `${functionName || "(anonymous)"} ${file}${lineNumber > 0 ? `:${lineNumber + 1}` : ""}`.trim()];
    }),
  );
  const ms = new Map<string, number>();
  samples.forEach((id, i) => {
    const name = nameById.get(id) ?? "?";
    ms.set(name, (ms.get(name) ?? 0) + (timeDeltas[i] ?? 0) / 1000);
  });
  const whole = [...ms.values()].reduce((sum, one) => sum + one, 0);
  return [...ms]
    .map(([name, own]) => ({ name, ms: own, share: own / whole }))
    .sort((a, b) => b.ms - a.ms)
    .slice(0, shown);
}
