// The ingest worker: mqtt -> decode -> resolve -> batch -> write -> PUBACK.
import pino from "pino";
import { readEnv } from "./env.ts";
import { serveHealth } from "./health.ts";
import { holderOf } from "./holder.ts";
import { Stats } from "./stats.ts";
import { Worker } from "./worker.ts";

const startedAt = new Date();

function start() {
  let env: ReturnType<typeof readEnv>;
  try {
    env = readEnv();
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    process.exit(2);
  }
  const log = pino({ name: "ingest", level: env.LOG_LEVEL });
  const stats = new Stats(startedAt, env.MQTT_URL, env.SPARKPLUG_GROUPS.length > 0);
  const worker = new Worker(env, stats, log, holderOf(startedAt));

  const stop = (signal: string) => {
    log.info(`${signal}: writing what is held, then stopping`);
    worker.stop();
    // What is not committed by then is not acknowledged either: the broker delivers it again.
    setTimeout(() => process.exit(1), 10_000).unref();
  };
  process.once("SIGTERM", () => stop("SIGTERM"));
  process.once("SIGINT", () => stop("SIGINT"));

  serveHealth(stats, env.HOST, env.INGEST_HTTP_PORT)
    .then(() => worker.run())
    .then(() => {
      log.info("stopped");
      process.exit(0);
    })
    .catch((error: Error) => {
      log.fatal(error.message);
      process.stderr.write(`${error.message}\n`);
      process.exit(1);
    });
}

start();
