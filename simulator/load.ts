/**
 * `node simulator/load.ts --mode single --for 60s`: the load publisher as a process of its own. A JSON line of LoadStats each second, and one with
 * "done" at the end. With `--metrics URL` (a worker's /metrics) it stays at most `--ahead` values ahead of what the worker has settled.
 * Exported for benches: runLoad, loadPlantText.
 */
import { parseArgs } from "node:util";
import { env } from "#/simulator/env.ts";
import { loadPlantText } from "#/simulator/load/plant.ts";
import { followReader } from "#/simulator/load/reader.ts";
import { type LoadMode, type LoadStats, loadModes, runLoad } from "#/simulator/load/run.ts";
import { durationMs } from "#/simulator/options.ts";
import { messageOf, Trouble } from "#/simulator/trouble.ts";

export { type LoadMode, type LoadStats, loadPlantText, runLoad };

const isMode = (raw: string): raw is LoadMode => loadModes.some((mode) => mode === raw);

function whole(raw: string | undefined, otherwise: number, option: string): number {
  const value = raw === undefined ? otherwise : Number(raw);
  if (!Number.isInteger(value) || value < 1) throw new Trouble(`--${option} ${raw}: write a whole number above 0.`);
  return value;
}

async function main(): Promise<void> {
  const text = { type: "string" } as const;
  const { values } = parseArgs({
    options: {
      mode: text,
      lines: text,
      machines: text,
      rate: text,
      for: text,
      "in-flight": text,
      mqtt: text,
      metrics: text,
      ahead: text,
      "print-plant": { type: "boolean" },
    },
  });
  const mode = values.mode ?? "single";
  if (!isMode(mode)) throw new Trouble(`--mode ${mode}: it is ${loadModes.join(", ")}.`);
  const lines = whole(values.lines, 20, "lines");
  const machines = whole(values.machines, 10, "machines");
  if (values["print-plant"]) {
    process.stdout.write(loadPlantText(mode, lines, machines));
    return;
  }
  const stopping = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => stopping.abort());
  const reader = values.metrics === undefined ? null : await followReader(values.metrics);
  const stats = await runLoad({
    url: values.mqtt ?? env.mqttUrl,
    mode,
    lines,
    machines,
    rate: values.rate === undefined || values.rate === "max" ? Infinity : whole(values.rate, 1, "rate"),
    forMs: durationMs(values.for ?? "10s", "for"),
    inFlight: Math.min(60_000, whole(values["in-flight"], 4000, "in-flight")),
    ...(reader ? { ahead: { reader, values: whole(values.ahead, 100_000, "ahead") } } : {}),
    stop: stopping.signal,
    onSecond: (now) => console.log(JSON.stringify(now)),
  });
  reader?.end();
  console.log(
    JSON.stringify({
      done: true,
      ...stats,
      valuesPerS: Math.round(stats.ackedValues / stats.seconds),
      cpuShare: Math.round((stats.cpuS / stats.seconds) * 100) / 100,
    }),
  );
}

if (import.meta.main) {
  try {
    await main();
  } catch (error) {
    console.error(`load: ${messageOf(error)}`);
    process.exit(1);
  }
}
