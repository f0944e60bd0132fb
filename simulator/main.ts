/** `npm run simulate`: see options.ts for what it can do. Progress goes to stdout as JSON lines where a program reads along, words go to stderr. */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { backfill, Marker } from "#/simulator/backfill.ts";
import { env } from "#/simulator/env.ts";
import { live, type PlantClock, plantNow } from "#/simulator/live.ts";
import { Faults, Links, Litter, Wire } from "#/simulator/mischief.ts";
import type { PlantDef } from "#/simulator/model/definition.ts";
import { demoPlant } from "#/simulator/model/demo-plant.ts";
import { LoadModel, loadPlant } from "#/simulator/model/load-plant.ts";
import { type Model, PlantModel } from "#/simulator/model/readings.ts";
import { type Options, parseOptions, usage } from "#/simulator/options.ts";
import { aboutDemoPlant, plantFileText } from "#/simulator/plant-file.ts";
import { type BrokerAddress, withoutPassword } from "#/simulator/publish/broker.ts";
import { closeQuietly, Transport } from "#/simulator/publish/transport.ts";
import { replay } from "#/simulator/replay/replay.ts";
import { Trouble } from "#/simulator/trouble.ts";
import { Truth } from "#/simulator/truth.ts";

const log = (sentence: string) => console.error(`simulator: ${sentence}`);

const plantOf = (options: Options): PlantDef => (options.load ? loadPlant(options.load.lines, options.load.machines, options.format ?? "single") : demoPlant);

/** A model of its own for live and for history, so that neither throws the other's days out of memory. */
const modelOf = (options: Options): Model =>
  options.load ? new LoadModel(plantOf(options), options.seed, options.load.rate) : new PlantModel(demoPlant, options.seed);

function brokerOf(options: Options): BrokerAddress {
  const url = options.mqtt ?? env.mqttUrl;
  withoutPassword(url); // refuses what is no address
  if (env.mqttVersion !== undefined && env.mqttVersion !== "4" && env.mqttVersion !== "5")
    throw new Trouble(`MQTT_VERSION is ${env.mqttVersion}: it is 5, or 4 for MQTT 3.1.1.`);
  return {
    url,
    ...(env.mqttUsername ? { username: env.mqttUsername } : {}),
    ...(env.mqttPassword ? { password: env.mqttPassword } : {}),
    ...(env.mqttCaFile ? { caFile: env.mqttCaFile } : {}),
    ...(env.mqttCertFile ? { certFile: env.mqttCertFile } : {}),
    ...(env.mqttKeyFile ? { keyFile: env.mqttKeyFile } : {}),
    version: env.mqttVersion === "4" ? 4 : 5,
  };
}

function markerOf(options: Options, broker: BrokerAddress): Marker {
  const plant = `${options.seed} ${withoutPassword(broker.url)} ${options.only ?? ""} ${JSON.stringify(options.load)}`;
  const name = createHash("sha256").update(plant).digest("hex").slice(0, 10);
  const path =
    options.marker === "none" || (options.marker === null && options.what === "live") ? null : (options.marker ?? join(env.stateDir, `simulator-${name}.json`));
  return new Marker(path, plant);
}

async function run(options: Options, stop: AbortSignal): Promise<void> {
  const startedAt = Date.now();
  const broker = brokerOf(options);
  const model = modelOf(options);
  const machines = model.machines.filter(({ machinePath }) => !options.only || machinePath === options.only || machinePath.startsWith(`${options.only}/`));
  if (machines.length === 0) throw new Trouble(`--only ${options.only}: the simulated plant has nothing there.`);
  const clock: PlantClock = { from: options.from ?? startedAt, startedAt, speed: options.speed };
  const end = options.to ?? (options.forMs === null ? Infinity : clock.from + options.forMs);
  if (options.speed === Infinity && end === Infinity) throw new Trouble("--speed max needs an end: --to or --for.");
  const faults = new Faults(options, machines, clock.from);
  const links = new Links(options.lostLinks, machines, clock.from);
  const truth = new Truth({
    ...(options.truth ? { path: options.truth } : {}),
    ...(options.truthValues ? { valuesPath: options.truthValues } : {}),
    run: { startedAt, seed: options.seed, from: clock.from, speed: options.speed === Infinity ? "max" : options.speed, machines: machines.length },
  });
  const marker = markerOf(options, broker);
  const transport = await Transport.open(
    {
      broker,
      clientId: `takt-simulator-${process.pid}`,
      inFlight: options.inFlight,
      format: options.format,
      primaryHost: options.primaryHost,
      speaksForNow: options.what !== "backfill",
      now: () => plantNow(clock, Date.now()),
      wire: new Wire(options),
      litter: new Litter(options),
      truth,
      log,
    },
    machines,
  );
  log(`${machines.length} machines, broker ${withoutPassword(broker.url)}.`);
  const jobs: Promise<unknown>[] = [];
  try {
    if (options.what !== "backfill") {
      let savedAt = startedAt;
      jobs.push(
        live({
          model,
          machines,
          transport,
          truth,
          faults,
          links,
          clock,
          to: end,
          stop,
          onProgress: (from, to) => {
            marker.add(from, to);
            if (Date.now() - savedAt < 5000) return;
            savedAt = Date.now();
            marker.save();
          },
        }),
      );
    }
    if (options.what !== "live") jobs.push(fill(options, machines, transport, truth, marker, startedAt, stop));
    await Promise.all(jobs);
    marker.save();
  } finally {
    await closeQuietly(transport, log);
    await truth.close();
  }
  log(`${truth.values} values in ${truth.messages} messages were published${truth.garbage > 0 ? `, and ${truth.garbage} of garbage` : ""}.`);
}

async function fill(
  options: Options,
  machines: Model["machines"],
  transport: Transport,
  truth: Truth,
  marker: Marker,
  now: number,
  stop: AbortSignal,
): Promise<void> {
  if (!(await transport.ready(30_000)))
    throw new Trouble("The Sparkplug edge nodes could not announce themselves within 30 s: is the broker there, and the primary host online?");
  const from = now - options.backfillMs;
  await backfill({
    model: modelOf(options),
    machines,
    transport,
    truth,
    marker,
    from,
    to: now,
    now,
    maxRate: options.maxRate,
    stop,
    onProgress: (progress, values, of, day) => console.log(JSON.stringify({ progress: Math.round(progress * 1000) / 1000, values, of, day })),
  });
}

async function main(): Promise<void> {
  const args = process.argv.slice(2);
  if (args.includes("--help") || args.includes("-h")) {
    console.log(usage);
    return;
  }
  const options = parseOptions(args, Date.now());
  const stopping = new AbortController();
  let askedAt = 0;
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      // npm passes Ctrl-C on, so it comes twice; whoever asks again later means it
      if (askedAt > 0 && Date.now() - askedAt > 2000) process.exit(1);
      askedAt ||= Date.now();
      stopping.abort();
    });
  }
  if (options.what === "print-plant") {
    const about = options.load ? "The load plant of the simulator: npm run -s simulate -- --lines N --machines M --print-plant" : aboutDemoPlant;
    process.stdout.write(plantFileText(plantOf(options), about));
  } else if (options.what === "replay") await replay(options, brokerOf(options), stopping.signal, log);
  else await run(options, stopping.signal);
}

try {
  await main();
} catch (error) {
  console.error(error instanceof Trouble ? `simulator: ${error.message}` : error);
  process.exit(1);
}
