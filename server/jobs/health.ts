/** GET /health of the jobs process: is it alive, does it reach the database, when did each job last succeed. */
import { createServer, type Server } from "node:http";
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

/** Listens on host:port; rejects with a sentence when it cannot. port 0: any free one. */
export function serveHealth(health: Health, host: string, port: number, now: () => Date): Promise<Server> {
  const server = createServer((request, response) => {
    const answer = (status: number, body: unknown) => response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    if (request.method !== "GET" && request.method !== "HEAD") return answer(405, { error: "Only GET is answered here." });
    if (request.url?.split("?")[0] !== "/health") return answer(404, { error: "There is /health." });
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
