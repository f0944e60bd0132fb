/**
 * Streams of boards never end by themselves, so a web process that was asked to stop would wait for its viewers until it is killed. Here they end at
 * once, and what else is under way has a few seconds. A browser whose stream breaks off connects again, to whatever process serves then.
 */
import { subscribe } from "node:diagnostics_channel";
import type { IncomingMessage, Server, ServerResponse } from "node:http";

/** What a request under way may still take. */
const graceMs = 5_000;

type Started = { request: IncomingMessage; response: ServerResponse; server: Server };

/** To be called once, before the first request. */
export function endStreamsOnLeaving(): void {
  const servers = new Set<Server>();
  const streams = new Set<ServerResponse>();
  let isLeaving = false;
  subscribe("http.server.request.start", (message) => {
    const { request, response, server } = message as Started;
    servers.add(server);
    if (!request.headers.accept?.includes("text/event-stream")) return;
    if (isLeaving) return void response.destroy();
    streams.add(response);
    response.once("close", () => streams.delete(response));
  });
  for (const signal of ["SIGTERM", "SIGINT"] as const)
    process.once(signal, () => {
      isLeaving = true;
      for (const stream of streams) stream.destroy();
      setTimeout(() => {
        for (const server of servers) server.closeAllConnections();
      }, graceMs).unref();
    });
}
