// GET /health (is the process alive), /ready (does it store what comes), /metrics (Prometheus).
import { createServer, type Server } from "node:http";
import type { Stats } from "./stats.ts";

/** Listens on host:port; rejects with a sentence when it cannot. port 0: any free one. */
export function serveHealth(stats: Stats, host: string, port: number): Promise<Server> {
  const server = createServer(async (request, response) => {
    const path = request.url?.split("?")[0];
    const json = (status: number, body: unknown) => response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    if (request.method !== "GET" && request.method !== "HEAD") return json(405, { error: "Only GET is answered here." });
    if (path === "/health") return json(200, { status: "alive", startedAt: stats.startedAt });
    if (path === "/ready") {
      const why = stats.whyNotReady();
      return json(why.length === 0 ? 200 : 503, {
        ready: why.length === 0,
        database: stats.databaseOk,
        lease: stats.leased,
        broker: stats.mqttConnected,
        subscribed: stats.subscribed,
        sparkplug: stats.sparkplugConnected,
        trouble: why.join(" "),
      });
    }
    if (path === "/metrics") {
      const text = await stats.registry.metrics();
      return response.writeHead(200, { "content-type": stats.registry.contentType }).end(text);
    }
    return json(404, { error: "There are /health, /ready and /metrics." });
  });
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) =>
      reject(
        new Error(
          error.code === "EADDRINUSE"
            ? `Port ${port} on ${host} is in use: is a worker running already? Set INGEST_HTTP_PORT to another one.`
            : `Cannot listen on ${host}:${port}: ${error.message}`,
        ),
      ),
    );
    server.listen(port, host, () => resolve(server));
  });
}
