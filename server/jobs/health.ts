/** GET /health (is it alive, does it reach the database, when did each job last succeed) and /metrics (the same for Prometheus) of the jobs process. */
import { createServer, type Server } from "node:http";
import { Gauge, Registry } from "prom-client";
import type { JobState } from "./queue.ts";
import { jobs } from "./tasks.ts";

export type Health = {
  startedAt: number;
  /** null: reachable; else what is wrong, as a sentence. */
  trouble: string | null;
  jobs: Map<string, JobState>;
};

/** A job is late when it has not succeeded for three of its periods, at least five minutes. */
const lateAfterMs = (everyS: number) => Math.max(3 * everyS * 1000, 300_000);

/** What /health answers at `nowMs`; status 503 where the database is away or a job failed last. */
export function healthAnswer(health: Health, nowMs: number) {
  const list = jobs.map(({ name, everyS }) => {
    const state = health.jobs.get(name);
    const { lastOkAt = null, lastAt = null, tookMs = null, did = null, failure = null } = state ?? {};
    const iso = (at: number | null) => (at === null ? null : new Date(at).toISOString());
    // Another process may have done it: never done here is not late.
    const isLate = failure !== null && nowMs - (lastOkAt ?? health.startedAt) > lateAfterMs(everyS);
    return { name, everyS, lastAt: iso(lastAt), lastOkAt: iso(lastOkAt), tookMs: tookMs === null ? null : Math.round(tookMs), did, failure, isLate };
  });
  const ok = health.trouble === null && list.every((job) => !job.isLate);
  return {
    status: ok ? 200 : 503,
    body: { ok, startedAt: new Date(health.startedAt).toISOString(), database: health.trouble === null, trouble: health.trouble, jobs: list },
  };
}

/** The same for Prometheus. A job that has not run in this process has no sample. */
export function metricsOf(health: Health): { type: string; text: Promise<string> } {
  const register = new Registry();
  const registers = [register];
  new Gauge({ name: "takt_jobs_database_up", help: "1: the database answers", registers }).set(health.trouble === null ? 1 : 0);
  const lastOk = new Gauge({
    name: "takt_jobs_last_success_seconds",
    help: "When the job last succeeded here, seconds since 1970",
    labelNames: ["job"],
    registers,
  });
  const took = new Gauge({ name: "takt_jobs_duration_seconds", help: "How long its last run took", labelNames: ["job"], registers });
  const failing = new Gauge({ name: "takt_jobs_failing", help: "1: its last run failed", labelNames: ["job"], registers });
  for (const [job, state] of health.jobs) {
    if (state.lastOkAt !== null) lastOk.set({ job }, state.lastOkAt / 1000);
    if (state.tookMs !== null) took.set({ job }, state.tookMs / 1000);
    failing.set({ job }, state.failure === null ? 0 : 1);
  }
  return { type: register.contentType, text: register.metrics() };
}

/** Listens on host:port; rejects with a sentence when it cannot. port 0: any free one. */
export function serveHealth(health: Health, host: string, port: number, now: () => Date): Promise<Server> {
  const server = createServer(async (request, response) => {
    const answer = (status: number, body: unknown) => response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    if (request.method !== "GET" && request.method !== "HEAD") return answer(405, { error: "Only GET is answered here." });
    const path = request.url?.split("?")[0];
    if (path === "/metrics") {
      const { type, text } = metricsOf(health);
      return response.writeHead(200, { "content-type": type }).end(await text);
    }
    if (path !== "/health") return answer(404, { error: "There are /health and /metrics." });
    const { status, body } = healthAnswer(health, now().getTime());
    return answer(status, body);
  });
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) =>
      reject(
        new Error(
          error.code === "EADDRINUSE"
            ? `Port ${port} on ${host} is in use: is a jobs process running already? Set JOBS_HTTP_PORT to another one.`
            : `Cannot listen on ${host}:${port}: ${error.message}`,
        ),
      ),
    );
    server.listen(port, host, () => resolve(server));
  });
}
